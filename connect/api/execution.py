"""How an entry point runs a service: it owns the transaction, the idempotency key and the retries.

*read*: one transaction. *local*: one transaction holds the rules, the rows, the postings, the event and the stored
answer. *external*: two, with the call to the outside world between them; the claim, the attempt and a lease commit
first, so an answer that never came can be settled by the sweeper or by the same key sent again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from django.db import InterfaceError, OperationalError

from connect.api.errors import is_unreachable, render_error
from connect.domain.errors import IdempotencyKeyInUse
from connect.kit.caller import Caller
from connect.kit.errors import DomainError, InternalError, LockTimeout
from connect.kit.failpoints import failpoint
from connect.kit.outcomes import Refused, Waiting
from connect.kit.tenancy import use_environment
from connect.services import idempotency
from connect.services.idempotency import Claim, Interrupted, KeyRaced, StoredReply

T = TypeVar("T")
Render = Callable[[Any], bytes]
TRIES: Final = 3
_RETRYABLE: Final = frozenset({"40P01", "40001"})  # deadlock detected, serialization failure
_LOCK_NOT_AVAILABLE: Final = "55P03"
_RECORD_PAUSES: Final = (0.2, 0.6, 1.2)
"""Seconds between tries to write down what the outside world did: about as long as a database takes to come back."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as bytes, made inside the transaction. `replayed` says that it was stored earlier."""

    status: int
    body: bytes
    replayed: bool = False
    headers: dict[str, str] = field(default_factory=dict)


def read(caller: Caller, work: Callable[[Caller], Any], render: Render) -> Reply:
    """Run `work` in a transaction and render its object before the transaction ends."""
    return retrying(lambda: _read_once(caller, work, render))


def local(caller: Caller, claim: Claim | None, work: Callable[[Caller], Any], render: Render) -> Reply:
    """Run `work` and keep its answer under the key, in one transaction.

    `work` returns an object or `Refused`. A refusal that is raised rolls everything back and does not use up the key;
    an unexpected failure is stored as the key's answer in a second transaction, because the request did begin.
    """
    try:
        reply = retrying(lambda: _local_once(caller, claim, work, render))
    except (DomainError, OperationalError, InterfaceError):
        raise
    except Exception:
        if claim is not None:
            _store_failure(caller, claim)
        raise
    failpoint("api.local.committed")
    return reply


def external(
    caller: Caller,
    claim: Claim | None,
    *,
    begin: Callable[[Caller], Any],
    resume: Callable[[Caller, str], Any],
    call: Callable[[Waiting], Any],
    record: Callable[[Caller, Waiting, Any], Any],
    render: Render,
) -> Reply:
    """Claim, call, record. `begin` and `resume` return an object, `Refused`, or `Waiting` for the outside world."""
    try:
        first = retrying(lambda: _begin_once(caller, claim, begin, resume, render))
    except (DomainError, OperationalError, InterfaceError):
        raise
    except Exception:
        if claim is not None:
            _store_failure(caller, claim)
        raise
    if isinstance(first, Reply):
        return first
    answer = call(first)
    reply = _persistently(lambda: _record_once(caller, claim, first, answer, record, render))
    failpoint("api.external.committed")
    return reply


def retrying(work: Callable[[], T]) -> T:
    """Run a transaction again when the database asks for it: three tries for deadlocks and raced keys."""
    for attempt in range(1, TRIES + 1):
        try:
            return work()
        except KeyRaced as raced:
            if attempt == TRIES:
                raise IdempotencyKeyInUse from raced
        except OperationalError as error:
            code = sqlstate(error)
            if code == _LOCK_NOT_AVAILABLE:
                raise LockTimeout from error
            if code not in _RETRYABLE:
                raise
            if attempt == TRIES:
                raise LockTimeout from error
    raise AssertionError("unreachable")


