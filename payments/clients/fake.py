"""A processor in memory, with books: for service tests that ask how often, and how much, money really moved."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from payments.clients.processor import (
    AnyRequest,
    Approved,
    AuthorizeRequest,
    CancelRefundRequest,
    CaptureRequest,
    GuardedProcessor,
    IncrementRequest,
    NotFound,
    Outcome,
    ProcessorTimeout,
    ProcessorUnavailable,
    RefundRequest,
    SetUpRequest,
    StatusOutcome,
    VoidRequest,
)

Operation = Literal["authorize", "capture", "void", "increment", "refund", "cancel_refund", "set_up", "status"]
Plan = Outcome | Literal["fail_before", "fail_after"]


@dataclass
class FakeProcessor(GuardedProcessor):
    """Approves everything unless told otherwise by `will`. The same attempt never moves money twice.

    `calls` lists (operation, attempt id) of every call, lost and repeated ones too. `books` holds the final answer per
    attempt; `moved` the money per attempt, in minor units: taken is positive, returned is negative, held is not in it.
    `would_move` is the same for every attempt that arrived, approved or not.
    """

    name: ClassVar[str] = "fake"

    calls: list[tuple[Operation, str]] = field(default_factory=list)
    books: dict[str, Outcome] = field(default_factory=dict)
    moved: dict[str, int] = field(default_factory=dict)
    plans: dict[Operation, deque[Plan]] = field(default_factory=dict)
    would_move: dict[str, int] = field(default_factory=dict)

    def will(self, operation: Operation, *plans: Plan) -> None:
        """Plan the next calls of `operation`: an outcome to answer, `"fail_before"` or `"fail_after"` the effect.

        `fail_before` is a connection that never came about (`ProcessorUnavailable`); `fail_after` approves, moves the
        money and loses the answer (`ProcessorTimeout`). A repeated attempt uses no plan: it is answered from the books.
        A plan for `status` is what a question about an attempt meets; it moves nothing.
        """
        self.plans.setdefault(operation, deque()).extend(plans)

    def resolve(self, attempt_id: str, outcome: Outcome) -> None:
        """Write the answer into the books, as time does for one that was `Pending`; an approval moves the money."""
        self.books[attempt_id] = outcome
        if isinstance(outcome, Approved):
            self.moved[attempt_id] = self.would_move[attempt_id]

    @property
    def balance_minor(self) -> int:
        """All money that moved, over all attempts and regardless of currency: for tests in one currency."""
        return sum(self.moved.values())

    def refuse_unsuitable(self, request: AnyRequest) -> None:
        """The fake takes every request, live ones too."""

    def _authorize(self, request: AuthorizeRequest) -> Outcome:
        return self._perform("authorize", request, moves=request.amount_minor if request.capture else 0)

    def _capture(self, request: CaptureRequest) -> Outcome:
        return self._perform("capture", request, moves=request.amount_minor)

    def _void(self, request: VoidRequest) -> Outcome:
        return self._perform("void", request, moves=0)

    def _refund(self, request: RefundRequest) -> Outcome:
        return self._perform("refund", request, moves=-request.amount_minor)

    def _increment(self, request: IncrementRequest) -> Outcome:
        return self._perform("increment", request, moves=0)

    def _cancel_refund(self, request: CancelRefundRequest) -> Outcome:
        return self._perform("cancel_refund", request, moves=0)

    def _set_up(self, request: SetUpRequest) -> Outcome:
        return self._perform("set_up", request, moves=0)

    def _status(self, request: AnyRequest) -> StatusOutcome:
        planned = self.plans.get("status")
        plan: Plan | StatusOutcome = planned.popleft() if planned else self.books.get(request.attempt_id, NotFound())
        if plan == "fail_before":
            raise ProcessorUnavailable(f"planned: nobody heard the question about {request.attempt_id}")
        if plan == "fail_after":
            raise ProcessorTimeout(f"planned: the answer about {request.attempt_id} was lost")
        return plan

    def _perform(self, operation: Operation, request: AnyRequest, *, moves: int) -> Outcome:
        self.calls.append((operation, request.attempt_id))
        if request.attempt_id in self.books:
            return self.books[request.attempt_id]
        planned = self.plans.get(operation)
        plan: Plan = planned.popleft() if planned else _approval(operation, request)
        if plan == "fail_before":
            raise ProcessorUnavailable(f"planned: {request.attempt_id} never arrived")
        self.would_move[request.attempt_id] = moves
        outcome = _approval(operation, request) if plan == "fail_after" else plan
        self.resolve(request.attempt_id, outcome)
        if plan == "fail_after":
            raise ProcessorTimeout(f"planned: the answer to {request.attempt_id} was lost")
        return outcome


def _approval(operation: Operation, request: AnyRequest) -> Approved:
    captures = operation == "capture" or (isinstance(request, AuthorizeRequest) and request.capture)
    holds = operation == "authorize" and not captures
    return Approved(
        reference=f"fake_{operation}_{request.attempt_id}",
        amount_minor=0 if isinstance(request, SetUpRequest) else request.amount_minor,
        captured=captures,
        hold_seconds=7 * 24 * 60 * 60 if holds else None,
    )
