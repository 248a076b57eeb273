"""Card numbers, expiry, security codes, and the table of test cards."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.domain import cards, errors, test_instruments
from payments.domain.decline_codes import DECLINE_CODES
from payments.domain.test_instruments import INSTRUMENTS, Authorization, Instrument, ThreeDSecure, by_key, by_name

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECRET = bytes(range(32))

BRANDS = [
    ("4242424242424242", "visa"),
    ("4222222222222", "visa"),
    ("5555555555554444", "mastercard"),
    ("2223003122003222", "mastercard"),
    ("2720990000000007", "mastercard"),
    ("378282246310005", "amex"),
    ("371449635398431", "amex"),
    ("6011111111111117", "discover"),
    ("6500000000000002", "discover"),
    ("6221260000000000", "discover"),
    ("3056930009020004", "diners"),
    ("36227206271667", "diners"),
    ("3566002020360505", "jcb"),
    ("6200000000000005", "unionpay"),
    ("6205500000000000004", "unionpay"),
    ("9792000000000003", "unknown"),
]


@pytest.mark.parametrize(("digits", "brand"), BRANDS)
def test_the_first_digits_name_the_brand(digits: str, brand: str) -> None:
    number = cards.parse_number(digits)
    assert (number.brand, number.last4) == (brand, digits[-4:])


@pytest.mark.parametrize("text", ["4242 4242 4242 4242", "4242-4242-4242-4242", " 4242424242424242 "])
def test_numbers_are_read_as_people_type_them(text: str) -> None:
    assert cards.parse_number(text).digits == "4242424242424242"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4242424242424241",  # the check digit
        "42424242424",  # too short
        "424242424242424242424242",  # too long
        "4242x24242424242",
        "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢",  # digits, but not ASCII ones
        "42424242424242426",  # the check digit is right, but no Visa has 17 digits
    ],
)
def test_what_cannot_be_a_card_number_is_refused(text: str) -> None:
    with pytest.raises(errors.IncorrectNumber) as refused:
        cards.parse_number(text)
    assert (refused.value.status, refused.value.param) == (402, "number")


@given(st.text("0123456789", min_size=11, max_size=18), st.integers(0, 17), st.integers(1, 9))
def test_one_mistyped_digit_never_passes(body: str, place: int, shift: int) -> None:
    whole = next(body + digit for digit in "0123456789" if cards.luhn_valid(body + digit))
    place %= len(whole)
    mistyped = whole[:place] + str((int(whole[place]) + shift) % 10) + whole[place + 1 :]
    assert not cards.luhn_valid(mistyped)


def test_a_number_hides_from_logs() -> None:
    assert "4242" not in repr(cards.parse_number("4242424242424242"))


def test_equal_numbers_have_equal_fingerprints_and_secrets_separate_installations() -> None:
    one = cards.fingerprint("4242424242424242", SECRET)
    assert one == cards.fingerprint("4242424242424242", SECRET)
    assert one != cards.fingerprint("5555555555554444", SECRET)
    assert one != cards.fingerprint("4242424242424242", bytes(32))
    assert len(one) == 16
    assert one.isalnum()


def test_a_short_fingerprint_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        cards.fingerprint("4242424242424242", b"short")


@pytest.mark.parametrize(
    ("month", "year", "at", "expired"),
    [
        (11, 2026, datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC), False),
        (11, 2026, datetime(2026, 12, 1, tzinfo=UTC), True),
        (12, 2025, datetime(2026, 1, 1, tzinfo=UTC), True),
        (1, 2027, datetime(2026, 12, 31, tzinfo=UTC), False),
    ],
)
def test_a_card_is_good_through_the_last_day_of_its_month(month: int, year: int, at: datetime, expired: bool) -> None:
    assert cards.is_expired(month, year, at) is expired


@pytest.mark.parametrize(
    ("month", "year", "error"),
    [
        (0, 2027, errors.InvalidExpiryMonth),
        (13, 2027, errors.InvalidExpiryMonth),
        (10, 2026, errors.InvalidExpiryMonth),
        (12, 2025, errors.InvalidExpiryYear),
        (12, 2077, errors.InvalidExpiryYear),
        (12, 25, errors.InvalidExpiryYear),
    ],
)
def test_an_impossible_expiry_is_refused(month: int, year: int, error: type[errors.CardError]) -> None:
    with pytest.raises(error):
        cards.check_expiry(month, year, at=AT)


@pytest.mark.parametrize(("given_year", "year"), [(26, 2026), (2026, 2026), (76, 2076)])
def test_two_digit_years_mean_this_century(given_year: int, year: int) -> None:
    assert cards.check_expiry(11, given_year, at=AT) == (11, year)


@pytest.mark.parametrize(
    ("cvc", "brand", "good"),
    [("123", "visa", True), ("1234", "visa", False), ("1234", "amex", True), ("123", "amex", True),
     ("99", "visa", False), ("12a", "visa", False), ("", "visa", False)],
)  # fmt: skip
def test_security_codes(cvc: str, brand: str, good: bool) -> None:
    if good:
        cards.check_cvc(cvc, brand)
    else:
        with pytest.raises(errors.InvalidCvc):
            cards.check_cvc(cvc, brand)


def test_what_is_kept_of_a_card_survives_storage_and_never_holds_the_number() -> None:
    card = test_instruments.card_from_number(
        "4242 4242 4242 4242", exp_month=12, exp_year=30, cvc="123", at=AT, secret=SECRET
    )
    stored = card.stored()
    assert cards.CardDetails.from_stored(stored) == card
    assert (stored["last4"], stored["exp_year"], stored["test_token"], stored["country"]) == (
        "4242",
        2030,
        "visa",
        "US",
    )
    assert "4242424242424242" not in repr(stored)


def test_a_real_card_is_refused_in_a_test_environment() -> None:
    with pytest.raises(errors.CardDeclined) as refused:
        test_instruments.card_from_number(
            "4111111111111111", exp_month=12, exp_year=30, cvc="123", at=AT, secret=SECRET
        )
    assert refused.value.data["decline_code"] == "test_mode_live_card"


# --- the table of instruments ---

DOCUMENTED = {
    "4242424242424242": (None, None), "4000000000000002": ("card_declined", "generic_decline"),
    "4000000000009995": ("card_declined", "insufficient_funds"), "4000000000009987": ("card_declined", "lost_card"),
    "4000000000009979": ("card_declined", "stolen_card"),
    "4000000000006975": ("card_declined", "card_velocity_exceeded"),
    "4000000000000069": ("expired_card", None), "4000000000000127": ("incorrect_cvc", None),
    "4000000000000119": ("processing_error", None), "4242424242424241": ("incorrect_number", None),
    "4000000000000341": ("card_declined", "generic_decline"), "4000002500003155": (None, None),
    "4000002760003184": (None, None), "4000008260003178": ("card_declined", "insufficient_funds"),
    "4000000000003220": (None, None), "4000008400001629": ("card_declined", "generic_decline"),
    "4100000000000019": ("card_declined", "fraudulent"), "4000000000004954": (None, None),
    "4000000000009235": (None, None), "4000000000000259": (None, None), "4000000000002685": (None, None),
    "4000000000001976": (None, None), "4000000000005423": (None, None), "4000000000007726": (None, None),
    "4000000000005126": (None, None), "4000000000000077": (None, None), "4000001910000009": (None, None),
    "4000007050000006": (None, None), "4000006420000001": (None, None), "4000001000000000": (None, None),
    "4000003000000030": (None, None),
}  # fmt: skip


@pytest.mark.parametrize(("number", "codes"), DOCUMENTED.items())
def test_every_known_card_is_in_the_table(number: str, codes: tuple[str | None, str | None]) -> None:
    instrument = test_instruments.by_number(number)
    assert instrument is not None
    assert (instrument.code, instrument.decline_code) == codes


@pytest.mark.parametrize("country", ["RS", "MK", "AL", "XK", "BA", "ME"])
def test_the_western_balkans_have_cards_of_their_own(country: str) -> None:
    instrument = by_name(f"pm_card_{country.lower()}")
    assert instrument is not None
    assert instrument.country == country


@pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda instrument: instrument.key)
def test_every_instrument_is_sound(instrument: Instrument) -> None:
    """The number is valid exactly when it can be entered, names lead back, declines have known codes."""
    mistyped = instrument.authorization is Authorization.BAD_NUMBER
    assert cards.luhn_valid(instrument.number) is not mistyped
    assert instrument.brand in cards.BRANDS
    for name in (instrument.payment_method, instrument.token):
        assert by_name(name) is instrument
    for key in (instrument.key, *instrument.aliases):
        assert by_key(key) is instrument
    assert instrument.description.endswith(".")
    if instrument.code is not None:
        assert instrument.code in errors.CARD_ERRORS
        assert (instrument.decline_code or instrument.code) in DECLINE_CODES
    if mistyped:
        with pytest.raises(errors.IncorrectNumber):
            test_instruments.card_from_name(instrument, at=AT, secret=SECRET)
    else:
        card = test_instruments.card_from_name(instrument, at=AT, secret=SECRET)
        assert (card.test_token, card.country, card.last4) == (
            instrument.key, instrument.country, instrument.number[-4:],
        )  # fmt: skip
        assert (card.exp_month, card.exp_year) == (11, 2027)


def test_no_two_instruments_share_a_name_or_a_number() -> None:
    keys = [key for instrument in INSTRUMENTS for key in (instrument.key, *instrument.aliases)]
    numbers = [instrument.number for instrument in INSTRUMENTS]
    assert len(keys) == len(set(keys))
    assert len(numbers) == len(set(numbers))


def test_every_behavior_has_an_instrument() -> None:
    assert {instrument.authorization for instrument in INSTRUMENTS} == set(Authorization)
    assert {instrument.three_d_secure for instrument in INSTRUMENTS} == set(ThreeDSecure)
    assert {instrument.follow for instrument in INSTRUMENTS} == set(test_instruments.Follow)


@pytest.mark.parametrize("name", ["pm_card_nobody", "tok_", "visa", "pm_0123456789012345678901", ""])
def test_other_texts_are_no_instrument(name: str) -> None:
    assert by_name(name) is None
