"""What API callers do by themselves: the journal and holds, on their own accounts only.

The accounts that payments keep have reserved paths; a posting, hold or reversal by API that touches one is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import UNSET, UnsetType

from connect.kit import ids
from connect.kit.caller import PLATFORM_ACCOUNT, Caller
from connect.kit.errors import MissingParameterTarget, ResourceMissing
from connect.kit.metadata import merge
from connect.kit.money import Money
from ledger.domain.accounts import AccountSpec, NormalSide, refuse_reserved
from ledger.domain.errors import CurrencyMismatch
from ledger.domain.postings import Line, Posting
from ledger.domain.records import Account, Hold, Transaction
from ledger.selectors import accounts as account_selectors
from ledger.selectors import holds as hold_selectors
from ledger.selectors import transactions as transaction_selectors
from ledger.services import accounts, holds, journal


@dataclass(frozen=True, slots=True)
class LineRequest:
    """One line as it was asked for: `account` is a path or an id (`lacct_…`), `amount` positive minor units."""

    account: str
    amount: int
    currency: str
    direction: Literal["debit", "credit"]


def open_account(
    caller: Caller,
    *,
    path: str,
    currency: str,
    normal_side: NormalSide = "credit",
    floor: int | None = None,
    name: str = "",
    metadata: Mapping[str, str] | None = None,
) -> Account:
    """Open an account of the caller's. Raises `PathInvalid`, `PathReserved` and `AccountMismatch`."""
    refuse_reserved(path)
    spec = AccountSpec(path, currency, normal_side, floor_minor=floor, owner=caller.account)
    return accounts.open(caller, spec, name=name, metadata=merge({}, metadata or {}))


def update_account(
    caller: Caller,
    *,
    account_id: UUID,
    name: str | None = None,
    metadata: Mapping[str, str] | UnsetType | None = UNSET,
) -> Account:
    """Rename an account, or lay `metadata` over what it has (None clears it).

    Raises `ResourceMissing` and `PathReserved`.
    """
    account = _own_account(caller, account_id)
    merged = None if isinstance(metadata, UnsetType) else merge(account.metadata, metadata)
    return accounts.update(caller, account_id=account_id, name=name, metadata=merged)


def close_account(caller: Caller, *, account_id: UUID) -> Account:
    """Close an account. Raises `ResourceMissing`, `PathReserved`, `AccountClosed` and `AccountNotEmpty`."""
    _own_account(caller, account_id)
    return accounts.close(caller, account_id=account_id)


