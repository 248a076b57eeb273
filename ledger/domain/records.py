"""What the ledger answers: plain values, no rows. All amounts are whole minor units."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from ledger.domain.accounts import NormalSide

HoldState = Literal["pending", "posted", "voided"]
Fault = Literal["posted", "held_in", "held_out", "transaction", "currency", "orphan", "hold"]


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the ledger. `owner` is a connected account, or the zero UUID for the environment itself."""

    id: UUID
    path: str
    name: str
    currency: str
    normal_side: NormalSide
    floor_minor: int | None
    stripes: int
    owner: UUID
    metadata: dict[str, str]
    created_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Balance:
    """One account's balance. `posted` is signed as entries are (credit +); holds are magnitudes.

    `balance` and `available` are seen from the account's normal side: a wallet with 5.00 in it has `balance` 500.
    """

    account_id: UUID
    path: str
    currency: str
    normal_side: NormalSide
    posted: int
    held_in: int = 0
    held_out: int = 0

    @property
    def balance(self) -> int:
        """What is posted, positive on the normal side."""
        return self.posted if self.normal_side == "credit" else -self.posted

    @property
    def available(self) -> int:
        """What is posted less outgoing holds; incoming holds never count."""
        return self.balance - self.held_out


@dataclass(frozen=True, slots=True)
class PostedTransaction:
    """What posting gave back. `existed` says that the key had been posted before, and nothing was written now.

    `balances` are those of the touched accounts after the posting, by path; a striped account is not among them.
    """

    id: UUID
    existed: bool
    created_at: datetime
    effective_at: datetime
    balances: dict[str, Balance] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: `amount_minor` is signed, credit + and debit -."""

    line: int
    account_id: UUID
    path: str
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction with its lines. `reversed_by` is the reversal's id once there is one."""

    id: UUID
    seq: int
    kind: str
    idempotency_key: str
    description: str
    reference: str
    metadata: dict[str, str]
    effective_at: datetime
    created_at: datetime
    reverses: UUID | None
    reversed_by: UUID | None
    hold_id: UUID | None
    lines: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Hold:
    """Money set aside: debited from `source_path` and credited to `destination_path` when posted."""

    id: UUID
    source_id: UUID
    source_path: str
    destination_id: UUID
    destination_path: str
    currency: str
    amount_minor: int
    posted_minor: int
    voided_minor: int
    state: HoldState
    void_reason: str
    expires_at: datetime | None
    description: str
    reference: str
    idempotency_key: str
    metadata: dict[str, str]
    created_at: datetime

    @property
    def open_minor(self) -> int:
        """What can still be posted or voided."""
        return self.amount_minor - self.posted_minor - self.voided_minor


@dataclass(frozen=True, slots=True)
class PostedHold:
    """A hold after something was posted from it, and the transaction that posted it."""

    hold: Hold
    transaction_id: UUID
    existed: bool


@dataclass(frozen=True, slots=True)
class Drift:
    """One disagreement between the projection and the truth; `subject` is an account, transaction or hold."""

    fault: Fault
    subject: UUID | None
    expected: int
    actual: int


@dataclass(frozen=True, slots=True)
class DriftReport:
    """`faults` is empty in a sound ledger. `rows` counts the entries, accounts and holds that were read."""

    rows: int
    faults: tuple[Drift, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing disagrees."""
        return not self.faults
