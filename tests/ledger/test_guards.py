"""Every guarantee attacked in SQL: as the application's role, and as the owner where rights alone would not hold."""

from __future__ import annotations

import pytest

from connect.kit import ids
from tests.ledger.conftest import fresh

DENIED = "42501"
WRITE = (
    "SELECT ledger_post(ARRAY[%(id)s]::uuid[], '{test}', ARRAY[%(key)s], '{2026-01-01}', '{\"\"}', '{\"\"}',"
    " '{\"{}\"}', ARRAY[%(source)s, %(destination)s], '{eur,eur}', '{debit,credit}', %(floors)s, '{1,1}',"
    " '{NULL,NULL}',"
    " ARRAY[gen_random_uuid(), gen_random_uuid()], '{1,1}', '{1,2}', '{1,2}', ARRAY[-%(amount)s, %(amount)s])"
)
TRANSACTION = (
    "INSERT INTO ledger_transaction (id, kind, idempotency_key, effective_at, created_at)"
    " VALUES ('{id}', 'test', '{id}', '2026-01-01', '2026-01-01')"
)
ENTRY = (
    "INSERT INTO ledger_entry (transaction_id, line, account_id, currency, amount_minor, effective_at, created_at)"
    " SELECT '{id}'::uuid, v.line, (SELECT id FROM ledger_account WHERE path = v.path), v.currency, v.amount,"
    " '2026-01-01', '2026-01-01' FROM (VALUES {lines}) AS v (line, path, currency, amount)"
)


def write(connection, amount=100, source="world", destination="wallet", key=None, floors="{NULL,0}"):
    parameters = {
        "id": ids.new(),
        "key": key or fresh("k"),
        "source": source,
        "destination": destination,
        "amount": amount,
        "floors": floors,
    }
    connection.execute(WRITE, parameters)
    connection.commit()
    return parameters["id"]


def entries(identifier, *lines):
    return ENTRY.format(id=identifier, lines=", ".join(str(line) for line in lines))


@pytest.fixture
def app(database):
    with database.app() as connection:
        write(connection)
        yield connection
        connection.rollback()


@pytest.fixture
def owner(database, app):
    with database.owner() as connection:
        connection.execute("SET LOCAL TIME ZONE 'UTC'")
        yield connection
        connection.rollback()


@pytest.fixture
def identifier(app):
    return app.execute("SELECT gen_random_uuid()").fetchone()[0]


@pytest.mark.parametrize(
    "table", ["ledger_entry", "ledger_transaction", "ledger_balance", "ledger_hold", "ledger_account"]
)
@pytest.mark.parametrize("verb", ["DELETE FROM {}", "TRUNCATE {}", "INSERT INTO {} DEFAULT VALUES"])
def test_the_application_removes_and_writes_no_row(app, refused, table, verb):
    assert refused(app, verb.format(table)) == DENIED


@pytest.mark.parametrize(
    "change",
    [
        "ledger_entry SET amount_minor = 1",
        "ledger_entry SET xid = xid",
        "ledger_transaction SET description = 'x'",
        "ledger_transaction SET effective_at = now()",
        "ledger_balance SET posted = posted + 1",
        "ledger_balance SET held_out = 0",
        "ledger_hold SET state = 'voided'",
        "ledger_hold SET posted_minor = 0",
        "ledger_account SET floor_minor = NULL",
        "ledger_account SET currency = 'rsd'",
        "ledger_account SET closed_at = NULL",
        "ledger_account SET normal_side = 'debit'",
    ],
)
def test_the_application_changes_no_cell_that_counts(app, refused, change):
    assert refused(app, f"UPDATE {change}") == DENIED


def test_the_application_names_accounts(app, refused):
    assert (
        refused(app, "UPDATE ledger_account SET name = 'Till', metadata = '{\"a\": \"b\"}' WHERE path = 'wallet'")
        == "accepted"
    )


