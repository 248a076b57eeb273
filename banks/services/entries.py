"""Writing what a bank lists: new entries by COPY, changes set by set, and every one of them in the change log.

Nothing is written for what did not change. The caller holds the connection's lock, so that positions in its change log
are gapless and in the order of commits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import connection as database
from django.db.models import Count

from banks.domain import matching, references
from banks.domain.bank_data import EntryData, EntryStatus
from banks.domain.matching import Incoming, Known, Outcome
from banks.models import BankAccount, Change, Connection
from connect.kit import clock, ids
from connect.kit.caller import Caller

BATCH: Final = 2_000
"""How many rows travel in one statement, or in one message of COPY."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a list of entries changed."""

    added: int = 0
    modified: int = 0
    removed: int = 0
    unchanged: int = 0

    @property
    def changed(self) -> int:
        """How many entries the change log got."""
        return self.added + self.modified + self.removed

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.added + other.added,
            self.modified + other.modified,
            self.removed + other.removed,
            self.unchanged + other.unchanged,
        )


def ingest(
    caller: Caller,
    connection: Connection,
    account: BankAccount,
    entries: Iterable[EntryData],
    *,
    since: date,
    pending_listed: bool,
) -> Counts:
    """Bring the account's transactions in line with the bank's whole list from `since` on.

    Booked rows of that time that are not listed any more are removed, pending ones as `banks.domain.matching` says.
    Entries booked before `since` are left out. `connection` is locked; its `position` is moved in the database.
    """
    today, now = clock.wall().date(), caller.clock.business()
    wanted = (entry for entry in entries if entry.booking_date is None or entry.booking_date >= since)
    incoming = matching.prepare(account.id, wanted, today=today)
    outcome = matching.match(_known(account, since), incoming, today=today, pending_listed=pending_listed)
    added = _insert(connection, account, outcome, now)
    _update(outcome, now)
    _remove([row.id for row in outcome.removed], now)
    changed = [(row.id, "modified") for row, _ in outcome.modified] + [(row.id, "removed") for row in outcome.removed]
    _log(connection, [(identifier, "added") for identifier in added] + changed)
    _read_until(account, incoming, now, today)
    return Counts(len(added), len(outcome.modified), len(outcome.removed), outcome.unchanged)


def logged(connection: Connection) -> Counts:
    """What the connection's whole change log tells of."""
    rows = Change.objects.filter(connection_id=connection.id).values_list("kind").annotate(times=Count("*"))
    return Counts(**dict(rows))


def _known(account: BankAccount, since: date) -> list[Known]:
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT id, status, amount_minor, currency, sort_date, institution_transaction_id, entry_reference,"
            " fingerprint, occurrence, content_hash, search_text FROM banks_transaction WHERE bank_account_id = %s"
            " AND (status = 'pending' OR (status = 'booked' AND sort_date >= %s))",
            [account.id, since],
        )
        return [Known(*row) for row in cursor.fetchall()]


# --- columns ----------------------------------------------------------------------------------------------------------

_CONTENT: Final = (
    "status", "amount_minor", "currency", "booking_date", "value_date", "sort_date", "counterparty_name",
    "counterparty_account", "counterparty_bic", "remittance", "reference_scheme", "reference_value", "end_to_end_id",
    "purpose_code", "bank_transaction_code", "exchange", "balance_after_minor", "institution_transaction_id",
    "entry_reference", "fingerprint", "occurrence", "content_hash", "search_text",
)  # fmt: skip
COLUMNS: Final = (
    "id", "account_id", "bank_account_id", "connection_id", "version", "created_at", "fetched_at", "updated_at",
    *_CONTENT,
)  # fmt: skip
"""What COPY is given, in this order."""


def _content(item: Incoming, occurrence: int) -> tuple[Any, ...]:
    """The values of `_CONTENT` as texts and numbers, which both COPY and JSON take."""
    entry, party = item.entry, item.entry.counterparty
    reference = references.find(entry.remittance, entry.structured_reference)
    return (
        entry.status.value,
        entry.amount_minor,
        entry.currency,
        entry.booking_date and entry.booking_date.isoformat(),
        entry.value_date and entry.value_date.isoformat(),
        item.day.isoformat(),
        party.name and party.name[:140],
        party.account and party.account[:34],
        party.bic and party.bic[:11],
        entry.remittance,
        reference and reference.scheme.value,
        reference and reference.value,
        entry.end_to_end_id and entry.end_to_end_id[:35],
        entry.purpose_code and entry.purpose_code[:35],
        entry.bank_transaction_code and entry.bank_transaction_code[:70],
        entry.exchange and _exchange(entry),
        entry.balance_after_minor,
        entry.transaction_id and entry.transaction_id[:100],
        entry.entry_reference and entry.entry_reference[:100],
        f"\\x{item.fingerprint.hex()}",
        occurrence,
        f"\\x{item.content.hex()}",
        item.text,
    )


def _exchange(entry: EntryData) -> str:
    assert entry.exchange is not None
    return msgspec.json.encode(
        {"amount": entry.exchange.amount_minor, "currency": entry.exchange.currency, "rate": entry.exchange.rate}
    ).decode()


