"""What changed in a connection behind a cursor: a stretch of its change log, folded to one word per transaction.

A cursor is a place in the log of one connection, so the same cursor always stands at the same place: a page that was
lost is asked for again, and nothing that is written meanwhile moves it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connection as database

from banks.domain.connection_state import VISIBLE
from banks.domain.errors import SyncCursorInvalid
from banks.models import BankTransaction, Connection
from banks.selectors import transactions
from banks.shapes import transactions as shapes
from banks.shapes.connections import PREFIX
from banks.shapes.transactions import TransactionSyncOut
from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.clock import unix
from connect.kit.errors import MissingParameterTarget

_VERSION: Final = b"\x01"
_CHECK_BYTES: Final = 10


def page(caller: Caller, connection_id: str, cursor: str = "", limit: int = 100) -> TransactionSyncOut:
    """What changed behind `cursor`, from at most `limit` entries of the change log; `""` is the beginning.

    A transaction is named once: as added when it came in this stretch, as modified when it only changed, as removed
    when it went; not at all when it came and went in it. It is shown as it is now, so one that is gone by now is
    removed here already. Raises `MissingParameterTarget` and `SyncCursorInvalid`.
    """
    row = Connection.objects.one(account_id=caller.account, id=ids.lookup(PREFIX, connection_id))
    if row is None or row.status not in VISIBLE:
        raise MissingParameterTarget(resource="banking.connection", id=connection_id, param="connection")
    start = _read(caller, row.id, cursor) if cursor else 0
    if start > row.position:
        raise SyncCursorInvalid(param="cursor")
    end = min(start + limit, row.position)
    kinds = _kinds(row.id, start, end)
    found = {item.id: item for item in BankTransaction.objects.filter(pk__in=kinds)}
    answer = TransactionSyncOut(
        added=[],
        as_of=unix(row.synced_at) if row.synced_at else None,
        connection=connection_id,
        has_more=end < row.position,
        livemode=caller.livemode,
        modified=[],
        next_cursor=write(caller, row.id, end),
        removed=[],
        stale=row.error is not None,
    )
    for identifier, (first, _) in kinds.items():
        item = found[identifier]
        if item.status != "removed":
            (answer.added if first == "added" else answer.modified).append(transactions.shape(caller, item))
        elif first != "added":
            answer.removed.append(shapes.render_removed(identifier, item.bank_account_id))
    return answer


def write(caller: Caller, connection_id: UUID, position: int) -> str:
    """The cursor of a place in the connection's log."""
    plain = _VERSION + position.to_bytes(8, "big")
    return base64.urlsafe_b64encode(plain + _check(caller, connection_id, plain)).rstrip(b"=").decode()


def _read(caller: Caller, connection_id: UUID, cursor: str) -> int:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        raw = b""
    plain, check = raw[:9], raw[9:]
    known = hmac.compare_digest(check, _check(caller, connection_id, plain)) and plain.startswith(_VERSION)
    if not known or write(caller, connection_id, int.from_bytes(plain[1:], "big")) != cursor:
        raise SyncCursorInvalid(param="cursor")
    return int.from_bytes(plain[1:], "big")


def _check(caller: Caller, connection_id: UUID, plain: bytes) -> bytes:
    """A cursor fits its environment and connection only."""
    place = f"banks.sync:{caller.environment.schema_name}:{connection_id}:".encode()
    return hmac.digest(settings.SECRET_KEY.encode(), place + plain, hashlib.sha256)[:_CHECK_BYTES]


def _kinds(connection_id: UUID, start: int, end: int) -> dict[UUID, tuple[str, str]]:
    """The first and the last word of the log about each transaction, in the order of the last."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT transaction_id, kind FROM banks_change"
            " WHERE connection_id = %s AND position > %s AND position <= %s ORDER BY position",
            [connection_id, start, end],
        )
        found: dict[UUID, tuple[str, str]] = {}
        for identifier, kind in cursor.fetchall():
            first, _ = found.pop(identifier, (kind, kind))
            found[identifier] = (first, kind)
    return found
