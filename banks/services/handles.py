"""Connectors' handles (what finds a consent or an order again), sealed for the row that keeps them."""

from __future__ import annotations

import json
from uuid import UUID

from banks.clients.connector import Handle
from connect.kit import secretbox
from connect.kit.caller import Caller


def seal(caller: Caller, table: str, column: str, row_id: UUID, handle: Handle) -> bytes:
    """The handle as this column of this row keeps it; it opens nowhere else."""
    return secretbox.seal(json.dumps(handle).encode(), place=_place(caller, table, column, row_id))


def open(caller: Caller, table: str, column: str, row_id: UUID, sealed: bytes) -> Handle:  # noqa: A001 - read as handles.open
    """The handle again; raises `secretbox.SealBroken` when it was not sealed for this place."""
    return dict(json.loads(secretbox.unseal(sealed, place=_place(caller, table, column, row_id))))


def _place(caller: Caller, table: str, column: str, row_id: UUID) -> str:
    return f"{caller.environment.schema_name}.{table}.{column}:{row_id}"
