"""Reading connections: from a bank that answers, is down, limits, breaks off, or has lost the consent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from banks import clients, tasks
from banks.clients import connector as bank
from banks.clients.connector import Psu
from banks.clients.fake import FakeConnector, FakeConsent
from banks.domain.bank_data import AccountData, BalanceData, BalanceKind, EntryData, EntryStatus
from banks.models import BankAccount, BankTransaction, Connection, Institution
from banks.services import accounts, connections, consent_returns, syncs, withdrawals
from connect.kit import clock, ids
from connect.kit.tenancy import use_environment
from connect.models import Event

TODAY = clock.wall().date()
PRESENT = Psu(present=True, ip_address="127.0.0.1")


@pytest.fixture
def fake(settings):
    """The bank in memory, in the place of the connector that the sandbox bank is reached by."""
    settings.FC_SANDBOX_BANK_URL = "http://127.0.0.1:1"
    fake = FakeConnector(page_size=3)
    with clients.replaced("berlin_group", fake):
        yield fake


@pytest.fixture
def link(environment, caller, fake):
    """`link(accounts)` is an active connection whose accounts the customer chose, and which is due."""

    def create(*held: AccountData, name: str = "c-1") -> Connection:
        fake.consents[name] = FakeConsent(request=None, status="valid", valid_until=TODAY + timedelta(days=90))
        with use_environment(environment):
            connection = connections.create(
                caller,
                institution=Institution.objects.get(slug="sandbox-bank"),
                handle={"consent_id": name},
                consent_until=TODAY + timedelta(days=90),
                permissions=["accounts", "balances", "transactions"],
                history_days=90,
            )
            accounts.store(caller, connection, held)
            connections.activate(caller, connection)
        return connection

    return create


def account(number: int = 1, amount: int = 100) -> AccountData:
    return AccountData(
        resource_id=f"r{number}", iban=f"MK0799900000000000{number}", national_number=None, currency="mkd",
        name="Current", owner_name=None, product=None, cash_account_type=None,
        balances=(BalanceData(kind=BalanceKind.BOOKED, amount_minor=amount, currency="mkd"),),
    )  # fmt: skip


def entry(number: int, *, days: int = 0) -> EntryData:
    return EntryData(
        status=EntryStatus.BOOKED, amount_minor=-number, currency="mkd", transaction_id=f"T{number}",
        booking_date=TODAY + timedelta(days=days), remittance=f"payment {number}",
    )  # fmt: skip


@pytest.fixture
def row(environment):
    """`row(connection)` is the connection as it is now."""

    def get(connection: Connection) -> Connection:
        with use_environment(environment):
            return Connection.objects.get(pk=connection.id)

    return get


@pytest.fixture
def due(environment):
    """`due(connection)` makes it due and lets today's calls be forgotten when `calls=True`."""

    def make(connection: Connection, *, calls: bool = False) -> None:
        fresh = {"calls": 0} if calls else {}
        with use_environment(environment):
            Connection.objects.filter(pk=connection.id).update(sync_due_at=clock.wall(), **fresh)

    return make


@pytest.fixture
def told(environment):
    """`told()` are the names of the events since it was asked last."""
    seen = []

    def names() -> list[str]:
        with use_environment(environment):
            found = list(Event.objects.order_by("id").values_list("type", flat=True))
        fresh = [name.removeprefix("banking.") for name in found[len(seen) :]]
        seen[:] = found
        return fresh

    return names


def count(environment) -> int:
    with use_environment(environment):
        return BankTransaction.objects.exclude(status="removed").count()


def changes(environment) -> list[dict[str, int]]:
    """What each event said of how many transactions changed."""
    with use_environment(environment):
        found = Event.objects.filter(type="banking.connection.transactions_updated").order_by("id")
        return [event.payload["changes"] for event in found]


def test_the_event_counts_what_came_what_changed_and_what_went(environment, fake, link, due):
    fake.put(account(), entry(1), entry(2), entry(3))
    connection = link(account())
    syncs.run(environment, connection.id)
    fake.put(account(), entry(4), entry(5), replace(entry(1), remittance="payment 1, reworded"), entry(2))
    due(connection)
    syncs.run(environment, connection.id)
    assert changes(environment)[1:] == [{"added": 2, "modified": 1, "removed": 1}]
    due(connection)
    syncs.run(environment, connection.id)
    assert len(changes(environment)) == 2, "nothing changed, so nothing is told"


