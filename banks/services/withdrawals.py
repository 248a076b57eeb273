"""An end customer withdraws what they agreed to."""

from __future__ import annotations

from banks.domain.connection_state import Status
from banks.services import connections, locks
from connect.kit import ids
from connect.kit.caller import Caller


def withdraw(caller: Caller, *, connection_id: str) -> None:
    """End a connection for the customer it is about; a job gives the consent back to their bank.

    One that the app has not seen yet ends unseen. Nothing happens to one that has ended. Publishes
    `banking.connection.revoked`.
    """
    connection = locks.known_connection(caller, ids.lookup("conn", connection_id))
    if connection is None:
        return
    if connection.status == Status.PENDING:
        connections.discard(caller, connection)
    else:
        connections.revoke(caller, connection, by="customer")
