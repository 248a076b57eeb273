"""Opening, naming, bounding and closing accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from connect.kit import ids
from connect.kit.caller import Caller
from ledger.domain.accounts import AccountSpec
from ledger.domain.errors import AccountUnknown
from ledger.domain.records import Account
from ledger.models import arrays, functions, rows

_OPEN: Final = (
    f"SELECT {rows.ACCOUNT} FROM ledger_account_open(%s, %s, %s, %s, %s, %s, %s::smallint, %s, %s::jsonb) o"  # noqa: S608
    " CROSS JOIN LATERAL (SELECT (o.account).*) a"
)
_CLOSE: Final = f"SELECT {rows.ACCOUNT} FROM ledger_account_close(%s) a"  # noqa: S608
_FLOOR: Final = f"SELECT {rows.ACCOUNT} FROM ledger_account_floor(%s, %s) a"  # noqa: S608
_UPDATE: Final = (
    "UPDATE ledger_account a SET name = coalesce(%s, a.name), metadata = coalesce(%s::jsonb, a.metadata)"  # noqa: S608
    f" WHERE a.id = %s RETURNING {rows.ACCOUNT}"
)


def open(  # noqa: A001 - accounts.open is what it does
    caller: Caller, spec: AccountSpec, *, name: str = "", metadata: Mapping[str, str] | None = None
) -> Account:
    """Open an account, or give back the one that has this path.

    Raises `AccountMismatch` when that one has another currency, normal side or owner. Its name, floor and metadata stay
    as they are.
    """
    row = functions.call(
        caller,
        _OPEN,
        [
            ids.new(), spec.path, name, spec.currency, spec.normal_side, spec.floor_minor, spec.stripes, spec.owner,
            arrays.json_text(metadata or {}),
        ],
    )  # fmt: skip
    return rows.account(row)


def update(
    caller: Caller, *, account_id: UUID, name: str | None = None, metadata: Mapping[str, str] | None = None
) -> Account:
    """Replace an account's name or metadata; None leaves it. Raises `AccountUnknown`."""
    text = None if metadata is None else arrays.json_text(metadata)
    found = functions.rows(caller, _UPDATE, [name, text, account_id])
    if not found:
        raise AccountUnknown(path=ids.encode("lacct", account_id))
    return rows.account(found[0])


def set_floor(caller: Caller, *, account_id: UUID, floor_minor: int | None) -> Account:
    """Set the least an account may have available, in minor units of its normal side; None removes it.

    A floor above what is available moves nothing: nothing leaves until enough has come in. Raises `AccountUnknown`,
    `AccountClosed` and `FloorForbidden`.
    """
    return rows.account(functions.call(caller, _FLOOR, [account_id, floor_minor]))


def close(caller: Caller, *, account_id: UUID) -> Account:
    """Close an account for ever. Raises `AccountUnknown`, `AccountClosed` and `AccountNotEmpty`."""
    return rows.account(functions.call(caller, _CLOSE, [account_id]))
