"""Events: what happened, which request caused it, and to whom it was told."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from connect.kit import event_types, ids, redaction
from connect.kit.pages import Page
from connect.kit.tenancy import use_environment
from connect.selectors import events as event_selectors
from connect.selectors import request_logs as request_log_selectors
from connect.selectors import webhook_deliveries as delivery_selectors
from connect.selectors import webhook_endpoints as endpoint_selectors
from connect.services import webhook_resends
from connect.shapes.events import PREFIX, EventOut
from dashboard.pages import actions, curl, lists
from dashboard.pages.access import OrganizationPage, organization_page, render
from dashboard.pages.webhook_forms import ResendForm

DELIVERED: Final = {"yes": _("Confirmed by every endpoint"), "no": _("Not yet, or given up")}
DELIVERIES_SHOWN: Final = 50


@require_safe
@organization_page(permission="events:read")
def events(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """The list, newest first. Every filter is part of the address; a whole event id as `object` opens that event."""
    filters = {name: request.GET.get(name, "").strip() for name in ("type", "object", "delivered")}
    if ids.decode(PREFIX, filters["object"]):
        return HttpResponseRedirect(page.url("event", filters["object"]))
    filters["type"] = filters["type"] if event_types.get(filters["type"]) else ""
    filters["delivered"] = filters["delivered"] if filters["delivered"] in DELIVERED else ""
    wanted = lists.wanted(request, PREFIX)
    found, has_more = event_selectors.page(
        page.caller,
        wanted,
        type=filters["type"] or None,
        object_id=filters["object"] or None,
        delivery_success={"yes": True, "no": False}.get(filters["delivered"]),
    )
    context = {
        "lines": _lines(page, found),
        "filters": filters,
        "is_filtered": any(filters.values()) or wanted.cursor is not None,
        "types": [each.name for each in event_types.every()],
        "outcomes": DELIVERED.items(),
        "pager": lists.pager([event.id for event in found], wanted, filters, has_more=has_more, noun="event"),
        "curl": curl.first_payment(request, livemode=page.caller.livemode),
    }
    return render(request, page, "dashboard/events.html", context)


def _lines(page: OrganizationPage, found: list[EventOut]) -> list[tuple[EventOut, str, str]]:
    """Each event with its object's id and the status of its deliveries, for those who may know of deliveries."""
    keys = {event.id: ids.lookup(PREFIX, event.id) for event in found}
    outcomes = delivery_selectors.outcomes(list(keys.values())) if page.allows("webhook_endpoints:read") else {}
    return [
        (event, _object_id(event), outcomes.get(keys[event.id], "pending" if event.pending_webhooks else ""))
        for event in found
    ]


@require_safe
@organization_page(permission="events:read")
def event(request: HttpRequest, page: OrganizationPage, event_id: str) -> HttpResponse:
    """One event as it was frozen, its cause, and its deliveries."""
    found = event_selectors.get(page.caller, event_id)
    deliveries: list[Any] = []
    if page.allows("webhook_endpoints:read"):
        wanted = Page(limit=DELIVERIES_SHOWN)
        deliveries, _ = delivery_selectors.page(page.caller, wanted, event=ids.lookup(PREFIX, event_id))
    urls = {endpoint.id: endpoint.url for endpoint in endpoint_selectors.every(page.caller)} if deliveries else {}
    known = event_types.get(found.type)
    plain = redaction.tree(msgspec.to_builtins(found))
    context = {
        "event": found,
        "object_id": _object_id(found),
        "description": known.description if known else "",
        "json": msgspec.json.format(msgspec.json.encode(plain), indent=2).decode(),
        "deliveries": [(each, urls.get(each.webhook_endpoint, gettext("A deleted endpoint"))) for each in deliveries],
        "is_logged": bool(found.request.id and request_log_selectors.kept([found.request.id])),
        "may_read_deliveries": page.allows("webhook_endpoints:read"),
        "can_resend": page.allows("events:write"),
    }
    return render(request, page, "dashboard/event.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="events:write", opens_environment=False)
def resend(request: HttpRequest, page: OrganizationPage, event_id: str) -> HttpResponse:
    """Sends the event to an endpoint once more, or for the first time."""
    with use_environment(page.environment):
        found = event_selectors.get(page.caller, event_id)
        endpoints = [each for each in endpoint_selectors.every(page.caller) if each.status == "enabled"]
    form = ResendForm(request.POST if request.method == "POST" else None, endpoints=endpoints)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data["endpoint"]
        made = actions.local(
            request,
            page,
            form,
            lambda caller: webhook_resends.resend_event(caller, event_id=event_id, endpoint_id=chosen),
        )
        if made is not None:
            messages.success(request, gettext("The event is on its way. Reload to see the answer."))
            return HttpResponseRedirect(page.url("webhook_delivery", made["id"]))
    back = page.url("event", event_id)
    context = {
        "form": form,
        "title": gettext("Send %(type)s again") % {"type": found.type},
        "text": gettext("It is sent at once, exactly as it was, and tried again on the usual schedule if it fails.")
        if endpoints
        else gettext("There is no enabled endpoint to send it to. Create one under Webhooks first."),
        "action": gettext("Send"),
        "crumbs": [(gettext("Events"), page.url("events")), (event_id, back)],
        "back": back,
    }
    return render(request, page, "dashboard/form_page.html", context, status=422 if form.errors else 200)


def _object_id(event: Any) -> str:
    """The id of what the event tells of; the balance has none."""
    identifier = event.data.object.get("id")
    return identifier if isinstance(identifier, str) else ""
