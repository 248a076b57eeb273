"""Webhook endpoints: the list, one with its deliveries, making, changing, rotating, switching off and deleting.

A secret is rendered in the answer to the POST that made it, as with API keys: kept for a next page it would be stored.
"""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from connect.domain.webhook_endpoints import EVERY_EVENT
from connect.kit.tenancy import use_environment
from connect.selectors import webhook_deliveries as delivery_selectors
from connect.selectors import webhook_endpoints as selectors
from connect.services import webhook_endpoints as services
from connect.services import webhook_inbox
from connect.shapes.webhook_endpoints import DELIVERY_PREFIX, WebhookEndpointOut
from dashboard.pages import actions, curl, lists
from dashboard.pages.access import OrganizationPage, organization_page, render
from dashboard.pages.reauthentication import needs_proof
from dashboard.pages.webhook_forms import ConfirmForm, EndpointForm, RotateForm
from dashboard.templatetags.statuses import DELIVERY_STATUSES

FORM: Final = ["GET", "HEAD", "POST"]


@require_safe
@organization_page(permission="webhook_endpoints:read")
def endpoints(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """Every endpoint; there are never many."""
    context = {
        "endpoints": selectors.every(page.caller),
        "can_write": page.allows("webhook_endpoints:write"),
        "curl": curl.example(
            request,
            "/v1/webhook_endpoints",
            {"url": "https://shop.example.com/webhooks", "enabled_events[]": EVERY_EVENT},
        ),
    }
    return render(request, page, "dashboard/webhook_endpoints.html", context)


@require_safe
@organization_page(permission="webhook_endpoints:read")
def endpoint(request: HttpRequest, page: OrganizationPage, endpoint_id: str) -> HttpResponse:
    """One endpoint and what was sent to it; `status` narrows the deliveries."""
    found = selectors.get(page.caller, endpoint_id)
    status = request.GET.get("status", "")
    status = status if status in DELIVERY_STATUSES else ""
    wanted = lists.wanted(request, DELIVERY_PREFIX)
    deliveries, has_more = delivery_selectors.page(
        page.caller, wanted, endpoint_id=selectors.require(page.caller, endpoint_id), status=status or None
    )
    context = {
        "endpoint": found,
        "deliveries": deliveries,
        "filters": {"status": status},
        "statuses": list(DELIVERY_STATUSES),
        "is_filtered": bool(status or wanted.cursor),
        "pager": lists.pager(
            [each.id for each in deliveries],
            wanted,
            {"status": status},
            has_more=has_more,
            noun="delivery",
        ),
        "can_write": page.allows("webhook_endpoints:write"),
    }
    return render(request, page, "dashboard/webhook_endpoint.html", context)


@require_http_methods(FORM)
@organization_page(permission="webhook_endpoints:write", opens_environment=False)
@needs_proof
@sensitive_variables("made")
def new(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """The form for a new endpoint; its POST answers with the secret. `?inbox=1` fills in the built-in inbox."""
    inbox = "" if page.environment.livemode else webhook_inbox.address(page.environment)
    initial = {"url": inbox, "description": gettext("The built-in inbox")} if request.GET.get("inbox") and inbox else {}
    form = EndpointForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = form.given()
        made = actions.local(request, page, form, lambda caller: services.create(caller, **given))
        if made is not None:
            return _secret(request, page, made, title=gettext("Copy the signing secret now"))
    return _edit(request, page, form, title=gettext("New webhook endpoint"), action=gettext("Create endpoint"))


@require_http_methods(FORM)
@organization_page(permission="webhook_endpoints:write", opens_environment=False)
def edit(request: HttpRequest, page: OrganizationPage, endpoint_id: str) -> HttpResponse:
    """The same form for an endpoint that is there."""
    known = _look(page, endpoint_id)
    wants_all = EVERY_EVENT in known.enabled_events
    initial = {
        "url": known.url,
        "description": known.description,
        "which": "all" if wants_all else "chosen",
        "enabled_events": [] if wants_all else known.enabled_events,
    }
    form = EndpointForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = form.given()
        changed = actions.local(
            request, page, form, lambda caller: services.update(caller, endpoint_id=endpoint_id, **given)
        )
        if changed is not None:
            messages.success(request, gettext("The changes are kept. They hold for what happens from now on."))
            return HttpResponseRedirect(page.url("webhook_endpoint", endpoint_id))
    return _edit(
        request, page, form, title=gettext("Edit webhook endpoint"), action=gettext("Save changes"), known=known
    )


@require_http_methods(FORM)
@organization_page(permission="webhook_endpoints:write", opens_environment=False)
@needs_proof
@sensitive_variables("made")
def rotate(request: HttpRequest, page: OrganizationPage, endpoint_id: str) -> HttpResponse:
    """A new secret; the old one signs beside it for as long as was chosen."""
    known = _look(page, endpoint_id)
    form = RotateForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        seconds = form.cleaned_data["overlap"]
        made = actions.local(
            request,
            page,
            form,
            lambda caller: services.rotate_secret(caller, endpoint_id=endpoint_id, overlap_seconds=seconds),
        )
        if made is not None:
            return _secret(request, page, made, title=gettext("Copy the new signing secret now"))
    text = gettext("You get a new secret for %(url)s. The old one ends when you say.") % {"url": known.url}
    return _confirm(
        request,
        page,
        known,
        form,
        title=gettext("Rotate the signing secret"),
        text=text,
        action=gettext("Rotate secret"),
    )


@require_http_methods(FORM)
@organization_page(permission="webhook_endpoints:write", opens_environment=False)
def switch(request: HttpRequest, page: OrganizationPage, endpoint_id: str) -> HttpResponse:
    """Disables an enabled endpoint and enables a disabled one, after saying what follows."""
    known = _look(page, endpoint_id)
    is_enabled = known.status == "enabled"
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        # The form says which way it was meant: sent twice, it must not undo itself.
        disabled = request.POST.get("disabled", "true" if is_enabled else "false") == "true"
        changed = actions.local(
            request, page, form, lambda caller: services.update(caller, endpoint_id=endpoint_id, disabled=disabled)
        )
        if changed is not None:
            messages.success(
                request,
                gettext("Nothing more is sent to it.") if disabled else gettext("It gets what happens from now on."),
            )
            return HttpResponseRedirect(page.url("webhook_endpoint", endpoint_id))
    words = (
        {
            "title": gettext("Disable this endpoint?"),
            "text": gettext(
                "What still waits for %(url)s is canceled, and what happens meanwhile is not sent. Both can be "
                "replayed once it is enabled again."
            )
            % {"url": known.url},
            "action": gettext("Disable endpoint"),
            "tone": "danger",
        }
        if is_enabled
        else {
            "title": gettext("Enable this endpoint?"),
            "text": gettext("%(url)s gets what happens from now on. What it missed can be replayed.")
            % {"url": known.url},
            "action": gettext("Enable endpoint"),
        }
    )
    hidden = [("disabled", "true" if is_enabled else "false")]
    return _confirm(request, page, known, form, hidden=hidden, **words)


@require_http_methods(FORM)
@organization_page(permission="webhook_endpoints:write", opens_environment=False)
def delete(request: HttpRequest, page: OrganizationPage, endpoint_id: str) -> HttpResponse:
    """Asks with the address and the consequence; the POST deletes."""
    known = _look(page, endpoint_id)
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        gone = actions.local(request, page, form, lambda caller: services.delete(caller, endpoint_id=endpoint_id))
        if gone is not None:
            messages.success(request, gettext("The endpoint is deleted."))
            return HttpResponseRedirect(page.url("webhook_endpoints"))
    text = gettext("Nothing more is sent to %(url)s, and its secret is gone. This cannot be undone; its log stays.") % {
        "url": known.url
    }
    return _confirm(
        request,
        page,
        known,
        form,
        title=gettext("Delete this endpoint?"),
        text=text,
        action=gettext("Delete endpoint"),
        tone="danger",
    )


def _look(page: OrganizationPage, endpoint_id: str) -> WebhookEndpointOut:
    with use_environment(page.environment):
        return selectors.get(page.caller, endpoint_id)


@sensitive_variables("made")
def _secret(request: HttpRequest, page: OrganizationPage, made: dict[str, Any], *, title: str) -> HttpResponse:
    return render(request, page, "dashboard/webhook_secret.html", {"endpoint": made, "title": title})


def _edit(
    request: HttpRequest,
    page: OrganizationPage,
    form: EndpointForm,
    *,
    title: str,
    action: str,
    known: WebhookEndpointOut | None = None,
) -> HttpResponse:
    context = {
        "form": form,
        "title": title,
        "action": action,
        "endpoint_url": known.url if known else "",
        "back": page.url("webhook_endpoint", known.id) if known else page.url("webhook_endpoints"),
    }
    return render(request, page, "dashboard/webhook_form.html", context, status=422 if form.errors else 200)


def _confirm(
    request: HttpRequest, page: OrganizationPage, known: WebhookEndpointOut, form: Any, **words: Any
) -> HttpResponse:
    back = page.url("webhook_endpoint", known.id)
    crumbs = [(gettext("Webhooks"), page.url("webhook_endpoints")), (known.url, back)]
    context = {"form": form, "crumbs": crumbs, "back": back, **words}
    return render(request, page, "dashboard/form_page.html", context, status=422 if form.errors else 200)
