"""A payer who pays by bank: opens our page, chooses, and comes back, without a browser."""

from __future__ import annotations

import random
from typing import Any
from urllib.parse import urlsplit

from django.test import Client

from banks.clients.fake import FakeConnector
from banks.domain import institution_ids
from connect.kit import ids

SANDBOX = ids.encode("inst", institution_ids.of_slug("sandbox-bank"))
DATA = {"type": "pay_by_bank"}


def _address() -> str:
    """Somewhere else each time, so that tries are not counted together."""
    return ".".join(str(random.randrange(1, 255)) for _ in range(4))


class BankPayer:
    """Acts on the pages of one intent; `bank` is the fake behind them."""

    def __init__(self, bank: FakeConnector, *, raises: bool = True) -> None:
        self.bank, self.client = bank, Client(raise_request_exception=raises, REMOTE_ADDR=_address())

    def url(self, intent: dict[str, Any]) -> str:
        """The page's path."""
        return urlsplit(intent["next_action"]["redirect_to_url"]["url"]).path

    def open(self, intent: dict[str, Any], query: str = "") -> Any:
        """Look at the page."""
        return self.client.get(self.url(intent) + query)

    def choose(self, intent: dict[str, Any], bank: str = SANDBOX) -> Any:
        """Choose a bank: the order is sent."""
        return self.client.post(self.url(intent), {"institution": bank})

    def cancel(self, intent: dict[str, Any]) -> Any:
        """Press the button that gives up."""
        return self.client.post(self.url(intent), {"action": "cancel"})

    def come_back(self, *, refused: bool = False) -> Any:
        """Follow the bank's way back, and ours, until it leaves us or shows a page."""
        order = self.bank.payments[self.bank.newest_payment()].order
        return self.follow(order.refused_uri if refused else order.redirect_uri)

    def follow(self, url: str) -> Any:
        """Follow an address through all of our own redirects."""
        for _ in range(6):
            parts = urlsplit(url)
            answer = self.client.get(parts.path + (f"?{parts.query}" if parts.query else ""))
            if answer.status_code not in {302, 303}:
                return answer
            url = answer["Location"]
            if urlsplit(url).netloc not in {"", "127.0.0.1:8000", "testserver"}:
                return answer
        raise AssertionError(f"our redirects turn in circles: {url}")
