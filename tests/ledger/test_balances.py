"""Balances now and as of a moment; the drift report finds every way the projection can lie."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connections

from connect.kit.tenancy import use_environment
from ledger.domain.errors import AccountUnknown
from ledger.selectors import balances, drift, transactions
from ledger.services import holds, journal
from tests.ledger.conftest import WORLD, fresh, spec, transfer

DAY = datetime(2026, 5, 1, tzinfo=UTC)
WALLET = spec("customers:1", floor=0)


def test_as_of_effective_time_sees_what_took_effect_by_then(caller, opened):
    for days, minor in ((0, 100), (5, 10), (2, 1)):
        journal.post(caller, transfer(WORLD, WALLET, minor, effective_at=DAY + timedelta(days=days)))
    seen = {
        days: balances.as_of_effective(["customers:1"], DAY + timedelta(days=days))["customers:1"].balance
        for days in (-1, 0, 1, 2, 4, 5, 9)
    }
    assert seen == {-1: 0, 0: 100, 1: 100, 2: 101, 4: 101, 5: 111, 9: 111}
    assert balances.as_of_effective(["world"], DAY)["world"].balance == 100


def test_as_of_created_time_sees_what_was_known_by_then(caller, opened):
    """A correction posted later for an earlier day changes the one view and not the other."""
    first = journal.post(caller, transfer(WORLD, WALLET, 100, effective_at=DAY))
    journal.post(caller, transfer(WORLD, WALLET, 7, effective_at=DAY))
    assert balances.as_of_created(["customers:1"], first.created_at)["customers:1"].balance == 100
    assert balances.as_of_effective(["customers:1"], DAY)["customers:1"].balance == 107


def test_many_balances_are_one_statement(caller, opened, django_assert_num_queries):
    for number in range(3):
        journal.post(caller, transfer(WORLD, spec(f"customers:{number}"), number + 1))
    with django_assert_num_queries(1):
        found = balances.for_paths(["customers:0", "customers:2", "nobody"])
    assert {path: balance.balance for path, balance in found.items()} == {"customers:0": 1, "customers:2": 3}
    assert set(balances.for_prefix("customers")) == {f"customers:{n}" for n in range(3)}
    assert balances.for_prefix("cust") == {}
    assert set(balances.for_accounts([balance.account_id for balance in found.values()])) == set(found)
    with pytest.raises(AccountUnknown, match="nobody"):
        balances.for_path("nobody")


def test_an_objects_postings_are_found_by_its_id(caller, opened):
    for key, reference in (("a", "pi_1"), ("b", "pi_2"), ("c", "pi_1"), ("d", "")):
        journal.post(caller, transfer(WORLD, WALLET, 1, key=key, reference=reference))
    assert [found.idempotency_key for found in transactions.for_reference("pi_1")] == ["a", "c"]
    assert transactions.for_reference("") == []
    assert [found.idempotency_key for found in transactions.for_references(["pi_2", "pi_1"])] == ["a", "b", "c"]


def test_an_empty_ledger_does_not_drift(opened):
    report = drift.report()
    assert (report.ok, report.rows) == (True, 0)


TAMPER = {
    "posted": "UPDATE ledger_balance SET posted = posted + 1 WHERE posted > 0",
    "held_out": "UPDATE ledger_balance SET held_out = held_out - 1 WHERE held_out > 0",
    "held_in": "UPDATE ledger_balance SET held_in = held_in + 1",
    "transaction": "INSERT INTO ledger_entry SELECT transaction_id, 3, account_id, currency, 5, effective_at,"
    " created_at, xid FROM ledger_entry WHERE line = 1 LIMIT 1",
    "currency": "UPDATE ledger_entry SET amount_minor = amount_minor + 1 WHERE line = 1",
    "orphan": "UPDATE ledger_entry SET currency = 'rsd' WHERE line = 1",
    "hold": "UPDATE ledger_hold SET posted_minor = posted_minor + 1",
}


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
@pytest.mark.parametrize("fault", TAMPER)
def test_drift_finds_what_a_superuser_changed_behind_the_triggers(caller, environment, fault):
    with use_environment(environment):
        journal.post(caller, transfer(WORLD, WALLET, 100))
        money = transfer(WALLET, WORLD, 10).lines[1].amount
        hold = holds.place(caller, source=WALLET, destination=WORLD, amount=money, idempotency_key=fresh("h"))
        holds.post(caller, hold_id=hold.id, amount=4, final=False, idempotency_key=fresh("c"))
        assert drift.report().ok
    tables = ("ledger_entry", "ledger_balance", "ledger_hold")
    with connections["owner"].cursor() as cursor:
        cursor.execute(f'SET search_path = "{environment.schema_name}"')
        for statement in (
            *(f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in tables),
            TAMPER[fault],
            *(f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in tables),
        ):
            cursor.execute(statement)
        cursor.execute("SET search_path = public")
    with use_environment(environment):
        report = drift.report()
    assert fault in {found.fault for found in report.faults}
    out = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("ledger_verify", "--env", "acme/test", stdout=out)
    assert stopped.value.code == 1
    assert fault in out.getvalue()


def test_verify_walks_over_every_environment(caller, environment, db):
    with use_environment(environment):
        journal.post(caller, transfer(WORLD, WALLET, 100))
    out = StringIO()
    call_command("ledger_verify", stdout=out)
    text = out.getvalue()
    assert f"{environment.schema_name}: 4 rows, 0 mismatches" in text
    assert "4 environments" in text
    assert "0 mismatches" in text.splitlines()[-1]
