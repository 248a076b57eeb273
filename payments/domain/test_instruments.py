"""Every card of the test environment in one table: what it is, and what the sandbox does with it.

The page of test cards is generated from `INSTRUMENTS`, and the sandbox processor reads it; nothing else says what a
test card does. An instrument is named by its `key`: `pm_card_<key>` and `tok_<key>` stand for it in requests.

Numbers known from Stripe behave as they do there. Country cards are `400000` + ISO 3166 numeric code + zeros + check
digit; Kosovo has no ISO number and takes 983, which ISO leaves to its users. Our own instruments begin with `40000099`:
990 to 999 are left to users too, so no country can ever collide with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from payments.domain import cards, decline_codes, errors

PAYMENT_METHOD_PREFIX: Final = "pm_card_"
TOKEN_PREFIX: Final = "tok_"  # noqa: S105 - the beginning of a public name, not a secret
LIVE_CARD_IN_TEST: Final = "test_mode_live_card"


class Authorization(StrEnum):
    """What the sandbox answers to an authorization, and what `status` says afterwards."""

    APPROVED = "approved"
    DECLINED = "declined"
    BAD_NUMBER = "bad_number"  # refused when it is entered: the check digit is wrong
    TIMEOUT_THEN_APPROVED = "timeout_then_approved"  # the money moved, the answer was lost
    TIMEOUT_THEN_DECLINED = "timeout_then_declined"  # nothing moved, the answer was lost
    TIMEOUT_NOT_RECEIVED = "timeout_not_received"  # the request was lost: the processor never heard of it
    UNAVAILABLE = "unavailable"  # no connection: the processor never heard of it
    PENDING_THEN_APPROVED = "pending_then_approved"
    PENDING_THEN_DECLINED = "pending_then_declined"  # the late decline
    UNKNOWN = "unknown"  # the processor itself cannot say, then or later: a person has to find out


class ThreeDSecure(StrEnum):
    """When the sandbox asks the payer to authenticate."""

    NEVER = "never"
    ALWAYS = "always"
    UNLESS_SET_UP = "unless_set_up"  # not for off-session payments with a card saved with authentication
    WHEN_PRESENT = "when_present"  # saved for off-session use already: asked on session only


class Follow(StrEnum):
    """What a later operation on the payment, or time, does with it."""

    NOTHING = "nothing"
    AVAILABLE_AT_ONCE = "available_at_once"
    CAPTURE_TIMEOUT_THEN_CAPTURED = "capture_timeout_then_captured"
    CAPTURE_PENDING_THEN_EXPIRED = "capture_pending_then_expired"
    CAPTURE_EXPIRED = "capture_expired"
    CAPTURE_UNKNOWN = "capture_unknown"
    VOID_TIMEOUT_THEN_VOIDED = "void_timeout_then_voided"
    VOID_UNKNOWN = "void_unknown"
    INCREMENT_DECLINED = "increment_declined"
    INCREMENT_TIMEOUT_THEN_INCREMENTED = "increment_timeout_then_incremented"
    REFUND_PENDING = "refund_pending"
    REFUND_FAILS_LATER = "refund_fails_later"
    REFUND_DECLINED = "refund_declined"
    REFUND_REQUIRES_ACTION = "refund_requires_action"
    REFUND_TIMEOUT_THEN_REFUNDED = "refund_timeout_then_refunded"
    REFUND_TIMEOUT_NOT_RECEIVED = "refund_timeout_not_received"
    REFUND_UNAVAILABLE = "refund_unavailable"
    REFUND_UNKNOWN = "refund_unknown"
    DISPUTE_FRAUDULENT = "dispute_fraudulent"
    DISPUTE_NOT_RECEIVED = "dispute_not_received"
    INQUIRY = "inquiry"
    EARLY_FRAUD_WARNING = "early_fraud_warning"


@dataclass(frozen=True, slots=True)
class Instrument:
    """One test card. `code` and `decline_code` are what a decline carries; `aliases` are further keys for it."""

    key: str
    number: str
    description: str
    authorization: Authorization = Authorization.APPROVED
    code: str | None = None
    decline_code: str | None = None
    three_d_secure: ThreeDSecure = ThreeDSecure.NEVER
    follow: Follow = Follow.NOTHING
    country: str = "US"
    funding: str = "credit"
    risk_level: str = "normal"
    blocked: bool = False
    attaches: bool = True
    cvc_check: str = "pass"
    aliases: tuple[str, ...] = ()

    @property
    def brand(self) -> str:
        """The brand its number belongs to."""
        return cards.brand_of(self.number)

    @property
    def payment_method(self) -> str:
        """The name that can be sent as `payment_method`."""
        return PAYMENT_METHOD_PREFIX + self.key

    @property
    def token(self) -> str:
        """The name that can be sent as `card[token]`."""
        return TOKEN_PREFIX + self.key


def _declined(
    key: str,
    number: str,
    description: str,
    code: str,
    decline_code: str | None = None,
    *,
    attaches: bool = False,
    aliases: tuple[str, ...] = (),
) -> Instrument:
    return Instrument(
        key, number, description, Authorization.DECLINED, code, decline_code, attaches=attaches, aliases=aliases
    )


def _country(key: str, number: str, name: str) -> Instrument:
    return Instrument(key, number, f"Issued in {name}. Succeeds.", country=key.upper())


_A: Final = Authorization
_ALWAYS: Final = ThreeDSecure.ALWAYS

BRANDS: Final = (
    Instrument("visa", "4242424242424242", "Visa. Succeeds."),
    Instrument("visa_debit", "4000056655665556", "Visa debit. Succeeds.", funding="debit"),
    Instrument("mastercard", "5555555555554444", "Mastercard. Succeeds."),
    Instrument("mastercard_2series", "2223003122003222", "Mastercard, 2-series. Succeeds."),
    Instrument("mastercard_debit", "5200828282828210", "Mastercard debit. Succeeds.", funding="debit"),
    Instrument("mastercard_prepaid", "5105105105105100", "Mastercard prepaid. Succeeds.", funding="prepaid"),
    Instrument("amex", "378282246310005", "American Express. Succeeds."),
    Instrument("discover", "6011111111111117", "Discover. Succeeds."),
    Instrument("diners", "3056930009020004", "Diners Club. Succeeds."),
    Instrument("diners_14digits", "36227206271667", "Diners Club with 14 digits. Succeeds."),
    Instrument("jcb", "3566002020360505", "JCB. Succeeds."),
    Instrument("unionpay", "6200000000000005", "UnionPay. Succeeds."),
    Instrument("unionpay_19digits", "6205500000000000004", "UnionPay with 19 digits. Succeeds."),
)

COUNTRIES: Final = (
    _country("rs", "4000006880000004", "Serbia"),
    _country("mk", "4000008070000000", "North Macedonia"),
    _country("al", "4000000080000005", "Albania"),
    _country("xk", "4000009830000009", "Kosovo"),
    _country("ba", "4000000700000005", "Bosnia and Herzegovina"),
    _country("me", "4000004990000006", "Montenegro"),
    _country("hr", "4000001910000009", "Croatia"),
    _country("si", "4000007050000006", "Slovenia"),
    _country("ro", "4000006420000001", "Romania"),
    _country("bg", "4000001000000000", "Bulgaria"),
    _country("gr", "4000003000000030", "Greece"),
)

DECLINES: Final = (
    _declined(
        "visa_chargeDeclined", "4000000000000002", "Declined, no reason given.", "card_declined", "generic_decline",
        aliases=("chargeDeclined",),
    ),
    _declined(
        "visa_chargeDeclinedInsufficientFunds", "4000000000009995", "Declined: insufficient funds.", "card_declined",
        "insufficient_funds", aliases=("chargeDeclinedInsufficientFunds",),
    ),
    _declined(
        "visa_chargeDeclinedLostCard", "4000000000009987", "Declined: reported lost.", "card_declined", "lost_card",
        aliases=("chargeDeclinedLostCard",),
    ),
    _declined(
        "visa_chargeDeclinedStolenCard", "4000000000009979", "Declined: reported stolen.", "card_declined",
        "stolen_card", aliases=("chargeDeclinedStolenCard",),
    ),
    _declined(
        "visa_chargeDeclinedVelocityLimitExceeded", "4000000000006975", "Declined: used too often.", "card_declined",
        "card_velocity_exceeded", aliases=("chargeDeclinedVelocityLimitExceeded",),
    ),
    _declined("chargeDeclinedExpiredCard", "4000000000000069", "Declined: expired.", "expired_card"),
    _declined("chargeDeclinedIncorrectCvc", "4000000000000127", "Declined: wrong security code.", "incorrect_cvc"),
    _declined("chargeDeclinedProcessingError", "4000000000000119", "Declined: processing error.", "processing_error"),
    _declined(
        "chargeCustomerFail", "4000000000000341", "Can be attached to a customer; every charge is declined.",
        "card_declined", "generic_decline", attaches=True,
    ),
    Instrument(
        "chargeDeclinedIncorrectNumber", "4242424242424241", "Refused when entered: the check digit is wrong.",
        _A.BAD_NUMBER, "incorrect_number", attaches=False,
    ),
)  # fmt: skip

AUTHENTICATION: Final = (
    Instrument(
        "authenticationRequiredOnSetup", "4000002500003155",
        "Needs authentication, unless it was saved with authentication and the payer is away.",
        three_d_secure=ThreeDSecure.UNLESS_SET_UP,
    ),
    Instrument(
        "authenticationRequired", "4000002760003184", "Needs authentication every time.", three_d_secure=_ALWAYS
    ),
    Instrument(
        "authenticationRequiredSetupForOffSession", "4000003800000446",
        "Needs authentication when the payer is present; set up for payments while the payer is away.",
        three_d_secure=ThreeDSecure.WHEN_PRESENT,
    ),
    Instrument(
        "authenticationRequiredChargeDeclinedInsufficientFunds", "4000008260003178",
        "Needs authentication, then is declined: insufficient funds.", _A.DECLINED, "card_declined",
        "insufficient_funds", _ALWAYS,
    ),
    Instrument("threeDSecure2Required", "4000000000003220", "3D Secure 2 must be completed.", three_d_secure=_ALWAYS),
    Instrument(
        "threeDSecureRequiredChargeDeclined", "4000008400001629", "3D Secure must be completed, then it is declined.",
        _A.DECLINED, "card_declined", "generic_decline", _ALWAYS,
    ),
    Instrument(
        "threeDSecureRequiredProcessingError", "4000008400001280",
        "3D Secure must be completed, then a processing error follows.", _A.DECLINED, "processing_error", None, _ALWAYS,
    ),
    Instrument("threeDSecureOptional", "4000000000003055", "3D Secure is possible but not needed. Succeeds."),
)  # fmt: skip

RISK: Final = (
    Instrument(
        "radarBlock", "4100000000000019", "Blocked as too risky.", _A.DECLINED, "card_declined", "fraudulent",
        risk_level="highest", blocked=True,
    ),
    Instrument("riskLevelHighest", "4000000000004954", "Succeeds with the highest risk level.", risk_level="highest"),
    Instrument("riskLevelElevated", "4000000000009235", "Succeeds with an elevated risk.", risk_level="elevated"),
    Instrument("cvcCheckFail", "4000000000000101", "Succeeds although the security code fails.", cvc_check="fail"),
)  # fmt: skip

AFTERWARDS: Final = (
    Instrument("createDispute", "4000000000000259", "Succeeds, then is disputed as fraudulent.",
               follow=Follow.DISPUTE_FRAUDULENT),
    Instrument("createDisputeProductNotReceived", "4000000000002685",
               "Succeeds, then is disputed: product not received.", follow=Follow.DISPUTE_NOT_RECEIVED),
    Instrument("createDisputeInquiry", "4000000000001976", "Succeeds, then an inquiry is opened.",
               follow=Follow.INQUIRY),
    Instrument("createIssuerFraudRecord", "4000000000005423", "Succeeds, then an early fraud warning arrives.",
               follow=Follow.EARLY_FRAUD_WARNING),
    Instrument("pendingRefund", "4000000000007726", "Succeeds; a refund is pending first, then succeeds.",
               follow=Follow.REFUND_PENDING),
    Instrument("refundFail", "4000000000005126", "Succeeds; a refund succeeds first, then fails.",
               follow=Follow.REFUND_FAILS_LATER),
    Instrument("refundDeclined", "4000009900000210", "Succeeds; a refund is refused at once.",
               follow=Follow.REFUND_DECLINED),
    Instrument("refundRequiresAction", "4000009900000228",
               "Succeeds; a refund waits for the payer, until it is canceled.", follow=Follow.REFUND_REQUIRES_ACTION),
    Instrument("incrementDeclined", "4000009900000236", "Authorized; a higher amount is declined.",
               follow=Follow.INCREMENT_DECLINED),
    Instrument("bypassPending", "4000000000000077", "Succeeds, and the money is available at once.",
               follow=Follow.AVAILABLE_AT_ONCE),
)  # fmt: skip

FAULTS: Final = (
    Instrument("timeoutApproved", "4000009900000012", "The processor takes the money, and its answer is lost.",
               _A.TIMEOUT_THEN_APPROVED),
    Instrument("timeoutDeclined", "4000009900000020", "The processor declines, and its answer is lost.",
               _A.TIMEOUT_THEN_DECLINED, "card_declined", "generic_decline"),
    Instrument("timeoutNotReceived", "4000009900000038", "The request is lost: the processor never hears of it.",
               _A.TIMEOUT_NOT_RECEIVED),
    Instrument("processorUnavailable", "4000009900000046", "The processor cannot be reached; nothing moves.",
               _A.UNAVAILABLE),
    Instrument("pendingApproved", "4000009900000053", "Pending at first, then succeeds.", _A.PENDING_THEN_APPROVED),
    Instrument("pendingDeclined", "4000009900000061", "Pending at first, then declined: the late decline.",
               _A.PENDING_THEN_DECLINED, "card_declined", "do_not_honor"),
    Instrument("outcomeUnknown", "4000009900000079", "The processor cannot say what happened, then or later.",
               _A.UNKNOWN),
    Instrument("captureTimeout", "4000009900000087", "Authorized; the capture happens, and its answer is lost.",
               follow=Follow.CAPTURE_TIMEOUT_THEN_CAPTURED),
    Instrument("captureExpired", "4000009900000095", "Authorized; a capture finds the hold expired.",
               follow=Follow.CAPTURE_EXPIRED),
    Instrument("voidTimeout", "4000009900000103", "Authorized; the release happens, and its answer is lost.",
               follow=Follow.VOID_TIMEOUT_THEN_VOIDED),
    Instrument("captureLateDecline", "4000009900000244",
               "Authorized; a capture is pending first, then finds the hold expired.",
               follow=Follow.CAPTURE_PENDING_THEN_EXPIRED),
    Instrument("captureUnknown", "4000009900000251", "Authorized; nobody can say what became of a capture.",
               follow=Follow.CAPTURE_UNKNOWN),
    Instrument("voidUnknown", "4000009900000269", "Authorized; nobody can say what became of the release.",
               follow=Follow.VOID_UNKNOWN),
    Instrument("incrementTimeout", "4000009900000277", "Authorized; the increment happens, and its answer is lost.",
               follow=Follow.INCREMENT_TIMEOUT_THEN_INCREMENTED),
    Instrument("refundTimeout", "4000009900000285", "Succeeds; the refund happens, and its answer is lost.",
               follow=Follow.REFUND_TIMEOUT_THEN_REFUNDED),
    Instrument("refundNotReceived", "4000009900000293", "Succeeds; a refund is lost: the processor never hears of it.",
               follow=Follow.REFUND_TIMEOUT_NOT_RECEIVED),
    Instrument("refundUnavailable", "4000009900000301", "Succeeds; the processor cannot be reached for a refund.",
               follow=Follow.REFUND_UNAVAILABLE),
    Instrument("refundUnknown", "4000009900000319", "Succeeds; nobody can say what became of a refund.",
               follow=Follow.REFUND_UNKNOWN),
)  # fmt: skip

GROUPS: Final[dict[str, tuple[Instrument, ...]]] = {
    "Brands": BRANDS,
    "Countries": COUNTRIES,
    "Declines": DECLINES,
    "Authentication": AUTHENTICATION,
    "Risk": RISK,
    "What happens afterwards": AFTERWARDS,
    "Faults of the processor": FAULTS,
}
"""The table by heading, in the order the page of test cards shows it."""

INSTRUMENTS: Final = tuple(instrument for group in GROUPS.values() for instrument in group)

_BY_NUMBER: Final = {instrument.number: instrument for instrument in INSTRUMENTS}
_BY_KEY: Final = {key: instrument for instrument in INSTRUMENTS for key in (instrument.key, *instrument.aliases)}


def by_key(key: str) -> Instrument | None:
    """The instrument of a `test_token` kept with a card, or None."""
    return _BY_KEY.get(key)


def by_name(name: str) -> Instrument | None:
    """The instrument behind `pm_card_…` or `tok_…`, or None when the text is no such name."""
    for prefix in (PAYMENT_METHOD_PREFIX, TOKEN_PREFIX):
        if name.startswith(prefix):
            return _BY_KEY.get(name[len(prefix) :])
    return None


def by_number(digits: str) -> Instrument | None:
    """The instrument of a card number without spaces, or None: a test environment then refuses the card."""
    return _BY_NUMBER.get(digits)


def card_from_name(instrument: Instrument, *, at: datetime, secret: bytes) -> cards.CardDetails:
    """The card behind `pm_card_…`: good for a year from `at`. Raises `IncorrectNumber` for the mistyped one."""
    return _details(
        instrument,
        cards.parse_number(instrument.number),
        exp_month=at.month,
        exp_year=at.year + 1,
        at=at,
        secret=secret,
    )


def card_from_number(
    text: str, *, exp_month: int, exp_year: int, cvc: str | None, at: datetime, secret: bytes
) -> cards.CardDetails:
    """The card of a number typed into a test environment.

    Raises the card's own refusals of `payments.domain.cards`, and `CardDeclined` with `test_mode_live_card` for a
    number that is not in the table: it may be somebody's real card.
    """
    number = cards.parse_number(text)
    instrument = by_number(number.digits)
    if instrument is None:
        decline = decline_codes.lookup(LIVE_CARD_IN_TEST)
        raise errors.card_error(
            "card_declined", decline_code=LIVE_CARD_IN_TEST, advice_code=decline.advice, message=decline.message
        )
    return _details(instrument, number, exp_month=exp_month, exp_year=exp_year, at=at, secret=secret, cvc=cvc)


def _details(
    instrument: Instrument,
    number: cards.CardNumber,
    *,
    exp_month: int,
    exp_year: int,
    at: datetime,
    secret: bytes,
    cvc: str | None = None,
) -> cards.CardDetails:
    return cards.describe(
        number,
        exp_month=exp_month,
        exp_year=exp_year,
        at=at,
        secret=secret,
        cvc=cvc,
        funding=instrument.funding,
        country=instrument.country,
        test_token=instrument.key,
    )
