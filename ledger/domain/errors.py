"""Every refusal of the ledger, and the one place where a SQLSTATE becomes one.

The database raises `LD001` and so on, with facts as JSON in DETAIL; `from_database` makes the error a caller can read.
A refusal by the database has aborted the transaction: who wants to go on after one opens a savepoint around the call.
"""

from __future__ import annotations

import json
from typing import Any, Final
from uuid import UUID

from connect.kit import currencies, ids
from connect.kit.errors import DomainError, ParameterInvalid
from connect.kit.money import decimal_text


class LedgerImmutable(DomainError):
    """Entries, transactions and the terms of accounts and holds are never changed or removed."""

    code = "ledger_immutable"
    status = 409
    message = "The ledger is append-only. Post a reversal instead of changing or removing what was posted."


class LateEntry(DomainError):
    """Lines were added to a transaction after it was created."""

    code = "ledger_entry_late"
    status = 409
    message = "All lines of a transaction are posted together with it. Post a new transaction instead."


class AccountClosed(DomainError):
    """The account was closed and takes no more postings or holds."""

    code = "ledger_account_closed"
    message = "The ledger account '{path}' is closed. Post to an open account."


class InsufficientFunds(DomainError):
    """A posting or hold would take an account below its floor; outgoing holds count as spent."""

    code = "balance_insufficient"
    message = (
        "The ledger account '{path}' does not have enough available: it would fall to {available_text}, and its floor"
        " is {floor_text}. Lower the amount, void a hold, or wait until more has come in."
    )


class TooFewLines(DomainError):
    """A transaction needs two lines or more."""

    code = "ledger_lines_too_few"
    message = "A transaction needs at least two lines: what one account gives, another receives."


class UnbalancedTransaction(DomainError):
    """The lines of a transaction must sum to zero in every currency."""

    code = "ledger_unbalanced"
    message = "The lines do not balance: in {currency} they sum to {difference} minor units and must sum to 0."


class AccountUnknown(DomainError):
    """A line names an account that does not exist."""

    code = "ledger_account_unknown"
    message = "There is no ledger account '{path}'. Create it with POST /v1/ledger/accounts first."


class CurrencyMismatch(DomainError):
    """A line's currency differs from its account's."""

    code = "ledger_currency_mismatch"
    message = "The ledger account '{path}' is kept in {currency}, the line in {line_currency}. Convert first."


class DuplicateTransaction(DomainError):
    """An idempotency key of the ledger was used before, for something else."""

    code = "ledger_key_reused"
    status = 409
    message = "The ledger key '{key}' belongs to a posting or hold with other content. Use a key of its own."


class AlreadyReversed(DomainError):
    """A transaction can be reversed once."""

    code = "ledger_already_reversed"
    status = 409
    message = "This transaction was already reversed by '{reversed_by_id}'."


class TransactionUnknown(DomainError):
    """No such ledger transaction exists."""

    code = "ledger_transaction_unknown"
    status = 404
    message = "No such ledger transaction: '{transaction_id}'"


class HoldUnknown(DomainError):
    """No such hold exists."""

    code = "ledger_hold_unknown"
    status = 404
    message = "No such ledger hold: '{hold_id}'"


class HoldNotPending(DomainError):
    """The hold was already posted or voided."""

    code = "ledger_hold_not_pending"
    status = 409
    message = "This hold is {state}; only a pending hold can be posted or voided. Place a new one."


class HoldExceeded(DomainError):
    """More was asked of a hold than it has left."""

    code = "ledger_hold_exceeded"
    message = "The hold has {open} {currency} minor units left; {amount} cannot be posted from it."


class HoldExpired(DomainError):
    """The hold's time is over."""

    code = "ledger_hold_expired"
    status = 409
    message = "This hold has expired. Place a new one."


class AccountMismatch(DomainError):
    """An account with this path exists, with another currency, normal side or owner."""

    code = "ledger_account_mismatch"
    status = 409
    message = "A ledger account '{path}' exists with other terms. Use another path, or the terms it was opened with."


