"""`/consents/<token>`: what an end customer agreed to, what became of it, and how to withdraw it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods

from banks.selectors import consents
from banks.selectors.consents import Customer
from banks.services import withdrawals
from connect.kit.caller import Actor, Caller
from connect.kit.tenancy import use_environment
from connect.pages import hosted, languages


def _missing(request: HttpRequest) -> HttpResponse:
    return hosted.show(request, "link/missing.html", status=404)


@require_http_methods(["GET", "HEAD", "POST"])
@hosted.opened(consents.by_token, _missing)
def page(request: HttpRequest, _: str, customer: Customer) -> HttpResponse:
    """The list; `?withdraw=conn_…` asks once more, and a POST withdraws."""
    asked = request.POST.get("connection") if request.method == "POST" else request.GET.get("withdraw")
    consent = next((one for one in customer.consents if one.connection_id == asked), None)
    if request.method == "POST":
        if consent is not None and consent.is_alive:
            caller = Caller(
                customer.environment,
                Actor("system", "consents"),
                account=customer.account_id,
                request_id=getattr(request, "request_id", ""),
                api_version=customer.environment.api_version,
            )
            with use_environment(customer.environment):
                withdrawals.withdraw(caller, connection_id=consent.connection_id)
        return HttpResponseRedirect(request.path + languages.query(request))
    if consent is not None and consent.is_alive:
        return _show(request, "withdraw", customer, consent=consent, keep=f"withdraw={consent.connection_id}&")
    return _show(request, "consents", customer)


def _show(request: HttpRequest, name: str, customer: Customer, **context: Any) -> HttpResponse:
    path = request.path + languages.query(request)
    return hosted.show(request, f"link/{name}.html", visit=customer, list_path=path, **context)
