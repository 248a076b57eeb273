"""`/v1/payments`"""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse

from sandbox_bank import authorisations, payments
from sandbox_bank.api.authorisations import check_way_back, links_of, started, tpp_name
from sandbox_bank.api.endpoints import Ask, answer
from sandbox_bank.models import Payment
from sandbox_bank.refusals import Refusal


def path(payment: Payment) -> str:
    """Where an order stands."""
    return f"/v1/payments/{payment.product}/{payment.payment_id}"


def create(ask: Ask, service: str, product: str) -> HttpResponse:
    """Hand in an order."""
    payments.product_currency(service, product)
    back, refused = check_way_back(ask)
    if not ask.attended:
        raise Refusal("FORMAT_ERROR", "PSU-IP-Address is missing.", path="PSU-IP-Address")
    request_id = ask.header("X-Request-ID")
    payment = payments.create(
        product, ask.json(), tpp=tpp_name(ask), request_id=request_id, redirect_uri=back, refused_uri=refused
    )
    links = links_of(ask, payment, path(payment))
    body = {"transactionStatus": payment.status, "paymentId": payment.payment_id, "_links": links}
    return answer(body, status=201, Location=path(payment), ASPSP_SCA_Approach="REDIRECT")


def read(ask: Ask, service: str, product: str, payment_id: str) -> HttpResponse:
    """The order as it was handed in, and how it stands."""
    return answer(payments.shown(_payment(service, product, payment_id)))


def status(ask: Ask, service: str, product: str, payment_id: str) -> HttpResponse:
    """How it stands."""
    payment = payments.read_status(_payment(service, product, payment_id))
    body: dict[str, Any] = {"transactionStatus": payment.status}
    if payment.reason:
        body |= {
            "psuMessage": payment.reason,
            "tppMessages": [{"category": "ERROR", "code": "PAYMENT_FAILED", "text": payment.reason}],
        }
    return answer(body)


def delete(ask: Ask, service: str, product: str, payment_id: str) -> HttpResponse:
    """Withdraw it."""
    payments.cancel(_payment(service, product, payment_id))
    return HttpResponse(status=204)


def authorise(ask: Ask, service: str, product: str, payment_id: str) -> HttpResponse:
    """Begin another attempt to agree."""
    payment = _payment(service, product, payment_id)
    return started(ask, authorisations.start(payment), path(payment))


def list_authorisations(ask: Ask, service: str, product: str, payment_id: str) -> HttpResponse:
    """All attempts."""
    found = authorisations.of(_payment(service, product, payment_id))
    return answer({"authorisationIds": [one.authorisation_id for one in found]})


def sca_status(ask: Ask, service: str, product: str, payment_id: str, authorisation_id: str) -> HttpResponse:
    """How one attempt stands."""
    return answer(
        {"scaStatus": authorisations.find(_payment(service, product, payment_id), authorisation_id).sca_status}
    )


def _payment(service: str, product: str, payment_id: str) -> Payment:
    payments.product_currency(service, product)
    return payments.find(product, payment_id)
