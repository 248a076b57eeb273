"""The request log's way out of the hot path: a list in memory, a thread, a stream in Valkey.

`record` costs the request a few microseconds: it appends. A daemon thread redacts what was appended and sends it on, at
least every `FLUSH_SECONDS` or once `BATCH` records wait. **Promise:** a process that dies without warning loses at most
the last second of its log; one that ends normally loses nothing, nor does one whose Valkey is away for less than
`BUFFER_MAX` records. What is lost is counted (`fc_request_log_dropped_total`). The log is never a truth about money.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from multiprocessing.util import Finalize
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import msgspec
import structlog

from connect.clients import request_stream
from connect.kit import metrics, redaction, valkey
from connect.kit.caller import PLATFORM_ACCOUNT, EnvironmentRef

log = structlog.get_logger(__name__)

FLUSH_SECONDS: Final = 0.5
BATCH: Final = 200
BUFFER_MAX: Final = 4_000
BODY_MAX: Final = 8_192
"""Longer bodies, in bytes, are kept only as their size: half a JSON document cannot be redacted."""


@dataclass(slots=True)
class Trace:
    """What becomes known about a request on its way; it travels as `request.trace` and ends as a record.

    The middleware begins it; authentication and the throttle name the environment and the actor; whoever knows better
    than the answer's body may name `error_code` and `object_id`. `consent` is what an app's token rests on, `limit`
    holds the headers of the rate limit.
    """

    request_id: str
    started_ns: int
    arrived: float
    environment: EnvironmentRef | None = None
    account: UUID = PLATFORM_ACCOUNT
    actor_kind: str = ""
    actor_id: str = ""
    api_version: str = ""
    error_code: str = ""
    object_id: str = ""
    consent: str = ""
    limit: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Captured:
    """A request and its answer as they were, not yet redacted. Bodies are None when they are not to be kept; `form`
    says that the request's is a form and not JSON; `keep` is false for pages, which are only counted.
    """

    trace: Trace
    duration_us: int
    method: str
    path: str
    query: str
    route: str
    status: int
    ip: str
    user_agent: str
    idempotency_key: str
    request_bytes: int
    response_bytes: int
    request_body: bytes | None
    response_body: bytes | None
    form: bool
    keep: bool


class Record(msgspec.Struct, array_like=True, frozen=True):
    """What travels through the stream, redacted. Fields may only be added at the end: an older one may be under way."""

    request_id: str
    arrived: float
    environment: str
    account: str
    actor_kind: str
    actor_id: str
    method: str
    path: str
    query: str
    route: str
    status: int
    error_code: str
    duration_us: int
    ip: str
    user_agent: str
    idempotency_key: str
    api_version: str
    object_id: str
    request_bytes: int
    response_bytes: int
    request_body: str
    response_body: str
    consent: str = ""


class Answer(msgspec.Struct):
    """The two things that are read from an answer: which object it shows, and which error."""

    id: Any = None
    error: Any = None


_encoder: Final = msgspec.msgpack.Encoder()
_answer: Final = msgspec.json.Decoder(Answer)


def redacted(captured: Captured) -> Record:
    """The record of a request, with nothing in it that must not be kept."""
    trace = captured.trace
    error_code, object_id = trace.error_code, trace.object_id
    if captured.response_body and not (error_code or object_id):
        error_code, object_id = _read_answer(captured.response_body, captured.status)
    known = trace.environment is not None  # what a stranger sends is not worth keeping
    return Record(
        request_id=trace.request_id,
        arrived=trace.arrived,
        environment=str(trace.environment.id) if trace.environment else "",
        account=str(trace.account),
        actor_kind=trace.actor_kind,
        actor_id=trace.actor_id,
        method=_line(captured.method, 10),
        path=_line(redaction.text(captured.path), 500),
        query=_query(captured.query),
        route=_line(captured.route, 200),
        status=captured.status,
        error_code=_line(redaction.text(error_code), 80),
        duration_us=captured.duration_us,
        ip=captured.ip,
        user_agent=_line(redaction.text(captured.user_agent), 300),
        idempotency_key=_line(redaction.text(captured.idempotency_key), 255),
        api_version=_line(trace.api_version, 10),
        object_id=_line(redaction.text(object_id), 64),
        request_bytes=captured.request_bytes,
        response_bytes=captured.response_bytes,
        request_body=_body(captured.request_body, form=captured.form) if known else "",
        response_body=_body(captured.response_body, form=False) if known else "",
        consent=trace.consent,
    )


class Buffer:
    """The list in memory and its thread. One per process: a forked child begins with an empty one."""

    def __init__(self) -> None:
        self._waiting: deque[Captured] = deque()
        self._unsent: list[bytes] = []
        self._wake = threading.Event()
        self._flushing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._alarmed = 0.0

    def append(self, captured: Captured) -> None:
        """Take a record; never waits. The oldest are kept when there is no room: they lead to the cause."""
        waiting = self._waiting
        if len(waiting) >= BUFFER_MAX:
            metrics.LOG_DROPPED.labels("buffer_full").inc()
            return
        waiting.append(captured)
        if self._thread is None:
            self._start()
        if len(waiting) >= BATCH and not self._wake.is_set():
            self._wake.set()

    def flush(self) -> bool:
        """Send all that waits. False when Valkey did not take it; what was not taken is kept for the next time."""
        with self._flushing:
            while self._waiting or self._unsent:
                self._encode()
                try:
                    request_stream.append(self._unsent)
                except valkey.ValkeyError as error:
                    self._alarm(error)
                    return False
                self._unsent = []
            return True

    def _encode(self) -> None:
        room = BUFFER_MAX - len(self._unsent)
        for _ in range(min(BATCH, len(self._waiting))):
            captured = self._waiting.popleft()
            metrics.observe_request(captured.method, captured.route, captured.status, captured.duration_us / 1_000_000)
            if not captured.keep:
                continue
            if room <= 0:
                metrics.LOG_DROPPED.labels("valkey_down").inc()
                continue
            try:
                self._unsent.append(_encoder.encode(redacted(captured)))
                room -= 1
            except Exception:  # one record that cannot be made safe must not stop the log
                metrics.LOG_DROPPED.labels("unreadable").inc()
                log.exception("request_log.unreadable", request_id=captured.trace.request_id)

    def _alarm(self, error: Exception) -> None:
        now = time.monotonic()
        if now - self._alarmed > 10:
            self._alarmed = now
            log.error("request_log.valkey_down", error=repr(error), waiting=len(self._unsent) + len(self._waiting))

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="request-log", daemon=True)
                self._thread.start()
                # Runs at the end of a normal process and of a multiprocessing worker, which skips `atexit`.
                Finalize(None, self.flush, exitpriority=100)

    def _run(self) -> None:
        while True:
            self._wake.wait(FLUSH_SECONDS)
            self._wake.clear()
            self.flush()


buffer = Buffer()


def _after_fork() -> None:
    """The parent's thread does not live in the child, its lock may be held there for ever, its records are its own."""
    global buffer
    buffer = Buffer()


