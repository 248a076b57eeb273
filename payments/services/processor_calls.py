"""Calling a processor: outside of any transaction, with plain values, and without ever guessing what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from connect.kit.failpoints import failpoint
from connect.kit.outcomes import Waiting
from payments import clients
from payments.clients.processor import (
    AnyRequest,
    AuthorizeRequest,
    CancelRefundRequest,
    CaptureRequest,
    IncrementRequest,
    NotFound,
    Processor,
    ProcessorTimeout,
    ProcessorUnavailable,
    RefundRequest,
    SetUpRequest,
    StatusOutcome,
    Unknown,
    VoidRequest,
)

PREFIX: Final = "patt"
"""Of the attempts' public ids, which are the processor's idempotency keys."""


@dataclass(frozen=True, slots=True)
class ProcessorCall:
    """What `perform` and whoever records need: plain values only. `ask_first` says that it may have been made before.

    `keep_for` is the customer who gets the payment method when this succeeds: whoever records locks it first.
    """

    attempt_id: UUID
    intent_id: UUID | None
    processor: str
    kind: str
    request: AnyRequest
    ask_first: bool = False
    keep_for: UUID | None = None


@dataclass(frozen=True, slots=True)
class NotReached:
    """The request never arrived at the processor, so no money moved."""


Answer = StatusOutcome | NotReached


def perform(waiting: Waiting) -> Answer:
    """Ask the processor, outside of any transaction. An answer that did not come is `Unknown`, never a guess."""
    call: ProcessorCall = waiting.call
    failpoint("payments.attempt.claimed", call.kind)
    answer = ask(waiting) if call.ask_first else NotFound()
    if isinstance(answer, NotFound):  # the processor never heard of it: sending it now cannot do it twice
        try:
            answer = _send(clients.get(call.processor), call.request)
        except ProcessorUnavailable:
            answer = NotReached()
        except ProcessorTimeout as lost:
            answer = Unknown(reason=str(lost))
    failpoint("payments.attempt.called", call.kind)
    return answer


def ask(waiting: Waiting) -> Answer:
    """Only ask, never send: all that the sweeper does, which settles what was begun and begins nothing.

    A question that did not arrive says nothing about the request it was about: that may have moved money.
    """
    call: ProcessorCall = waiting.call
    try:
        return clients.get(call.processor).status(call.request)
    except (ProcessorTimeout, ProcessorUnavailable) as silent:
        return Unknown(reason=str(silent))


def _send(processor: Processor, request: AnyRequest) -> Answer:
    match request:
        case AuthorizeRequest():
            return processor.authorize(request)
        case CaptureRequest():
            return processor.capture(request)
        case VoidRequest():
            return processor.void(request)
        case IncrementRequest():
            return processor.increment(request)
        case RefundRequest():
            return processor.refund(request)
        case CancelRefundRequest():
            return processor.cancel_refund(request)
        case SetUpRequest():
            return processor.set_up(request)
