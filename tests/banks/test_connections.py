"""Connections and accounts: each change of status, what it publishes, and what it leaves alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from banks.domain.bank_data import AccountData, BalanceData, BalanceKind
from banks.domain.failures import FailureKind
from banks.models import BankAccount, Connection, Institution
from banks.services import accounts, connections, handles, locks
from connect.kit import clock, ids
from connect.kit.errors import ResourceMissing
from connect.models import Event

TODAY = clock.wall().date()


@pytest.fixture
def connection(opened, caller) -> Connection:
    """A connection with the sandbox bank that was not exchanged yet."""
    return connections.create(
        caller,
        institution=Institution.objects.get(slug="sandbox-bank"),
        handle={"consent_id": "c-1"},
        consent_until=TODAY + timedelta(days=30),
        permissions=["accounts", "balances", "transactions"],
        history_days=90,
        client_reference_id="user-1",
    )


def account(resource: str, iban: str | None = "MK07999000000000001", *, amount: int = 100, **given) -> AccountData:
    return AccountData(
        **{
            "resource_id": resource, "iban": iban, "national_number": None, "currency": "eur", "name": "Current",
            "owner_name": None, "product": None, "cash_account_type": "CACC",
            "balances": (BalanceData(kind=BalanceKind.BOOKED, amount_minor=amount, currency="eur"),),
        } | given
    )  # fmt: skip


def told() -> list[str]:
    names = Event.objects.order_by("id").values_list("type", flat=True)
    return [name.removeprefix("banking.") for name in names]


def public(connection: Connection) -> str:
    return ids.encode("conn", connection.id)


def test_a_pending_one_is_hidden_and_speaks_once_it_is_exchanged(caller, connection):
    accounts.store(caller, connection, (account("r1"),))
    connections.failed(caller, connection, FailureKind.INSTITUTION_DOWN)
    with pytest.raises(ResourceMissing):
        locks.connection(caller, public(connection))
    assert told() == []

    shape = connections.activate(caller, connection)

    assert told() == ["connection.created", "account.created"]
    assert (shape.status, shape.stale, shape.error.code) == ("active", True, "institution_down")
    assert locks.connection(caller, public(connection)).id == connection.id


def test_a_consent_that_broke_before_the_exchange_is_told_after_it(caller, connection):
    connections.failed(caller, connection, FailureKind.CONSENT_REVOKED)
    assert connection.status == "pending"
    connections.activate(caller, connection)
    assert told() == ["connection.created", "connection.revoked"]
    assert connection.status == "revoked"


@pytest.mark.parametrize(
    ("kind", "status", "event"),
    [
        (FailureKind.LOGIN_REQUIRED, "login_required", "login_required"),
        (FailureKind.SCA_FAILED, "login_required", "login_required"),
        (FailureKind.CHANGE_PASSWORD, "login_required", "login_required"),
        (FailureKind.USER_CANCELED, "login_required", "login_required"),
        (FailureKind.CONSENT_EXPIRED, "expired", "expired"),
        (FailureKind.CONSENT_REVOKED, "revoked", "revoked"),
        (FailureKind.INSTITUTION_DOWN, "active", None),
        (FailureKind.RATE_LIMITED, "active", None),
        (FailureKind.BAD_RESPONSE, "active", None),
        (FailureKind.NOT_SUPPORTED, "active", None),
        (FailureKind.CERTIFICATE_PROBLEM, "active", None),
    ],
)
def test_a_failure_is_told_once_and_repair_keeps_the_id(caller, connection, kind, status, event):
    connections.activate(caller, connection)
    for _ in range(2):
        connections.failed(caller, connection, kind)
    row = Connection.objects.get(pk=connection.id)
    assert (row.status, row.error) == (status, kind)
    assert (row.sync_due_at is None) == (status != "active")
    assert told() == ["connection.created"] + ([f"connection.{event}"] if event else [])

    shape = connections.repaired(caller, connection, handle={"consent_id": "c-2"}, consent_until=TODAY)

    row = Connection.objects.get(pk=connection.id)
    assert (shape.id, shape.status, shape.stale) == (public(connection), "active", False)
    assert row.sync_due_at is not None
    assert handles.open(caller, "banks_connection", "handle_sealed", row.id, row.handle_sealed) == {"consent_id": "c-2"}
    assert told()[-1] == "connection.repaired"


def test_recovering_clears_the_error_and_is_told_only_when_there_was_one(caller, connection):
    connections.activate(caller, connection)
    connections.recovered(caller, connection)
    assert told() == ["connection.created"]
    connections.failed(caller, connection, FailureKind.INSTITUTION_DOWN)
    connections.recovered(caller, connection)
    assert told() == ["connection.created", "connection.updated"]
    assert Connection.objects.get(pk=connection.id).error is None


def test_removing_ends_it_and_the_consent_waits_to_be_given_back(caller, connection):
    connections.activate(caller, connection)
    assert connections.remove(caller, public(connection)).deleted
    row = Connection.objects.get(pk=connection.id)
    assert (row.status, row.handle_sealed is not None, row.sync_due_at is not None) == ("removed", True, True)
    assert told() == ["connection.created", "connection.removed"]
    with pytest.raises(ResourceMissing):
        connections.remove(caller, public(connection))
    assert told() == ["connection.created", "connection.removed"]


def test_a_customer_who_withdraws_leaves_a_revoked_one(caller, connection):
    connections.activate(caller, connection)
    for _ in range(2):
        connections.revoke(caller, connection, by="customer")
    row = Connection.objects.get(pk=connection.id)
    assert (row.status, row.error, row.sync_due_at is not None) == ("revoked", "consent_revoked", True)
    assert told() == ["connection.created", "connection.revoked"]


def test_one_that_nobody_exchanged_goes_unseen(caller, connection):
    connections.discard(caller, connection)
    row = Connection.objects.get(pk=connection.id)
    assert (row.status, row.sync_due_at is not None, told()) == ("removed", True, [])


def test_updating_changes_what_is_given_and_tells_only_of_changes(caller, connection):
    connections.activate(caller, connection)
    shape = connections.update(caller, public(connection), metadata={"plan": "gold"})
    assert (shape.metadata, shape.client_reference_id) == ({"plan": "gold"}, "user-1")
    connections.update(caller, public(connection), metadata={"plan": "gold"})
    assert told() == ["connection.created", "connection.updated"]


@pytest.mark.parametrize(
    ("days", "expiring", "expired"), [(8, 0, 0), (7, 1, 0), (0, 1, 0), (-1, 0, 1)], ids=lambda value: str(value)
)
def test_the_last_days_of_a_consent(caller, connection, days, expiring, expired):
    connections.activate(caller, connection)
    Connection.objects.filter(pk=connection.id).update(consent_until=TODAY + timedelta(days=days))
    assert [connections.announce_expiring(caller) for _ in range(2)] == [expiring, 0]
    assert [connections.expire_due(caller) for _ in range(2)] == [expired, 0]
    assert told()[1:] == ["connection.expiring"] * expiring + ["connection.expired"] * expired


def test_accounts_keep_their_ids_when_the_bank_names_them_anew(caller, connection):
    connections.activate(caller, connection)
    nameless = account("r2", None, national_number="999000000000002", name="Savings")
    first = accounts.store(caller, connection, (account("r1"), nameless))
    again = accounts.store(caller, connection, (account("x9"), account("x8", None, national_number="999000000000002",
                                                                      name="Savings")))  # fmt: skip
    assert [row.id for row in again] == [row.id for row in first]
    assert [row.resource_id for row in again] == ["x9", "x8"]
    assert told() == ["connection.created", "account.created", "account.created"]


def test_accounts_tell_what_changed_and_closed(caller, connection):
    connections.activate(caller, connection)
    (row,) = accounts.store(caller, connection, (account("r1"),))
    accounts.store(caller, connection, (account("r1", amount=250),))
    assert accounts.store(caller, connection, ()) == []
    assert accounts.store(caller, connection, ()) == []
    (back,) = accounts.store(caller, connection, (account("r1", amount=250),))
    assert back.id == row.id
    assert told()[1:] == ["account.created", "account.updated", "account.closed", "account.updated"]


def test_only_chosen_accounts_are_kept(caller, connection):
    listed = (account("r1"), account("r2", "MK07999000000000002"), account("r3", "MK07999000000000003"))
    assert [row.resource_id for row in accounts.store(caller, connection, listed, {"r1", "r3"})] == ["r1", "r3"]
    assert [row.resource_id for row in accounts.store(caller, connection, listed)] == ["r1", "r3"]
    assert BankAccount.objects.count() == 2


def test_currencies_under_one_iban_are_accounts_of_their_own(caller, connection):
    listed = (account("r1"), account("r1-mkd", currency="mkd"))
    assert len(accounts.store(caller, connection, listed)) == 2


def test_metadata_of_an_account_is_the_apps(caller, connection):
    (row,) = accounts.store(caller, connection, (account("r1"),))
    with pytest.raises(ResourceMissing):
        accounts.update(caller, ids.encode("bka", row.id), metadata={"a": "b"})
    connections.activate(caller, connection)
    assert accounts.update(caller, ids.encode("bka", row.id), metadata={"a": "b"}).metadata == {"a": "b"}
    accounts.store(caller, connection, (account("r1"),))
    assert BankAccount.objects.get(pk=row.id).metadata == {"a": "b"}
