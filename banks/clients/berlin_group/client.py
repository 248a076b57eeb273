"""HTTP to a bank: one deadline over everything, reads repeated, nothing followed, nothing kept but open connections.

* The deadline holds for name lookup, TLS, headers and body together, also against a bank that sends a byte a second:
  every wait of a socket is cut to what is left of it.
* Reads are sent again after time-outs, broken connections, 502, 503 and 504, after a random pause (full jitter).
  What changes anything at the bank is sent once.
* Redirects are not followed, cookies not kept, proxies of the environment not used; an answer has `ANSWER_MAX` bytes
  at most. Only https, or addresses that the operator named.
"""

from __future__ import annotations

import atexit
import os
import random
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx
import structlog
from django.conf import settings

from banks.clients.berlin_group import refusals
from banks.clients.connector import BadResponse, CertificateProblem, ConnectorError, InstitutionDown
from banks.domain.profiles import BankProfile
from connect.domain.private_hosts import is_allowed

log = structlog.get_logger(__name__)

ANSWER_MAX: Final = 8 * 1024 * 1024
ADDRESS_MAX: Final = 8_000
TRIES: Final = 3
TRY_SECONDS: Final = 20.0
"""A single try gets no more than this, so that a longer deadline leaves room for another."""
PAUSE_SECONDS: Final = 1.0
PAUSE_MAX_SECONDS: Final = 8.0

_ends_at: ContextVar[float] = ContextVar("bank_call_ends_at")


@dataclass(frozen=True, slots=True)
class Response:
    """What a bank answered with success; the body is read and within bounds."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as the client sees it, and chance: tests bring their own."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a whole call has to be over, with all its requests."""

    seconds: float
    clock: Clock
    ends: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ends", self.clock.now() + self.seconds)

    def left(self) -> float:
        """Seconds that are left; raises `InstitutionDown` when there are none."""
        left = self.ends - self.clock.now()
        if left <= 0:
            raise InstitutionDown(f"no answer within {self.seconds:g} s", code="timeout")
        return left


def read(bank: BankProfile, path: str, *, headers: Mapping[str, str], deadline: Deadline) -> Response:
    """GET, sent again where that may help and the deadline leaves room for it."""
    for tried in range(1, TRIES + 1):
        try:
            return _send("GET", bank, path, headers=headers, content=None, deadline=deadline)
        except InstitutionDown as down:
            pause = deadline.clock.chance() * min(PAUSE_SECONDS * 2 ** (tried - 1), PAUSE_MAX_SECONDS)
            pause = max(pause, down.retry_after_seconds or 0)
            if tried == TRIES or down.code == "tls" or deadline.clock.now() + pause >= deadline.ends:
                raise
            log.info("banks.read_again", bank=bank.slug, tried=tried, code=down.code, status=down.http_status)
            deadline.clock.sleep(pause)
    raise AssertionError("the last try answers or raises")


def write(
    method: str, bank: BankProfile, path: str, *, headers: Mapping[str, str], content: bytes | None, deadline: Deadline
) -> Response:
    """POST, PUT or DELETE, sent once: when no answer comes nobody knows whether the bank has it."""
    return _send(method, bank, path, headers=headers, content=content, deadline=deadline)


def address(bank: BankProfile, link: str) -> str:
    """The full address of a path of ours, or of a link in any form that banks use.

    Raises `BadResponse` for one that leads away from the bank: consents and tokens would go there.
    """
    found = _resolved(bank, link)
    ours, theirs = urlsplit(bank.base_url), urlsplit(found)
    if (ours.scheme, ours.netloc.lower()) != (theirs.scheme, theirs.netloc.lower()):
        raise BadResponse("a link leads away from the bank's interface", code="foreign_link")
    return found


def page_address(bank: BankProfile, link: str) -> str:
    """Where the customer is sent: https, or as far as this installation allows http; any host of the bank's choice."""
    found = _resolved(bank, link)
    parts = urlsplit(found)
    if not parts.hostname or parts.username is not None or (parts.scheme != "https" and not _is_allowed_http(found)):
        raise BadResponse("the bank sends its customer to an address that is not https", code="unsafe_link")
    return found


def _resolved(bank: BankProfile, link: str) -> str:
    """Banks write links in full, from their host's root, or from where `/v1` begins."""
    if len(link) > ADDRESS_MAX or any(ord(letter) <= 0x20 or ord(letter) == 0x7F for letter in link):
        raise BadResponse("a link is no address", code="bad_link")
    try:
        base = urlsplit(bank.base_url)
        if urlsplit(link).scheme or link.startswith("//"):
            found = urljoin(bank.base_url, link)
        elif link.startswith("/") and not (link.startswith("/v1/") and base.path):
            found = f"{base.scheme}://{base.netloc}{link}"
        else:
            found = f"{bank.base_url}/{link.lstrip('/')}"
        if urlsplit(found).scheme not in {"https", "http"}:
            raise BadResponse("a link is no address of the web", code="bad_link")
        _ = urlsplit(found).port
    except ValueError as error:
        raise BadResponse("a link is no address", code="bad_link") from error
    return found.partition("#")[0]


