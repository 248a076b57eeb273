"""What an environment's tables say, for tests: every row before and after, postings, holds, events, drift."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection

from connect.kit import ids
from connect.kit.tenancy import use_environment
from connect.models import Event
from ledger.selectors import drift, holds, transactions
from payments.models import PaymentAttempt

UNOBSERVED = {"connect_request_log", "connect_usage_hour"}
"""Tables a request writes later and by another way."""

CLEARING, PENDING, AVAILABLE, FEES = (
    "processor:sandbox:clearing:eur", "platform:pending:eur", "platform:available:eur", "fees:processor:eur",
)  # fmt: skip


@dataclass(frozen=True)
class Published:
    """One event as it was frozen."""

    type: str
    object_id: str
    payload: dict[str, Any]


class Books:
    """Reads one environment. Every method opens it by itself."""

    def __init__(self, environment: Any, caller: Any) -> None:
        self.environment, self.caller = environment, caller

    def everything(self) -> dict[str, tuple[int, str]]:
        """Row count and a checksum over all rows, for every table."""
        with use_environment(self.environment), connection.cursor() as cursor:
            cursor.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", [self.environment.schema_name]
            )
            tables = [name for (name,) in cursor.fetchall() if name not in UNOBSERVED]
            content = {}
            for table in tables:
                cursor.execute(
                    f"SELECT count(*), coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {table} t"
                )
                content[table] = cursor.fetchone()
        return content

    @contextmanager
    def unchanged(self, *but: str) -> Iterator[None]:
        """Nothing in any table is added, changed or removed inside, except in the tables named."""
        before = self.everything()
        yield
        after = self.everything()
        assert {name for name in after if before.get(name) != after[name]} - set(but) == set()

    @contextmanager
    def events(self) -> Iterator[list[Published]]:
        """The events published inside, in order; filled when the block ends."""
        published: list[Published] = []
        with use_environment(self.environment):
            known = set(Event.objects.values_list("id", flat=True))
        yield published
        with use_environment(self.environment):
            rows = Event.objects.exclude(id__in=known).order_by("id")
            published += [Published(row.type, row.object_id, row.payload) for row in rows]

    def postings(self, charge: str) -> list[tuple[str, dict[str, int]]]:
        """Kind and lines (credit +) by path, of everything posted for a charge, oldest first."""
        with use_environment(self.environment):
            found = transactions.for_reference(charge)
        lines: list[tuple[str, dict[str, int]]] = []
        for transaction in found:
            per_path: dict[str, int] = {}
            for line in transaction.lines:
                per_path[line.path] = per_path.get(line.path, 0) + line.amount_minor
            lines.append((transaction.kind, per_path))
        return lines

    def hold(self, charge: str) -> tuple[str, int, int, int]:
        """State, amount, posted and voided of the one hold of a charge."""
        with use_environment(self.environment):
            (hold,) = holds.for_reference(charge)
        return hold.state, hold.amount_minor, hold.posted_minor, hold.voided_minor

    def holds_of(self, charge: str) -> list[tuple[str, int, int, int]]:
        """State, amount, posted and voided of every hold of a charge."""
        with use_environment(self.environment):
            found = holds.for_reference(charge)
        return [(hold.state, hold.amount_minor, hold.posted_minor, hold.voided_minor) for hold in found]

    def holds(self, charge: str) -> int:
        """How many holds were placed for a charge."""
        with use_environment(self.environment):
            return len(holds.for_reference(charge))

    def attempts(self, intent: str) -> list[tuple[str, str]]:
        """Kind and state of an intent's attempts, oldest first."""
        with use_environment(self.environment):
            rows = PaymentAttempt.objects.filter(payment_intent_id=ids.decode("pi", intent)).order_by("id")
            return [(row.kind, row.state) for row in rows]

    def let_leases_run_out(self) -> None:
        """As if a minute had passed: open attempts and claimed keys may be taken over."""
        with use_environment(self.environment), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE payments_payment_attempt SET lease_until = clock_timestamp() - interval '1 second'"
                " WHERE state = 'open'"
            )
            cursor.execute(
                "UPDATE connect_idempotency_key SET lease_until = clock_timestamp() - interval '1 second'"
                " WHERE state = 'claimed'"
            )

    def check(self) -> None:
        """The ledger's projection agrees with its entries and holds."""
        with use_environment(self.environment):
            report = drift.report()
        assert report.faults == ()

    def check_balance(self, api: Any) -> dict[str, tuple[int, int]]:
        """`/v1/balance` is the sum of all balance transactions. Returns (available, pending) by currency."""
        self.check()
        shown = api.get("/v1/balance").json()
        sums: dict[str, list[int]] = {}
        cursor: dict[str, str] = {}
        while True:
            page = api.get("/v1/balance_transactions", {"limit": 100, **cursor}).json()
            for entry in page["data"]:
                parts = sums.setdefault(entry["currency"], [0, 0])
                parts[entry["status"] == "pending"] += entry["net"]
                assert entry["net"] == entry["amount"] - entry["fee"]
                assert entry["fee"] == sum(detail["amount"] for detail in entry["fee_details"])
            if not page["has_more"]:
                break
            cursor = {"starting_after": page["data"][-1]["id"]}
        balance = {
            available["currency"]: (available["amount"], pending["amount"])
            for available, pending in zip(shown["available"], shown["pending"], strict=True)
        }
        assert {currency: parts for currency, parts in balance.items() if any(parts)} == {
            currency: tuple(parts) for currency, parts in sums.items() if any(parts)
        }
        return balance


def types(published: list[Published]) -> list[str]:
    """Event names in the order they were published."""
    return [event.type for event in published]


def refused(answer: Any, status: int, code: str, param: str | None = None) -> dict[str, Any]:
    """The error of a refusal, which must have this status, code and param."""
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error.get("param")) == (status, code, param), error
    assert error["request_id"] == answer.headers["Request-Id"]
    assert error["doc_url"].endswith(f"#{code}")
    return error


def bracketed(body: dict[str, Any], prefix: str = "") -> str:
    """The body as the official SDKs send it: a form with brackets and indexes."""
    from urllib.parse import quote_plus

    pairs: list[str] = []
    items = body.items() if isinstance(body, dict) else enumerate(body)
    for key, value in items:
        name = f"{prefix}[{key}]" if prefix else str(key)
        if isinstance(value, dict | list):
            pairs.append(bracketed(value, name))
        else:
            text = (
                {True: "true", False: "false", None: ""}.get(value, value)
                if not isinstance(value, int) or isinstance(value, bool)
                else value
            )
            pairs.append(f"{name}={quote_plus(str(text))}")
    return "&".join(pair for pair in pairs if pair)
