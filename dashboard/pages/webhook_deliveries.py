"""Deliveries: every attempt with request and answer; sending again, replaying a range, sending a test; the inbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from connect.domain.webhook_endpoints import EVERY_EVENT
from connect.kit import ids, redaction
from connect.kit.errors import DomainError
from connect.kit.tenancy import use_environment
from connect.selectors import events as event_selectors
from connect.selectors import webhook_deliveries as selectors
from connect.selectors import webhook_endpoints as endpoint_selectors
from connect.services import webhook_inbox, webhook_resends
from connect.shapes.webhook_endpoints import DELIVERY_PREFIX, WebhookEndpointOut
from dashboard.pages import actions, curl
from dashboard.pages.access import OrganizationPage, organization_page, render
from dashboard.pages.webhook_forms import ConfirmForm, ReplayForm, TestForm
from dashboard.templatetags.moments import moment_field, moment_text

FORM: Final = ["GET", "HEAD", "POST"]
INBOX_SHOWN: Final = 50
VERDICTS: Final = {"valid": (_("Signature valid"), "good"), "unsigned": (_("Not signed"), "warn")}
"""Word and badge tone; every other verdict is a bad one."""


@require_safe
@organization_page(permission="webhook_endpoints:read")
def delivery(request: HttpRequest, page: OrganizationPage, delivery_id: str) -> HttpResponse:
    """One delivery and all its attempts, newest first."""
    found = selectors.get(page.caller, delivery_id)
    endpoint = next((e for e in endpoint_selectors.every(page.caller) if e.id == found.webhook_endpoint), None)
    event = redaction.tree(msgspec.to_builtins(event_selectors.get(page.caller, found.event)))
    context = {
        "delivery": found,
        "endpoint": endpoint,
        "body": msgspec.json.format(msgspec.json.encode(event), indent=2).decode(),
        "attempts": [
            (attempt, curl.pretty(attempt.response.body) if attempt.response else "")
            for attempt in selectors.attempts_of(ids.lookup(DELIVERY_PREFIX, found.id))
        ],
        "can_resend": page.allows("webhook_endpoints:write") and endpoint is not None and endpoint.status == "enabled",
    }
    return render(request, page, "dashboard/webhook_delivery.html", context)


@require_http_methods(FORM)
@organization_page(permission="webhook_endpoints:write", opens_environment=False)
def resend(request: HttpRequest, page: OrganizationPage, delivery_id: str) -> HttpResponse:
    """Sends a delivery once more."""
    with use_environment(page.environment):
        found = selectors.get(page.caller, delivery_id)
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    back = page.url("webhook_delivery", delivery_id)
    if request.method == "POST" and form.is_valid():
        made = actions.local(
            request, page, form, lambda caller: webhook_resends.resend(caller, delivery_id=delivery_id)
        )
        if made is not None:
            messages.success(request, gettext("The event is on its way once more. Reload to see the answer."))
            return HttpResponseRedirect(back)
    return _form(
        request,
        page,
        form,
        crumbs=[(gettext("Webhooks"), page.url("webhook_endpoints")), (delivery_id, back)],
        back=back,
        title=gettext("Send %(event_type)s again?") % {"event_type": found.event_type},
        text=gettext("It is sent at once, exactly as it was, whatever became of it before."),
        action=gettext("Send again"),
    )


@require_http_methods(FORM)
@organization_page(permission="webhook_endpoints:write", opens_environment=False)
def send_test(request: HttpRequest, page: OrganizationPage, endpoint_id: str) -> HttpResponse:
    """Sends an event with an example in it; it tells of nothing that happened."""
    known = _look(page, endpoint_id)
    form = TestForm(request.POST if request.method == "POST" else None, wanted=known.enabled_events)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data["type"]
        made = actions.local(
            request,
            page,
            form,
            lambda caller: webhook_resends.send_test(caller, endpoint_id=endpoint_id, type=chosen),
        )
        if made is not None:
            messages.success(request, gettext("The test is on its way. Reload to see the answer."))
            return HttpResponseRedirect(page.url("webhook_delivery", made["id"]))
    text = gettext(
        "An event with an example in it goes to %(url)s, signed like every other. It is in no list of events."
    ) % {"url": known.url}
    return _of_endpoint(
        request, page, known, form, title=gettext("Send a test event"), text=text, action=gettext("Send test")
    )


@require_http_methods(FORM)
@organization_page(permission="webhook_endpoints:write", opens_environment=False)
def replay(request: HttpRequest, page: OrganizationPage, endpoint_id: str) -> HttpResponse:
    """Sends again what was recorded in a range of time. `step=count` says first how much that is, and sends nothing."""
    known = _look(page, endpoint_id)
    form = ReplayForm(request.POST if request.method == "POST" else None, initial=_range(request))
    if request.method == "POST" and form.is_valid():
        given = form.given()
        if request.POST.get("step") == "count":
            count = _count(page, form, endpoint_id)
            if count is not None:
                return _confirm_replay(request, page, known, form, count)
        else:
            made = actions.local(
                request, page, form, lambda caller: webhook_resends.replay(caller, endpoint_id=endpoint_id, **given)
            )
            if made is not None:
                count = made["deliveries"]
                messages.success(
                    request,
                    ngettext("%(count)s delivery is on the way.", "%(count)s deliveries are on the way.", count)
                    % {"count": count},
                )
                return HttpResponseRedirect(page.url("webhook_endpoint", endpoint_id))
    text = (
        gettext("%(url)s gets the events of every type from this time once more. Apps should know events by their id.")
        if EVERY_EVENT in known.enabled_events
        else gettext(
            "%(url)s gets the events of the types it wants from this time once more. "
            "Apps should know events by their id."
        )
    ) % {"url": known.url}
    hidden = [("step", "count")]
    return _of_endpoint(
        request,
        page,
        known,
        form,
        title=gettext("Replay events"),
        text=text,
        action=gettext("Count them first"),
        hidden=hidden,
    )


def _range(request: HttpRequest) -> dict[str, str]:
    """What the query string fills in: the way back from the count keeps the range."""
    return {name: request.GET[name] for name in ("since", "until", "scope") if request.GET.get(name)}


def _count(page: OrganizationPage, form: ReplayForm, endpoint_id: str) -> int | None:
    """How many deliveries the form asks for; None with the refusal said in the form. An open end becomes now."""
    form.cleaned_data["until"] = form.cleaned_data["until"] or webhook_resends.until_now(page.caller)
    try:
        with use_environment(page.environment):
            return webhook_resends.count_replay(page.caller, endpoint_id=endpoint_id, **form.given())
    except DomainError as error:
        form.refuse(error)
        return None


def _confirm_replay(
    request: HttpRequest, page: OrganizationPage, known: WebhookEndpointOut, form: ReplayForm, count: int
) -> HttpResponse:
    """The same range once more, now with its number; what was counted is what is sent."""
    since, until = (form.cleaned_data[name] for name in ("since", "until"))
    scope = form.cleaned_data["scope"]
    again = {
        "since": moment_field(since),
        "until": moment_field(until) if form.data.get("until") else "",
        "scope": scope,
    }
    found = {
        "count": count,
        "since": moment_text(since),
        "until": moment_text(until),
        "url": known.url,
    }
    text = (
        ngettext(
            "%(since)s to %(until)s, that it has not confirmed: %(count)s event for %(url)s.",
            "%(since)s to %(until)s, that it has not confirmed: %(count)s events for %(url)s.",
            count,
        )
        if scope == "failed"
        else ngettext(
            "%(since)s to %(until)s, confirmed or not: %(count)s event for %(url)s.",
            "%(since)s to %(until)s, confirmed or not: %(count)s events for %(url)s.",
            count,
        )
    ) % found
    return _form(
        request,
        page,
        ConfirmForm(),
        crumbs=_crumbs(page, known),
        back=f"{page.url('webhook_endpoint_replay', known.id)}?{urlencode(again)}",
        cancel=gettext("Change the range"),
        title=ngettext("Replay %(count)s event?", "Replay %(count)s events?", count) % {"count": count}
        if count
        else gettext("Nothing to replay"),
        text=text,
        action=ngettext("Replay %(count)s event", "Replay %(count)s events", count) % {"count": count} if count else "",
        hidden=[("since", _exact(since)), ("until", _exact(until)), ("scope", scope)],
    )


def _exact(moment: datetime) -> str:
    """A moment with its offset: what was counted is sent, also in the hour that comes twice."""
    return moment.isoformat(timespec="milliseconds")


@require_safe
@organization_page(permission="webhook_endpoints:read")
def inbox(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """What arrived at the test environment's own address, and whether its signature holds."""
    if page.environment.livemode:
        raise Http404
    address = webhook_inbox.address(page.environment)
    arrived = list(selectors.inbox(INBOX_SHOWN))
    context = {
        "address": address,
        "messages_arrived": [_arrived(message) for message in arrived],
        "is_connected": any(endpoint.url.startswith(address) for endpoint in endpoint_selectors.every(page.caller)),
        "can_write": page.allows("webhook_endpoints:write"),
        "shown": INBOX_SHOWN,
    }
    return render(request, page, "dashboard/webhook_inbox.html", context)


