"""What must be true after any crash: asked of the tables, and of the API by sending every request once more."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import psycopg
from psycopg.rows import dict_row

from connect.kit import ids
from tests.crash.shop import FINAL, Purchase, Step, Till

CLEARING = "processor:sandbox:clearing"
_INTENTS = """
SELECT i.id, i.metadata->>'purchase' AS purchase, i.status, i.amount_minor, i.amount_received_minor, i.open_attempt_id,
       (SELECT count(*) FROM payments_charge c WHERE c.payment_intent_id = i.id AND c.status = 'succeeded') AS charges,
       (SELECT count(*) FROM payments_payment_attempt a WHERE a.payment_intent_id = i.id AND a.state = 'approved'
                                                          AND a.kind = 'authorize') AS authorizations
FROM payments_payment_intent i"""
_CHARGES = """
SELECT id, payment_intent_id, status, amount_minor, amount_captured_minor, amount_refunded_minor,
       amount_refunding_minor, captured
FROM payments_charge"""
_REFUNDS = "SELECT id, charge_id, metadata->>'purchase' AS purchase, amount_minor, status FROM payments_refund"
_RETURNED = """
SELECT t.reference, count(DISTINCT t.id) FILTER (WHERE t.kind = 'charge.refund') AS refunds,
       count(DISTINCT t.id) FILTER (WHERE t.kind = 'charge.refund.return') AS returns,
       coalesce(sum(e.amount_minor) FILTER (WHERE a.path LIKE %s), 0)::bigint AS given
FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id JOIN ledger_account a ON a.id = e.account_id
WHERE t.kind IN ('charge.refund', 'charge.refund.return') GROUP BY t.reference"""
_KEPT = """
SELECT s.id, s.metadata->>'purchase' AS purchase, s.status, s.open_attempt_id,
       (SELECT count(*) FROM payments_payment_attempt a WHERE a.setup_intent_id = s.id AND a.state = 'approved') AS times
FROM payments_setup_intent s"""
_POSTED = """
SELECT t.reference, count(DISTINCT t.id) AS transactions,
       -coalesce(sum(e.amount_minor) FILTER (WHERE a.path LIKE %s), 0)::bigint AS taken
FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id JOIN ledger_account a ON a.id = e.account_id
WHERE t.kind = 'charge.capture' GROUP BY t.reference"""
_EVENTS = "SELECT object_id, type, count(*) AS times FROM connect_event GROUP BY 1, 2"


@dataclass(frozen=True)
class Tables:
    """The tables of one environment, read directly."""

    url: str
    schema: str

    def rows(self, query: str, *values: object) -> list[dict]:
        with psycopg.connect(
            self.url, row_factory=dict_row, options=f"-c search_path={self.schema},public"
        ) as database:
            return database.execute(query.encode(), values or None).fetchall()

    def run(self, statement: str) -> None:
        """Change rows, as time does."""
        with psycopg.connect(self.url, options=f"-c search_path={self.schema},public") as database:
            database.execute(statement.encode())

    def unsettled(self) -> int:
        """Attempts nobody knows the end of, and intents that wait for one."""
        return self.rows(
            "SELECT (SELECT count(*) FROM payments_payment_attempt WHERE state = 'open')"
            " + (SELECT count(*) FROM payments_payment_intent WHERE status = 'processing') AS count"
        )[0]["count"]


def books(tables: Tables) -> None:
    """Balances are the sums of their entries; every intent, charge, posting and event exists exactly once."""
    assert tables.rows("SELECT * FROM ledger_drift") == []
    assert tables.unsettled() == 0
    intents = tables.rows(_INTENTS)
    assert [row for row in intents if row["open_attempt_id"]] == []
    assert [name for name, times in Counter(row["purchase"] for row in intents).items() if times > 1] == [], "doubled"
    for row in intents:
        assert row["charges"] <= 1, f"charged twice: {row}"
        assert row["authorizations"] <= 1, f"authorized twice: {row}"
        assert row["amount_received_minor"] == (row["amount_minor"] if row["status"] == "succeeded" else 0), row
    _ledger_agrees(tables, {row["id"]: row for row in intents})
    _refunds_agree(tables)
    _events_agree(tables, intents)
    kept = tables.rows(_KEPT)
    assert [name for name, times in Counter(row["purchase"] for row in kept).items() if times > 1] == [], "doubled"
    for row in kept:
        assert (row["status"], row["times"], row["open_attempt_id"]) == ("succeeded", 1, None), row


def _ledger_agrees(tables: Tables, intents: dict) -> None:
    posted = {row["reference"]: row for row in tables.rows(_POSTED, f"{CLEARING}%")}
    lines = {row["source_id"]: row["count"] for row in tables.rows(
        "SELECT source_id, count(*) FROM payments_balance_transaction GROUP BY 1")}  # fmt: skip
    holds = {row["reference"]: row["count"] for row in tables.rows(
        "SELECT reference, count(*) FROM ledger_hold WHERE state = 'pending' GROUP BY 1")}  # fmt: skip
    taken = 0
    for charge in tables.rows(_CHARGES):
        name, intent = ids.encode("ch", charge["id"]), intents[charge["payment_intent_id"]]
        ledger = posted.pop(name, {"transactions": 0, "taken": 0})
        captured = charge["amount_captured_minor"]
        assert (ledger["transactions"], ledger["taken"]) == (1 if captured else 0, captured), (charge, ledger)
        assert lines.get(name, 0) == ledger["transactions"], charge
        assert holds.get(name, 0) == (1 if intent["status"] == "requires_capture" else 0), (charge, intent)
        if charge["status"] == "succeeded":
            assert captured == intent["amount_received_minor"], (charge, intent)
        taken += captured
    assert posted == {}, "posted without a charge"
    assert taken == sum(row["amount_received_minor"] for row in intents.values())


def _refunds_agree(tables: Tables) -> None:
    """Never more out than in, and each refund, and each return of one, is in the ledger once."""
    posted = {row["reference"]: row for row in tables.rows(_RETURNED, f"{CLEARING}%")}
    times = {(row["object_id"], row["type"]): row["times"] for row in tables.rows(_EVENTS)}
    refunds = tables.rows(_REFUNDS)
    assert [name for name, count in Counter(row["purchase"] for row in refunds).items() if count > 1] == [], "doubled"
    standing: Counter[object] = Counter()
    for row in refunds:
        name, returned = ids.encode("re", row["id"]), row["status"] in {"failed", "canceled"}
        ledger = posted.pop(name)
        given = 0 if returned else row["amount_minor"]
        assert (ledger["refunds"], ledger["returns"], ledger["given"]) == (1, int(returned), given), (row, ledger)
        assert times.get((name, "refund.created")) == 1, row
        standing[row["charge_id"]] += given
    assert posted == {}, "given back without a refund"
    for charge in tables.rows(_CHARGES):
        assert standing[charge["id"]] == charge["amount_refunded_minor"] <= charge["amount_captured_minor"], charge
        assert charge["amount_refunding_minor"] == 0, charge


def _events_agree(tables: Tables, intents: list[dict]) -> None:
    times = {(row["object_id"], row["type"]): row["times"] for row in tables.rows(_EVENTS)}
    for row in intents:
        name = ids.encode("pi", row["id"])
        expected = {
            "payment_intent.created": 1,
            "payment_intent.succeeded": int(row["status"] == "succeeded"),
            "payment_intent.canceled": int(row["status"] == "canceled"),
        }
        assert {kind: times.get((name, kind), 0) for kind in expected} == expected, row


def promises(tables: Tables, purchases: list[Purchase]) -> None:
    """What was acknowledged is there, and in the state that was acknowledged."""
    stored = {row["purchase"]: row for row in tables.rows(_INTENTS)}
    given: Counter[object] = Counter()
    for charge in tables.rows(_CHARGES):
        given[charge["payment_intent_id"]] += charge["amount_refunded_minor"]
    for purchase in purchases:
        if purchase.intent is None:
            continue
        row = stored.get(purchase.name)
        assert row is not None, f"lost: {purchase}"
        assert ids.encode("pi", row["id"]) == purchase.intent, f"made twice: {purchase}"
        assert row["amount_minor"] in {purchase.amount, purchase.amount + purchase.raised}
        if purchase.complete:
            assert row["status"] == purchase.wanted, f"{purchase} became {row}"
            assert row["amount_minor"] == purchase.amount + purchase.raised, f"{purchase} became {row}"
            assert given[row["id"]] == purchase.refunded, f"{purchase} became {row}"


def replays(till: Till, purchases: list[Purchase]) -> int:
    """Send everything once more under its key: what was acknowledged comes back byte for byte, and what was not is
    answered now, the same twice. Returns how many had never been answered.
    """
    unanswered = 0
    for purchase in purchases:
        for step in purchase.steps:
            if step.answer is None:
                unanswered += 1
                step.answer = _now(till, step)
                purchase.told(step.answer)
            again = till.send(step)
            assert again == (*step.answer, True), f"{purchase} was told {step.answer}, and now {again}"
    return unanswered


def _now(till: Till, step: Step) -> tuple[int, bytes]:
    answer = till.send(step)
    assert answer is not None, f"nobody answers {step}"
    assert answer[0] in FINAL, f"{step} cannot be finished: {answer}"
    return answer[:2]


def keys_are_done(tables: Tables) -> None:
    """No key waits for anything any more."""
    assert tables.rows("SELECT key, state FROM connect_idempotency_key WHERE state <> 'done'") == []
