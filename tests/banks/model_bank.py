"""A bank's books as a pure model that misbehaves as banks do, and the two ends of a comparison with them.

It books, lists pending entries and books them under new ids, makes genuine twins, renumbers, blanks and doubles ids,
rewords, takes back, and its pages shift while they are read. It changes only what a reader of the last ten days sees.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random

from hypothesis import strategies as st

from banks.domain.bank_data import EntryData, EntryStatus, PartyData

OVERLAP = timedelta(days=10)
TEXTS = ("Плата октомври", "POS Vero 42", "pos vero 42", "Kirija", "Qira shtator", None, "A\tb\\c\nd\x1f")
NAMES = ("Пекара Здравје", "Čačanska d.o.o.", None, "Shell")
STEPS = (
    "book", "book", "book", "twin", "hold", "hold", "book_hold", "book_hold", "drop_hold", "renumber", "blank",
    "double", "reword", "take_back", "day", "day", "sync", "sync", "sync_in_pages", "sync_in_pages", "sync_broken_off",
)  # fmt: skip
histories = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 2**16)), min_size=30, max_size=60)


@dataclass
class ModelBank:
    """`today` is the bank's; `visible_from` the first day of the reader's next list."""

    today: date
    visible_from: date
    entries: list[EntryData] = field(default_factory=list)
    number: int = 0

    def step(self, name: str, chance: Random) -> None:
        getattr(self, name)(chance)

    def book(self, chance: Random) -> None:
        day = max(self.visible_from, self.today - timedelta(days=chance.choice((0, 0, 1, 3))))
        self.entries.append(
            EntryData(
                status=EntryStatus.BOOKED,
                amount_minor=chance.choice((-500, -500, 1200, 99_900, -1)),
                currency="mkd",
                transaction_id=self._fresh() if chance.random() < 0.8 else None,
                entry_reference=f"R{self._fresh()}" if chance.random() < 0.3 else None,
                booking_date=day,
                value_date=day,
                counterparty=PartyData(name=chance.choice(NAMES)),
                remittance=chance.choice(TEXTS),
            )
        )

    def twin(self, chance: Random) -> None:
        if (found := self._pick(chance)) is not None:
            self.entries.append(replace(self.entries[found], transaction_id=None, entry_reference=None))

    def hold(self, chance: Random) -> None:
        self.book(chance)
        self.entries[-1] = replace(
            self.entries[-1],
            status=EntryStatus.PENDING,
            booking_date=None,
            value_date=self.today if chance.random() < 0.7 else None,
        )

    def book_hold(self, chance: Random) -> None:
        if (found := self._pick(chance, EntryStatus.PENDING)) is not None:
            hold = self.entries[found]
            text = hold.remittance if chance.random() < 0.5 else f"{hold.remittance or ''} kartica"
            self.entries[found] = replace(
                hold,
                status=EntryStatus.BOOKED,
                booking_date=self.today,
                remittance=text,
                transaction_id=chance.choice((None, self._fresh(), hold.transaction_id)),
            )

    def drop_hold(self, chance: Random) -> None:
        if (found := self._pick(chance, EntryStatus.PENDING)) is not None:
            del self.entries[found]

    def renumber(self, chance: Random) -> None:
        ids = [entry.transaction_id for entry in self.entries]
        chance.shuffle(ids)  # the same ids, for other entries
        fresh = chance.random() < 0.5
        for place in self._visible():
            own = self._fresh() if fresh else ids[place]
            self.entries[place] = replace(self.entries[place], transaction_id=own)

    def blank(self, chance: Random) -> None:
        for place in self._visible():
            if chance.random() < 0.5:
                self.entries[place] = replace(self.entries[place], transaction_id=None, entry_reference=None)

    def double(self, chance: Random) -> None:
        one, other = self._pick(chance), self._pick(chance)
        if one is not None and other is not None:
            self.entries[other] = replace(self.entries[other], transaction_id=self.entries[one].transaction_id)

    def reword(self, chance: Random) -> None:
        if (found := self._pick(chance)) is not None:
            self.entries[found] = replace(self.entries[found], remittance=chance.choice((*TEXTS, "Reworded")))

    def take_back(self, chance: Random) -> None:
        if (found := self._pick(chance)) is not None:
            del self.entries[found]

    def day(self, chance: Random) -> None:
        self.today += timedelta(days=chance.choice((1, 1, 2, 5)))

    def listed(self, since: date, chance: Random, *, in_pages: bool) -> list[EntryData]:
        """What a reader gets from `since` on, newest first. Between two pages the list may shift by one entry."""
        self._keep_apart()
        found = [entry for entry in self.entries if entry.booking_date is None or entry.booking_date >= since]
        found = sorted(found, key=lambda entry: entry.booking_date or self.today, reverse=True)
        if not in_pages:
            return found
        size, pages = chance.randint(1, 5), list[EntryData]()
        for place in range(0, len(found), size):
            before = found[place - 1] if place else None
            if before and (before.transaction_id or before.entry_reference) and chance.random() < 0.5:
                pages.append(before)
            pages += found[place : place + size]
        return pages

    def _keep_apart(self) -> None:
        """Two lines equal in everything, their id included, would be one line listed twice: nobody could know."""
        seen = set()
        for place, entry in enumerate(self.entries):
            if (entry.transaction_id or entry.entry_reference) and entry in seen:
                self.entries[place] = replace(entry, transaction_id=self._fresh())
            seen.add(self.entries[place])

    def _fresh(self) -> str:
        self.number += 1
        return f"T{self.number}"

    def _visible(self) -> list[int]:
        return [
            place
            for place, entry in enumerate(self.entries)
            if entry.booking_date is None or entry.booking_date >= self.visible_from
        ]

    def _pick(self, chance: Random, status: EntryStatus | None = None) -> int | None:
        places = [place for place in self._visible() if status in (None, self.entries[place].status)]
        return chance.choice(places) if places else None


def books(entries: list[EntryData]) -> Counter[tuple[object, ...]]:
    """What must agree of every entry; the bank's ids of older entries are not seen when they change."""
    return Counter(
        (entry.status.value, entry.booking_date, entry.amount_minor, entry.counterparty.name, _kept(entry.remittance))
        for entry in entries
    )


def _kept(text: str | None) -> str | None:
    return text.replace("\x1f", "") if text else text
