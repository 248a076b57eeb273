"""The sandbox processor: deterministic and without memory.

What it answers is a function of the request alone: the instrument says what happens, the attempt id makes the
references. So `status` with the same request tells the truth after a lost answer, in any process, after any restart.
"""

from __future__ import annotations

import hashlib
from typing import ClassVar, Final

from payments.clients.processor import (
    ActionRequired,
    AnyRequest,
    Approved,
    AuthorizeRequest,
    CancelRefundRequest,
    CaptureRequest,
    Declined,
    GuardedProcessor,
    IncrementRequest,
    MoneyRequest,
    NotFound,
    Outcome,
    Pending,
    ProcessorTimeout,
    ProcessorUnavailable,
    RefundRequest,
    SetUpRequest,
    StatusOutcome,
    Unknown,
    VoidRequest,
)
from payments.domain import decline_codes
from payments.domain.errors import (
    AuthenticationFailed,
    ChargeExpiredForCapture,
    SandboxInLive,
    SetupAuthenticationFailed,
)
from payments.domain.test_instruments import Authorization, Follow, Instrument, ThreeDSecure, by_key

HOLD_SECONDS: Final = 7 * 24 * 60 * 60
"""A hold lives seven days."""
REFUND_SECONDS: Final = 60
"""How long a refund takes that does not end at once."""

_LOST: Final = frozenset({Authorization.TIMEOUT_THEN_APPROVED, Authorization.TIMEOUT_THEN_DECLINED,
                          Authorization.TIMEOUT_NOT_RECEIVED})  # fmt: skip
_PENDING: Final = frozenset({Authorization.PENDING_THEN_APPROVED, Authorization.PENDING_THEN_DECLINED})
_NEVER_ARRIVED: Final = frozenset({Authorization.TIMEOUT_NOT_RECEIVED, Authorization.UNAVAILABLE})
_IN_THE_END_DECLINED: Final = frozenset({Authorization.DECLINED, Authorization.BAD_NUMBER,
                                         Authorization.TIMEOUT_THEN_DECLINED,
                                         Authorization.PENDING_THEN_DECLINED})  # fmt: skip


class SandboxProcessor(GuardedProcessor):
    """Plays the instruments of `payments.domain.test_instruments`. Refuses live requests."""

    name: ClassVar[str] = "sandbox"

    def refuse_unsuitable(self, request: AnyRequest) -> None:
        """Raise `SandboxInLive` for a live request."""
        if request.livemode:
            raise SandboxInLive

    def _authorize(self, request: AuthorizeRequest) -> Outcome:
        instrument = _instrument(request)
        return _stopped_by_authentication(request, instrument) or _first_answer(request, instrument)

    def _set_up(self, request: SetUpRequest) -> Outcome:
        instrument = _instrument(request)
        return _stopped_at_setup(request, instrument) or _first_answer(request, instrument)

    def _capture(self, request: CaptureRequest) -> Outcome:
        match _instrument(request).follow:
            case Follow.CAPTURE_TIMEOUT_THEN_CAPTURED:
                raise ProcessorTimeout(f"no answer to {request.attempt_id}")
            case Follow.CAPTURE_PENDING_THEN_EXPIRED:
                return Pending(reference=_reference("capture", request))
        return _final_capture(request)

    def _void(self, request: VoidRequest) -> Outcome:
        if _instrument(request).follow is Follow.VOID_TIMEOUT_THEN_VOIDED:
            raise ProcessorTimeout(f"no answer to {request.attempt_id}")
        return _final_void(request)

    def _increment(self, request: IncrementRequest) -> Outcome:
        if _instrument(request).follow is Follow.INCREMENT_TIMEOUT_THEN_INCREMENTED:
            raise ProcessorTimeout(f"no answer to {request.attempt_id}")
        return _final_increment(request)

    def _refund(self, request: RefundRequest) -> Outcome:
        match _instrument(request).follow:
            case Follow.REFUND_PENDING:
                return Pending(reference=_reference("refund", request), recheck_seconds=REFUND_SECONDS)
            case Follow.REFUND_FAILS_LATER:
                return _done("refund", request, recheck_seconds=REFUND_SECONDS)
            case Follow.REFUND_TIMEOUT_THEN_REFUNDED | Follow.REFUND_TIMEOUT_NOT_RECEIVED:
                raise ProcessorTimeout(f"no answer to {request.attempt_id}")
            case Follow.REFUND_UNAVAILABLE:
                raise ProcessorUnavailable(f"no connection for {request.attempt_id}")
        return _final_refund(request)

    def _cancel_refund(self, request: CancelRefundRequest) -> Outcome:
        return _final_cancel_refund(request)

    def _status(self, request: AnyRequest) -> StatusOutcome:
        match request:
            case AuthorizeRequest():
                instrument = _instrument(request)
                return _stopped_by_authentication(request, instrument) or _last_answer(request, instrument)
            case SetUpRequest():
                instrument = _instrument(request)
                return _stopped_at_setup(request, instrument) or _last_answer(request, instrument)
            case CaptureRequest():
                return _final_capture(request)
            case VoidRequest():
                return _final_void(request)
            case IncrementRequest():
                return _final_increment(request)
            case RefundRequest():
                never = Follow.REFUND_TIMEOUT_NOT_RECEIVED, Follow.REFUND_UNAVAILABLE
                return NotFound() if _instrument(request).follow in never else _final_refund(request)
            case CancelRefundRequest():
                return _final_cancel_refund(request)