def test_a_first_read_takes_every_page_and_the_second_only_the_last_days(environment, fake, link, row, due, told):
    fake.put(account(), *(entry(n, days=-n) for n in range(8)))
    connection = link(account())
    told()
    report = syncs.run(environment, connection.id)
    assert (report.ran, report.complete, report.counts.added, report.failure) == (True, True, 8, None)
    assert fake.count("entries") == 3
    assert told() == ["connection.transactions_updated"]
    assert changes(environment) == [{"added": 8, "modified": 0, "removed": 0}]
    now = row(connection)
    assert (now.synced_at is not None, now.history_complete, now.sync_lease_until) == (True, True, None)
    assert now.sync_due_at > clock.wall()

    due(connection)
    report = syncs.run(environment, connection.id)
    assert (report.counts.changed, report.counts.unchanged) == (0, 8)
    assert told() == []
    since = [call.asked.since for call in fake.calls if call.method == "entries" and call.asked.page is None]
    assert since == [TODAY - timedelta(days=90), TODAY - timedelta(days=10)]


def test_only_what_the_customer_chose_is_asked_for(environment, fake, link):
    fake.put(account(1), entry(1))
    fake.put(account(2), entry(2))
    connection = link(account(1))
    syncs.run(environment, connection.id)
    assert {call.asked.resource_id for call in fake.calls if call.method == "entries"} == {"r1"}
    assert count(environment) == 1


def test_one_account_that_cannot_be_read_keeps_no_other_from_it(environment, fake, link, row, due, told):
    for number in (1, 2):
        fake.put(account(number), entry(number))
    connection = link(account(1), account(2))
    told()
    fake.will("entries", bank.BadResponse("nonsense"))
    report = syncs.run(environment, connection.id)
    assert (report.complete, report.counts.added, report.accounts_failed, report.failure) == (False, 1, 1, None)
    assert (row(connection).error, row(connection).synced_at) == (None, None)
    with use_environment(environment):
        errors = list(BankAccount.objects.order_by("iban").values_list("error", flat=True))
    assert errors == ["bad_response", None]
    assert told() == ["connection.transactions_updated"]

    due(connection)
    assert syncs.run(environment, connection.id).complete
    with use_environment(environment):
        assert not BankAccount.objects.exclude(error=None).exists()
    assert count(environment) == 2


def test_a_list_that_breaks_off_between_pages_leaves_its_account_as_it_was(environment, fake, link, row, due):
    fake.put(account(), *(entry(n) for n in range(7)))
    connection = link(account())
    fake.will("entries", None, bank.InstitutionDown())
    report = syncs.run(environment, connection.id)
    assert (report.failure, report.counts.changed, count(environment)) == ("institution_down", 0, 0)
    assert (row(connection).error, row(connection).sync_failures) == ("institution_down", 1)
    due(connection)
    assert syncs.run(environment, connection.id).counts.added == 7
    assert row(connection).error is None


@pytest.mark.parametrize(
    ("error", "consent", "status", "events"),
    [
        (bank.LoginRequired(), "valid", "login_required", ["connection.login_required"]),
        (bank.ConsentExpired(), "expired", "expired", ["connection.expired"]),
        (bank.ConsentRevoked(), "revoked", "revoked", ["connection.revoked"]),
        (bank.ConsentRevoked(), "valid", "active", []),
        (bank.ConsentExpired(), "valid", "active", []),
        (bank.ConsentExpired(), "revoked", "revoked", ["connection.revoked"]),
        (bank.ChangePassword(), "valid", "login_required", ["connection.login_required"]),
        (bank.CertificateProblem(), "valid", "active", []),
        (bank.RateLimited(), "valid", "active", []),
        (bank.NotSupported(), "valid", "active", []),
        (bank.BadResponse(), "valid", "active", []),
        (bank.InstitutionDown(), "valid", "active", []),
    ],
)  # fmt: skip
def test_what_follows_from_each_refusal(environment, fake, link, row, told, error, consent, status, events):
    fake.put(account(), entry(1))
    connection = link(account())
    told()
    fake.consents["c-1"].status = consent
    fake.will("accounts", error)
    report = syncs.run(environment, connection.id)
    now = row(connection)
    assert (now.status, report.complete, now.error is not None) == (status, False, True)
    assert (now.sync_due_at is not None) == (status == "active")
    assert told() == events
    assert count(environment) == 0


def test_the_daily_calls_are_kept_and_the_customer_may_still_ask(environment, fake, link, row, due):
    fake.put(account(), entry(1))
    connection = link(account())
    for _ in range(4):
        due(connection)
        assert syncs.run(environment, connection.id).ran
    due(connection)
    assert not syncs.run(environment, connection.id).ran
    assert fake.count("accounts") == 4
    assert row(connection).sync_due_at.date() == clock.wall().date() + timedelta(days=1)

    assert syncs.run(environment, connection.id, psu=PRESENT, deadline_seconds=5).complete
    assert (fake.count("accounts"), fake.calls[-1].present, row(connection).calls) == (5, True, 4)
    assert max(call.deadline_seconds for call in fake.calls if call.present) <= 5


