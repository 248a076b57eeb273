"""Rows 31 and 35: what is taken from somebody is gone in every process, measured over the running product.

Two web workers. Each request comes on a connection of its own, so that the kernel spreads them over both; a thing counts
as gone when many in a row are refused. The seconds are printed; what is asserted is that it happens at all.
"""

from __future__ import annotations

import http.client
import itertools
import re
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from tests.product import Product, running
from tests.scenarios.developer import PASSWORD, Developer
from tests.scenarios.visitor import Visitor

pytestmark = pytest.mark.stack

IN_A_ROW = 16
DEADLINE_SECONDS = 60
"""Generous: it only turns "never" into a failure. The promise is 5."""


@pytest.fixture(scope="module")
def two_workers() -> Iterator[Product]:
    with running(workers=2, threads=4) as product:
        yield product


def test_rows_31_and_35_what_is_taken_away_is_gone_in_every_process(two_workers: Product) -> None:
    boss = Developer(two_workers)
    boss.sign_up()
    boss.make_organization("Access Shop")
    keys = f"{boss.home}developers/api-keys"
    ana = joins(boss, "ana@access.example", "developer")

    def opens(place: str) -> Callable[[], int]:
        return lambda: ana.open(f"{boss.home}{place}").status

    member = place_of(boss, ana_email := "ana@access.example")
    warm(two_workers, opens("developers/api-keys"), 200)
    boss.open(f"{boss.home}team/members/{member}/role")
    boss.submit("Change role", role="analyst")
    seconds = until_refused(two_workers, opens("developers/api-keys"), 403)
    print(f"row 31: {ana_email} demoted, refused in every process after {seconds:.2f} s")

    warm(two_workers, opens("payments"), 200)
    boss.open(f"{boss.home}team/members/{member}/remove")
    boss.submit("Remove")
    seconds = until_refused(two_workers, opens("payments"), 404)
    print(f"row 31: {ana_email} removed, refused in every process after {seconds:.2f} s")

    secret = boss.make_key()
    warm(two_workers, asks(two_workers, secret), 200)
    boss.open(keys)
    boss.follow("Roll")
    boss.submit("Roll", overlap="0")
    (rolled,) = set(re.findall(r"fc_test_\w{36}", boss.page.text)) - {secret}
    seconds = until_refused(two_workers, asks(two_workers, secret), 401)
    print(f"row 35: key rolled without overlap, the old secret refused in every process after {seconds:.2f} s")

    warm(two_workers, asks(two_workers, rolled), 200)
    boss.open(keys)
    boss.follow("Revoke")
    boss.submit("Revoke")
    seconds = until_refused(two_workers, asks(two_workers, rolled), 401)
    print(f"row 31: key revoked, refused in every process after {seconds:.2f} s")


def test_row_37_a_reported_key_is_gone_in_every_process(two_workers: Product) -> None:
    boss = Developer(two_workers)
    boss.sign_up()
    boss.make_organization("Leaky Shop")
    secret = boss.make_key()
    warm(two_workers, asks(two_workers, secret), 200)
    finder = Visitor()
    finder.open(f"{two_workers.server.url}/report-key")
    finder.submit("Revoke this key", secret=secret)
    assert "Thank you" in finder.page.text
    seconds = until_refused(two_workers, asks(two_workers, secret), 401)
    mail = mail_to(boss, boss.email, "was found in public")
    assert secret not in mail
    print(f"row 37: leaked key reported, revoked, mailed; refused in every process after {seconds:.2f} s")


def joins(boss: Developer, email: str, role: str) -> Visitor:
    """Somebody new follows the mailed invitation through making an account into the organization."""
    boss.open(f"{boss.home}team/invite")
    boss.submit("Send invitation", email=email, role=role)
    found = re.search(r"/invitations/[\w-]+", mail_to(boss, email, "invites you to join"))
    assert found
    person = Visitor()
    person.open(f"{boss.address}{found[0]}")
    person.follow("Create an account")
    person.submit("Create account", email=email, password1=PASSWORD, password2=PASSWORD)
    person.submit("Join")
    assert person.open(f"{boss.home}payments").status == 200
    return person


def mail_to(boss: Developer, email: str, words: str) -> str:
    """The newest mail to somebody that says this."""

    def look() -> str:
        reader = Visitor()
        for _, mail in [link for link in reader.open(f"{boss.address}/mailbox").links if "/mailbox/" in link[1]]:
            if email in (text := reader.open(mail).text) and words in text:
                return text
        return ""

    return str(boss.product.stack.until(look, f"a mail to {email}"))


def place_of(boss: Developer, email: str) -> str:
    """The id of a member's place: that of the only other member."""
    ids = set(re.findall(r"members/(mem_\w+)/remove", boss.at("team").body))
    assert email in boss.page.text
    assert len(ids) == 1
    return ids.pop()


_addresses = itertools.count(2)


def asks(product: Product, secret: str) -> Callable[[], int]:
    """A request with a key, each from another address: refusals from one address are limited."""
    parts = urlsplit(product.server.url)

    def ask() -> int:
        number = next(_addresses)
        source = f"127.0.{number // 250}.{number % 250 + 2}"
        connection = http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=60, source_address=(source, 0)
        )
        try:
            connection.request("GET", "/v1/balance", headers={"Authorization": f"Bearer {secret}"})
            return connection.getresponse().status
        finally:
            connection.close()

    return ask


def warm(product: Product, ask: Callable[[], int], status: int) -> None:
    """Both workers have answered, and remember what they may."""
    assert [ask() for _ in range(IN_A_ROW)] == [status] * IN_A_ROW


def until_refused(product: Product, ask: Callable[[], int], status: int) -> float:
    """Ask until `IN_A_ROW` answers have this status; the seconds after which no other came."""
    began = last_granted = time.monotonic()
    refused = 0
    while refused < IN_A_ROW:
        answered, now = ask(), time.monotonic()
        if answered == status:
            refused += 1
        else:
            refused, last_granted = 0, now
        assert now - began < DEADLINE_SECONDS, f"still {answered} after {now - began:.0f} s\n{product.stack.report()}"
        product.stack.rest(0.03)
    return last_granted - began
