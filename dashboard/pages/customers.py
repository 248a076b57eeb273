"""Customers: the list, one customer with their cards and payments, and making, changing and deleting them."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from connect.kit import ids
from connect.kit.errors import ResourceMissing
from connect.kit.pages import Page
from connect.kit.tenancy import use_environment
from connect.selectors import events as event_selectors
from dashboard.pages import actions, curl, lists
from dashboard.pages.access import OrganizationPage, organization_page, render
from dashboard.pages.customer_forms import CustomerForm, DeleteForm
from payments.selectors import customers as customer_selectors
from payments.selectors import payment_intents as payment_intent_selectors
from payments.selectors import payment_methods as payment_method_selectors
from payments.services import customers as customer_services
from payments.shapes.customers import CustomerOut, DeletedCustomerOut

METHODS_SHOWN: Final = 10
PAYMENTS_SHOWN: Final = 10


@require_safe
@organization_page(permission="customers:read")
def customers(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """The list, newest first; `q` is a whole e-mail address or a whole id."""
    query = request.GET.get("q", "").strip()
    wanted = lists.wanted(request, customer_selectors.PREFIX)
    if query and "@" not in query:
        found, has_more = _with_id(page, query), False
    else:
        found, has_more = customer_selectors.page(page.caller, wanted, email=query or None)
    context = {
        "customers": found,
        "filters": {"q": query},
        "is_filtered": bool(query or wanted.cursor),
        "can_write": page.allows("customers:write"),
        "pager": lists.pager(
            [customer.id for customer in found], wanted, {"q": query}, has_more=has_more, noun="customer"
        ),
        "curl": curl.example(request, "/v1/customers", {"name": "Ana Petrovska", "email": "ana@example.com"}),
    }
    return render(request, page, "dashboard/customers.html", context)


@require_safe
@organization_page(permission="customers:read")
def customer(request: HttpRequest, page: OrganizationPage, customer_id: str) -> HttpResponse:
    """One customer. Of a deleted one only what they paid is left."""
    found = customer_selectors.get(page.caller, customer_id)
    identifier = ids.lookup(customer_selectors.PREFIX, customer_id)
    methods, _ = payment_method_selectors.page(page.caller, Page(limit=METHODS_SHOWN), customer=identifier)
    payments, more = payment_intent_selectors.page(page.caller, Page(limit=PAYMENTS_SHOWN), customer=identifier)
    settings = None if isinstance(found, DeletedCustomerOut) else found.invoice_settings
    context = {
        "customer": found,
        "is_deleted": isinstance(found, DeletedCustomerOut),
        "methods": methods,
        "default_method": settings.default_payment_method if settings else None,
        "payments": payments,
        "more_payments": more,
        "payments_shown": PAYMENTS_SHOWN,
        "events": event_selectors.for_object(page.caller, customer_id),
        "can_write": page.allows("customers:write"),
        "curl": curl.example(
            request,
            "/v1/payment_intents",
            {"amount": "2500", "currency": "eur", "customer": customer_id},
        ),
    }
    return render(request, page, "dashboard/customer.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="customers:write", opens_environment=False)
def new(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """The form for a new customer."""
    form = CustomerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.given()
        made = actions.local(request, page, form, lambda caller: customer_services.create(caller, **given))
        if made is not None:
            messages.success(request, gettext("The customer is kept."))
            return HttpResponseRedirect(page.url("customer", made["id"]))
    return _form(
        request,
        page,
        form,
        title=gettext("New customer"),
        action=gettext("Create customer"),
        back=page.url("customers"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="customers:write", opens_environment=False)
def edit(request: HttpRequest, page: OrganizationPage, customer_id: str) -> HttpResponse:
    """The same form for a customer that is there."""
    known = _present(page, customer_id)
    form = CustomerForm(request.POST if request.method == "POST" else None, initial=_initial(known))
    if request.method == "POST" and form.is_valid():
        given = form.given(known.metadata)
        changed = actions.local(
            request, page, form, lambda caller: customer_services.update(caller, customer_id=customer_id, **given)
        )
        if changed is not None:
            messages.success(request, gettext("The changes are kept."))
            return HttpResponseRedirect(page.url("customer", customer_id))
    back = page.url("customer", customer_id)
    crumb = (_name(known), back)
    return _form(
        request,
        page,
        form,
        crumb=crumb,
        title=gettext("Edit %(name)s") % {"name": _name(known)},
        action=gettext("Save changes"),
        back=back,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="customers:write", opens_environment=False)
def delete(request: HttpRequest, page: OrganizationPage, customer_id: str) -> HttpResponse:
    """Asks with the name and the consequence; the POST deletes."""
    known = _present(page, customer_id)
    form = DeleteForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        gone = actions.local(
            request, page, form, lambda caller: customer_services.delete(caller, customer_id=customer_id)
        )
        if gone is not None:
            messages.success(request, gettext("%(name)s is deleted.") % {"name": _name(known)})
            return HttpResponseRedirect(page.url("customers"))
    back = page.url("customer", customer_id)
    return _form(
        request,
        page,
        form,
        crumb=(_name(known), back),
        title=gettext("Delete %(name)s?") % {"name": _name(known)},
        text=gettext("Their payment methods can no longer be charged. What they paid stays. This cannot be undone."),
        action=gettext("Delete %(name)s") % {"name": _name(known)},
        tone="danger",
        back=back,
    )


def _form(
    request: HttpRequest, page: OrganizationPage, form: Any, *, crumb: tuple[str, str] | None = None, **words: str
) -> HttpResponse:
    crumbs = [(gettext("Customers"), page.url("customers")), *([crumb] if crumb else [])]
    context = {"form": form, "crumbs": crumbs, **words}
    return render(request, page, "dashboard/form_page.html", context, status=422 if form.errors else 200)


def _with_id(page: OrganizationPage, query: str) -> list[CustomerOut]:
    try:
        found = customer_selectors.get(page.caller, query)
    except ResourceMissing:
        return []
    return [] if isinstance(found, DeletedCustomerOut) else [found]


def _present(page: OrganizationPage, customer_id: str) -> CustomerOut:
    with use_environment(page.environment):
        found = customer_selectors.get(page.caller, customer_id)
    if isinstance(found, DeletedCustomerOut):
        raise Http404
    known: CustomerOut = found
    return known


def _initial(known: CustomerOut) -> dict[str, Any]:
    metadata = "\n".join(f"{key}: {value}" for key, value in (known.metadata or {}).items())
    return {
        "name": known.name,
        "email": known.email,
        "phone": known.phone,
        "description": known.description,
        "metadata": metadata,
    }


def _name(known: CustomerOut) -> str:
    return known.name or known.email or known.id