def test_a_bank_that_limits_is_asked_when_it_said(environment, fake, link, row):
    fake.put(account())
    connection = link(account())
    fake.will("accounts", bank.RateLimited(retry_after_seconds=3600))
    syncs.run(environment, connection.id)
    assert timedelta(minutes=59) < row(connection).sync_due_at - clock.wall() < timedelta(minutes=61)


def test_a_bank_that_is_down_is_asked_later_each_time_and_costs_no_call_of_the_day(environment, fake, link, row, due):
    fake.put(account(), entry(1))
    connection = link(account())
    fake.is_down = True
    waits = []
    for _ in range(4):
        due(connection)
        syncs.run(environment, connection.id)
        waits.append(row(connection).sync_due_at - clock.wall())
    assert waits == sorted(waits)
    assert (row(connection).calls, row(connection).sync_failures) == (0, 4)
    fake.is_down = False
    due(connection)
    assert syncs.run(environment, connection.id).complete
    assert (row(connection).error, row(connection).sync_failures) == (None, 0)


def test_two_jobs_do_not_read_one_connection(environment, fake, link, row):
    fake.put(account(), entry(1))
    connection = link(account())
    inner = []
    original = fake.accounts

    def meanwhile(*given, **named):
        inner.append(syncs.run(environment, connection.id).ran)
        return original(*given, **named)

    fake.accounts = meanwhile
    assert syncs.run(environment, connection.id).complete
    assert inner == [False]


@pytest.mark.parametrize("what", ["removed", "repaired", "requested"])
def test_what_happens_while_the_bank_is_read_stands(environment, caller, fake, link, row, told, what):
    fake.put(account(), entry(1))
    connection = link(account())
    fake.consents["c-2"] = replace(fake.consents["c-1"])
    told()
    original, public = fake.accounts, ids.encode("conn", connection.id)

    def meanwhile(*given, **named):
        with use_environment(environment):
            if what == "removed":
                connections.remove(caller, public)
            elif what == "requested":
                syncs.request(caller, public)
            else:
                locked = Connection.objects.one(id=connection.id, lock=True)
                connections.repaired(caller, locked, handle={"consent_id": "c-2"}, consent_until=TODAY)
        if what != "requested":
            raise bank.ConsentRevoked
        return original(*given, **named)

    fake.accounts = meanwhile
    report = syncs.run(environment, connection.id)
    now = row(connection)
    assert now.sync_lease_until is None
    if what == "requested":
        assert report.complete
        assert now.sync_due_at <= clock.wall()
    else:
        assert not report.ran
        assert (now.status, now.error) == ("removed" if what == "removed" else "active", None)
        assert told() == [f"connection.{what}"]


def test_a_pending_connection_is_read_before_the_exchange_and_says_so_afterwards(environment, caller, fake, told, row):
    fake.put(account(), entry(1))
    fake.consents["c-1"] = FakeConsent(request=None, status="valid", valid_until=TODAY)
    with use_environment(environment):
        connection = connections.create(
            caller, institution=Institution.objects.get(slug="sandbox-bank"), handle={"consent_id": "c-1"},
            consent_until=TODAY, permissions=["accounts", "transactions"], history_days=30,
        )  # fmt: skip
        accounts.store(caller, connection, (account(),), {"r1"})
    assert syncs.run(environment, connection.id).counts.added == 1
    assert told() == []
    with use_environment(environment):
        connections.activate(caller, Connection.objects.one(id=connection.id, lock=True))
    assert told() == ["connection.created", "account.created", "connection.transactions_updated"]
    assert changes(environment) == [{"added": 1, "modified": 0, "removed": 0}]


def test_the_job_reads_all_that_are_due_and_leaves_a_bank_that_is_down_alone(environment, caller, fake, link, row):
    fake.put(account(), entry(1))
    made = [link(account(), name=f"c-{n}") for n in range(3)]
    fake.is_down = True
    assert tasks.sync_connections(str(environment.id)) == 1
    assert fake.count() == 1
    fake.is_down = False
    assert tasks.sync_connections(str(environment.id)) == 2
    assert [row(connection).synced_at is not None for connection in made].count(True) == 2
    assert tasks.sync_connections(str(environment.id)) == 0