class AccountNotEmpty(DomainError):
    """Only an account with a balance of zero and no open holds can be closed."""

    code = "ledger_account_not_empty"
    status = 409
    message = "The ledger account '{path}' still has a balance or open holds. Empty it, then close it."


class LinesMalformed(DomainError):
    """Lines must be numbered from 1 and carry the times of their transaction."""

    code = "ledger_lines_malformed"
    message = "The lines of a transaction are numbered from 1 and share its times."


class FloorForbidden(DomainError):
    """An account whose balance is split over stripes cannot be checked against a floor."""

    code = "ledger_floor_forbidden"
    message = "The ledger account '{path}' is striped for speed and cannot have a floor. Open one with a single stripe."


class PathInvalid(DomainError):
    """An account's path is made of segments joined by colons."""

    code = "ledger_path_invalid"
    message = (
        "'{path}' is not an account path. Use up to 255 letters, digits, '.', '-' and '_' in segments joined by ':',"
        " such as 'customers:42:deposit'."
    )


class PathReserved(DomainError):
    """Accounts that payments keep can be read, but not opened, posted to or held from by API."""

    code = "ledger_path_reserved"
    status = 403
    message = (
        "The ledger account '{path}' is kept by the platform's payments. Use a path that does not begin with '{root}'."
    )


SQLSTATES: Final[dict[str, type[DomainError]]] = {
    "LD001": LedgerImmutable,
    "LD002": LateEntry,
    "LD003": AccountClosed,
    "LD004": InsufficientFunds,
    "LD005": TooFewLines,
    "LD006": UnbalancedTransaction,
    "LD007": AccountUnknown,
    "LD008": CurrencyMismatch,
    "LD009": DuplicateTransaction,
    "LD010": AlreadyReversed,
    "LD011": TransactionUnknown,
    "LD012": HoldUnknown,
    "LD013": HoldNotPending,
    "LD014": HoldExceeded,
    "LD015": HoldExpired,
    "LD016": AccountMismatch,
    "LD017": AccountNotEmpty,
    "LD018": LinesMalformed,
    "LD020": FloorForbidden,
}

_IDS: Final = {"transaction": "ltxn", "reversed_by": "ltxn", "hold": "lhold"}
_UNREADABLE_TEXT: Final = frozenset({"22021", "22P05"})  # a zero byte in a text or in JSON


def from_database(sqlstate: str | None, detail: str | None) -> DomainError | None:
    """The refusal behind a database error, or None when it is not one of ours (a lost connection, a deadlock)."""
    if sqlstate in _UNREADABLE_TEXT:
        return ParameterInvalid("Texts may not contain the character U+0000. Remove it.")
    kind = SQLSTATES.get(sqlstate or "")
    if kind is None:
        return None
    facts: dict[str, Any] = json.loads(detail) if detail else {}
    for name, prefix in _IDS.items():
        if name in facts:
            facts[f"{name}_id"] = ids.encode(prefix, UUID(facts[name]))
    if kind is InsufficientFunds:
        facts["floor_text"] = _amount(facts["floor"], facts["currency"])
        facts["available_text"] = _amount(facts["available_after"], facts["currency"])
    return kind(**_with_gaps(kind, facts))


def _amount(minor: int, currency: str) -> str:
    if currency not in currencies.EXPONENTS:
        return f"{minor} {currency.upper()}"
    return f"{decimal_text(minor, currency)} {currency.upper()}"


class _Unsaid(dict[str, Any]):
    """Facts the database left out are shown as `?` instead of hiding the refusal behind a KeyError."""

    def __missing__(self, key: str) -> str:
        return "?"


def _with_gaps(kind: type[DomainError], facts: dict[str, Any]) -> dict[str, Any]:
    facts.pop("param", None)
    return {"message": kind.message.format_map(_Unsaid(facts)), **facts}
