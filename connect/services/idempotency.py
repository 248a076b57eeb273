"""Idempotency keys: an effect and its answer commit together, and the same key gets the same bytes.

The scope of a key is environment + account + key. While a request holds the key's advisory lock or lease, another with
the same key is refused with 409; afterwards it gets the stored answer. What never began (validation, 401, 404, 429) is
not stored. Rules: docs.stripe.com/api/idempotent_requests.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import msgspec
from django.conf import settings
from django.db import IntegrityError, connection

from connect.domain.errors import IdempotencyKeyInUse, IdempotencyKeyTooLong, IdempotencyMismatch
from connect.kit import ids, secretbox
from connect.kit.caller import Caller

KEY_LENGTH_MAX: Final = 255


def lease_seconds() -> int:
    """How long a request may wait for the outside world before somebody else may take it over (`FC_LEASE_SECONDS`)."""
    return settings.FC_LEASE_SECONDS


class KeyRaced(Exception):
    """Another transaction stored the same key first; start over and the stored answer will be found."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One request's claim on its key. `fingerprint` is SHA-256 over method, path and parameters."""

    key: str
    fingerprint: bytes
    lock: int


@dataclass(frozen=True, slots=True)
class StoredReply:
    """The answer that was given: HTTP status and the exact bytes of the body."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A request that began with this key never came to its end; `resume` names what it left to settle."""

    resume: str


def claim(caller: Caller, *, method: str, path: str, parameters: Any) -> Claim | None:
    """The claim of a request that carries a key, or None. Raises `IdempotencyKeyTooLong`."""
    key = caller.idempotency_key
    if not key:
        return None
    if len(key) > KEY_LENGTH_MAX:
        raise IdempotencyKeyTooLong(length=len(key))
    canonical = msgspec.json.encode([method, path, parameters], order="deterministic")
    place = f"{caller.environment.schema_name}\0{caller.account}\0{key}".encode()
    lock = int.from_bytes(hashlib.blake2b(place, digest_size=8).digest(), "big", signed=True)
    return Claim(key, hashlib.sha256(canonical).digest(), lock)


def find(caller: Caller, claim: Claim, *, locked: bool) -> StoredReply | Interrupted | None:
    """What the key stands for so far. Call it first in the transaction, with the lock's outcome.

    Raises `IdempotencyKeyInUse` while another request holds the key, `IdempotencyMismatch` when it was used otherwise.
    """
    if not locked:
        raise IdempotencyKeyInUse
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, fingerprint, state, status, reply, resume, lease_until > clock_timestamp()"
            " FROM connect_idempotency_key WHERE account_id = %s AND key = %s FOR UPDATE",
            [caller.account, claim.key],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    identifier, fingerprint, state, status, reply, resume, leased = row
    if bytes(fingerprint) != claim.fingerprint:
        raise IdempotencyMismatch(key=claim.key)
    if state == "done":
        return StoredReply(status, secretbox.unseal(reply, place=_place(caller, claim)))
    if leased:
        raise IdempotencyKeyInUse
    taken_over: list[Any] = [timedelta(seconds=lease_seconds()), caller.request_id, identifier]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE connect_idempotency_key SET lease_until = clock_timestamp() + %s, request_id = %s WHERE id = %s",
            taken_over,
        )
    return Interrupted(resume)


def store(caller: Caller, claim: Claim, *, status: int, body: bytes) -> None:
    """Keep the answer of a request that began and ended in this transaction. Raises `KeyRaced`."""
    sealed = secretbox.seal(body, place=_place(caller, claim))
    key = [ids.new(), caller.account, claim.key, claim.fingerprint]
    _insert([*key, "done", caller.request_id, "", None, status, sealed])


def begin(caller: Caller, claim: Claim, *, resume: str) -> None:
    """Keep the claim of a request that goes on to the outside world, under a lease. Raises `KeyRaced`."""
    lease = timedelta(seconds=lease_seconds())
    key = [ids.new(), caller.account, claim.key, claim.fingerprint]
    _insert([*key, "claimed", caller.request_id, resume, lease, None, None])


def finish(caller: Caller, claim: Claim, *, status: int, body: bytes) -> StoredReply | None:
    """Keep the answer of a request whose claim was kept by `begin`.

    An answer that was kept before stays, and is returned: whoever comes second, because its lease had run out or
    because it tries again after a lost connection, must say the same.
    """
    sealed = secretbox.seal(body, place=_place(caller, claim))
    if _change(caller, claim, "state = 'done', status = %s, reply = %s, lease_until = NULL", [status, sealed]):
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT status, reply FROM connect_idempotency_key WHERE account_id = %s AND key = %s AND state = 'done'",
            [caller.account, claim.key],
        )
        row = cursor.fetchone()
    return None if row is None else StoredReply(row[0], secretbox.unseal(row[1], place=_place(caller, claim)))


def release(caller: Caller, claim: Claim) -> None:
    """End the lease of a request that had no effect, so that the same key can be sent again at once and takes it up."""
    _change(caller, claim, "lease_until = clock_timestamp()", [])


def retarget(caller: Caller, claim: Claim, *, resume: str) -> None:
    """Name what a later request with this key has to settle, after it was begun anew."""
    _change(caller, claim, "resume = %s", [resume])


def _change(caller: Caller, claim: Claim, assignment: str, values: list[Any]) -> bool:
    """Change a claim that is not finished; whether there was one."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE connect_idempotency_key SET {assignment} WHERE account_id = %s AND key = %s AND state = 'claimed'",  # noqa: S608
            [*values, caller.account, claim.key],
        )
        return bool(cursor.rowcount)


def _insert(values: list[Any]) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO connect_idempotency_key (id, account_id, key, fingerprint, state, request_id, resume,"
                " lease_until, status, reply, created_at)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, clock_timestamp() + %s::interval, %s, %s, clock_timestamp())",
                values,
            )
    except IntegrityError as error:
        raise KeyRaced from error


def _place(caller: Caller, claim: Claim) -> str:
    return f"{caller.environment.schema_name}.connect_idempotency_key.reply:{caller.account}:{claim.key}"
