"""Random histories against a ledger of a few lines of Python: the same answers, the same balances, no drift.

The seed is printed by Hypothesis on failure; `make soak` runs many more steps.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connect.kit.errors import DomainError
from connect.kit.money import Money
from ledger.domain.postings import Line, Posting
from ledger.selectors import balances, drift
from ledger.services import holds, journal
from tests.ledger.conftest import spec

SPECS = {
    "w": spec("w", "debit"),
    "a": spec("a", floor=0),
    "b": spec("b", floor=-50),
    "t": spec("t", "debit", floor=0),
    "s": spec("s", stripes=4),
}


class Refused(Exception):
    """The model refuses."""


@dataclass
class Model:
    """posted is credit-positive; a hold is [source, destination, open]."""

    posted: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SPECS, 0))
    holds: list[list] = field(default_factory=list)
    transactions: list[dict[str, int]] = field(default_factory=list)
    reversed: set[int] = field(default_factory=set)

    def available(self, path):
        sign = 1 if SPECS[path].normal_side == "credit" else -1
        return sign * self.posted[path] - self.outgoing(path)

    def outgoing(self, path):
        side = 0 if SPECS[path].normal_side == "credit" else 1
        return sum(hold[2] for hold in self.holds if hold[side] == path)

    def change(self, work):
        before = {path: self.available(path) for path in SPECS}
        saved = dict(self.posted), [list(hold) for hold in self.holds]
        work()
        for path, account in SPECS.items():
            after = self.available(path)
            if account.floor_minor is not None and after < before[path] and after < account.floor_minor:
                self.posted, self.holds = saved
                raise Refused

    def post(self, changes):
        def work():
            for path, minor in changes.items():
                self.posted[path] += minor

        self.change(work)
        self.transactions.append(changes)

    def reverse(self, index):
        if index in self.reversed:
            raise Refused
        self.post({path: -minor for path, minor in self.transactions[index].items()})
        self.reversed.add(index)

    def place(self, source, destination, minor):
        self.change(lambda: self.holds.append([source, destination, minor]))

    def settle(self, index, minor, final):
        source, destination, left = self.holds[index]
        if not left or minor > left:
            raise Refused
        self.holds[index][2] = 0 if final else left - minor
        self.posted[source] -= minor
        self.posted[destination] += minor
        self.transactions.append({source: -minor, destination: minor})

    def void(self, index):
        if not self.holds[index][2]:
            raise Refused
        self.holds[index][2] = 0


PATH = st.sampled_from(sorted(SPECS))
MINOR = st.integers(1, 120)
PICK = st.integers(0, 10**6)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("post"), PATH, PATH, MINOR),
        st.tuples(st.just("split"), PATH, PATH, PATH, MINOR, MINOR),
        st.tuples(st.just("reverse"), PICK),
        st.tuples(st.just("place"), PATH, PATH, MINOR),
        st.tuples(st.just("settle"), PICK, MINOR, st.booleans()),
        st.tuples(st.just("void"), PICK),
    ),
    min_size=10,
    max_size=40,
)


class Run:
    """One history, told to both."""

    def __init__(self, caller):
        self.caller, self.model = caller, Model()
        self.transactions, self.holds, self.number = [], [], 0

    def key(self):
        self.number += 1
        return f"k{self.number}"

    def posting(self, changes):
        return Posting("test", self.key(), tuple(Line(SPECS[path], Money(minor, "eur")) for path, minor in changes))

    def step(self, name, *values):
        work = getattr(self, name)(*values)
        if work is None:
            return
        ours, model = work
        with contextlib.ExitStack() as stack:
            expected = None
            try:
                model()
            except Refused:
                expected = stack.enter_context(pytest.raises(DomainError))
                stack.enter_context(transaction.atomic())
            ours()
        assert expected is None or expected.type is not None

    def post(self, source, destination, minor):
        if source == destination:
            return None
        posting = self.posting([(source, -minor), (destination, minor)])
        return (lambda: self.transactions.append(journal.post(self.caller, posting).id)), (
            lambda: self.model.post({source: -minor, destination: minor})
        )

    def split(self, source, first, second, one, two):
        if len({source, first, second}) < 3:
            return None
        changes = [(source, -one - two), (first, one), (second, two)]
        return (lambda: self.transactions.append(journal.post(self.caller, self.posting(changes)).id)), (
            lambda: self.model.post(dict(changes))
        )

    def reverse(self, pick):
        if not self.transactions:
            return None
        index = pick % len(self.transactions)
        ours = lambda: self.transactions.append(  # noqa: E731
            journal.reverse(self.caller, transaction_id=self.transactions[index], idempotency_key=self.key()).id
        )
        return ours, lambda: self.model.reverse(index)

    def place(self, source, destination, minor):
        if source == destination:
            return None
        ours = lambda: self.holds.append(  # noqa: E731
            holds.place(
                self.caller,
                source=SPECS[source],
                destination=SPECS[destination],
                amount=Money(minor, "eur"),
                idempotency_key=self.key(),
            ).id
        )
        return ours, lambda: self.model.place(source, destination, minor)

    def settle(self, pick, minor, final):
        if not self.holds:
            return None
        index = pick % len(self.holds)
        ours = lambda: self.transactions.append(  # noqa: E731
            holds.post(
                self.caller, hold_id=self.holds[index], amount=minor, final=final, idempotency_key=self.key()
            ).transaction_id
        )
        return ours, lambda: self.model.settle(index, minor, final)

    def void(self, pick):
        if not self.holds:
            return None
        index = pick % len(self.holds)
        return (lambda: holds.void(self.caller, hold_id=self.holds[index])), (lambda: self.model.void(index))

    def compare(self):
        found = balances.for_paths(SPECS)
        for path, balance in found.items():
            assert balance.posted == self.model.posted[path], path
            assert balance.held_out == self.model.outgoing(path), path
            assert balance.available == self.model.available(path), path
        assert drift.report().faults == ()


def play(caller, steps):
    class Done(Exception):
        pass

    run = Run(caller)

    def history():
        with transaction.atomic():
            for step in steps:
                run.step(*step)
            run.compare()
            raise Done

    with pytest.raises(Done):
        history()


QUIET = {"suppress_health_check": [HealthCheck.function_scoped_fixture], "database": None}


@settings(max_examples=15, derandomize=True, **QUIET)
@given(steps=STEPS)
def test_the_ledger_does_what_the_model_does(caller, opened, steps):
    play(caller, steps)


@pytest.mark.soak
@settings(max_examples=1000, **QUIET)
@given(steps=STEPS)
def test_the_ledger_does_what_the_model_does_for_long(caller, opened, steps):
    play(caller, steps)