_END, _NULL = "\x1f", "\x1e"
_CONTROLS: Final = str.maketrans("", "", _END + _NULL + "\x00")
"""What no text keeps: PostgreSQL refuses the zero, and a line of COPY is built with the others."""

# --- writes -----------------------------------------------------------------------------------------------------------


def _insert(connection: Connection, account: BankAccount, outcome: Outcome, now: datetime) -> list[UUID]:
    """COPY the new rows; returns their ids, which are in the bank's order from old to new where it lists the newest
    first.
    """
    if not outcome.added:
        return []
    moment = now.isoformat()
    same = f"{account.account_id.hex}\t{account.id.hex}\t{connection.id.hex}\t1\t{moment}\t{moment}\t{moment}"
    new = [(ids.new(), item) for item in sorted(outcome.added, key=lambda item: item.day)]
    with (
        database.cursor() as cursor,
        cursor.copy(f"COPY banks_transaction ({', '.join(COLUMNS)}) FROM STDIN") as copy,
    ):
        for start in range(0, len(new), BATCH):
            lines = [
                f"{identifier.hex}\t{same}\t{_line(_content(item, outcome.occurrence(item)))}"
                for identifier, item in new[start : start + BATCH]
            ]
            copy.write("".join(lines))
    return [identifier for identifier, _ in new]


def _line(values: tuple[Any, ...]) -> str:
    """Values as a line of COPY's text form: escaped as a whole, which takes a third of the driver's time."""
    line = _END.join([_NULL if value is None else str(value) for value in values])
    if line.count(_END) != len(values) - 1 or line.count(_NULL) != values.count(None) or "\x00" in line:
        return _line(_clean(values))
    line = line.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return line.replace(_END, "\t").replace(_NULL, "\\N") + "\n"


def _clean(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(value.translate(_CONTROLS) if isinstance(value, str) else value for value in values)


def _update(outcome: Outcome, now: datetime) -> None:
    """Change rows, many in a statement; each gets a new version. What was pending keeps the id it had as such."""
    assignments = ", ".join(f"{column} = fresh.{column}" for column in _CONTENT)
    for start in range(0, len(outcome.modified), BATCH):
        rows = []
        for row, item in outcome.modified[start : start + BATCH]:
            values = dict(zip(_CONTENT, _clean(_content(item, outcome.occurrence(item))), strict=True))
            if item.entry.booking_date is None and item.entry.value_date is None:
                values["sort_date"] = row.day.isoformat()  # the day it was first seen
            values["exchange"] = msgspec.Raw(values["exchange"].encode()) if values["exchange"] else None
            booked = row.status == EntryStatus.PENDING and item.entry.status != EntryStatus.PENDING
            rows.append({"id": row.id, "pending_transaction_id": row.bank_id if booked else None, **values})
        with database.cursor() as cursor:
            cursor.execute(
                f"UPDATE banks_transaction AS row SET {assignments}, version = row.version + 1, updated_at = %s,"  # noqa: S608 - our own names
                " fetched_at = %s, pending_transaction_id ="
                " coalesce(fresh.pending_transaction_id, row.pending_transaction_id)"
                " FROM jsonb_populate_recordset(NULL::banks_transaction, %s::jsonb) AS fresh WHERE row.id = fresh.id",
                [now, now, msgspec.json.encode(rows).decode()],
            )


def _remove(identifiers: Sequence[UUID], now: datetime) -> None:
    if identifiers:
        with database.cursor() as cursor:
            cursor.execute(
                "UPDATE banks_transaction SET status = 'removed', version = version + 1, updated_at = %s,"
                " fetched_at = %s WHERE id = ANY(%s)",
                [now, now, list(identifiers)],
            )


def _log(connection: Connection, changes: Sequence[tuple[UUID, str]]) -> None:
    """Append to the change log. The connection's row is locked, so nobody else draws positions in between."""
    if not changes:
        return
    with database.cursor() as cursor:
        cursor.execute(
            "UPDATE banks_connection SET position = position + %s WHERE id = %s RETURNING position",
            [len(changes), connection.id],
        )
        connection.position = cursor.fetchone()[0]
        first, name = connection.position - len(changes) + 1, connection.id.hex
        lines = [f"{name}\t{place}\t{row.hex}\t{kind}\n" for place, (row, kind) in enumerate(changes, first)]
        with cursor.copy("COPY banks_change (connection_id, position, transaction_id, kind) FROM STDIN") as copy:
            for start in range(0, len(lines), BATCH):
                copy.write("".join(lines[start : start + BATCH]))


def _read_until(account: BankAccount, incoming: Sequence[Incoming], now: datetime, today: date) -> None:
    """Note how far the account was read. A date to come does not count: entries before it would be overlooked."""
    booked = [item.day for item in incoming if item.entry.status != EntryStatus.PENDING and item.day <= today]
    newest = max(booked, default=None)
    if newest is not None and (account.booked_until is None or newest > account.booked_until):
        account.booked_until = newest
    account.entries_at = now
    account.error = account.error_at = None
    account.save(update_fields=["booked_until", "entries_at", "error", "error_at"])
