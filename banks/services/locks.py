"""Row locks of banks, in the one order that everything takes them: link session, connection, account.

Lock first, then read the state: whatever was read before the lock may be old.
"""

from __future__ import annotations

from uuid import UUID

from banks.domain.connection_state import VISIBLE
from banks.models import BankAccount, Connection, LinkSession
from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.errors import MissingParameterTarget, ResourceMissing


def link_session(caller: Caller, session_id: str) -> LinkSession:
    """The caller's link session, locked until the transaction ends. Raises `ResourceMissing`."""
    row = LinkSession.objects.one(account_id=caller.account, id=ids.lookup("lks", session_id), lock=True)
    if row is None:
        raise ResourceMissing(resource="banking.link_session", id=session_id, param="id")
    return row


def connection(caller: Caller, connection_id: str, *, param: str | None = None) -> Connection:
    """The caller's connection, locked; one that is not exchanged yet, or was removed, is missing.

    `param` says that it was named in a parameter, not in the path.
    """
    row = known_connection(caller, ids.lookup("conn", connection_id))
    if row is None or row.status not in VISIBLE:
        if param is None:
            raise ResourceMissing(resource="banking.connection", id=connection_id, param="id")
        raise MissingParameterTarget(resource="banking.connection", id=connection_id, param=param)
    return row


def known_connection(caller: Caller, connection_id: UUID) -> Connection | None:
    """The caller's connection, whatever became of it, locked."""
    return Connection.objects.one(account_id=caller.account, id=connection_id, lock=True)


def bank_account(caller: Caller, bank_account_id: str) -> BankAccount:
    """The caller's account, locked; that of a connection which was not exchanged, or removed, is missing.

    Its connection is not locked: take that first where both change. Raises `ResourceMissing`.
    """
    row = BankAccount.objects.one(account_id=caller.account, id=ids.lookup("bka", bank_account_id), lock=True)
    status = Connection.objects.values_list("status", flat=True).filter(pk=row.connection_id).first() if row else None
    if row is None or status not in VISIBLE:
        raise ResourceMissing(resource="banking.account", id=bank_account_id, param="id")
    return row