def _persistently(work: Callable[[], T]) -> T:
    """Like `retrying`, and patient with a database that is away or a row that is held: money may have moved already.

    `work` may run twice, also when only the answer to its commit was lost: whoever comes second changes nothing and
    says the same.
    """
    for pause in _RECORD_PAUSES:
        try:
            return retrying(work)
        except LockTimeout:
            pass  # a row is held for long: who comes later must not have to ask the outside world again
        except (OperationalError, InterfaceError) as error:
            if not is_unreachable(error):
                raise
        time.sleep(pause)
    return retrying(work)


def sqlstate(error: BaseException) -> str | None:
    """The five characters of a database error, from Django's wrapper or psycopg's own."""
    return getattr(error.__cause__, "sqlstate", None) or getattr(error, "sqlstate", None)


def _read_once(caller: Caller, work: Callable[[Caller], Any], render: Render) -> Reply:
    with use_environment(caller.environment):
        return Reply(200, render(work(caller)))


def _local_once(caller: Caller, claim: Claim | None, work: Callable[[Caller], Any], render: Render) -> Reply:
    with use_environment(caller.environment, try_lock=claim.lock if claim else None) as scope:
        if claim is not None:
            found = idempotency.find(caller, claim, locked=bool(scope.locked))
            if isinstance(found, StoredReply):
                return Reply(found.status, found.body, replayed=True)
        reply = _render(caller, work(caller), render)
        if claim is not None:
            idempotency.store(caller, claim, status=reply.status, body=reply.body)
        failpoint("api.local.stored")
        return reply


def _begin_once(
    caller: Caller,
    claim: Claim | None,
    begin: Callable[[Caller], Any],
    resume: Callable[[Caller, str], Any],
    render: Render,
) -> Reply | Waiting:
    with use_environment(caller.environment, try_lock=claim.lock if claim else None) as scope:
        found = idempotency.find(caller, claim, locked=bool(scope.locked)) if claim else None
        if isinstance(found, StoredReply):
            return Reply(found.status, found.body, replayed=True)
        resumed = found is not None
        outcome = resume(caller, found.resume) if isinstance(found, Interrupted) else begin(caller)
        if isinstance(outcome, Waiting):
            if claim is not None:
                keep_claim = idempotency.retarget if resumed else idempotency.begin
                keep_claim(caller, claim, resume=outcome.resume)
            failpoint("api.external.claimed")
            return outcome
        reply = _render(caller, outcome, render)
        if claim is not None:
            keep = idempotency.finish if resumed else idempotency.store
            keep(caller, claim, status=reply.status, body=reply.body)
        return reply


def _record_once(
    caller: Caller,
    claim: Claim | None,
    waiting: Waiting,
    answer: Any,
    record: Callable[[Caller, Waiting, Any], Any],
    render: Render,
) -> Reply:
    with use_environment(caller.environment):
        outcome = record(caller, waiting, answer)
        reply = _render(caller, outcome, render)
        if claim is not None and isinstance(outcome, Refused) and not outcome.keep:
            idempotency.release(caller, claim)
        elif claim is not None:
            earlier = idempotency.finish(caller, claim, status=reply.status, body=reply.body)
            if earlier is not None:
                return Reply(earlier.status, earlier.body, replayed=True)
        return reply


def _render(caller: Caller, outcome: Any, render: Render) -> Reply:
    if isinstance(outcome, Refused):
        body, status, headers = render_error(outcome.error, caller.request_id)
        return Reply(status, body, headers=headers)
    return Reply(200, render(outcome))


def _store_failure(caller: Caller, claim: Claim) -> None:
    body, status, _ = render_error(InternalError(), caller.request_id)
    try:
        with use_environment(caller.environment, try_lock=claim.lock) as scope:
            if scope.locked:
                idempotency.store(caller, claim, status=status, body=body)
    except (OperationalError, InterfaceError, KeyRaced):
        return  # stored already, or not to be stored now; the failure itself is on its way to the caller and to the log
