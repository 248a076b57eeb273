"""The unmodified official Stripe SDK against our web process. Only the address is ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from tests.live_server import LiveServer, live_server


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server() as running:
        yield running


@pytest.fixture
def client_of(server) -> Iterator[Any]:
    """`client_of(secret)` is a `StripeClient` with that key."""
    http = stripe.RequestsClient()

    def make(secret: str, **options: Any) -> stripe.StripeClient:
        return stripe.StripeClient(secret, base_addresses={"api": server.url}, http_client=http, **options)

    yield make
    http.close()


@pytest.fixture
def v1(server, client_of) -> Any:
    """`StripeClient.v1` with Acme's test key."""
    return client_of(server.secrets["acme"]["test"]).v1


@pytest.fixture
def module(server, monkeypatch) -> Iterator[Any]:
    """The module style: `stripe.PaymentIntent.create(…)`."""
    http = stripe.RequestsClient()
    monkeypatch.setattr(stripe, "api_key", server.secrets["acme"]["test"])
    monkeypatch.setattr(stripe, "api_base", server.url)
    monkeypatch.setattr(stripe, "default_http_client", http)
    yield stripe
    http.close()
