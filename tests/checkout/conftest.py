"""Checkout sessions and the hosted page, in Django's client and in Chromium."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
GOOD, POOR, TYPO = "4242 4242 4242 4242", "4000 0000 0000 9995", "4242 4242 4242 4241"


@pytest.fixture
def session(api) -> Callable[..., dict[str, Any]]:
    """`session(locale="mk")` is a new session over two coffees for 25.00 EUR, unless told otherwise."""

    def create(**given: Any) -> dict[str, Any]:
        line = {
            "price_data": {"currency": "eur", "unit_amount": 1250, "product_data": {"name": "Coffee"}},
            "quantity": 2,
        }
        body = {"mode": "payment", **({} if given.get("mode") == "setup" else {"line_items": [line]}), **given}
        answer = api.post("/v1/checkout/sessions", body)
        assert answer.status_code == 200, answer.content
        return answer.json()

    return create


@pytest.fixture
def now(api) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """`now(session)` is the session as the app sees it at this moment."""
    return lambda made: api.get(f"/v1/checkout/sessions/{made['id']}").json()


@pytest.fixture(scope="module")
def browser():
    """One Chromium for a module. Playwright keeps an event loop in this thread, harmless to Django: it is told so."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with pytest.MonkeyPatch.context() as patch, sync_api.sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"],
        )
        yield browser
        browser.close()


class Payer:
    """Somebody at the hosted page without a browser: `open`, `pay`."""

    def __init__(self, client: Any, session: dict[str, Any]) -> None:
        self.client = client
        self.path = urlsplit(session["url"]).path
        self.typed = {"email": "ana@example.com", "name": "Ana", "expiry": "12 / 40", "cvc": "123"}

    def open(self, query: str = "", **headers: str) -> Any:
        return self.client.get(self.path + query, headers=headers)

    def key(self) -> str:
        found = re.search(r'name="key" value="([^"]+)"', self.open().content.decode())
        assert found, "the form is there"
        return found[1]

    def pay(self, number: str = GOOD, *, key: str | None = None, query: str = "", **typed: str) -> Any:
        form = {**self.typed, "number": number, "key": key or self.key(), **typed}
        return self.client.post(self.path + query, form)


@pytest.fixture
def payer(client) -> Callable[[dict[str, Any]], Payer]:
    """`payer(session)` is at its page."""
    return lambda made: Payer(client, made)


def alert(answer: Any) -> str:
    """What the page says went wrong."""
    found = re.search(r'role="alert"><p>(.*?)</p>', answer.content.decode())
    return found[1] if found else ""