def _is_allowed_http(url: str) -> bool:
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        return False
    sandbox = urlsplit(settings.FC_SANDBOX_BANK_URL)
    if sandbox.netloc and sandbox.netloc.lower() == parts.netloc.lower():
        return True
    return is_allowed(parts.hostname.lower(), parts.port or 80, settings.FC_PRIVATE_HOSTS_ALLOWED)


# --- one request ------------------------------------------------------------------------------------------------------


def _send(
    method: str, bank: BankProfile, path: str, *, headers: Mapping[str, str], content: bytes | None, deadline: Deadline
) -> Response:
    url = address(bank, path)
    if urlsplit(url).scheme != "https" and not _is_allowed_http(url):
        raise CertificateProblem(
            f"{bank.slug} is set up without https; FC_PRIVATE_HOSTS_ALLOWED names exceptions", code="no_https"
        )
    left = min(deadline.left(), TRY_SECONDS)
    token = _ends_at.set(time.monotonic() + left)
    given = {**bank.headers, **headers, "Accept": "application/json", "Accept-Encoding": "gzip"}
    try:
        timeout = dict.fromkeys(("connect", "read", "write", "pool"), left)
        request = httpx.Request(method, url, headers=given, content=content, extensions={"timeout": timeout})
        answer = _transport(os.getpid()).handle_request(request)
        with closing(answer):
            body = _body(answer.iter_bytes(), deadline)
        found = Response(answer.status_code, answer.headers, body, url)
    except (httpx.TimeoutException, _Late) as late:
        raise InstitutionDown(f"no answer within {left:g} s", code="timeout") from late
    except httpx.TransportError as broken:
        raise _broken(broken) from broken
    except (httpx.DecodingError, httpx.InvalidURL, UnicodeError, ValueError) as wrong:
        raise BadResponse(f"the answer is no HTTP: {type(wrong).__name__}", code="bad_http") from wrong
    finally:
        _ends_at.reset(token)
    if not 200 <= found.status < 300:
        raise refusals.error(found.status, found.body, retry_after=found.headers.get("Retry-After"))
    return found


def _body(chunks: Iterable[bytes], deadline: Deadline) -> bytes:
    read_so_far = bytearray()
    for chunk in chunks:
        read_so_far += chunk
        if len(read_so_far) > ANSWER_MAX:
            raise BadResponse(f"the answer is longer than {ANSWER_MAX} bytes", code="too_long")
        deadline.left()
    return bytes(read_so_far)


def _broken(error: httpx.TransportError) -> ConnectorError:
    """A connection that did not come about or broke off. A bank that refuses our certificate breaks it off, too."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError):
            refused = "ALERT" in (seen.reason or "") and "CERTIFICATE" in (seen.reason or "")
            if refused:
                return CertificateProblem("the bank refused our certificate", code="tls")
            return InstitutionDown("no safe connection to the bank", code="tls")
        seen = seen.__cause__ or seen.__context__
    if isinstance(error, httpx.ProtocolError) and "without sending" not in str(error):
        return BadResponse("the answer is no HTTP", code="bad_http")
    return InstitutionDown(f"no connection: {type(error).__name__}", code="connection")


# --- connections ------------------------------------------------------------------------------------------------------


class _Late(Exception):
    """The deadline passed while a socket waited."""


class _Stream(httpcore.NetworkStream):
    """A connection of which every wait ends at the deadline of the call that uses it."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _cut(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _cut(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _cut(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Network(httpcore.SyncBackend):
    """Opens such connections."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(super().connect_tcp(host, port, _cut(timeout), local_address, socket_options))


class _Transport(httpx.HTTPTransport):
    """httpx' own, over the connections above."""

    def __init__(self) -> None:
        super().__init__(trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=None,  # its ten would be one hanging bank's; the breaker bounds the calls to each
            max_keepalive_connections=20,
            keepalive_expiry=30.0,
            network_backend=_Network(),
        )


def _cut(timeout: float | None) -> float:
    left = _ends_at.get() - time.monotonic()
    if left <= 0:
        raise _Late
    return left if timeout is None else min(timeout, left)


_making: Final = threading.Lock()


def _transport(pid: int) -> httpx.HTTPTransport:
    """The process's connections. A forked worker has its own: a socket belongs to one process."""
    with _making:
        return _transport_of(pid)


def close_connections() -> None:
    """Close what this process holds open to banks; the next call opens anew."""
    with _making:
        _transport_of(os.getpid()).close()
        _transport_of.cache_clear()


@cache
def _transport_of(pid: int) -> httpx.HTTPTransport:  # noqa: ARG001 - the key of the cache
    made = _Transport()
    atexit.register(made.close)
    return made
