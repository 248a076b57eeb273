"""What every payment processor is to us: one Protocol, its requests and its answers.

A processor is an outside party that moves money. Five rules hold for every call:

* It is made **outside any transaction**: it may take seconds, and locks must not wait for it (`GuardedProcessor`).
* The attempt was **committed before** the call. `attempt_id`, its public id, is the idempotency key at the processor:
  the same request sent twice moves money once.
* Requests and answers are plain values. No row, no caller, no clock travels.
* A refusal by the issuer is an **answer** (`Declined`), not an exception.
* When no answer came the caller knows nothing: `ProcessorTimeout`. Only `status` may settle it, never a guess.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, runtime_checkable

from connect.kit import tenancy

Authentication = Literal["authenticated", "failed"]
"""How the payer's authentication for an earlier `ActionRequired` ended."""


class ProcessorError(Exception):
    """The call gave no answer. Which subclass it is decides what may be believed."""


class ProcessorTimeout(ProcessorError):
    """The request may or may not have arrived, and money may have moved. Ask `status` before anything else."""


class ProcessorUnavailable(ProcessorError):
    """The request never reached the processor, so no money moved. Sending it again with the same attempt is safe."""


# --- requests ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What every request carries. `amount_minor` > 0 in minor units of `currency` (lower-case ISO 4217).

    `instrument` is the processor's own handle for what the payer pays with: the sandbox's test token, a vault token
    elsewhere; never a card number. `environment` is the short id of the environment the attempt stands in and `account`
    the account it belongs to (a UUID), for a processor that keeps books of its own there.
    """

    attempt_id: str
    livemode: bool
    amount_minor: int
    currency: str
    instrument: str
    environment: str = ""
    account: str = ""

    def __post_init__(self) -> None:
        if self.amount_minor <= 0:
            raise ValueError("a processor is asked to move a positive amount")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizeRequest(Request):
    """`capture` takes the amount at once; without it the amount is only held.

    `off_session`: the payer is not there, so authentication cannot happen. `set_up`: the payer authenticated when the
    instrument was saved. `authentication` is given when this follows an `ActionRequired`. `authentication_page_url` is
    our page for processors that have none of their own; `return_url` is where the payer goes afterwards.
    `ask_authentication`: the merchant wants it even where the issuer does not. `decline_on_action`: whoever sent this
    cannot lead the payer anywhere, so decline with `authentication_required` instead of answering `ActionRequired`.
    `follows` is the attempt that was answered `ActionRequired`, where this one goes on with it at a processor whose
    page keeps what the payer did there.
    """

    capture: bool
    off_session: bool = False
    set_up: bool = False
    authentication: Authentication | None = None
    authentication_page_url: str | None = None
    return_url: str | None = None
    statement_descriptor: str | None = None
    ask_authentication: bool = False
    decline_on_action: bool = False
    follows: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureRequest(Request):
    """Take `amount_minor` of a hold. `authorization` is the reference of its `Approved`; `final` releases the rest."""

    authorization: str
    final: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidRequest(Request):
    """Release what is still held; `amount_minor` is that rest, for the books of both sides."""

    authorization: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncrementRequest(Request):
    """Hold `amount_minor` more, so that `total_minor` is held in all."""

    authorization: str
    total_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRefundRequest(Request):
    """Stop a refund that is not done yet; `refund` is the attempt that asked for it, and `amount_minor` its amount."""

    refund: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest(Request):
    """Give `amount_minor` back.

    `capture` is the reference of the authorization the money was taken from, at once or later, in one piece or several.
    """

    capture: str
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUpRequest:
    """Have the issuer agree that the instrument is kept and charged later. No money moves, so there is no amount.

    `off_session`: it will be charged while the payer is away. The other names are those of `AuthorizeRequest`.
    """

    attempt_id: str
    livemode: bool
    instrument: str
    off_session: bool
    authentication: Authentication | None = None
    return_url: str | None = None
    ask_authentication: bool = False


# --- answers ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """Done. `amount_minor` is what was held, taken, released or returned: the request's, or 0 when it has none.

    `reference` is the processor's id of this operation, unique there. `hold_seconds` is how long a hold lives from now,
    None when nothing is held. `settles_at_once`: the money need not wait for settlement. `recheck_seconds`: it may
    still turn out otherwise; ask `status` again after this long. `bank_name` and `account_last4` name the account that
    paid, where it was one at a bank.
    """

    reference: str
    amount_minor: int
    captured: bool = False
    network_transaction_id: str | None = None
    authorization_code: str | None = None
    hold_seconds: int | None = None
    settles_at_once: bool = False
    recheck_seconds: int | None = None
    authenticated: bool = False
    risk_level: str = "normal"
    risk_score: int | None = None
    cvc_check: str | None = None
    bank_name: str | None = None
    account_last4: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """Refused for good; no money moved. `code` is the error's code, `decline_code` the issuer's reason.

    `advice_code` says whether to try again. `blocked`: stopped as too risky before it reached the issuer.
    """

    code: str
    message: str
    decline_code: str | None = None
    advice_code: str | None = None
    reference: str | None = None
    blocked: bool = False
    risk_level: str = "normal"
    risk_score: int | None = None
    cvc_check: str | None = None
    bank_name: str | None = None
    account_last4: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRequired:
    """The payer must authenticate; no money moved.

    Send the payer to `redirect_url`, then authorize with a new attempt and `authentication`. `redirect_url` is None
    when the request named no page and the processor has none.
    """

    authentication_id: str
    redirect_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """The processor took the request and will know later. Money may move; ask `status` until the answer is final.

    `recheck_seconds` is how long to wait with that, where the processor says so.
    """

    reference: str
    recheck_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """The processor heard of the request and cannot say what became of it: money may have moved, keep it open."""

    reason: str
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFound:
    """The processor never heard of the attempt, so no money moved. Only `status` answers this."""


Outcome = Approved | Declined | ActionRequired | Pending | Unknown
StatusOutcome = Outcome | NotFound
MoneyRequest = AuthorizeRequest | CaptureRequest | VoidRequest | IncrementRequest | RefundRequest | CancelRefundRequest
AnyRequest = MoneyRequest | SetUpRequest


@runtime_checkable
class Processor(Protocol):
    """A payment processor. `name` is stored with charges and in ledger paths; it never changes."""

    name: ClassVar[str]

    def authorize(self, request: AuthorizeRequest) -> Outcome:
        """Hold the amount, or take it when `request.capture` is set.

        Called once the attempt is committed. This is where the payer is checked: a decline, an authentication or a
        risk decision is answered here.

        IMPORTANT: money moves here, and only if the answer is `Approved` (or turns out to be, by `status`).
        Raises `ProcessorTimeout` when the answer was lost, `ProcessorUnavailable` when the request never arrived.
        """
        ...

    def capture(self, request: CaptureRequest) -> Outcome:
        """Take all or part of a hold.

        Called once per capture, each with an attempt of its own. Answers `Approved`, `Declined` with
        `charge_expired_for_capture` when the hold is gone, `Pending` or `Unknown`; never `ActionRequired`.

        IMPORTANT: money moves here. You may NOT take more than `request.amount_minor`, nor release the rest of the hold
        unless `request.final` is set.
        """
        ...

    def void(self, request: VoidRequest) -> Outcome:
        """Release what a hold still holds.

        Called when an intent is canceled or the rest after a partial capture is let go. Voiding what is released
        already answers `Approved`.

        IMPORTANT: you may NOT take or return money here; what was captured stays captured.
        """
        ...

    def refund(self, request: RefundRequest) -> Outcome:
        """Return captured money to the payer.

        Called with the sum of all refunds already checked against what was captured, under a lock. Answers
        `ActionRequired` when the payer has to say where to.

        IMPORTANT: money moves here, towards the payer only. You may NOT return more than `request.amount_minor`.
        """
        ...

    def increment(self, request: IncrementRequest) -> Outcome:
        """Hold more than was authorized.

        Called while nothing of the hold has been captured. Answers `Declined` when the issuer refuses: then the old
        amount is still held.

        IMPORTANT: you may NOT take money here, nor let go of what is held already.
        """
        ...

    def cancel_refund(self, request: CancelRefundRequest) -> Outcome:
        """Stop a refund that was answered `Pending` or `ActionRequired`.

        Answers `Approved` when it will never be carried out, `Declined` when it is too late for that.

        IMPORTANT: no money moves here. After an `Approved` you may NOT carry the refund out any more.
        """
        ...

    def set_up(self, request: SetUpRequest) -> Outcome:
        """Ask the issuer to agree to later payments with an instrument.

        Called when a setup intent is confirmed, and again with `authentication` after an `ActionRequired`. Answers as
        `authorize` does.

        IMPORTANT: you may NOT hold or take money here, not even to give it back at once.
        """
        ...

    def status(self, request: AnyRequest) -> StatusOutcome:
        """What became of a request that was sent before: the same request, given again unchanged.

        Called by the sweeper for every attempt without a final answer, any number of times.

        IMPORTANT: you may NOT do anything here that moves money, not even finish what a lost request began.
        Answers `NotFound` only when it is certain that the request will never be carried out.
        """
        ...


class GuardedProcessor(ABC):
    """Base of every processor: checks that no transaction is open, then does the work in `_authorize` and the others.

    Subclasses write the underscored methods; they are promised the contract of `Processor` and keep it.
    """

    name: ClassVar[str]

    def authorize(self, request: AuthorizeRequest) -> Outcome:
        """See `Processor.authorize`."""
        self._guard(request)
        return self._authorize(request)

    def capture(self, request: CaptureRequest) -> Outcome:
        """See `Processor.capture`."""
        self._guard(request)
        return self._capture(request)

    def void(self, request: VoidRequest) -> Outcome:
        """See `Processor.void`."""
        self._guard(request)
        return self._void(request)

    def refund(self, request: RefundRequest) -> Outcome:
        """See `Processor.refund`."""
        self._guard(request)
        return self._refund(request)

    def increment(self, request: IncrementRequest) -> Outcome:
        """See `Processor.increment`."""
        self._guard(request)
        return self._increment(request)

    def cancel_refund(self, request: CancelRefundRequest) -> Outcome:
        """See `Processor.cancel_refund`."""
        self._guard(request)
        return self._cancel_refund(request)

    def set_up(self, request: SetUpRequest) -> Outcome:
        """See `Processor.set_up`."""
        self._guard(request)
        return self._set_up(request)

    def status(self, request: AnyRequest) -> StatusOutcome:
        """See `Processor.status`."""
        self._guard(request)
        return self._status(request)

    @abstractmethod
    def refuse_unsuitable(self, request: AnyRequest) -> None:
        """Raise a `DomainError` for a request this processor never takes, such as a live one in the sandbox."""

    def _guard(self, request: AnyRequest) -> None:
        tenancy.forbid_inside_transaction(f"a call to the processor {self.name}")
        self.refuse_unsuitable(request)

    @abstractmethod
    def _authorize(self, request: AuthorizeRequest) -> Outcome: ...

    @abstractmethod
    def _capture(self, request: CaptureRequest) -> Outcome: ...

    @abstractmethod
    def _void(self, request: VoidRequest) -> Outcome: ...

    @abstractmethod
    def _refund(self, request: RefundRequest) -> Outcome: ...

    @abstractmethod
    def _increment(self, request: IncrementRequest) -> Outcome: ...

    @abstractmethod
    def _cancel_refund(self, request: CancelRefundRequest) -> Outcome: ...

    @abstractmethod
    def _set_up(self, request: SetUpRequest) -> Outcome: ...

    @abstractmethod
    def _status(self, request: AnyRequest) -> StatusOutcome: ...