os.register_at_fork(after_in_child=_after_fork)


def record(captured: Captured) -> None:
    """Note an answered request. Costs microseconds, never raises, never waits."""
    buffer.append(captured)


def _line(value: str, length: int) -> str:
    """What PostgreSQL can store: no NUL, no lone surrogate, not too long."""
    return value[:length].replace("\x00", "").encode(errors="replace").decode()


def _query(query: str) -> str:
    if not query:
        return ""
    items = parse_qsl(query[:BODY_MAX], keep_blank_values=True)
    return _line(urlencode(redaction.pairs(items), doseq=True, safe="[]…"), BODY_MAX)


def _body(body: bytes | None, *, form: bool) -> str:
    if not body or len(body) > BODY_MAX:
        return ""
    if form:
        try:
            items = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=1000)
        except ValueError:
            return ""
        return _line(msgspec.json.encode(redaction.pairs(items)).decode(), BODY_MAX)
    return _line(redaction.json_text(body) or "", 2 * BODY_MAX)


def _read_answer(body: bytes, status: int) -> tuple[str, str]:
    """The error's code and the object's id, empty where there is none."""
    try:
        answer = _answer.decode(body)
    except msgspec.MsgspecError:
        return "", ""
    if status >= 400:
        code = answer.error.get("code") if isinstance(answer.error, dict) else None
        return (code, "") if isinstance(code, str) else ("", "")
    return "", answer.id if isinstance(answer.id, str) else ""