@pytest.mark.parametrize(
    "call",
    [
        "ledger_hold_move('{}', '{}', '{}', '{}')",
        "ledger_accounts_resolve('{}', '{}', '{}', '{}', '{}', '{}', '{}')",
        "ledger_account_lock(gen_random_uuid())",
    ],
)
def test_the_application_does_not_call_the_inner_functions(app, refused, call):
    assert refused(app, f"SELECT {call}") == DENIED


def test_no_function_or_table_of_the_ledger_is_open_to_everybody(app):
    granted = app.execute(
        "SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace, aclexplode(p.proacl) acl"
        " WHERE n.nspname = current_schema() AND p.proname LIKE 'ledger%' AND p.prorettype <> 'trigger'::regtype"
        " AND acl.grantee = 0"
        " UNION ALL SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,"
        " aclexplode(c.relacl) acl WHERE n.nspname = current_schema() AND relname LIKE 'ledger%' AND acl.grantee = 0"
    ).fetchall()
    assert granted == []


def test_every_function_looks_only_into_its_own_schema(database, app):
    schema = app.execute("SELECT current_schema()").fetchone()[0]
    rows = app.execute(
        "SELECT proname, proconfig FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE n.nspname = %s AND proname LIKE 'ledger%%'",
        [schema],
    ).fetchall()
    assert len(rows) >= 15
    for name, settings in rows:
        assert f"search_path={schema}, pg_temp" in settings, name


def test_a_temporary_table_does_not_stand_in_for_the_real_one(app, owner, database):
    """A function that runs as the owner and looked into pg_temp first would post to the impostor."""
    total = f"SELECT sum(posted) FROM {database.schemas[0]}.ledger_balance WHERE posted > 0"
    before = app.execute(total).fetchone()[0]
    app.rollback()
    owner.execute(
        "CREATE TEMP TABLE ledger_balance (account_id uuid, stripe smallint, posted bigint, held_in int, held_out int)"
    )
    owner.execute(
        "CREATE TEMP TABLE ledger_account (id uuid, path text, stripes int, normal_side text, floor_minor bigint)"
    )
    write(owner, 5)
    assert app.execute(total).fetchone()[0] - before == 5


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_transaction", "ledger_account"])
@pytest.mark.parametrize("verb", ["DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_even_the_owner_removes_nothing(owner, refused, table, verb):
    assert refused(owner, verb.format(table)) == "LD001"


@pytest.mark.parametrize(
    "change",
    [
        "ledger_entry SET amount_minor = amount_minor",
        "ledger_transaction SET description = 'x'",
        "ledger_account SET currency = 'rsd'",
        "ledger_account SET normal_side = 'debit', path = 'x'",
        "ledger_account SET stripes = 2 WHERE floor_minor IS NULL",
    ],
)
def test_even_the_owner_changes_no_history(owner, refused, change):
    assert refused(owner, f"UPDATE {change}") == "LD001"


def test_lines_cannot_join_a_committed_transaction(app, owner, refused):
    old = write(app)
    assert refused(owner, entries(old, (3, "world", "eur", -5), (4, "wallet", "eur", 5))) == "LD002"


def test_a_forged_transaction_id_on_late_lines_does_not_help(app, owner, refused):
    old = write(app)
    sql = (
        entries(old, (3, "world", "eur", -5), (4, "wallet", "eur", 5))
        .replace("effective_at, created_at)", "effective_at, created_at, xid)")
        .replace("'2026-01-01' FROM", f"'2026-01-01', (SELECT xid FROM ledger_transaction WHERE id = '{old}') FROM")
    )
    assert refused(owner, sql) == "LD002"


def test_lines_without_any_transaction_are_late(owner, refused, identifier):
    assert refused(owner, entries(identifier, (1, "world", "eur", -5), (2, "wallet", "eur", 5))) == "LD002"


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        ([(1, "world", "eur", -5), (2, "wallet", "eur", 4)], "LD006"),
        ([(1, "world", "eur", -5), (2, "wallet", "rsd", 5)], "LD006"),
        ([(1, "world", "eur", 5)], "LD005"),
        ([(1, "world", "eur", -5), (3, "wallet", "eur", 5)], "LD018"),
        ([(2, "world", "eur", -5), (3, "wallet", "eur", 5)], "LD018"),
        ([(1, "world", "rsd", -5), (2, "wallet", "rsd", 5)], "LD008"),
        ([(1, "wallet", "eur", -1_000_000), (2, "world", "eur", 1_000_000)], "LD004"),
        ([(1, "world", "eur", 0), (2, "wallet", "eur", 0)], "23514"),
        ([(1, "world", "eur", -(10**12)), (2, "wallet", "eur", 10**12)], "23514"),
        ([(1, "nobody", "eur", -5), (2, "wallet", "eur", 5)], "23502"),
    ],
)
def test_lines_written_by_hand_meet_the_same_rules(owner, refused, identifier, lines, state):
    owner.execute(TRANSACTION.format(id=identifier))
    assert refused(owner, entries(identifier, *lines)) == state


