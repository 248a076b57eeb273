"""Linked accounts: what a bank says of them, kept under ids that stay when the consent is renewed."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from banks.domain.bank_data import AccountData, BalanceData
from banks.domain.connection_state import Status
from banks.domain.failures import FailureKind
from banks.models import BankAccount, Connection
from banks.services import locks
from banks.shapes import accounts as shapes
from banks.shapes.accounts import BankAccountOut
from connect.kit.caller import Caller
from connect.kit.metadata import merge
from connect.services import events
from connect.services.events import NewEvent

_STATUS: Final = {"enabled": "open", "blocked": "blocked", "deleted": "closed"}


def identity(data: AccountData) -> bytes:
    """What an account is known by: its IBAN, else its national number, else the bank's handle; with its currency,
    because the parts of an account of several currencies share one number.
    """
    kind, number = next(
        (kind, number)
        for kind, number in (
            ("iban", data.iban), ("national", data.national_number), ("resource", data.resource_id)
        )
        if number
    )  # fmt: skip
    return hashlib.sha256(f"{kind}:{number}:{data.currency}".encode()).digest()


def store(
    caller: Caller, connection: Connection, data: tuple[AccountData, ...], chosen: set[str] | None = None
) -> list[BankAccount]:
    """Bring the accounts of the locked `connection` in line with the bank's list; returns those that are there.

    `chosen` are the `resource_id`s the customer picked. None keeps to what they picked before, and is everything as
    long as there is nothing. An account that is no longer in the list is closed. Publishes
    `banking.account.created`, `updated` (for a change of what is shown, not for a fresh `as_of`) and `closed`.
    """
    rows = BankAccount.objects.select_for_update().filter(connection_id=connection.id).order_by("id")
    known = {bytes(row.identity_hash): row for row in rows}
    listed = {identity(entry): entry for entry in data}
    wanted = {
        key: entry
        for key, entry in listed.items()
        if key in known or (not known if chosen is None else entry.resource_id in chosen)
    }
    fresh: list[NewEvent] = []
    there = []
    for key, entry in wanted.items():
        row = known.get(key)
        before = _shape(caller, row) if row is not None else None
        row = row or BankAccount(
            account_id=connection.account_id,
            connection_id=connection.id,
            identity_hash=key,
            created_at=caller.clock.business(),
        )
        _fill(caller, row, entry)
        row.save(force_insert=before is None)
        there.append(row)
        fresh += _told(before, _shape(caller, row))
    for key, row in known.items():
        if key not in wanted and row.status != "closed":
            before = _shape(caller, row)
            row.status = "closed"
            row.save(update_fields=["status"])
            fresh += _told(before, _shape(caller, row))
    if connection.status != Status.PENDING:
        events.publish(caller, *fresh)
    return [row for row in there if row.status != "closed"]


def keep_balances(caller: Caller, account: BankAccount, balances: tuple[BalanceData, ...]) -> None:
    """Keep what the bank said of the locked account's balances just now."""
    account.balances = [_balance(balance) for balance in balances]
    account.balances_at = caller.clock.business()


def failed(caller: Caller, account: BankAccount, kind: FailureKind) -> None:
    """Keep why the account could not be read; the others of its connection may be fresh."""
    if account.error != kind:
        account.error, account.error_at = kind, caller.clock.business()
        account.save(update_fields=["error", "error_at"])


def update(caller: Caller, bank_account_id: str, **given: Any) -> BankAccountOut:
    """Change an account's `metadata`. Publishes `banking.account.updated`. Raises `ResourceMissing`."""
    account = locks.bank_account(caller, bank_account_id)
    before = _shape(caller, account)
    if "metadata" in given:
        account.metadata = merge(account.metadata, given["metadata"])
        account.save(update_fields=["metadata"])
    after = _shape(caller, account)
    if after != before:
        events.publish(caller, events.updated("banking.account.updated", before=before, after=after))
    return after


def _fill(caller: Caller, row: BankAccount, data: AccountData) -> None:
    row.resource_id = data.resource_id
    row.iban, row.national_number = data.iban, data.national_number
    row.name = data.name and data.name[:140]
    row.owner_name = data.owner_name and data.owner_name[:140]
    row.product = data.product and data.product[:70]
    row.cash_account_type = data.cash_account_type
    row.currency = data.currency
    row.status = _STATUS[data.status]
    if data.balances:
        keep_balances(caller, row, data.balances)


def _told(before: BankAccountOut | None, after: BankAccountOut) -> list[NewEvent]:
    if before is None:
        return [NewEvent("banking.account.created", after)]
    if before.status != "closed" and after.status == "closed":
        return [NewEvent("banking.account.closed", after)]
    seen = before.as_of
    before.as_of = after.as_of
    changed = before != after
    before.as_of = seen
    return [events.updated("banking.account.updated", before=before, after=after)] if changed else []


def _balance(data: BalanceData) -> dict[str, Any]:
    return {
        "kind": data.kind.value,
        "amount": data.amount_minor,
        "currency": data.currency,
        "as_of": data.as_of.isoformat() if data.as_of else None,
    }


def _shape(caller: Caller, row: BankAccount) -> BankAccountOut:
    return shapes.render(row, livemode=caller.livemode)
