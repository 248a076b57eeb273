"""Addresses of the interface."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import path

from sandbox_bank.api import accounts, consents, payments
from sandbox_bank.api.endpoints import Ask, endpoint
from sandbox_bank.refusals import Refusal

CONSENT, ACCOUNT = "consents/<str:consent_id>", "accounts/<str:resource_id>"
PAYMENT = "<str:service>/<str:product>/<str:payment_id>"


def unknown(ask: Ask, rest: str) -> HttpResponse:
    """Nothing stands here."""
    raise Refusal("RESOURCE_UNKNOWN", f"There is nothing at /v1/{rest[:100]}.", status=404)


urlpatterns = [
    path("consents", endpoint("consents", post=consents.create)),
    path(CONSENT, endpoint("consents", get=consents.read, delete=consents.delete)),
    path(f"{CONSENT}/status", endpoint("consents", get=consents.status)),
    path(f"{CONSENT}/authorisations", endpoint("consents", get=consents.list_authorisations, post=consents.authorise)),
    path(f"{CONSENT}/authorisations/<str:authorisation_id>", endpoint("consents", get=consents.sca_status)),
    path("accounts", endpoint("accounts", get=accounts.list_all)),
    path(ACCOUNT, endpoint("account", get=accounts.details)),
    path(f"{ACCOUNT}/balances", endpoint("balances", get=accounts.balances)),
    path(f"{ACCOUNT}/transactions", endpoint("transactions", get=accounts.transactions)),
    path(f"{ACCOUNT}/transactions/<str:transaction_id>", endpoint("transaction", get=accounts.transaction)),
    path("<str:service>/<str:product>", endpoint("payments", post=payments.create)),
    path(PAYMENT, endpoint("payments", get=payments.read, delete=payments.delete)),
    path(f"{PAYMENT}/status", endpoint("payments", get=payments.status)),
    path(f"{PAYMENT}/authorisations", endpoint("payments", get=payments.list_authorisations, post=payments.authorise)),
    path(f"{PAYMENT}/authorisations/<str:authorisation_id>", endpoint("payments", get=payments.sca_status)),
    path("<path:rest>", endpoint("unknown", get=unknown, post=unknown, put=unknown, delete=unknown)),
]