def test_an_account_that_is_only_an_id_is_unknown(owner, refused, identifier):
    owner.execute(TRANSACTION.format(id=identifier))
    sql = entries(identifier, (1, "world", "eur", -5), (2, "wallet", "eur", 5))
    sql = sql.replace("(SELECT id FROM ledger_account WHERE path = v.path)", "gen_random_uuid()")
    assert refused(owner, sql) == "LD007"


def test_balanced_lines_by_hand_are_accepted_and_counted(owner, app, refused, identifier):
    before = app.execute("SELECT sum(posted) FROM ledger_balance WHERE posted > 0").fetchone()[0]
    owner.execute(TRANSACTION.format(id=identifier))
    assert refused(owner, entries(identifier, (1, "world", "eur", -5), (2, "wallet", "eur", 5))) == "accepted"
    app.rollback()
    assert app.execute("SELECT sum(posted) FROM ledger_balance WHERE posted > 0").fetchone()[0] == before + 5


def test_a_second_insert_for_the_same_transaction_is_refused(owner, refused, identifier):
    owner.execute(TRANSACTION.format(id=identifier))
    pair = entries(identifier, (1, "world", "eur", -5), (2, "wallet", "eur", 5))
    owner.execute(pair)
    assert refused(owner, pair) == "23505"
    owner.execute(TRANSACTION.format(id=identifier))
    owner.execute(pair)
    assert refused(owner, entries(identifier, (3, "world", "eur", -5), (4, "wallet", "eur", 5))) == "LD018"


def test_lines_with_other_times_than_their_transaction_are_refused(owner, refused, identifier):
    owner.execute(TRANSACTION.format(id=identifier))
    sql = entries(identifier, (1, "world", "eur", -5), (2, "wallet", "eur", 5)).replace(
        "v.amount, '2026-01-01'", "v.amount, '2025-01-01'"
    )
    assert refused(owner, sql) == "LD018"


def test_a_transaction_without_lines_does_not_commit(owner, refused, identifier):
    assert refused(owner, TRANSACTION.format(id=identifier)) == "LD005"


def test_the_backstop_sums_even_when_the_statement_check_is_gone(database, owner, refused, identifier):
    owner.execute("ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_written")
    owner.execute(TRANSACTION.format(id=identifier))
    owner.execute("SET LOCAL search_path = public")  # the backstop runs at commit and must not depend on the path
    sql = entries(identifier, (1, "world", "eur", -5), (2, "wallet", "eur", 4))
    for table in ("ledger_entry", "ledger_account"):
        sql = sql.replace(f" {table} ", f" {database.schemas[0]}.{table} ")
    owner.execute(sql)
    with pytest.raises(Exception) as caught:
        owner.commit()
    assert caught.value.sqlstate == "LD006"


