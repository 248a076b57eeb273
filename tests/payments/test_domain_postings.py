"""Postings: balanced, named once, and on the accounts the posting map says."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connect.kit import ids
from connect.kit.caller import PLATFORM_ACCOUNT
from connect.kit.money import Money
from ledger.domain.postings import Line
from payments.domain import fees, postings

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
CONNECTED = UUID("01936f3e-0000-7000-8000-000000000001")
ACCT = ids.encode("acct", CONNECTED)
CHARGE = "ch_0123456789012345678901"
SETTLED = "txn_0123456789012345678901"


def eur(minor: int) -> Money:
    return Money(minor, "eur")


def taken(amount: int, fee: int, account: UUID = PLATFORM_ACCOUNT) -> Any:
    return postings.for_capture(
        charge=CHARGE, account=account, processor="sandbox", amount=eur(amount), fee=eur(fee), effective_at=AT
    )


def captured(amount: int, fee: int, *, number: int = 1, final: bool = True) -> postings.HoldCapture:
    return postings.for_hold_capture(
        charge=CHARGE, account=PLATFORM_ACCOUNT, amount=eur(amount), fee=eur(fee), number=number, final=final,
        effective_at=AT,
    )  # fmt: skip


def moves(lines: tuple[Line, ...]) -> list[tuple[str, int]]:
    return [(line.path, line.amount.minor) for line in lines]


CAPTURES = [
    (PLATFORM_ACCOUNT, 1999, 28, [("processor:sandbox:clearing:eur", -1999), ("platform:pending:eur", 1971),
                                  ("fees:processor:eur", 28)]),
    (CONNECTED, 1999, 28, [("processor:sandbox:clearing:eur", -1999), (f"{ACCT}:pending:eur", 1971),
                           ("fees:processor:eur", 28)]),
    (PLATFORM_ACCOUNT, 35, 0, [("processor:sandbox:clearing:eur", -35), ("platform:pending:eur", 35)]),
    (PLATFORM_ACCOUNT, 5, 5, [("processor:sandbox:clearing:eur", -5), ("fees:processor:eur", 5)]),
]  # fmt: skip


@pytest.mark.parametrize(("account", "amount", "fee", "expected"), CAPTURES)
def test_a_payment_taken_at_once(account: UUID, amount: int, fee: int, expected: list[tuple[str, int]]) -> None:
    posting = taken(amount, fee, account)
    assert moves(posting.lines) == expected
    assert (posting.kind, posting.reference, posting.effective_at) == ("charge.capture", CHARGE, AT)


def test_an_authorization_holds_and_posts_nothing() -> None:
    hold = postings.for_authorization(charge=CHARGE, account=CONNECTED, processor="sandbox", amount=eur(1999))
    assert hold.source.path == "processor:sandbox:clearing:eur"
    assert hold.destination.path == f"{ACCT}:pending:eur"
    assert (hold.amount, hold.reference) == (eur(1999), CHARGE)
    assert hold.idempotency_key == f"charge:{CHARGE}:authorization"


def test_a_capture_of_a_hold_takes_the_fee_out_of_pending_again() -> None:
    capture = captured(500, 7, number=2, final=False)
    assert moves(capture.further_lines) == [("platform:pending:eur", -7), ("fees:processor:eur", 7)]
    assert (capture.amount, capture.final) == (eur(500), False)
    assert capture.idempotency_key == f"charge:{CHARGE}:capture:2"
    assert captured(35, 0).further_lines == ()


def test_settlement_makes_the_net_available() -> None:
    posting = postings.for_settlement(charge=CHARGE, account=CONNECTED, net=eur(1971), key=SETTLED, effective_at=AT)
    assert moves(posting.lines) == [(f"{ACCT}:pending:eur", -1971), (f"{ACCT}:available:eur", 1971)]
    assert posting.idempotency_key == f"settlement:{SETTLED}"


def test_a_release_says_why() -> None:
    assert postings.for_release(charge=CHARGE, reason="expired") == postings.HoldRelease("expired", CHARGE)


@given(st.integers(1, 10**11), st.sampled_from(["eur", "rsd", "mkd", "all", "jpy"]))
def test_every_posting_sums_to_zero_and_a_settled_payment_leaves_pending_empty(amount: int, currency: str) -> None:
    whole = Money(amount, currency)
    fee = fees.fee_of(whole)
    capture = postings.for_capture(
        charge=CHARGE, account=CONNECTED, processor="sandbox", amount=whole, fee=fee, effective_at=AT
    )
    settlement = postings.for_settlement(
        charge=CHARGE, account=CONNECTED, net=whole - fee, key=SETTLED, effective_at=AT
    )
    balances: Counter[str] = Counter()
    for posting in (capture, settlement):
        assert sum(line.amount.minor for line in posting.lines) == 0
        for line in posting.lines:
            balances[line.path] += line.amount.minor
    assert balances[f"{ACCT}:pending:{currency}"] == 0
    assert balances[f"{ACCT}:available:{currency}"] == amount - fee.minor


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=20))
def test_a_hold_captured_in_parts_ends_where_one_capture_would(parts: list[int]) -> None:
    """The hold posts each part from clearing to pending; the further lines are the fee's."""
    balances: Counter[str] = Counter()
    before = eur(0)
    keys = set()
    for number, part in enumerate(parts, start=1):
        fee = fees.fee_of_capture(eur(part), captured_before=before)
        capture = captured(part, fee.minor, number=number, final=number == len(parts))
        keys.add(capture.idempotency_key)
        assert sum(line.amount.minor for line in capture.further_lines) == 0
        balances["processor:sandbox:clearing:eur"] -= part
        balances["platform:pending:eur"] += part
        for line in capture.further_lines:
            balances[line.path] += line.amount.minor
        before += eur(part)
    at_once = Counter(dict(moves(taken(before.minor, fees.fee_of(before).minor).lines)))
    assert {path: minor for path, minor in balances.items() if minor} == dict(at_once)
    assert len(keys) == len(parts)


def test_accounts_are_what_the_posting_map_says() -> None:
    clearing, fee = postings.clearing("sandbox", "rsd"), postings.processor_fees("rsd")
    pending, available = postings.pending(CONNECTED, "rsd"), postings.available(CONNECTED, "rsd")
    assert (clearing.normal_side, fee.normal_side) == ("debit", "credit")
    assert (pending.normal_side, available.normal_side) == ("credit", "credit")
    assert clearing.stripes == fee.stripes == postings.STRIPES > 1
    assert pending.stripes == available.stripes == 1
    assert {spec.floor_minor for spec in (clearing, fee, pending, available)} == {None}
    assert (pending.owner, available.owner, clearing.owner) == (CONNECTED, CONNECTED, PLATFORM_ACCOUNT)


@pytest.mark.parametrize(("amount", "fee"), [(0, 0), (-5, 0), (10, 11), (10, -1)])
def test_impossible_captures_are_our_own_mistake(amount: int, fee: int) -> None:
    with pytest.raises(ValueError, match="cannot be taken"):
        taken(amount, fee)
    with pytest.raises(ValueError, match="cannot be taken"):
        captured(amount, fee)


def test_a_fee_in_another_currency_is_refused() -> None:
    with pytest.raises(ValueError, match="do not add up"):
        postings.for_capture(
            charge=CHARGE, account=PLATFORM_ACCOUNT, processor="sandbox", amount=eur(100), fee=Money(1, "usd"),
            effective_at=AT,
        )  # fmt: skip


def test_captures_are_numbered_from_one() -> None:
    with pytest.raises(ValueError, match="numbered from 1"):
        captured(10, 0, number=0)
