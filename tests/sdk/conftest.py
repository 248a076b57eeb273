"""The unmodified official Stripe SDK against our web process. Only the address is ours.

`pytest tests/sdk --compatibility=write` writes docs/stripe-compatibility.md from the tests that passed; `=check` fails
when the document says something else.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import stripe
from stripe._stripe_service import StripeService

from tests.live_server import LiveServer, live_server
from tests.sdk import calls

_OUTCOMES: dict[str, dict[str, bool]] = {}
"""Call → test → whether it passed, over the whole run."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--compatibility", choices=["write", "check"], help="the document of what works with Stripe's SDK")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """A test shows its calls when every phase of it passed, the check of its own promise among them."""
    report = yield
    for mark in item.iter_markers("sdk"):
        for call in mark.args:
            tests = _OUTCOMES.setdefault(call, {})
            name = f"{item.path.name}::{item.name.partition('[')[0]}"
            tests[name] = tests.get(name, True) and report.passed
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    wanted = session.config.getoption("--compatibility", default=None)
    if wanted is None:
        return
    shown = {call: sorted(tests) for call, tests in _OUTCOMES.items() if all(tests.values())}
    text = calls.render(shown)
    if wanted == "write":
        calls.DOCUMENT.write_text(text, encoding="utf-8")
    elif not calls.DOCUMENT.exists() or calls.DOCUMENT.read_text(encoding="utf-8") != text:
        print(f"\n{calls.DOCUMENT.name} is out of date; run `make compatibility` and commit the result")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@cache
def _names() -> dict[type, str]:
    """The SDK's services by class, each with its name under `client.v1`."""
    v1 = stripe.StripeClient("sk_test_names").v1
    return {
        type(calls.service(call, v1)): call.rpartition(".")[0] for called in calls.CALLS.values() for call in called
    }


@pytest.fixture(autouse=True)
def made(request, monkeypatch) -> Iterator[set[str]]:
    """The calls this test makes. One that it is marked with and does not make, with success, is a broken promise."""
    seen: set[str] = set()

    def noted(original: Any) -> Any:
        def request(self: StripeService, *args: Any, **kwargs: Any) -> Any:
            caller = sys._getframe(1).f_code.co_name
            answer = original(self, *args, **kwargs)
            seen.add(f"{_names().get(type(self), '?')}.{caller.removesuffix('_async')}")
            return answer

        return request

    monkeypatch.setattr(StripeService, "_request", noted(StripeService._request))
    monkeypatch.setattr(StripeService, "_request_async", noted(StripeService._request_async))
    yield seen
    unkept = calls.unkept({call for mark in request.node.iter_markers("sdk") for call in mark.args}, seen)
    assert unkept == [], "marked with calls it does not make"


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server(FC_SANDBOX_BANK_URL="http://127.0.0.1:9") as running:  # no bank is asked anything here
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
