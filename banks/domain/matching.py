"""Which entry of a bank's list is which row of ours. Banks renumber, reword, blank and repeat; an id of ours stays.

Entries and rows of one account are paired in this order, each with one at most:

0. everything is equal, the bank's ids included: nothing happened;
1. the bank's transaction id, where it is there and unique in both lists, and the two can be the same entry;
2. its entry reference, in the same way;
3. the fingerprint: booking date, signed amount, counterparty and remittance. Equal entries are genuine twins and are
   counted: two rows for two entries;
4. the same amount and a similar text: a pending entry that was booked up to seven days later, or an entry that was
   reworded on its day.

What is left of the list is new. What is left of the rows is gone, as far as the list would have shown it.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import SequenceMatcher
from typing import Final
from uuid import UUID

import msgspec

from banks.domain.bank_data import EntryData, EntryStatus
from banks.domain.names import fold

BOOKED_WITHIN_DAYS: Final = 7
"""How long after it was seen a pending entry is looked for among the booked ones."""
PENDING_DAYS: Final = 14
"""How long a pending entry is kept where the bank does not list pending ones."""
MOVED_DAYS_MAX: Final = 14
"""How far apart two dates of the same entry may be, when the bank's id says that it is the same."""
SIMILAR: Final = 0.5
"""From here on two texts may tell of the same entry; 1 is equal."""
NEIGHBOURS: Final = 24
"""With how many rows of the same amount an entry is compared by text: the nearest in time."""
OCCURRENCE_MAX: Final = 32_767
_PENDING: Final = EntryStatus.PENDING


class Known(msgspec.Struct, frozen=True, gc=False):
    """What the matching has to know of a row that is not removed. `day` is its booking date, else when it was seen."""

    id: UUID
    status: str
    amount_minor: int
    currency: str
    day: date
    bank_id: str | None
    reference: str | None
    fingerprint: bytes
    occurrence: int
    content: bytes
    text: str


class Incoming(msgspec.Struct, frozen=True, gc=False):
    """An entry of the bank's list. `text` is what it says, folded for comparing and searching."""

    entry: EntryData
    day: date
    fingerprint: bytes
    content: bytes
    text: str


@dataclass(slots=True)
class Outcome:
    """What has to be written: new entries, changed rows, rows that are gone. `occurrences` counts twins."""

    added: list[Incoming] = field(default_factory=list)
    modified: list[tuple[Known, Incoming]] = field(default_factory=list)
    removed: list[Known] = field(default_factory=list)
    unchanged: int = 0
    occurrences: dict[int, int] = field(default_factory=dict)

    def occurrence(self, incoming: Incoming) -> int:
        """Which of its twins a new or changed entry is, from zero."""
        return min(self.occurrences.get(id(incoming), 0), OCCURRENCE_MAX)


def prepare(bank_account_id: UUID, entries: Iterable[EntryData], *, today: date) -> list[Incoming]:
    """The entries with what they are compared by, in the bank's order.

    A line that comes twice with the same id of the bank and everything else equal is one entry: a page that shifted
    while it was read. Without an id it is a twin.
    """
    account = hashlib.blake2b(bank_account_id.bytes, digest_size=16)
    encode, digest, seen = msgspec.msgpack.Encoder().encode, hashlib.blake2b, set()
    found = []
    for entry in entries:
        content = digest(encode(entry), digest_size=16).digest()
        if entry.transaction_id or entry.entry_reference:
            if content in seen:
                continue
            seen.add(content)
        party = entry.counterparty.name
        said = fold(f"{party} {entry.remittance or ''}" if party else entry.remittance or "")
        mark = account.copy()
        mark.update(f"{entry.booking_date}|{entry.amount_minor}|{entry.currency}|{said}".encode())
        day = entry.booking_date or entry.value_date or today
        numbers = f"{entry.counterparty.account or ''} {entry.structured_reference or ''} {entry.end_to_end_id or ''}"
        text = f"{said} {fold(numbers)}" if len(numbers) > 2 else said
        found.append(Incoming(entry, day, mark.digest(), content, text))
    return found


def match(known: Sequence[Known], incoming: Sequence[Incoming], *, today: date, pending_listed: bool) -> Outcome:
    """Pair the rows with the list.

    `known` are all pending rows of the account and its booked ones from the first day of the list on; `incoming` is
    the whole list. `pending_listed` says that it holds pending entries if there are any. Deterministic: the same rows
    and list, the same outcome.
    """
    rows = sorted(known, key=lambda row: (row.day, row.occurrence, row.id.int))
    pairs = _Pairs(rows, incoming)
    pairs.by_key(lambda row: row.content, lambda item: item.content)
    unchanged = len(pairs.found)
    pairs.by_id(lambda row: row.bank_id, lambda item: item.entry.transaction_id)
    pairs.by_id(lambda row: row.reference, lambda item: item.entry.entry_reference)
    pairs.by_key(lambda row: row.fingerprint, lambda item: item.fingerprint)
    pairs.by_likeness()
    outcome = Outcome(unchanged=unchanged, modified=pairs.found[unchanged:], added=pairs.new())
    outcome.removed = [
        row
        for row in pairs.rows.values()
        if row.status != _PENDING or pending_listed or (today - row.day).days > PENDING_DAYS
    ]
    _count_twins(outcome, rows)
    return outcome


