"""A bank that hangs holds up nobody but itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from banks import clients
from banks.clients.connector import ConnectorError, InstitutionDown, RateLimited
from banks.clients.fake import FakeConnector
from banks.domain.breaker import AT_ONCE
from banks.domain.profiles import Operation
from banks.models import Institution
from banks.services import bank_calls

WORKERS = 16
HANGS, ANSWERS = "sandbox-bank", "nlb-mk"


class Hanging(FakeConnector):
    """Banks in memory of which one keeps its callers waiting until it is let go, and then has not answered."""

    def __init__(self):
        super().__init__()
        self.let_go, self.inside, self.most = threading.Event(), 0, 0
        self.full = threading.Event()

    def probe(self, bank, *, deadline_seconds):
        super().probe(bank, deadline_seconds=deadline_seconds)
        if bank.slug == HANGS:
            with self.lock:
                self.inside += 1
                self.most = max(self.most, self.inside)
                if self.inside == AT_ONCE:
                    self.full.set()
            self.let_go.wait(60)
            with self.lock:
                self.inside -= 1
            raise InstitutionDown(code="timeout")


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    connector = Hanging()
    with clients.replaced("berlin_group", connector):
        yield connector
        connector.let_go.set()


@pytest.mark.django_db(transaction=True)
def test_two_hundred_connections_to_a_hanging_bank_leave_the_others_their_workers(hanging, settings):
    """Sixteen workers take what is due in its order. Without a bound all of them would wait for the first bank."""
    settings.FC_SANDBOX_BANK_URL = "http://127.0.0.1:9"
    Institution.objects.filter(slug=ANSWERS).update(interface={"base_url": "https://nlb.example"})
    rows = {slug: Institution.objects.get(slug=slug) for slug in (HANGS, ANSWERS)}

    def call(slug):
        try:
            bank_calls.ask(
                rows[slug], Operation.TRANSACTIONS, lambda connector, bank: connector.probe(bank, deadline_seconds=60),
                deadline_seconds=60, present=False,
            )  # fmt: skip
        except ConnectorError as error:
            return error
        finally:
            connections.close_all()
        return None

    with ThreadPoolExecutor(WORKERS) as pool:
        slow = [pool.submit(call, HANGS) for _ in range(200)]
        assert hanging.full.wait(60)
        quick = [pool.submit(call, ANSWERS) for _ in range(50)]
        assert [future.result(timeout=120) for future in quick] == [None] * 50
        assert hanging.inside == AT_ONCE, "they still hang while the others were served"
        hanging.let_go.set()
        ends = [future.result(timeout=120) for future in slow]
    assert hanging.most == AT_ONCE
    assert sum(isinstance(end, InstitutionDown) for end in ends) == AT_ONCE
    assert sum(isinstance(end, RateLimited) and end.code == "busy" for end in ends) == 200 - AT_ONCE
    refused = call(HANGS)
    assert isinstance(refused, InstitutionDown)
    assert refused.code == "breaker_open"
