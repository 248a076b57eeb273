"""Which entry is which row: each rule as a line of a table, and random histories of a bank in the pure matching."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from random import Random
from uuid import UUID

import pytest
from hypothesis import given, settings

from banks.domain import matching
from banks.domain.bank_data import EntryData, EntryStatus, PartyData
from banks.domain.matching import Known
from tests.banks.model_bank import OVERLAP, ModelBank, books, histories

TODAY = date(2026, 11, 20)
ACCOUNT = UUID(int=7)


def entry(text: str | None = "Vero market", amount: int = -500, *, days: int = 0, **given) -> EntryData:
    day = TODAY + timedelta(days=days)
    return EntryData(**{
        "status": EntryStatus.BOOKED, "amount_minor": amount, "currency": "mkd", "booking_date": day,
        "value_date": day, "remittance": text,
    } | given)  # fmt: skip


def pending(text: str | None = "Vero market", amount: int = -500, *, days: int = 0, **given) -> EntryData:
    return entry(text, amount, days=days, status=EntryStatus.PENDING, booking_date=None, **given)


class Rows:
    """Rows as the database would keep them, with their change log."""

    def __init__(self, *entries: EntryData) -> None:
        self.rows: dict[UUID, tuple[Known, EntryData]] = {}
        self.log: list[tuple[str, UUID]] = []
        self.read(list(entries))

    def read(self, entries: list[EntryData], *, since: date = date.min, today: date = TODAY, listed: bool = True):
        incoming = matching.prepare(ACCOUNT, entries, today=today)
        known = [row for row, _ in self.rows.values() if row.status == "pending" or row.day >= since]
        outcome = matching.match(known, incoming, today=today, pending_listed=listed)
        for row in outcome.removed:
            del self.rows[row.id]
            self.log.append(("removed", row.id))
        changed = [(row.id, item, "modified") for row, item in outcome.modified]
        for identifier, item, kind in changed + [(None, item, "added") for item in outcome.added]:
            own = identifier or UUID(int=len(self.log) + 1)
            kept = Known(
                own, item.entry.status.value, item.entry.amount_minor, item.entry.currency, item.day,
                item.entry.transaction_id, item.entry.entry_reference, item.fingerprint, outcome.occurrence(item),
                item.content, item.text,
            )  # fmt: skip
            self.rows[own] = (kept, item.entry)
            self.log.append((kind, own))
        return outcome

    @property
    def booked_until(self) -> date | None:
        return max((row.day for row, _ in self.rows.values() if row.status == "booked"), default=None)


CASES = {
    "nothing happened": ([entry(transaction_id="1")], [entry(transaction_id="1")], (0, 0, 0)),
    "nothing happened to twins": ([entry(), entry()], [entry(), entry()], (0, 0, 0)),
    "a twin came": ([entry()], [entry(), entry()], (1, 0, 0)),
    "a twin went": ([entry(), entry(), entry()], [entry(), entry()], (0, 0, 1)),
    "reworded under its id": ([entry(transaction_id="1")], [entry("Other", transaction_id="1")], (0, 1, 0)),
    "reworded under its reference": ([entry(entry_reference="1")], [entry("Other", entry_reference="1")], (0, 1, 0)),
    "renumbered": ([entry(transaction_id="1")], [entry(transaction_id="2")], (0, 1, 0)),
    "blanked": ([entry(transaction_id="1")], [entry()], (0, 1, 0)),
    "ids exchanged": (
        [entry("Rent", transaction_id="1"), entry("Food", transaction_id="2")],
        [entry("Rent", transaction_id="2"), entry("Food", transaction_id="1")],
        (0, 2, 0),
    ),
    "an id for another amount": ([entry(transaction_id="1")], [entry(amount=-7, transaction_id="1")], (1, 0, 1)),
    "an id for another time": ([entry(transaction_id="1", days=-20)], [entry("X", transaction_id="1")], (1, 0, 1)),
    "one id for two": ([entry("A", transaction_id="1")], [entry("A", transaction_id="1"),
                                                          entry("B", transaction_id="1")], (1, 0, 0)),
    "one line twice": ([], [entry(transaction_id="1"), entry(transaction_id="1")], (1, 0, 0)),
    "reworded without ids": ([entry("Vero market 12")], [entry("Vero market 12 Skopje")], (0, 1, 0)),
    "other text without ids": ([entry("Vero market")], [entry("Zzz")], (1, 0, 1)),
    "booked": ([pending(days=-3)], [entry()], (0, 1, 0)),
    "booked under a new id": ([pending(days=-3, transaction_id="P")], [entry(transaction_id="B")], (0, 1, 0)),
    "booked with more text": ([pending("VERO", days=-2)], [entry("Vero market Skopje")], (0, 1, 0)),
    "booked on the seventh day": ([pending(days=-7)], [entry()], (0, 1, 0)),
    "booked on the eighth day": ([pending(days=-8)], [entry()], (1, 0, 1)),
    "booked with another amount": ([pending(transaction_id="1")], [entry(amount=-550, transaction_id="1")], (0, 1, 0)),
    "another payment of the amount": ([pending("Vero")], [entry("Zzz qqq")], (1, 0, 1)),
    "the likelier of two": ([pending("Vero Skopje"), pending("Vero Bitola")], [entry("Vero Bitola"),
                                                                               pending("Vero Skopje")], (0, 1, 0)),
    "vanished": ([pending()], [], (0, 0, 1)),
    "gone": ([entry()], [], (0, 0, 1)),
    "booked, never pending again": ([entry(transaction_id="1")], [pending("Q", transaction_id="1")], (1, 0, 1)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_rule(name):
    before, after, expected = CASES[name]
    rows = Rows(*before)
    outcome = rows.read(after)
    assert (len(outcome.added), len(outcome.modified), len(outcome.removed)) == expected
    again = rows.read(after)
    assert (again.added, again.modified, again.removed) == ([], [], [])


def test_exchanged_ids_leave_each_text_its_row():
    rows = Rows(entry("Rent", transaction_id="1"), entry("Food", transaction_id="2"))
    before = {known.id: kept.remittance for known, kept in rows.rows.values()}
    rows.read([entry("Rent", transaction_id="2"), entry("Food", transaction_id="1")])
    assert {known.id: kept.remittance for known, kept in rows.rows.values()} == before


def test_the_likelier_of_two_holds_is_booked():
    rows = Rows(pending("Vero Skopje"), pending("Vero Bitola"))
    before = {known.id: kept.remittance for known, kept in rows.rows.values()}
    rows.read([entry("Vero Bitola"), pending("Vero Skopje")])
    assert {known.id: kept.remittance for known, kept in rows.rows.values()} == before


@pytest.mark.parametrize(("age", "kept"), [(0, True), (14, True), (15, False)])
def test_a_bank_that_lists_no_pending_ones_keeps_them_for_fourteen_days(age, kept):
    rows = Rows(pending(days=-age))
    rows.read([], listed=False)
    assert bool(rows.rows) is kept


def test_twins_are_counted():
    rows = Rows(entry(), entry(), entry("Other"))
    assert sorted(known.occurrence for known, _ in rows.rows.values()) == [0, 0, 1]
    rows.read([entry(), entry(), entry(), entry("Other")])
    assert sorted(known.occurrence for known, _ in rows.rows.values()) == [0, 0, 1, 2]


def test_names_in_two_scripts_are_one_text():
    rows = Rows(entry("Плата", counterparty=PartyData(name="Тиквеш")))
    outcome = rows.read([entry("PLATA", counterparty=PartyData(name="Tikveš"))])
    assert (len(outcome.modified), len(outcome.added)) == (1, 0)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [("", "", True), ("", "vero", True), ("vero", "vero skopje", True), ("merchant skop", "merchant skopje", True),
     ("vero", "zzz", False), ("kirija oktomvri", "struja april", False)],
)  # fmt: skip
def test_texts_that_may_tell_of_the_same(one, other, alike):
    assert (matching.similarity(one, other) >= matching.SIMILAR) is alike
    assert matching.similarity(one, other) == pytest.approx(matching.similarity(other, one), abs=0.2)


def play(history) -> None:
    """A history in the pure matching: what is read at last is the bank's books, and its log leads there."""
    chance = Random(repr(history))
    start = TODAY - timedelta(days=120)
    bank, rows = ModelBank(start + timedelta(days=60), start), Rows()
    for name, seed in [*history, ("sync", 1)]:
        if not name.startswith("sync"):
            bank.step(name, Random(seed))
            continue
        listed = bank.listed(bank.visible_from, chance, in_pages=name != "sync")
        if name == "sync_broken_off":
            continue  # the process died between two pages: nothing was kept
        rows.read(listed, since=bank.visible_from, today=bank.today)
        if rows.booked_until:
            bank.visible_from = max(bank.visible_from, rows.booked_until - OVERLAP)
    assert books([kept for _, kept in rows.rows.values()]) == books(bank.entries)
    alive = set[UUID]()
    for kind, identifier in rows.log:
        assert (identifier in alive) is (kind != "added")
        if kind != "modified":
            alive ^= {identifier}
    assert alive == set(rows.rows)
    written = len(rows.log)
    rows.read(bank.listed(bank.visible_from, chance, in_pages=True), since=bank.visible_from, today=bank.today)
    assert len(rows.log) == written


