"""Deliveries: every attempt with request and answer; sending again, replaying a range, sending a test; the inbox."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
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

FORM: Final = ["GET", "HEAD", "POST"]
INBOX_SHOWN: Final = 50
VERDICTS: Final = {"valid": ("Signature valid", "good"), "unsigned": ("Not signed", "warn")}
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
            messages.success(request, "The event is on its way once more. Reload to see the answer.")
            return HttpResponseRedirect(back)
    return _form(
        request,
        page,
        form,
        crumbs=[("Webhooks", page.url("webhook_endpoints")), (delivery_id, back)],
        back=back,
        title=f"Send {found.event_type} again?",
        text="It is sent at once, exactly as it was, whatever became of it before.",
        action="Send again",
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
            messages.success(request, "The test is on its way. Reload to see the answer.")
            return HttpResponseRedirect(page.url("webhook_delivery", made["id"]))
    text = f"An event with an example in it goes to {known.url}, signed like every other. It is in no list of events."
    return _of_endpoint(request, page, known, form, title="Send a test event", text=text, action="Send test")


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
                messages.success(request, f"{count} deliver{'y is' if count == 1 else 'ies are'} on the way.")
                return HttpResponseRedirect(page.url("webhook_endpoint", endpoint_id))
    wanted = "every type" if EVERY_EVENT in known.enabled_events else "the types it wants"
    text = f"{known.url} gets the events of {wanted} from this time once more. Apps should know events by their id."
    hidden = [("step", "count")]
    return _of_endpoint(
        request, page, known, form, title="Replay events", text=text, action="Count them first", hidden=hidden
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
    since, until = (f"{form.cleaned_data[name]:%Y-%m-%dT%H:%M:%S.%f}"[:23] for name in ("since", "until"))
    scope = form.cleaned_data["scope"]
    again = {"since": since[:16], "until": until[:16] if form.data.get("until") else "", "scope": scope}
    noun = "event" if count == 1 else "events"
    moments = " to ".join(f"{form.cleaned_data[name]:%-d %b %Y, %H:%M}" for name in ("since", "until"))
    which = "that it has not confirmed" if scope == "failed" else "confirmed or not"
    return _form(
        request,
        page,
        ConfirmForm(),
        crumbs=_crumbs(page, known),
        back=f"{page.url('webhook_endpoint_replay', known.id)}?{urlencode(again)}",
        cancel="Change the range",
        title=f"Replay {count} {noun}?" if count else "Nothing to replay",
        text=f"{moments} UTC, {which}: {count} {noun} for {known.url}.",
        action=f"Replay {count} {noun}" if count else "",
        hidden=[("since", since), ("until", until), ("scope", scope)],
    )


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
    text, tone = VERDICTS.get(message.verdict, ("Signature invalid", "bad"))
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
    return [("Webhooks", page.url("webhook_endpoints")), (known.url, page.url("webhook_endpoint", known.id))]


def _form(request: HttpRequest, page: OrganizationPage, form: Any, **words: Any) -> HttpResponse:
    context = {"form": form, **words}
    return render(request, page, "dashboard/form_page.html", context, status=422 if form.errors else 200)
