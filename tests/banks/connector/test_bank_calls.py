"""The way to a bank: the breaker before it, the count behind it, and never inside a transaction."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import InterfaceError, OperationalError

from banks.clients import breaker
from banks.clients.connector import (
    ABSENT,
    BadResponse,
    CertificateProblem,
    ConnectorError,
    InstitutionDown,
    NotSupported,
    Psu,
    RateLimited,
)
from banks.domain import health
from banks.domain.breaker import AT_ONCE, AT_ONCE_PRESENT
from banks.domain.profiles import Operation
from banks.models import Institution, InstitutionHealth
from banks.services import bank_calls, institution_health
from connect.kit import clock, valkey
from connect.kit.tenancy import TransactionForbidden, use_environment

HERE = Psu(present=True, ip_address="192.0.2.1")


def probe(bank, operation=Operation.ACCOUNTS, *, present=False):
    return bank_calls.ask(
        bank, operation, lambda connector, profile: connector.probe(profile, deadline_seconds=5),
        deadline_seconds=5, present=present,
    )  # fmt: skip


@pytest.fixture
def time(monkeypatch):
    """`time(60)` moves the wall clock on by a minute."""
    now = [clock.wall()]
    monkeypatch.setattr(clock, "wall", lambda: now[0])

    def move(seconds):
        now[0] += timedelta(seconds=seconds)

    return move


def figures(bank, operation=Operation.ACCOUNTS):
    rows = InstitutionHealth.objects.filter(institution_id=bank.id, operation=operation.value)
    return sum((health.Figures(row.successes, row.bank_errors, row.own_errors, tuple(row.latency_counts))
                for row in rows), health.Figures())  # fmt: skip


def test_an_answer_is_handed_back_and_counted(sandbox, fake):
    probe(sandbox)
    found = bank_calls.ask(sandbox, Operation.ACCOUNTS, lambda connector, profile: (connector, profile.slug),
                           deadline_seconds=5, present=True)  # fmt: skip
    assert found == (fake, "sandbox-bank")
    counted = figures(sandbox)
    assert (counted.successes, counted.bank_errors, counted.own_errors) == (2, 0, 0)
    assert counted.latency_counts == (2, *[0] * len(health.LATENCY_MS))


def test_a_bank_that_cannot_be_reached_is_said_so_and_nobody_is_blamed(sandbox, fake):
    other = Institution.objects.get(slug="nlb-mk")
    with pytest.raises(NotSupported):
        probe(other)
    assert fake.calls == []
    assert not InstitutionHealth.objects.filter(institution_id=other.id).exists()


def test_no_call_inside_a_transaction(sandbox, fake, environment):
    with use_environment(environment), pytest.raises(TransactionForbidden):
        probe(sandbox)
    assert fake.calls == []


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (InstitutionDown(), (0, 1, 0)),
        (BadResponse(), (0, 1, 0)),
        (CertificateProblem(), (0, 0, 1)),
        (RateLimited(), (1, 0, 0)),
    ],
)  # fmt: skip
def test_an_error_is_raised_again_and_counted_for_whom_it_blames(sandbox, fake, error, expected):
    fake.will("probe", error)
    with pytest.raises(ConnectorError) as raised:
        probe(sandbox)
    assert raised.value is error
    counted = figures(sandbox)
    assert (counted.successes, counted.bank_errors, counted.own_errors) == expected


def test_a_fault_of_ours_blames_no_bank_and_gives_the_permit_back(sandbox, fake):
    def spoil(connector, profile):
        raise ZeroDivisionError

    for _ in range(AT_ONCE + 5):
        with pytest.raises(ZeroDivisionError):
            bank_calls.ask(sandbox, Operation.ACCOUNTS, spoil, deadline_seconds=5, present=False)
    assert figures(sandbox).own_errors == AT_ONCE + 5
    probe(sandbox)


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_count_that_cannot_be_written_loses_no_answer(sandbox, fake, monkeypatch, error):
    def away():
        raise error("the connection is lost")

    with monkeypatch.context() as broken:
        broken.setattr(institution_health.connection, "cursor", away)
        probe(sandbox)
    assert fake.count("probe") == 1
    assert figures(sandbox) == health.Figures()


def test_five_silent_calls_open_the_breaker_for_that_operation_alone(sandbox, fake):
    fake.is_down = True
    for _ in range(5):
        with pytest.raises(InstitutionDown):
            probe(sandbox)
    with pytest.raises(InstitutionDown) as refused:
        probe(sandbox)
    assert (refused.value.code, refused.value.retry_after_seconds) == ("breaker_open", 60)
    assert fake.count() == 5, "nothing is sent while it is open"
    assert figures(sandbox).bank_errors == 5
    fake.is_down = False
    probe(sandbox, Operation.PAYMENTS)
    assert list(breaker.known(["sandbox-bank"])) == [
        ("sandbox-bank", Operation.ACCOUNTS),
        ("sandbox-bank", Operation.PAYMENTS),
    ]


def test_a_malformed_page_is_no_outage_but_a_500_is(sandbox, fake):
    fake.will(
        "probe", *[BadResponse(http_status=200) for _ in range(20)], *[BadResponse(http_status=500) for _ in range(20)]
    )
    for _ in range(20):
        with pytest.raises(BadResponse):
            probe(sandbox)
    opened = 0
    for _ in range(20):
        with pytest.raises(ConnectorError) as raised:
            probe(sandbox)
        opened += raised.value.code == "breaker_open"
    assert opened == 15


def test_without_valkey_calls_go_on(sandbox, fake, monkeypatch):
    def gone():
        raise valkey.ValkeyError

    fake.is_down = True
    for _ in range(5):
        with pytest.raises(InstitutionDown):
            probe(sandbox)
    fake.is_down = False
    monkeypatch.setattr(
        valkey, "client", lambda: type("Gone", (), {"get": lambda *_: gone(), "mget": lambda *_: gone()})()
    )
    probe(sandbox)
    assert breaker.known(["sandbox-bank"]) == {}


def test_calls_under_way_are_bounded_and_the_customer_comes_first(sandbox, fake):
    """Each call makes the next one from inside, as if none of them came back."""
    made = {False: 0, True: 0}

    def deeper(present):
        def work(connector, profile):
            made[present] += 1
            bank_calls.ask(sandbox, Operation.ACCOUNTS, work, deadline_seconds=5, present=present)

        return work

    with pytest.raises(RateLimited) as refused:
        bank_calls.ask(sandbox, Operation.ACCOUNTS, deeper(False), deadline_seconds=5, present=False)
    assert (refused.value.code, made[False]) == ("busy", AT_ONCE)
    with pytest.raises(RateLimited):
        bank_calls.ask(sandbox, Operation.ACCOUNTS, deeper(True), deadline_seconds=5, present=True)
    assert made[True] == AT_ONCE_PRESENT
    probe(sandbox)


def test_a_bank_that_is_down_for_an_hour_is_called_eleven_times_and_its_recovery_is_seen(sandbox, fake, time):
    """200 connections ask every 30 seconds; every call meets 503."""
    fake.is_down = True
    asked = 0
    for _ in range(120):
        for _ in range(200):
            asked += 1
            with pytest.raises(InstitutionDown):
                bank_calls.ask(
                    sandbox, Operation.TRANSACTIONS,
                    lambda connector, profile: connector.accounts(profile, {}, ABSENT, balances=False, deadline_seconds=5),
                    deadline_seconds=5, present=False,
                )  # fmt: skip
        time(30)
    assert asked == 24_000
    assert fake.count() == 5 + 5, "five until it opened, then after 1, 2, 4, 8 and 16 minutes"
    fake.is_down = False
    waited = 0
    while True:
        try:
            probe(sandbox, Operation.TRANSACTIONS)
        except InstitutionDown:
            time(30)
            waited += 30
        else:
            break
    assert waited <= 1800