def _arrived(message: Any) -> dict[str, Any]:
    text, tone = VERDICTS.get(message.verdict, (gettext("Signature invalid"), "bad"))
    return {
        "received_at": message.received_at,
        "event_id": message.event_id,
        "event_type": message.event_type,
        "verdict": text,
        "tone": tone,
        "status": message.answered_status,
        "headers": "\n".join(f"{name}: {value}" for name, value in sorted(message.headers.items())),
        "body": curl.pretty(message.body),
    }


def _look(page: OrganizationPage, endpoint_id: str) -> WebhookEndpointOut:
    with use_environment(page.environment):
        return endpoint_selectors.get(page.caller, endpoint_id)


def _of_endpoint(
    request: HttpRequest, page: OrganizationPage, known: WebhookEndpointOut, form: Any, **words: Any
) -> HttpResponse:
    back = page.url("webhook_endpoint", known.id)
    return _form(request, page, form, crumbs=_crumbs(page, known), back=back, **words)


def _crumbs(page: OrganizationPage, known: WebhookEndpointOut) -> list[tuple[str, str]]:
    return [(gettext("Webhooks"), page.url("webhook_endpoints")), (known.url, page.url("webhook_endpoint", known.id))]


def _form(request: HttpRequest, page: OrganizationPage, form: Any, **words: Any) -> HttpResponse:
    context = {"form": form, **words}
    return render(request, page, "dashboard/form_page.html", context, status=422 if form.errors else 200)