def _stopped_by_authentication(request: AuthorizeRequest, instrument: Instrument) -> Outcome | None:
    """The answer when authentication stands in the way, else None."""
    if not _needs_authentication(request, instrument) or request.authentication == "authenticated":
        return None
    if request.authentication == "failed":
        return Declined(code=AuthenticationFailed.code, message=AuthenticationFailed.message)
    if request.off_session or request.decline_on_action:
        decline = decline_codes.lookup("authentication_required")
        return Declined(code="authentication_required", decline_code="authentication_required", message=decline.message)
    return _action_required(request, request.authentication_page_url)


def _stopped_at_setup(request: SetUpRequest, instrument: Instrument) -> Outcome | None:
    """As for a payment with the payer present: every instrument that can ask asks when it is set up."""
    asks = instrument.three_d_secure is not ThreeDSecure.NEVER or request.ask_authentication
    if not asks or request.authentication == "authenticated":
        return None
    if request.authentication == "failed":
        return Declined(code=SetupAuthenticationFailed.code, message=SetupAuthenticationFailed.message)
    return _action_required(request, None)


def _action_required(request: AuthorizeRequest | SetUpRequest, page: str | None) -> ActionRequired:
    authentication_id = _reference("3ds", request)
    return ActionRequired(
        authentication_id=authentication_id, redirect_url=f"{page.rstrip('/')}/{authentication_id}" if page else None
    )


def _needs_authentication(request: AuthorizeRequest, instrument: Instrument) -> bool:
    if request.ask_authentication:
        return True
    match instrument.three_d_secure:
        case ThreeDSecure.ALWAYS:
            return True
        case ThreeDSecure.UNLESS_SET_UP:
            return not (request.off_session and request.set_up)
        case ThreeDSecure.WHEN_PRESENT:
            return not request.off_session
        case ThreeDSecure.NEVER:
            return False


def _first_answer(request: AuthorizeRequest | SetUpRequest, instrument: Instrument) -> Outcome:
    """What comes back from the call itself, which may be nothing."""
    behavior = instrument.authorization
    if behavior in _LOST:
        raise ProcessorTimeout(f"no answer to {request.attempt_id}")
    if behavior is Authorization.UNAVAILABLE:
        raise ProcessorUnavailable(f"no connection for {request.attempt_id}")
    if behavior in _PENDING:
        return Pending(reference=_reference("auth", request))
    return _final_answer(request, instrument)


def _last_answer(request: AuthorizeRequest | SetUpRequest, instrument: Instrument) -> StatusOutcome:
    """What the processor says when it is asked afterwards."""
    return NotFound() if instrument.authorization in _NEVER_ARRIVED else _final_answer(request, instrument)


def _final_answer(request: AuthorizeRequest | SetUpRequest, instrument: Instrument) -> Outcome:
    if isinstance(request, AuthorizeRequest):
        return _final_authorization(request, instrument)
    if instrument.authorization is Authorization.UNKNOWN:
        return Unknown(reason="the issuer gave no usable answer", reference=_reference("setup", request))
    # A card that is declined when it is charged can be one that its issuer lets be kept.
    kept = instrument.authorization is Authorization.DECLINED and instrument.attaches
    if instrument.authorization in _IN_THE_END_DECLINED and not kept:
        return _declined(request, instrument)
    return Approved(
        reference=_reference("setup", request),
        amount_minor=0,
        network_transaction_id=_digits("network", request, 15),
        authenticated=request.authentication == "authenticated",
        cvc_check=instrument.cvc_check,
    )


