"""The life of a payment intent: every status against every action."""

import pytest

from payments.domain.errors import PaymentIntentUnexpectedState
from payments.domain.payment_intent_state import (
    CALLER_CANCELLATION_REASONS,
    TERMINAL,
    TRANSITIONS,
    Action,
    Status,
    after_approval,
    initial,
    may,
    move,
    refusal,
    require,
)

# One letter per action in the order of ACTIONS.
ALLOWED = {
    #                              U C P I X A R E
    "requires_payment_method": "   y y . . y . . .",
    "requires_confirmation": "     y y . . y . . .",
    "requires_action": "           y y . . y y . .",
    "processing": "                . . . . y . y .",
    "requires_capture": "          . . y y y . . y",
    "succeeded": "                 . . . . . . . .",
    "canceled": "                  . . . . . . . .",
}
ACTIONS = ["update", "confirm", "capture", "increment", "cancel", "authenticate", "resolve", "expire"]
CELLS = [
    (status, action, mark == "y")
    for status, row in ALLOWED.items()
    for action, mark in zip(ACTIONS, row.split(), strict=True)
]


@pytest.mark.parametrize(("status", "action", "allowed"), CELLS)
def test_every_status_against_every_action(status: str, action: str, allowed: bool) -> None:
    assert may(status, Action(action)) is allowed
    if allowed:
        require(status, Action(action))
    else:
        with pytest.raises(PaymentIntentUnexpectedState):
            require(status, Action(action))


def test_the_table_covers_every_status_and_action() -> None:
    assert set(ALLOWED) == {status.value for status in Status}
    assert set(ACTIONS) == {action.value for action in Action} == {action.value for action in TRANSITIONS}


def test_nothing_leads_out_of_a_terminal_status_and_every_other_status_has_a_way_out() -> None:
    sources = {status for row in TRANSITIONS.values() for status in row}
    assert sources == set(Status) - TERMINAL


def test_every_status_can_be_reached() -> None:
    reached = {initial(has_payment_method=True), initial(has_payment_method=False)}
    reached |= {target for row in TRANSITIONS.values() for targets in row.values() for target in targets}
    assert reached == set(Status)


CANCEL_SUCCEEDED = (
    "You cannot cancel this PaymentIntent because it has a status of succeeded. Only a PaymentIntent with one of the"
    " following statuses may be canceled: requires_payment_method, requires_capture, requires_confirmation,"
    " requires_action, processing."
)
CAPTURE_UNCONFIRMED = (
    "This PaymentIntent could not be captured because it has a status of requires_confirmation. Only a PaymentIntent"
    " with one of the following statuses may be captured: requires_capture."
)
CONFIRM_SUCCEEDED = (
    "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed."
)
CONFIRM_CANCELED = (
    "You cannot confirm this PaymentIntent because it has a status of canceled. Only a PaymentIntent with one of the"
    " following statuses may be confirmed: requires_payment_method, requires_confirmation, requires_action."
)
UPDATE_SUCCEEDED = (
    "This PaymentIntent's amount could not be updated because it has a status of succeeded. You may only update the"
    " amount of a PaymentIntent with one of the following statuses: requires_payment_method, requires_confirmation,"
    " requires_action."
)
TEXTS = [
    ("succeeded", Action.CANCEL, CANCEL_SUCCEEDED),
    ("requires_confirmation", Action.CAPTURE, CAPTURE_UNCONFIRMED),
    ("succeeded", Action.CONFIRM, CONFIRM_SUCCEEDED),
    ("canceled", Action.CONFIRM, CONFIRM_CANCELED),
    ("succeeded", Action.UPDATE, UPDATE_SUCCEEDED),
]


@pytest.mark.parametrize(("status", "action", "text"), TEXTS)
def test_refusals_read_as_stripe_s_users_know_them(status: str, action: Action, text: str) -> None:
    assert refusal(status, action) == text
    with pytest.raises(PaymentIntentUnexpectedState, match=r"PaymentIntent") as refused:
        require(status, action)
    assert refused.value.text == text


@pytest.mark.parametrize("action", list(Action))
def test_no_refusal_text_has_a_hole(action: Action) -> None:
    assert "{" not in refusal("canceled", action)


def test_a_refusal_carries_the_intent_and_the_parameter() -> None:
    with pytest.raises(PaymentIntentUnexpectedState) as refused:
        require("succeeded", Action.UPDATE, {"id": "pi_1"}, param="currency")
    error = refused.value
    assert (error.code, error.status, error.param) == ("payment_intent_unexpected_state", 400, "currency")
    assert error.data == {"payment_intent": {"id": "pi_1"}}
    assert error.text.startswith("This PaymentIntent's currency could not be updated")


def test_move_refuses_what_the_table_does_not_have() -> None:
    assert move("requires_confirmation", Action.CONFIRM, Status.SUCCEEDED) is Status.SUCCEEDED
    with pytest.raises(ValueError, match="does not lead from"):
        move("requires_confirmation", Action.CONFIRM, Status.CANCELED)
    with pytest.raises(ValueError, match="does not lead from"):
        move("succeeded", Action.RESOLVE, Status.REQUIRES_PAYMENT_METHOD)


@pytest.mark.parametrize(
    ("method", "status"),
    [("automatic", "succeeded"), ("automatic_async", "succeeded"), ("manual", "requires_capture")],
)
def test_an_approval_leads_where_the_capture_method_says(method: str, status: str) -> None:
    assert after_approval(method) == status


def test_callers_cannot_give_the_system_s_reasons() -> None:
    assert list(CALLER_CANCELLATION_REASONS) == ["duplicate", "fraudulent", "requested_by_customer", "abandoned"]
