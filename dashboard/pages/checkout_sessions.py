"""Checkout links: each is a hosted page for one payer. The list, one of them, making one, and ending one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from connect.kit.pages import Page
from connect.kit.tenancy import use_environment
from connect.selectors import events as event_selectors
from dashboard.pages import actions, curl, lists
from dashboard.pages.access import OrganizationPage, organization_page, render
from dashboard.pages.checkout_forms import CheckoutForm, ExpireForm
from dashboard.templatetags.statuses import CHECKOUT_STATUSES
from payments.selectors import checkout_sessions as selectors
from payments.services import checkout_sessions as services


@require_safe
@organization_page(permission="checkout:read")
def sessions(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """The list, newest first; `status` narrows it."""
    status = request.GET.get("status", "")
    status = status if status in CHECKOUT_STATUSES else ""
    wanted = lists.wanted(request, selectors.PREFIX)
    found, has_more = selectors.page(page.caller, wanted, status=status or None)
    item = "line_items[0][price_data]"
    context = {
        "sessions": found,
        "filters": {"status": status},
        "statuses": list(CHECKOUT_STATUSES),
        "is_filtered": bool(status or wanted.cursor),
        "can_write": page.allows("checkout:write"),
        "pager": lists.pager(
            [each.id for each in found], wanted, {"status": status}, has_more=has_more, noun="checkout link"
        ),
        "curl": curl.example(
            request,
            "/v1/checkout/sessions",
            {
                "mode": "payment",
                f"{item}[currency]": "eur",
                f"{item}[unit_amount]": "2500",
                f"{item}[product_data][name]": "Espresso cups",
                "line_items[0][quantity]": "1",
            },
        ),
    }
    return render(request, page, "dashboard/checkout_sessions.html", context)


@require_safe
@organization_page(permission="checkout:read")
def session(request: HttpRequest, page: OrganizationPage, session_id: str) -> HttpResponse:
    """One link: its address while it is open, its lines, and the payment it led to."""
    found = selectors.get(page.caller, session_id)
    lines, _ = selectors.lines(page.caller, session_id, Page(limit=100))
    context = {
        "session": found,
        "lines": lines,
        "events": event_selectors.for_object(page.caller, session_id),
        "can_write": page.allows("checkout:write"),
    }
    return render(request, page, "dashboard/checkout_session.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="checkout:write", opens_environment=False)
def new(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """The form for a link to one payment."""
    form = CheckoutForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        given = form.given()
        made = actions.local(request, page, form, lambda caller: services.create(caller, **given))
        if made is not None:
            messages.success(request, gettext("The link is ready. Copy it and send it to your payer."))
            return HttpResponseRedirect(page.url("checkout_session", made["id"]))
    return _form(
        request,
        page,
        form,
        title=gettext("New checkout link"),
        text=gettext("A page of ours on which one payer pays this amount. Nothing is charged before they do."),
        action=gettext("Create link"),
        back=page.url("checkout_sessions"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="checkout:write", opens_environment=False)
def expire(request: HttpRequest, page: OrganizationPage, session_id: str) -> HttpResponse:
    """Asks with the consequence; the POST ends the link."""
    with use_environment(page.environment):
        found = selectors.get(page.caller, session_id)
    back = page.url("checkout_session", session_id)
    if found.status != "open" and request.method != "POST":
        messages.warning(request, gettext("This link has ended already."))
        return HttpResponseRedirect(back)
    form = ExpireForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        ended = actions.local(request, page, form, lambda caller: services.expire(caller, session_id=session_id))
        if ended is not None:
            messages.success(request, gettext("The link is ended: nobody can pay through it any more."))
            return HttpResponseRedirect(back)
    return _form(
        request,
        page,
        form,
        title=gettext("End this checkout link?"),
        text=gettext(
            "Whoever opens it reads that it has expired, and nobody can pay through it. This cannot be undone."
        ),
        action=gettext("End link"),
        tone="danger",
        back=back,
        cancel=gettext("Keep it"),
        crumb=session_id,
    )


def _form(request: HttpRequest, page: OrganizationPage, form: Any, *, crumb: str = "", **words: str) -> HttpResponse:
    crumbs = [(gettext("Checkout links"), page.url("checkout_sessions"))]
    if crumb:
        crumbs.append((crumb, page.url("checkout_session", crumb)))
    context = {"form": form, "crumbs": crumbs, **words}
    return render(request, page, "dashboard/form_page.html", context, status=422 if form.errors else 200)
