"""Breakers as all processes share them: `banks.domain.breaker` decides, one script in Valkey keeps.

The rules are Python. A change is: read, decide, and let the script put the new text in place of the one that was read;
when somebody else was faster, decide again. So no decision is lost, and the rules stand in one place.

When Valkey does not answer, every breaker is closed: calls go on as if nothing was known.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, cast

import msgspec
import structlog

from banks.domain.breaker import CLOSED, Answer, Breaker, admit, record
from banks.domain.profiles import Operation
from connect.kit import clock, ids, valkey

log = structlog.get_logger(__name__)

_SWAP: Final = """
local found = redis.call('GET', KEYS[1]) or ''
if found ~= ARGV[1] then return found end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return false
"""
"""KEYS: the breaker. ARGV: the text that was read, the new one, seconds it is kept. Answers nil, or what stands there
instead."""
KEPT_SECONDS: Final = 3 * 3600
"""Longer than any pause; a bank that nobody called for so long starts afresh."""
TRIES_MAX: Final = 200
PAUSE_MAX_SECONDS: Final = 0.004
"""Between two tries, at random: those who stand in each other's way part."""


def ask(slug: str, operation: Operation, *, deadline_seconds: float, present: bool) -> tuple[Answer, str, float]:
    """May this call be made? Answers with the permit to hand back to `report`, and the seconds to wait after a no."""
    permit_id = ids.new().hex
    given: list[tuple[Answer, float]] = []

    def decide(breaker: Breaker, now: float) -> Breaker:
        changed, answer = admit(
            breaker, now, permit_id=permit_id, deadline_seconds=deadline_seconds, present=present
        )  # fmt: skip
        given.append((answer, breaker.wait_seconds(now)))
        return changed

    if not _change(slug, operation, decide):
        return Answer.GO, permit_id, 0.0
    answer, wait = given[-1]
    return answer, permit_id, wait


def report(slug: str, operation: Operation, permit_id: str, *, failed: bool) -> None:
    """Tell what became of a call. `failed` only for what blames the bank's availability."""
    _change(slug, operation, lambda breaker, now: record(breaker, now, permit_id=permit_id, failed=failed))


def known(slugs: Iterable[str]) -> dict[tuple[str, Operation], Breaker]:
    """What is known of these banks, in one question; empty while Valkey is away."""
    places = [(slug, operation) for slug in slugs for operation in Operation]
    if not places:
        return {}
    try:
        found = cast("list[bytes | None]", valkey.client().mget([_key(*place) for place in places]))
    except valkey.ValkeyError as error:
        log.warning("banks.breaker.valkey_down", error=repr(error))
        return {}
    return {place: _read(text) for place, text in zip(places, found, strict=True) if text}


def _change(slug: str, operation: Operation, decide: Callable[[Breaker, float], Breaker]) -> bool:
    """Put `decide`'s answer in the breaker's place; False when Valkey could not be asked."""
    client: Any = valkey.client()
    key = _key(slug, operation)
    try:
        text: bytes = client.get(key) or b""
        for _ in range(TRIES_MAX):
            changed = msgspec.json.encode(decide(_read(text), clock.wall().timestamp()))
            if changed == text:
                return True
            instead = client.eval(_SWAP, 1, key, text, changed, KEPT_SECONDS)
            if instead is None:
                return True
            text = instead
            time.sleep(random.random() * PAUSE_MAX_SECONDS)  # noqa: S311 - no secret
    except valkey.ValkeyError as error:
        log.warning("banks.breaker.valkey_down", error=repr(error))
        return False
    log.warning("banks.breaker.contended", bank=slug, operation=operation.value)
    return False


def _read(text: bytes) -> Breaker:
    return msgspec.json.decode(text, type=Breaker) if text else CLOSED


def _key(slug: str, operation: Operation) -> str:
    return f"fc:breaker:{{{slug}}}:{operation.value}"
