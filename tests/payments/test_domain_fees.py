"""The sandbox's fee and settlement date."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connect.kit.currencies import MAXIMUM_MINOR
from connect.kit.money import Money
from payments.domain import fees

# 1.4 % in minor units, a tie goes up: 250 × 1.4 % = 3.5 → 4.
FEES = [(0, 0), (1, 0), (35, 0), (36, 1), (50, 1), (107, 1), (108, 2), (250, 4), (1000, 14), (1999, 28), (10_000, 140),
        (999_999_999_999, 14_000_000_000)]  # fmt: skip


@pytest.mark.parametrize(("amount", "fee"), FEES)
def test_the_fee_is_1_4_percent_rounded_half_up(amount: int, fee: int) -> None:
    assert fees.fee_of(Money(amount, "eur")) == Money(fee, "eur")


@given(st.integers(0, MAXIMUM_MINOR), st.sampled_from(["eur", "rsd", "jpy", "bhd"]))
def test_the_fee_is_whole_between_nothing_and_the_amount_and_within_half_a_unit(amount: int, currency: str) -> None:
    fee = fees.fee_of(Money(amount, currency))
    assert type(fee.minor) is int
    assert 0 <= fee.minor <= amount
    assert abs(fee.minor * 1000 - amount * 14) * 2 <= 1000


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=50))
def test_many_captures_pay_the_fee_of_their_sum(parts: list[int]) -> None:
    paid, before = Money(0, "eur"), Money(0, "eur")
    for part in parts:
        fee = fees.fee_of_capture(Money(part, "eur"), captured_before=before)
        assert 0 <= fee.minor <= part
        paid, before = paid + fee, before + Money(part, "eur")
    assert paid == fees.fee_of(before)


def test_a_fee_of_returned_money_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="came in"):
        fees.fee_of(Money(-1, "eur"))


def test_fee_details_add_up_and_are_empty_for_nothing() -> None:
    assert fees.fee_details(Money(0, "eur")) == []
    (detail,) = fees.fee_details(Money(14, "eur"))
    assert (detail["amount"], detail["currency"]) == (14, "eur")


@pytest.mark.parametrize(
    ("captured_at", "available"),
    [
        (datetime(2026, 11, 20, 0, 0, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC)),
        (datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC)),
        (datetime(2026, 12, 30, 12, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
        # 00:30 in Skopje is still the day before in UTC
        (datetime(2026, 11, 21, 0, 30, tzinfo=timezone(timedelta(hours=1))), datetime(2026, 11, 22, tzinfo=UTC)),
    ],
)
def test_money_is_available_at_midnight_utc_two_days_later(captured_at: datetime, available: datetime) -> None:
    assert fees.available_on(captured_at) == available


def test_some_money_is_available_at_once() -> None:
    moment = datetime(2026, 11, 20, 15, 4, 5, tzinfo=UTC)
    assert fees.available_on(moment, at_once=True) == moment