def _final_authorization(request: AuthorizeRequest, instrument: Instrument) -> Outcome:
    """What the processor's books say in the end about an authorization that arrived."""
    if instrument.authorization is Authorization.UNKNOWN:
        return Unknown(reason="the issuer gave no usable answer", reference=_reference("auth", request))
    if instrument.authorization in _IN_THE_END_DECLINED:
        return _declined(request, instrument)
    return Approved(
        reference=_reference("auth", request),
        amount_minor=request.amount_minor,
        captured=request.capture,
        network_transaction_id=_digits("network", request, 15),
        authorization_code=_digits("code", request, 6),
        hold_seconds=None if request.capture else HOLD_SECONDS,
        settles_at_once=instrument.follow is Follow.AVAILABLE_AT_ONCE,
        authenticated=request.authentication == "authenticated",
        risk_level=instrument.risk_level,
        cvc_check=instrument.cvc_check,
    )


def _declined(request: AuthorizeRequest | SetUpRequest, instrument: Instrument) -> Declined:
    code = instrument.code or "card_declined"
    decline = decline_codes.lookup(instrument.decline_code or code)
    return Declined(
        code=code,
        message=decline.message,
        decline_code=instrument.decline_code,
        advice_code=decline.advice,
        reference=_reference("auth", request),
        blocked=instrument.blocked,
        risk_level=instrument.risk_level,
        cvc_check="fail" if code == "incorrect_cvc" else instrument.cvc_check,
    )


def _final_capture(request: CaptureRequest) -> Outcome:
    instrument = _instrument(request)
    if instrument.follow is Follow.CAPTURE_UNKNOWN:
        return Unknown(reason="the issuer gave no usable answer", reference=_reference("capture", request))
    if instrument.follow in {Follow.CAPTURE_EXPIRED, Follow.CAPTURE_PENDING_THEN_EXPIRED}:
        return Declined(
            code=ChargeExpiredForCapture.code,
            message=ChargeExpiredForCapture.message,
            reference=_reference("capture", request),
        )
    return Approved(
        reference=_reference("capture", request),
        amount_minor=request.amount_minor,
        captured=True,
        settles_at_once=instrument.follow is Follow.AVAILABLE_AT_ONCE,
    )


def _final_void(request: VoidRequest) -> Outcome:
    if _instrument(request).follow is Follow.VOID_UNKNOWN:
        return Unknown(reason="the issuer gave no usable answer", reference=_reference("void", request))
    return _done("void", request)


def _final_increment(request: IncrementRequest) -> Outcome:
    if _instrument(request).follow is Follow.INCREMENT_DECLINED:
        decline = decline_codes.lookup("generic_decline")
        return Declined(
            code="card_declined",
            message=decline.message,
            decline_code="generic_decline",
            advice_code=decline.advice,
            reference=_reference("increment", request),
        )
    return _done("increment", request)


def _final_refund(request: RefundRequest) -> Outcome:
    match _instrument(request).follow:
        case Follow.REFUND_UNKNOWN:
            return Unknown(reason="the issuer gave no usable answer", reference=_reference("refund", request))
        case Follow.REFUND_REQUIRES_ACTION:
            return ActionRequired(authentication_id=_reference("refund", request), redirect_url=None)
        case Follow.REFUND_FAILS_LATER:
            return Declined(
                code="refund_failed",
                message="The refund was returned by the issuer because the card is no longer in use.",
                decline_code="expired_or_canceled_card",
                reference=_reference("refund", request),
            )
        case Follow.REFUND_DECLINED:
            return Declined(
                code="refund_failed",
                message="The issuer does not take refunds for this card.",
                decline_code="declined",
                reference=_reference("refund", request),
            )
    return _done("refund", request)


def _final_cancel_refund(request: CancelRefundRequest) -> Outcome:
    if _instrument(request).follow is Follow.REFUND_REQUIRES_ACTION:
        return _done("cancel_refund", request)
    return Declined(
        code="refund_under_way",
        message="The refund is with the issuer already.",
        reference=_reference("cancel_refund", request),
    )


def _done(operation: str, request: MoneyRequest, *, recheck_seconds: int | None = None) -> Approved:
    return Approved(
        reference=_reference(operation, request), amount_minor=request.amount_minor, recheck_seconds=recheck_seconds
    )


def _instrument(request: AnyRequest) -> Instrument:
    instrument = by_key(request.instrument)
    if instrument is None:
        raise ValueError(f"{request.instrument!r} is not an instrument of the sandbox")
    return instrument


def _digest(operation: str, request: AnyRequest) -> bytes:
    return hashlib.sha256(f"{operation}:{request.attempt_id}".encode()).digest()


def _reference(operation: str, request: AnyRequest) -> str:
    return f"sbx_{operation}_{_digest(operation, request).hex()[:24]}"


def _digits(operation: str, request: AnyRequest, count: int) -> str:
    return str(int.from_bytes(_digest(operation, request), "big") % 10**count).rjust(count, "0")
