"""Payments through the API: send a body both ways, make payments in each state, read the books."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.payments.books import Books, bracketed

PAYMENT = {"amount": 1000, "currency": "eur"}
CARD = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2050, "cvc": "123"}


@pytest.fixture
def books(environment, caller) -> Books:
    """Acme's test environment, row by row."""
    return Books(environment, caller)


@pytest.fixture(params=["json", "form"])
def send(request, api) -> Callable[..., Any]:
    """`send(path, body)` posts as Acme, once as JSON and once as a form with brackets."""
    if request.param == "json":
        return api.post
    return lambda path, body=None, **headers: api.post(path, form=bracketed(body or {}), **headers)


@pytest.fixture
def intent(api) -> Callable[..., dict[str, Any]]:
    """`intent(amount=…, confirm=True, …)` is a new payment intent of 10.00 EUR unless told otherwise."""

    def create(**given: Any) -> dict[str, Any]:
        answer = api.post("/v1/payment_intents", {**PAYMENT, **given})
        assert answer.status_code == 200, answer.content
        return answer.json()

    return create


@pytest.fixture
def held(intent) -> Callable[..., dict[str, Any]]:
    """`held(amount=…)` is an intent that waits for its capture."""

    def create(card: str = "pm_card_visa", **given: Any) -> dict[str, Any]:
        found = intent(payment_method=card, confirm=True, capture_method="manual", **given)
        assert found["status"] == "requires_capture"
        return found

    return create


@pytest.fixture
def act(api) -> Callable[..., Any]:
    """`act(intent, "capture", amount_to_capture=300)` is the answer to that call."""
    return lambda found, name, **given: api.post(f"/v1/payment_intents/{found['id']}/{name}", given)