def test_a_savepoint_is_still_the_same_transaction(owner, refused, identifier):
    owner.execute(TRANSACTION.format(id=identifier))
    owner.execute("SAVEPOINT inner_block")
    assert refused(owner, entries(identifier, (1, "world", "eur", -5), (2, "wallet", "eur", 5))) == "accepted"


def test_one_reversal_per_transaction_even_by_hand(app, owner, refused, identifier):
    old = write(app)
    reverse = "SELECT ledger_reverse(%s, gen_random_uuid(), %s, now(), '', '{}')"
    assert refused(app, reverse, old, fresh("r")) == "accepted"
    assert refused(app, reverse, old, fresh("r")) == "LD010"
    by_hand = (
        TRANSACTION.format(id=identifier).replace("kind,", "kind, reverses,").replace("'test',", f"'test', '{old}',")
    )
    assert refused(owner, by_hand) == "23505"


def test_a_credit_to_an_account_below_its_floor_is_accepted_and_a_debit_is_not(app, owner, refused):
    write(app, 100, destination="under")
    account = app.execute("SELECT id FROM ledger_account WHERE path = 'under'").fetchone()[0]
    assert refused(app, "SELECT ledger_account_floor(%s, 500)", account) == "accepted"
    write(app, 50, destination="under")
    parameters = {
        "id": ids.new(),
        "key": fresh("k"),
        "source": "under",
        "destination": "world",
        "amount": 1,
        "floors": "{NULL,NULL}",
    }
    assert refused(app, WRITE.replace("{debit,credit}", "{NULL,NULL}"), parameters) != "accepted"
    with pytest.raises(Exception) as caught:
        app.execute(WRITE.replace("{debit,credit}", "{NULL,NULL}"), parameters)
    assert caught.value.sqlstate == "LD004"


def test_a_bounded_account_is_never_striped(app, owner, refused):
    striped = (
        "SELECT ledger_account_open(gen_random_uuid(), %s, '', 'eur', 'credit', %s, 4::smallint, gen_random_uuid(),"
        " '{}')"
    )
    assert refused(app, striped, "s", 0) == "LD020"
    assert refused(app, striped, "s", None) == "accepted"
    account = app.execute("SELECT id FROM ledger_account WHERE path = 's'").fetchone()[0]
    assert refused(app, "SELECT ledger_account_floor(%s, 0)", account) == "LD020"
    assert refused(owner, "UPDATE ledger_account SET floor_minor = 0 WHERE path = 's'") == "23514"


def test_a_hold_is_never_posted_or_voided_past_its_amount_even_by_the_owner(owner, refused):
    hold = (
        "INSERT INTO ledger_hold (id, source_account, destination_account, currency, amount_minor, posted_minor,"
        " voided_minor, state, idempotency_key)"
        " VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'eur', 10, %s, %s, %s, %s)"
    )
    for posted, voided, state in (
        (6, 5, "posted"),
        (11, 0, "posted"),
        (-1, 11, "voided"),
        (0, 10, "posted"),
        (5, 4, "posted"),
    ):
        assert refused(owner, hold, posted, voided, state, fresh("h")) == "23514"


def test_a_settled_hold_is_settled_even_for_the_owner(owner, refused):
    owner.execute(
        "INSERT INTO ledger_hold (id, source_account, destination_account, currency, amount_minor, voided_minor, state,"
        " idempotency_key)"
        " VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'eur', 10, 10, 'voided', 'settled')"
    )
    owner.execute("SAVEPOINT kept")
    for change in ("state = 'pending', voided_minor = 0", "amount_minor = 20", "description = 'x'"):
        with pytest.raises(Exception) as caught:
            owner.execute(f"UPDATE ledger_hold SET {change} WHERE idempotency_key = 'settled'")
        assert caught.value.sqlstate == "LD001"
        owner.execute("ROLLBACK TO kept")


def test_after_all_attacks_nothing_drifts(app):
    assert app.execute("SELECT * FROM ledger_drift").fetchall() == []