def post(
    caller: Caller,
    *,
    lines: Iterable[LineRequest],
    kind: str = "api",
    reference: str = "",
    description: str = "",
    effective_at: datetime | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Transaction:
    """Post a transaction. Under an `Idempotency-Key` it is posted once for ever, longer than the answer is kept.

    Raises what `journal.post` raises, `PathReserved`, and `MissingParameterTarget` for an account that does not exist.
    """
    wanted = list(lines)
    found = _own_accounts(caller, [(f"lines[{number}][account]", line.account) for number, line in enumerate(wanted)])
    posting = Posting(
        kind=kind,
        idempotency_key=_key(caller, "post"),
        lines=tuple(_line(line, found[line.account]) for line in wanted),
        reference=reference,
        description=description,
        effective_at=effective_at,
        metadata=merge({}, metadata or {}),
    )
    return _read(caller, journal.post(caller, posting).id)


def reverse(
    caller: Caller, *, transaction_id: UUID, description: str = "", metadata: Mapping[str, str] | None = None
) -> Transaction:
    """Reverse a transaction. Raises `ResourceMissing`, `PathReserved` and what `journal.reverse` raises."""
    original = _read(caller, transaction_id)
    _own_accounts(caller, [("transaction", line.path) for line in original.lines])
    reversal = journal.reverse(
        caller,
        transaction_id=transaction_id,
        idempotency_key=_key(caller, f"reverse:{transaction_id}"),
        description=description,
        metadata=merge({}, metadata or {}),
    )
    return _read(caller, reversal.id)


def place_hold(
    caller: Caller,
    *,
    source: str,
    destination: str,
    amount: int,
    currency: str,
    expires_at: datetime | None = None,
    reference: str = "",
    description: str = "",
    metadata: Mapping[str, str] | None = None,
) -> Hold:
    """Place a hold between two of the caller's accounts. Raises as `post` and `holds.place` do."""
    found = _own_accounts(caller, [("source", source), ("destination", destination)])
    return holds.place(
        caller,
        source=found[source].path,
        destination=found[destination].path,
        amount=Money(amount, currency),
        idempotency_key=_key(caller, "hold"),
        expires_at=expires_at,
        reference=reference,
        description=description,
        metadata=merge({}, metadata or {}),
    )


def capture_hold(caller: Caller, *, hold_id: UUID, amount: int | None = None, final: bool = True) -> Hold:
    """Post a hold or a part of it. Raises `ResourceMissing`, `PathReserved` and what `holds.post` raises."""
    _own_hold(caller, hold_id)
    key = _key(caller, f"capture:{hold_id}")
    return holds.post(caller, hold_id=hold_id, idempotency_key=key, amount=amount, final=final).hold


def void_hold(caller: Caller, *, hold_id: UUID) -> Hold:
    """Release what a hold has left. Raises `ResourceMissing`, `PathReserved` and `HoldNotPending`."""
    _own_hold(caller, hold_id)
    return holds.void(caller, hold_id=hold_id)


def _key(caller: Caller, purpose: str) -> str:
    """The ledger's key of a request: from its `Idempotency-Key`, else one of its own."""
    if not caller.idempotency_key:
        return f"api:{ids.new()}"
    place = f"{caller.account}\0{purpose}\0{caller.idempotency_key}".encode()
    return f"api:{hashlib.sha256(place).hexdigest()}"


def _line(line: LineRequest, account: Account) -> Line:
    if account.currency != line.currency:
        raise CurrencyMismatch(path=account.path, currency=account.currency, line_currency=line.currency)
    money = Money(line.amount, line.currency)
    return Line(account.path, money if line.direction == "credit" else -money)


def _own_accounts(caller: Caller, named: Iterable[tuple[str, str]]) -> dict[str, Account]:
    """The caller's accounts by what they were called; `named` gives each name with the parameter it came in."""
    wanted = list(named)
    by_id = {text: identifier for _, text in wanted if (identifier := ids.decode("lacct", text))}
    found = account_selectors.by_ids(by_id.values()) if by_id else {}
    by_path = account_selectors.by_paths([text for _, text in wanted if text not in by_id])
    answer: dict[str, Account] = {}
    for param, text in wanted:
        account = found.get(by_id[text]) if text in by_id else by_path.get(text)
        if account is None or account.owner != caller.account:
            raise MissingParameterTarget(param=param, resource="ledger.account", id=text)
        refuse_reserved(account.path)
        answer[text] = account
    return answer


def _own_account(caller: Caller, account_id: UUID) -> Account:
    account = account_selectors.get(account_id, owner=caller.account)
    if account is None:
        raise ResourceMissing(resource="ledger.account", id=ids.encode("lacct", account_id))
    refuse_reserved(account.path)
    return account


def _own_hold(caller: Caller, hold_id: UUID) -> Hold:
    hold = hold_selectors.get(hold_id, owner=_owner(caller))
    if hold is None:
        raise ResourceMissing(resource="ledger.hold", id=ids.encode("lhold", hold_id))
    _own_accounts(caller, [("hold", hold.source_path), ("hold", hold.destination_path)])
    return hold


def _read(caller: Caller, transaction_id: UUID) -> Transaction:
    found = transaction_selectors.get(transaction_id, owner=_owner(caller))
    if found is None:
        raise ResourceMissing(resource="ledger.transaction", id=ids.encode("ltxn", transaction_id))
    return found


def _owner(caller: Caller) -> UUID | None:
    return None if caller.account == PLATFORM_ACCOUNT else caller.account
