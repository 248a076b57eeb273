"""The capped stream in Valkey between the web processes and the request log.

It holds `LENGTH_MAX` records at most: about a hundred megabytes at the very worst, so that a drain that stands still
can never fill the server that the limiter and the broker live on. Older records are then lost, and counted.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, cast

import redis

from connect.kit import valkey

STREAM: Final = "fc:request-log"
GROUP: Final = "drain"
CONSUMER: Final = "drain"
LENGTH_MAX: Final = 5_000
LOCK: Final = "fc:request-log:lock"
LOCK_SECONDS: Final = 60
_UNLOCK: Final = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"

Entry = tuple[bytes, bytes]
"""A stream id and the record under it; empty where the cap has cut it off the stream while it was pending."""


def append(records: Sequence[bytes]) -> None:
    """Add the records in one round trip; raises `valkey.ValkeyError`, after which each may or may not be there."""
    pipeline: Any = valkey.patient_client().pipeline(transaction=False)
    for record in records:
        pipeline.execute_command("XADD", STREAM, "MAXLEN", "~", LENGTH_MAX, "*", "r", record)
    pipeline.execute()


def read(count: int) -> list[Entry]:
    """Up to `count` records: first those that were read before and never acknowledged, then new ones.

    There is one consumer, behind a lock, so whatever is pending was left by a drain that died.
    """
    pending = _read(count, "0")
    return pending if len(pending) >= count else pending + _read(count - len(pending), ">")


def acknowledge(ids: Sequence[bytes]) -> None:
    """Forget records that are safe in the database."""
    if ids:
        pipeline: Any = valkey.patient_client().pipeline(transaction=True)
        pipeline.execute_command("XACK", STREAM, GROUP, *ids)
        pipeline.execute_command("XDEL", STREAM, *ids)
        pipeline.execute()


@contextmanager
def only_one() -> Iterator[bool]:
    """Whether this is the one drain at work. The lock outlives a dead holder by `LOCK_SECONDS`; should a slow one lose
    it, two drains write the same rows, which does no harm.
    """
    client: Any = valkey.patient_client()
    token = secrets.token_hex(16)
    held = bool(client.set(LOCK, token, nx=True, ex=LOCK_SECONDS))
    try:
        yield held
    finally:
        if held:
            client.eval(_UNLOCK, 1, LOCK, token)


def _read(count: int, since: str) -> list[Entry]:
    client: Any = valkey.patient_client()
    command = ("XREADGROUP", "GROUP", GROUP, CONSUMER, "COUNT", count, "STREAMS", STREAM, since)
    try:
        answer = client.execute_command(*command)
    except redis.ResponseError as error:
        if not str(error).startswith("NOGROUP"):
            raise
        # The first drain ever, or the first after Valkey was flushed.
        client.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        answer = client.execute_command(*command)
    if not answer:
        return []
    return [(cast("bytes", identifier), fields.get(b"r", b"")) for identifier, fields in answer[0][1]]
