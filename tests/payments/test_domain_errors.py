"""Refusals: every one readable, coded, and complete for the wire."""

import pytest

from connect.kit.errors import FIELDS, DomainError, catalogue
from connect.kit.money import Money
from payments.domain import decline_codes, errors

OURS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, DomainError) and kind.__module__ == errors.__name__
]


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_every_refusal_is_documented_and_has_a_status_of_the_api(kind: type[DomainError]) -> None:
    assert kind.__doc__
    assert kind.status in {400, 402, 404, 409, 429, 503}
    if kind is not errors.CardError:
        assert kind.code
        assert kind.message


def test_the_catalogue_knows_every_code() -> None:
    known = {kind.code for kind in catalogue()}
    assert {kind.code for kind in OURS if kind.code} <= known


@pytest.mark.parametrize(
    ("code", "kind"),
    [("card_declined", errors.CardDeclined), ("expired_card", errors.ExpiredCard),
     ("incorrect_cvc", errors.IncorrectCvc), ("processing_error", errors.ProcessingError),
     ("authentication_required", errors.AuthenticationRequired), ("news_to_us", errors.CardDeclined)],
)  # fmt: skip
def test_a_processor_s_code_becomes_its_refusal(code: str, kind: type[errors.CardError]) -> None:
    error = errors.card_error(code, decline_code="do_not_honor", advice_code="try_again_later", charge="ch_1")
    assert type(error) is kind
    assert (error.status, error.type) == (402, "card_error")
    assert error.data == {"decline_code": "do_not_honor", "advice_code": "try_again_later", "charge": "ch_1"}
    assert set(error.data) <= FIELDS


def test_what_a_decline_does_not_say_is_left_out() -> None:
    assert errors.card_error("expired_card").data == {}


def test_the_last_payment_error_remembers_the_method_that_was_tried() -> None:
    error = errors.card_error("card_declined", decline_code="insufficient_funds", message="No funds.", charge="ch_1")
    kept = errors.last_payment_error(error, payment_method={"id": "pm_1", "type": "card"}, doc_url="/docs")
    assert kept == {
        "advice_code": None, "charge": "ch_1", "code": "card_declined", "decline_code": "insufficient_funds",
        "doc_url": "/docs", "message": "No funds.", "param": None, "payment_method": {"id": "pm_1", "type": "card"},
        "payment_method_type": "card", "type": "card_error",
    }  # fmt: skip


def test_amounts_in_texts_are_written_for_people() -> None:
    assert "at least 0.50 EUR" in errors.AmountTooSmall(minimum=Money(50, "eur"), param="amount").text
    assert "no more than 10.00 EUR" in errors.AmountTooLarge(maximum=Money(1000, "eur")).text
    assert "at most 10.00 EUR" in errors.CaptureTooLarge(capturable=Money(1000, "eur")).text


def test_a_missing_payment_method_is_an_unexpected_state() -> None:
    for error in (errors.PaymentMethodRequired(), errors.CustomerPaymentMethodRequired(customer="cus_1")):
        assert error.code == "payment_intent_unexpected_state"
        assert error.text.startswith("You cannot confirm this PaymentIntent because it's missing a payment method.")


@pytest.mark.parametrize("code", ["lost_card", "stolen_card", "fraudulent", "pickup_card"])
def test_whoever_holds_a_stolen_card_learns_nothing(code: str) -> None:
    decline = decline_codes.lookup(code)
    assert (decline.message, decline.advice) == ("Your card was declined.", "do_not_try_again")


def test_an_unknown_decline_code_reads_as_a_generic_decline() -> None:
    assert decline_codes.lookup("new_in_2030") is decline_codes.lookup("generic_decline")