@settings(max_examples=60)
@given(histories)
def test_random_histories_end_in_the_banks_books(history):
    play(history)


@pytest.mark.soak
@settings(max_examples=2_000)
@given(histories)
def test_two_thousand_random_histories_end_in_the_banks_books(history):
    play(history)


def test_many_equal_amounts_take_little_more_than_their_number():
    """Each entry is compared with its nearest rows only: counted, because time depends on the machine."""
    compared = Counter[str]()
    original = matching.similarity

    def counting(one: str, other: str) -> float:
        compared["pairs"] += 1
        return original(one, other)

    rows = Rows(*(entry(f"word{n}", days=-(n % 5)) for n in range(1_000)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "similarity", counting)
        rows.read([entry(f"other{n}", days=-(n % 5)) for n in range(1_000)])
    assert 0 < compared["pairs"] <= 1_000 * 2 * matching.NEIGHBOURS


def test_the_same_lists_have_the_same_outcome():
    known, fresh = [entry(f"t{n % 7}", -n % 3) for n in range(60)], [entry(f"t{n % 5}", -n % 3) for n in range(60)]

    def outcome():
        found = Rows(*known).read(fresh)
        return [(row.id, item.content) for row, item in found.modified], [item.content for item in found.added]

    assert outcome() == outcome()
    assert outcome()[0] != []
