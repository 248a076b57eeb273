"""Handles of consents and payments, sealed for the row they belong to."""

from __future__ import annotations

from uuid import UUID

import msgspec

from banks.clients.connector import Handle
from connect.kit import secretbox
from connect.kit.caller import Caller


def seal(caller: Caller, table: str, column: str, row_id: UUID, handle: Handle) -> bytes:
    """`handle` as it is stored in that column of that row, and opens nowhere else."""
    return secretbox.seal(msgspec.json.encode(handle), place=_place(caller, table, column, row_id))


def open(caller: Caller, table: str, column: str, row_id: UUID, sealed: bytes) -> Handle:  # noqa: A001 - opposite of seal
    """The handle that was sealed there. Raises `SealBroken`."""
    plain = secretbox.unseal(bytes(sealed), place=_place(caller, table, column, row_id))
    return msgspec.json.decode(plain, type=dict[str, str])


def _place(caller: Caller, table: str, column: str, row_id: UUID) -> str:
    return f"{caller.environment.schema_name}.{table}.{column}:{row_id}"