def test_ended_consents_are_given_back_once_the_bank_takes_them(environment, caller, fake, link, row, due):
    fake.put(account())
    connection = link(account())
    with use_environment(environment):
        connections.remove(caller, ids.encode("conn", connection.id))
    fake.is_down = True
    assert consent_returns.give_back(caller) == 0
    assert row(connection).handle_sealed is not None
    assert tasks.give_back_consents(str(environment.id)) == 0  # not due yet
    fake.is_down = False
    due(connection)
    assert tasks.give_back_consents(str(environment.id)) == 1
    now = row(connection)
    assert (fake.consents["c-1"].status, now.handle_sealed, now.sync_due_at) == ("revoked", None, None)
    assert not syncs.run(environment, connection.id).ran


def test_a_bank_that_was_down_for_days_gets_every_chance_to_take_a_consent_back(
    environment, caller, fake, link, row, due
):
    fake.put(account())
    connection = link(account())
    with use_environment(environment):
        Connection.objects.filter(pk=connection.id).update(sync_failures=consent_returns.TRIES_MAX - 1)
        withdrawals.withdraw(caller, connection_id=ids.encode("conn", connection.id))
    fake.is_down = True
    assert consent_returns.give_back(caller) == 0
    fake.is_down = False
    due(connection)
    assert consent_returns.give_back(caller) == 1
    assert fake.consents["c-1"].status == "revoked"


def test_a_job_ends_and_announces_consents(environment, caller, fake, link, told):
    fake.put(account())
    one, other = link(account()), link(account(), name="c-2")
    told()
    with use_environment(environment):
        Connection.objects.filter(pk=one.id).update(consent_until=TODAY - timedelta(days=1))
        Connection.objects.filter(pk=other.id).update(consent_until=TODAY + timedelta(days=3))
    assert tasks.end_consents(str(environment.id)) == 2
    assert told() == ["connection.expired", "connection.expiring"]
    assert tasks.end_consents(str(environment.id)) == 0


def test_a_test_clock_brings_the_end_of_consents_nearer(api, environment, fake, link, told):
    link(account())  # its consent ends in 90 days
    told()
    clocks, midnight = "/v1/test_helpers/test_clocks", datetime.combine(TODAY, time(), UTC)
    given = {"frozen_time": clock.unix(midnight + timedelta(hours=12)), "applies_to": "environment"}
    made = api.post(clocks, given).json()

    def moved_to(day: int) -> list[str]:
        moment = {"frozen_time": clock.unix(midnight + timedelta(days=day))}
        answer = api.post(f"{clocks}/{made['id']}/advance", moment)
        assert answer.json()["status"] == "ready", answer.content
        return [name for name in told() if name.startswith("connection.")]

    assert moved_to(82) == []
    assert moved_to(83) == ["connection.expiring"]
    assert moved_to(90) == [], "its last day"
    assert moved_to(91) == ["connection.expired"]


def test_balances_that_do_not_come_along_are_asked_for_one_by_one(environment, fake, link):
    fake.put(account(amount=777), entry(1))
    connection = link(account())
    original = fake.accounts
    fake.accounts = lambda *given, **named: tuple(replace(one, balances=()) for one in original(*given, **named))
    fake.will("balances", bank.BadResponse())
    assert syncs.run(environment, connection.id, psu=PRESENT, deadline_seconds=5).counts.added == 1
    with use_environment(environment):
        assert BankAccount.objects.get().balances[0]["amount"] == 100  # those of before stay
    assert syncs.run(environment, connection.id, psu=PRESENT, deadline_seconds=5).complete
    with use_environment(environment):
        assert BankAccount.objects.get().balances[0]["amount"] == 777


def test_a_sync_that_fails_on_our_side_leaves_nothing_behind(environment, fake, link, row, told, monkeypatch):
    for number in (1, 2):
        fake.put(account(number), entry(number))
    connection = link(account(1), account(2))
    told()
    original, seen = syncs.entries.ingest, []

    def second_fails(*given, **named):
        seen.append(given)
        if len(seen) == 2:
            raise RuntimeError("out of space")
        return original(*given, **named)

    with monkeypatch.context() as patched:
        patched.setattr(syncs.entries, "ingest", second_fails)
        assert tasks.sync_connections(str(environment.id)) == 1
    assert (count(environment), told(), row(connection).position) == (0, [], 0)
    assert row(connection).sync_lease_until > clock.wall()  # when it runs out, it is read again
    with use_environment(environment):
        Connection.objects.update(sync_lease_until=clock.wall())
    assert tasks.sync_connections(str(environment.id)) == 1
    assert count(environment) == 2
