"""Every refusal, said by a bank over HTTP: which error it is, and what follows. docs/bank-refusals.md is this table.

python -m pytest tests/banks/connector/test_refusals.py --bank-refusals=write
"""

from __future__ import annotations

from pathlib import Path

import pytest

from banks.clients.berlin_group import client, refusals
from banks.clients.berlin_group.client import Clock
from banks.clients.berlin_group.connector import BerlinGroupConnector
from banks.clients.connector import (
    ABSENT,
    BadResponse,
    ConnectorError,
    EntriesQuery,
    InstitutionDown,
    NotSupported,
    RateLimited,
    ScaFailed,
)
from banks.domain import connection_state, health
from banks.domain.events import EVENT_TYPES
from banks.domain.failures import MEANINGS
from banks.domain.profiles import BankProfile
from banks.services import bank_calls
from tests.banks.connector.scripted_bank import Says, refusal, running
from tests.banks.fake_bank import TODAY

PAPER = Path(__file__).resolve().parents[3] / "docs" / "bank-refusals.md"
HEAD = """# What banks refuse, and what follows

Written by `python -m pytest tests/banks/connector/test_refusals.py --bank-refusals=write`, which lets a bank say each of
these over HTTP; a test compares it. The error is its class in `banks/clients/connector.py` and stands on the wire as its
kind (`error` of a connection, an account or a link session).

At the link page any of them leads back to the choice of banks with the sentence of its kind, and publishes
`banking.link_session.failed`. A connection that is `active` changes as the table says and publishes the event named
there; where there is none its data stays as it is and is served with its age. *Health* is whom the call counts against,
*breaker* whether it counts towards leaving the bank in peace, *again* whether a read is sent again at once. What moves
money is never sent again.

| the bank | error | kind | connection | event | health | breaker | again |
|---|---|---|---|---|---|---|---|
"""
CIRCLE = {
    "transactions": {
        "booked": [],
        "_links": {"next": {"href": "/v1/accounts/a/transactions?bookingStatus=both&dateFrom=2026-11-26"}},
    }
}
AWAY = {"transactions": {"booked": [], "_links": {"next": {"href": "https://elsewhere.example/v1"}}}}
FILE = {"transactions": {"booked": [], "_links": {"download": {"href": "/v1/x"}}}}
UNDATED = {"transactions": {"booked": [{"transactionAmount": {"amount": "1", "currency": "EUR"}}], "_links": {}}}
ODD = {"transactions": {"booked": [{"transactionAmount": {"amount": "1,00", "currency": "EUR"}}], "_links": {}}}

WITH_CODE = {
    f"{429 if kind is RateLimited else 401 if kind is ScaFailed else 400} `{code}`": (
        Says(429 if kind is RateLimited else 401 if kind is ScaFailed else 400, refusal(code)), kind
    )
    for code, kind in refusals.BY_CODE.items()
}  # fmt: skip
WITH_STATUS = {
    f"{status}, another code": (Says(status, refusal("SOMETHING_NEW")), kind) for status, kind in refusals.BY_STATUS.items()
}  # fmt: skip
OTHERWISE = {
    "400 or 404, another code": (Says(404, refusal("SOMETHING_NEW")), BadResponse),
    "401 or 403 without the bank's JSON": (Says(403, b"<html>Denied</html>"), BadResponse),
    "a redirect": (Says(302, b"", headers={"Location": "https://elsewhere.example/"}), BadResponse),
    "a page of HTML": (Says(200, b"<!doctype html>", headers={"Content-Type": "text/html"}), BadResponse),
    "JSON that breaks off": (Says(200, b'{"transactions": {'), BadResponse),
    "JSON of another shape": (Says(200, {"transactions": []}), BadResponse),
    "an entry without a date": (Says(200, UNDATED), BadResponse),
    "an amount that is none": (Says(200, ODD), BadResponse),
    "a list that turns in circles": (Says(200, CIRCLE), BadResponse),
    "a link to somebody else": (Says(200, AWAY), BadResponse),
    "a list as a file only": (Says(200, FILE), NotSupported),
    f"more than {client.ANSWER_MAX // 1024 // 1024} MB": (Says(200, b" " * (client.ANSWER_MAX + 1)), BadResponse),
    "something that is no HTTP": (Says(raw=b"SSH-2.0-OpenSSH_9\r\n\r\n"), BadResponse),
    "a connection that breaks off": (Says(raw=b""), InstitutionDown),
    "no answer within the deadline": (Says(hang=True), InstitutionDown),
    "a byte at a time": (Says(200, {"a": "b" * 400}, drip=True), InstitutionDown),
}
CASES = WITH_CODE | WITH_STATUS | OTHERWISE


class Impatient:
    """A clock whose pauses take no time."""

    def __init__(self):
        self.pauses = 0

    def sleep(self, _):
        self.pauses += 1


@pytest.fixture(scope="module")
def answers():
    """Every case with the error that came out, and whether the read was sent again."""
    found = {}
    for name, (says, _) in CASES.items():
        with running() as scripted:
            scripted.default = says
            watch = Impatient()
            connector = BerlinGroupConnector(Clock(sleep=watch.sleep, chance=lambda: 0.01))
            bank = BankProfile(slug="b", name="B", country="MK", connector="berlin_group", base_url=scripted.url)
            waits = says.hang or says.drip
            try:
                connector.entries(bank, {"consent_id": "c"}, ABSENT, EntriesQuery(resource_id="a", since=TODAY),
                                  deadline_seconds=0.2 if waits else 30)  # fmt: skip
            except ConnectorError as error:
                found[name] = (error, watch.pauses > 0 or waits)
    return found


def row(name, error, again):
    status = connection_state.after("active", error.kind)
    event = f"banking.connection.{status.value}"
    changes = status is not connection_state.Status.ACTIVE
    assert not changes or event in EVENT_TYPES
    cells = [
        name, f"`{type(error).__name__}`", f"`{error.kind.value}`", f"`{status.value}`" if changes else "as it is",
        f"`{event}`" if changes else "–", health.outcome(error.kind).value.replace("_", " "),
        "yes" if bank_calls.is_outage(error) else "no", "yes" if again else "no",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |\n"


@pytest.mark.parametrize("name", CASES)
def test_each_refusal_is_its_error(answers, name):
    error, again = answers[name]
    assert type(error) is CASES[name][1]
    assert again <= MEANINGS[error.kind].may_retry


def test_the_paper_is_what_was_seen(answers, pytestconfig):
    written = HEAD + "".join(row(name, *answers[name]) for name in CASES) + "\n" + sentences()
    if pytestconfig.getoption("--bank-refusals", default=None):
        PAPER.write_text(written, encoding="utf-8")
    assert PAPER.read_text(encoding="utf-8") == written


def sentences():
    lines = [f"| `{kind.value}` | {meaning.message} |\n" for kind, meaning in MEANINGS.items()]
    return "## What is said of each kind\n\n| kind | sentence |\n|---|---|\n" + "".join(lines)
