"""The sandbox: one request, one truth, however often and wherever it is asked."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connect.kit import tenancy
from payments import clients
from payments.clients.fake import FakeProcessor
from payments.clients.processor import (
    ActionRequired,
    AnyRequest,
    Approved,
    AuthorizeRequest,
    CaptureRequest,
    Declined,
    GuardedProcessor,
    NotFound,
    Pending,
    Processor,
    ProcessorError,
    ProcessorTimeout,
    ProcessorUnavailable,
    RefundRequest,
    Unknown,
    VoidRequest,
)
from payments.clients.sandbox import SandboxProcessor
from payments.domain.errors import CARD_ERRORS, SandboxInLive
from payments.domain.test_instruments import INSTRUMENTS

SANDBOX = SandboxProcessor()
KEYS = [instrument.key for instrument in INSTRUMENTS]


def authorize(instrument: str = "visa", **changes: Any) -> AuthorizeRequest:
    return replace(
        AuthorizeRequest(
            attempt_id="att_1", livemode=False, amount_minor=1999, currency="eur", instrument=instrument, capture=True
        ),
        **changes,
    )


def capture(instrument: str = "visa") -> CaptureRequest:
    return CaptureRequest(
        attempt_id="att_2", livemode=False, amount_minor=500, currency="eur", instrument=instrument, authorization="a"
    )


def void(instrument: str = "visa") -> VoidRequest:
    return VoidRequest(
        attempt_id="att_3", livemode=False, amount_minor=1499, currency="eur", instrument=instrument, authorization="a"
    )


def refund(instrument: str = "visa") -> RefundRequest:
    return RefundRequest(
        attempt_id="att_4", livemode=False, amount_minor=500, currency="eur", instrument=instrument, capture="c"
    )


def answer(call: Callable[[], object]) -> object:
    """What a call gave: its outcome, or the kind of failure."""
    try:
        return call()
    except ProcessorError as failure:
        return type(failure)


# instrument, what authorize gives, what status says afterwards
STORIES = [
    ("visa", Approved, Approved),
    ("visa_chargeDeclined", Declined, Declined),
    ("authenticationRequired", ActionRequired, ActionRequired),
    ("radarBlock", Declined, Declined),
    ("timeoutApproved", ProcessorTimeout, Approved),
    ("timeoutDeclined", ProcessorTimeout, Declined),
    ("timeoutNotReceived", ProcessorTimeout, NotFound),
    ("processorUnavailable", ProcessorUnavailable, NotFound),
    ("pendingApproved", Pending, Approved),
    ("pendingDeclined", Pending, Declined),
    ("outcomeUnknown", Unknown, Unknown),
]


@pytest.mark.parametrize(("instrument", "first", "afterwards"), STORIES)
def test_what_an_instrument_does_and_what_status_says(instrument: str, first: type, afterwards: type) -> None:
    given_answer = answer(lambda: SANDBOX.authorize(authorize(instrument)))
    assert (given_answer if isinstance(given_answer, type) else type(given_answer)) is first
    assert type(SANDBOX.status(authorize(instrument))) is afterwards


@given(
    st.sampled_from(KEYS), st.integers(1, 10**12 - 1), st.text(min_size=1, max_size=30), st.booleans(), st.booleans()
)
def test_the_same_request_has_the_same_outcome_in_every_process(
    instrument: str, amount: int, attempt: str, captures: bool, off_session: bool
) -> None:
    request = authorize(instrument, amount_minor=amount, attempt_id=attempt, capture=captures, off_session=off_session)
    first = answer(lambda: SANDBOX.authorize(request))
    assert answer(lambda: SandboxProcessor().authorize(replace(request))) == first
    truth = SANDBOX.status(request)
    assert SandboxProcessor().status(request) == truth
    if isinstance(first, Approved | Declined | ActionRequired | Unknown):
        assert truth == first
    if isinstance(truth, Approved):
        assert (truth.amount_minor, truth.captured) == (amount, captures)
        assert (truth.hold_seconds is None) is captures


def test_a_lost_approval_keeps_the_reference_it_had() -> None:
    """After a pending answer and after a time-out, the books name the operation as the first answer did."""
    pending = SANDBOX.authorize(authorize("pendingApproved"))
    settled = SANDBOX.status(authorize("pendingApproved"))
    assert isinstance(pending, Pending)
    assert isinstance(settled, Approved)
    assert pending.reference == settled.reference


def test_different_attempts_have_different_references() -> None:
    one = SANDBOX.authorize(authorize())
    two = SANDBOX.authorize(authorize(attempt_id="att_9"))
    assert isinstance(one, Approved)
    assert isinstance(two, Approved)
    assert one.reference != two.reference
    assert one.network_transaction_id != two.network_transaction_id


@pytest.mark.parametrize("instrument", [i for i in INSTRUMENTS if i.code], ids=lambda i: i.key)
def test_every_decline_carries_the_codes_of_the_table(instrument: Any) -> None:
    outcome = SANDBOX.status(authorize(instrument.key, authentication="authenticated"))
    assert isinstance(outcome, Declined)
    assert (outcome.code, outcome.decline_code) == (instrument.code, instrument.decline_code)
    assert outcome.code in CARD_ERRORS
    assert outcome.message
    assert outcome.blocked is instrument.blocked


# instrument, off_session, set_up: whether the payer is asked (or, when away, refused)
AUTHENTICATION = [
    ("visa", False, False, False),
    ("threeDSecureOptional", False, False, False),
    ("authenticationRequired", False, False, True),
    ("authenticationRequired", True, True, True),
    ("authenticationRequiredOnSetup", False, False, True),
    ("authenticationRequiredOnSetup", False, True, True),
    ("authenticationRequiredOnSetup", True, False, True),
    ("authenticationRequiredOnSetup", True, True, False),
    ("authenticationRequiredSetupForOffSession", False, False, True),
    ("authenticationRequiredSetupForOffSession", True, False, False),
]


@pytest.mark.parametrize(("instrument", "off_session", "set_up", "asked"), AUTHENTICATION)
def test_when_the_payer_has_to_authenticate(instrument: str, off_session: bool, set_up: bool, asked: bool) -> None:
    outcome = SANDBOX.authorize(authorize(instrument, off_session=off_session, set_up=set_up))
    if not asked:
        assert isinstance(outcome, Approved)
    elif off_session:
        assert isinstance(outcome, Declined)
        assert (outcome.code, outcome.decline_code) == ("authentication_required", "authentication_required")
    else:
        assert isinstance(outcome, ActionRequired)


@pytest.mark.parametrize(
    ("instrument", "authentication", "kind", "code"),
    [
        ("authenticationRequired", "authenticated", Approved, None),
        ("authenticationRequired", "failed", Declined, "payment_intent_authentication_failure"),
        ("threeDSecureRequiredChargeDeclined", "authenticated", Declined, "card_declined"),
        ("threeDSecureRequiredProcessingError", "authenticated", Declined, "processing_error"),
    ],
)
def test_what_follows_authentication(instrument: str, authentication: Any, kind: type, code: str | None) -> None:
    outcome = SANDBOX.authorize(authorize(instrument, authentication=authentication))
    assert type(outcome) is kind
    assert getattr(outcome, "code", None) == code
    if isinstance(outcome, Approved):
        assert outcome.authenticated


def test_the_payer_is_sent_to_the_page_the_request_names() -> None:
    outcome = SANDBOX.authorize(authorize("authenticationRequired", authentication_page_url="https://pay.example/3ds/"))
    assert isinstance(outcome, ActionRequired)
    assert outcome.redirect_url == f"https://pay.example/3ds/{outcome.authentication_id}"
    nowhere = SANDBOX.authorize(authorize("authenticationRequired"))
    assert isinstance(nowhere, ActionRequired)
    assert nowhere.redirect_url is None


LATER = [
    ("capture", capture("visa"), Approved, Approved),
    ("capture", capture("captureTimeout"), ProcessorTimeout, Approved),
    ("capture", capture("captureExpired"), Declined, Declined),
    ("void", void("visa"), Approved, Approved),
    ("void", void("voidTimeout"), ProcessorTimeout, Approved),
    ("refund", refund("visa"), Approved, Approved),
    ("refund", refund("pendingRefund"), Pending, Approved),
    ("refund", refund("refundFail"), Approved, Declined),
]


@pytest.mark.parametrize(("operation", "request_", "first", "afterwards"), LATER)
def test_later_operations(operation: str, request_: AnyRequest, first: type, afterwards: type) -> None:
    given_answer = answer(lambda: getattr(SANDBOX, operation)(request_))
    assert (given_answer if isinstance(given_answer, type) else type(given_answer)) is first
    truth = SANDBOX.status(request_)
    assert type(truth) is afterwards
    if isinstance(truth, Approved):
        assert truth.amount_minor == request_.amount_minor


def test_money_of_the_bypass_card_settles_at_once() -> None:
    outcome = SANDBOX.authorize(authorize("bypassPending"))
    assert isinstance(outcome, Approved)
    assert outcome.settles_at_once


@pytest.mark.parametrize("operation", ["authorize", "capture", "void", "refund", "status"])
def test_the_sandbox_refuses_live_requests(operation: str) -> None:
    request = {"authorize": authorize(), "capture": capture(), "void": void(), "refund": refund()}.get(
        operation, authorize()
    )
    with pytest.raises(SandboxInLive):
        getattr(SANDBOX, operation)(replace(request, livemode=True))


@pytest.mark.parametrize("processor", [SANDBOX, FakeProcessor()], ids=["sandbox", "fake"])
@pytest.mark.parametrize("operation", ["authorize", "capture", "void", "refund", "status"])
def test_every_call_asks_first_whether_a_transaction_is_open(
    processor: GuardedProcessor, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Open(Exception):
        pass

    def forbid(what: str) -> None:
        raise Open(what)

    monkeypatch.setattr(tenancy, "forbid_inside_transaction", forbid)
    with pytest.raises(Open, match=processor.name):
        getattr(processor, operation)(replace(authorize(), livemode=True))


def test_an_unknown_instrument_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="not an instrument"):
        SANDBOX.authorize(authorize("4242424242424242"))


@pytest.mark.parametrize("amount", [0, -1])
def test_a_processor_is_never_asked_for_nothing(amount: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        authorize(amount_minor=amount)


# --- the register and the fake ---


def test_processors_are_found_by_name() -> None:
    assert clients.get("sandbox").name == "sandbox"
    assert isinstance(clients.get("sandbox"), Processor)
    with pytest.raises(LookupError, match="installed: pay_by_bank, sandbox"):
        clients.get("nobody")
    with pytest.raises(ValueError, match="registered already"):
        clients.register(SandboxProcessor())


def test_a_replaced_processor_comes_back() -> None:
    before = clients.get("sandbox")
    with clients.replaced("sandbox", FakeProcessor()) as fake:
        assert clients.get("sandbox") is fake
    with clients.replaced("other", fake):
        assert clients.get("other") is fake
    assert clients.get("sandbox") is before
    with pytest.raises(LookupError):
        clients.get("other")


def test_the_fake_moves_money_once_per_attempt() -> None:
    fake = FakeProcessor()
    for _ in range(3):
        assert isinstance(fake.authorize(authorize()), Approved)
    assert fake.moved == {"att_1": 1999}
    assert [operation for operation, _ in fake.calls] == ["authorize"] * 3


def test_the_fake_fails_before_or_after_the_effect() -> None:
    fake = FakeProcessor()
    fake.will("authorize", "fail_before", "fail_after")
    with pytest.raises(ProcessorUnavailable):
        fake.authorize(authorize())
    assert isinstance(fake.status(authorize()), NotFound)
    assert fake.balance_minor == 0
    with pytest.raises(ProcessorTimeout):
        fake.authorize(authorize())
    assert isinstance(fake.status(authorize()), Approved)
    assert isinstance(fake.authorize(authorize()), Approved)
    assert fake.balance_minor == 1999


def test_the_fake_s_books_follow_every_operation() -> None:
    fake = FakeProcessor()
    fake.authorize(authorize(capture=False))
    assert fake.balance_minor == 0
    fake.capture(capture())
    fake.void(void())
    assert fake.balance_minor == 500
    fake.refund(refund())
    assert fake.balance_minor == 0


def test_the_fake_moves_pending_money_when_it_is_resolved() -> None:
    fake = FakeProcessor()
    fake.will("authorize", Pending(reference="p"))
    assert fake.authorize(authorize()) == fake.status(authorize()) == Pending(reference="p")
    assert fake.balance_minor == 0
    fake.resolve("att_1", Approved(reference="p", amount_minor=1999, captured=True))
    assert isinstance(fake.status(authorize()), Approved)
    assert fake.balance_minor == 1999


def test_the_fake_answers_as_planned() -> None:
    fake = FakeProcessor()
    declined = Declined(code="card_declined", message="Your card was declined.")
    fake.will("authorize", declined)
    assert fake.authorize(authorize()) == declined == fake.status(authorize())
    assert fake.balance_minor == 0