def similarity(one: str, other: str) -> float:
    """How alike two folded texts are, 0 to 1: by their words, else by their letters. With nothing there, it is open."""
    if one == other:
        return 1.0
    if not one or not other:
        return SIMILAR
    words, others = set(one.split()), set(other.split())
    shared = len(words & others) / min(len(words), len(others))
    if shared >= SIMILAR:
        return min(shared, 0.99)
    letters = SequenceMatcher(None, one[:140], other[:140], autojunk=False)
    if letters.real_quick_ratio() < SIMILAR or letters.quick_ratio() < SIMILAR:
        return 0.0
    return min(letters.ratio(), 0.99)


class _Pairs:
    """The pairs found so far, and what is left on either side, by place in its list."""

    def __init__(self, rows: Sequence[Known], incoming: Sequence[Incoming]) -> None:
        self.rows = dict(enumerate(rows))
        self.incoming = dict(enumerate(incoming))
        self.found: list[tuple[Known, Incoming]] = []

    def new(self) -> list[Incoming]:
        return list(self.incoming.values())

    def by_key(self, of_row: Callable[[Known], bytes], of_item: Callable[[Incoming], bytes]) -> None:
        """The n-th row of a key with the n-th entry of the same."""
        if not self.rows:
            return
        waiting: defaultdict[bytes, list[int]] = defaultdict(list)
        for place in reversed(self.rows):
            waiting[of_row(self.rows[place])].append(place)
        for place, item in list(self.incoming.items()):
            same = waiting.get(of_item(item))
            if same:
                self._pair(same.pop(), place)

    def by_id(self, of_row: Callable[[Known], str | None], of_item: Callable[[Incoming], str | None]) -> None:
        """Those that alone have an id of the bank's. One that it gave to another entry says nothing: who has an equal
        on the other side is left for it.
        """
        if not self.rows:
            return
        rows = _unique((of_row(row), place) for place, row in self.rows.items())
        items = _unique((of_item(item), place) for place, item in self.incoming.items())
        row_marks = {row.fingerprint for row in self.rows.values()}
        item_marks = {item.fingerprint for item in self.incoming.values()}
        for bank_id, place in items.items():
            row, item = self.rows.get(rows.get(bank_id, -1)), self.incoming[place]
            if row is None:
                continue
            taken = row.fingerprint in item_marks or item.fingerprint in row_marks
            if row.fingerprint == item.fingerprint or (not taken and _can_be(row, item)):
                self._pair(rows[bank_id], place)

    def by_likeness(self) -> None:
        """The likeliest pairs of equal amount first. Each entry is compared with its nearest rows only."""
        if not self.rows:
            return
        groups: defaultdict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
        for place, row in self.rows.items():
            groups[row.currency, row.amount_minor].append((row.day.toordinal(), place))
        for group in groups.values():
            group.sort()
        offers = []
        for place, item in self.incoming.items():
            group = groups.get((item.entry.currency, item.entry.amount_minor), [])
            day = item.day.toordinal()
            week, same_day = bisect_left(group, (day - BOOKED_WITHIN_DAYS, -1)), bisect_left(group, (day, -1))
            near = dict.fromkeys(group[week : week + NEIGHBOURS] + group[same_day : same_day + NEIGHBOURS])
            for _, row_place in near:
                row = self.rows[row_place]
                if not _can_have_become(row, item):
                    continue
                likeness = similarity(row.text, item.text)
                if likeness >= SIMILAR:
                    offers.append((-likeness, abs((item.day - row.day).days), row_place, place))
        for _, _, row_place, place in sorted(offers):
            if row_place in self.rows and place in self.incoming:
                self._pair(row_place, place)

    def _pair(self, row_place: int, place: int) -> None:
        self.found.append((self.rows.pop(row_place), self.incoming.pop(place)))


def _unique(pairs: Iterable[tuple[str | None, int]]) -> dict[str, int]:
    found = [(bank_id, place) for bank_id, place in pairs if bank_id]
    times = Counter(bank_id for bank_id, _ in found)
    return {bank_id: place for bank_id, place in found if times[bank_id] == 1}


def _can_be(row: Known, item: Incoming) -> bool:
    """Whether an id may be believed: money and time fit, and nothing that was booked is pending again.

    A hold may be booked with another amount, when the text says the same.
    """
    if row.currency != item.entry.currency or abs((item.day - row.day).days) > MOVED_DAYS_MAX:
        return False
    if row.status != _PENDING and item.entry.status == _PENDING:
        return False
    return row.amount_minor == item.entry.amount_minor or (
        row.status == _PENDING and row.amount_minor * item.entry.amount_minor > 0 and row.text == item.text
    )


def _can_have_become(row: Known, item: Incoming) -> bool:
    if row.status == _PENDING:
        return -1 <= (item.day - row.day).days <= BOOKED_WITHIN_DAYS
    return item.entry.status != _PENDING and item.day == row.day


def _count_twins(outcome: Outcome, rows: Sequence[Known]) -> None:
    if not (outcome.added or outcome.modified):
        return
    gone = {row.id for row in outcome.removed}
    changed = {row.id for row, item in outcome.modified if row.fingerprint != item.fingerprint}
    highest: dict[bytes, int] = {}
    for row in rows:
        if row.id not in gone and row.id not in changed:
            highest[row.fingerprint] = max(highest.get(row.fingerprint, -1), row.occurrence)
    for row, item in outcome.modified:
        if row.id not in changed:
            outcome.occurrences[id(item)] = row.occurrence
    fresh = [item for row, item in outcome.modified if row.id in changed] + outcome.added
    for item in fresh:
        number = highest.get(item.fingerprint, -1) + 1
        highest[item.fingerprint] = number
        if number:
            outcome.occurrences[id(item)] = number
