"""Link sessions and their page, in Django's client, with a bank in memory."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from banks import clients
from banks.clients.fake import FakeConnector
from connect.kit.tenancy import use_environment
from connect.models import Event
from tests.banks.fake_bank import account

APP = "https://app.example/linked?x=1"


@pytest.fixture
def bank(db, settings) -> Iterator[FakeConnector]:
    """The sandbox bank, played in memory: two accounts, in denars and in euros."""
    settings.FC_SANDBOX_BANK_URL = "http://bank.test"
    fake = FakeConnector()
    fake.put(account("a-1"))
    fake.put(account("a-2", "MK07999000000000292", name=None, currency="eur"))
    with clients.replaced("berlin_group", fake):
        yield fake


@pytest.fixture
def session(api, bank) -> Callable[..., dict[str, Any]]:
    """`session(locale="mk")` is a new link session with the sandbox bank, unless told otherwise."""

    def create(**given: Any) -> dict[str, Any]:
        body = {"client_reference_id": "user-7", **given}
        if given.get("mode") == "update":
            del body["client_reference_id"]
        answer = api.post("/v1/banking/link_sessions", body)
        assert answer.status_code == 200, answer.content
        return answer.json()

    return create


@pytest.fixture
def now(api) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """`now(session)` is the session as the app sees it at this moment."""
    return lambda made: api.get(f"/v1/banking/link_sessions/{made['id']}").json()


@pytest.fixture
def told(environment) -> Callable[[], list[str]]:
    """The events of banks so far, in order."""

    def names() -> list[str]:
        with use_environment(environment):
            found = Event.objects.filter(type__startswith="banking.").order_by("id").values_list("type", flat=True)
            return [name.removeprefix("banking.") for name in found]

    return names


class Customer:
    """Somebody at the link page without a browser."""

    def __init__(self, client: Any, bank: FakeConnector, made: dict[str, Any]) -> None:
        self.client, self.bank = client, bank
        self.path = urlsplit(made["url"]).path

    def open(self, query: str = "", **headers: str) -> Any:
        return self.client.get(self.path + query, headers=headers)

    def post(self, query: str = "", **form: Any) -> Any:
        return self.client.post(self.path + query, form)

    def agree(self, slug: str = "sandbox-bank", query: str = "") -> Any:
        return self.post(query, action="agree", bank=slug)

    def way_back(self, *, refused: bool = False) -> str:
        request = self.bank.consents[self.bank.newest_consent()].request
        uri = request.refused_uri if refused else request.redirect_uri
        parts = urlsplit(uri)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def come_back(self, *, refused: bool = False) -> Any:
        return self.client.get(self.way_back(refused=refused))

    def link(self, *chosen: str) -> Any:
        """From the consent to the last word."""
        self.agree()
        self.bank.agree()
        self.come_back()
        return self.post(action="choose", account=list(chosen or ("a-1", "a-2")))


@pytest.fixture
def customer(client, bank) -> Callable[[dict[str, Any]], Customer]:
    """`customer(session)` is at its page."""
    return lambda made: Customer(client, bank, made)


def alert(answer: Any) -> str:
    """What the page says went wrong."""
    found = re.search(r'role="alert"><p>(.*?)</p>', answer.content.decode())
    return found[1] if found else ""


def heading(answer: Any) -> str:
    """What the page says it is."""
    found = re.search(r"<h1>(.*?)</h1>", answer.content.decode())
    return found[1] if found else ""
