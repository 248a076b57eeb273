"""The HTTP client for webhooks: to anybody's server, so nothing that comes back is trusted.

One POST, no redirect, no cookie, no proxy, no decompression; certificates are verified; the address is checked and then
kept (`connect.clients.resolver`). What is slow is cut at the deadline, what is long is cut at its limit, and an attempt
always ends in an outcome that can be stored: `Answered` or `Failed`.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from typing import Final, Literal, Self

import aiohttp
from yarl import URL

from connect.clients import resolver
from connect.domain import addresses
from connect.kit import tenancy

TOTAL_SECONDS: Final = 15.0
"""For one attempt, from looking up the name to the last byte of the answer."""
CONNECT_SECONDS: Final = 5.0
"""Of these for name, TCP and TLS."""
HEADERS_MAX: Final = 64
HEADER_BYTES_MAX: Final = 16 * 1024
LINE_BYTES_MAX: Final = 8 * 1024
BODY_BYTES_MAX: Final = 64 * 1024
TARGETS_KEPT: Final = 1_000
IDLE_SECONDS: Final = 1.5
"""How long an unused connection is kept: less than servers do (2 s and more), so that we do not write into a closed
one."""
DNS_SECONDS: Final = 30
"""How long checked addresses are used again for new connections."""

FailureKind = Literal["address_refused", "dns", "connection", "tls", "timeout", "broken_answer", "fault"]


@dataclass(frozen=True, slots=True)
class Answered:
    """The endpoint's answer. `duration` in seconds; `truncated` when the body was longer than `BODY_BYTES_MAX`."""

    status: int
    headers: dict[str, str]
    body: bytes
    truncated: bool
    duration: float


@dataclass(frozen=True, slots=True)
class Failed:
    """No usable answer. `message` is for the endpoint's owner and holds no secret; `duration` in seconds."""

    kind: FailureKind
    message: str
    duration: float


Outcome = Answered | Failed


class WebhookClient:
    """Connections to endpoints, used again while they are busy. Make one inside the event loop and close it there.

    `allowed` opens private hosts (`connect.domain.private_hosts`): give it to the client of test environments only,
    and never share that client, since a connection to an allowed host would be used again for whoever asks for the
    same host. `lookup` and `tls` stand in for the machine's resolver and its certificate authorities.
    """

    def __init__(
        self,
        allowed: Sequence[str] = (),
        *,
        lookup: resolver.Lookup = resolver.system_lookup,
        tls: ssl.SSLContext | None = None,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._total = total_seconds
        # The same few URLs again and again; refusals are not kept.
        self._target = lru_cache(TARGETS_KEPT)(lambda url: URL(addresses.parse(url, allowed).url, encoded=True))
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=resolver.GuardedResolver(allowed, lookup),
                ttl_dns_cache=DNS_SECONDS,
                keepalive_timeout=IDLE_SECONDS,
                limit=0,  # the windows of the dispatcher are the limit
                ssl=tls or ssl.create_default_context(),
            ),
            timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            max_line_size=LINE_BYTES_MAX,
            max_field_size=LINE_BYTES_MAX,
            max_headers=HEADERS_MAX,
            read_bufsize=BODY_BYTES_MAX // 2,
            headers={"Accept": "*/*", "Accept-Encoding": "identity"},
            skip_auto_headers=("User-Agent",),  # what is sent beyond these is the caller's to say, and logged there
        )

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Send `body` once. Raises nothing but `TransactionForbidden` and the cancellation of the task."""
        tenancy.forbid_inside_transaction("a webhook")
        started = time.monotonic()
        try:
            target = self._target(url)
            async with asyncio.timeout(self._total):
                return await self._post(target, headers, body, started)
        except Exception as error:  # noqa: BLE001 - a stranger's server decides what goes wrong here
            kind, message = _explained(error, self._total)
            return Failed(kind, message, time.monotonic() - started)

    async def _post(self, target: URL, headers: Mapping[str, str], body: bytes, started: float) -> Outcome:
        request = self._session.post(target, data=body, headers=headers, allow_redirects=False)
        async with request as response:
            size = sum(len(name) + len(value) + 4 for name, value in response.raw_headers)
            if size > HEADER_BYTES_MAX:
                response.close()
                raise _BrokenAnswer(f"the headers of the answer are longer than {HEADER_BYTES_MAX // 1024} kB")
            content, truncated = await _read(response)
            shown = dict(response.headers.items())
            return Answered(response.status, shown, content, truncated, time.monotonic() - started)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class _BrokenAnswer(Exception):
    """An answer that breaks a limit of ours; the text says which."""


async def _read(response: aiohttp.ClientResponse) -> tuple[bytes, bool]:
    """The body up to its limit. What is longer is not waited for: its connection is closed."""
    parts, room = [], BODY_BYTES_MAX
    async for part in response.content.iter_any():
        parts.append(part[:room])
        room -= len(part)
        if room < 0:
            response.close()
            return b"".join(parts), True
    return b"".join(parts), False


def _explained(error: Exception, total: float) -> tuple[FailureKind, str]:
    """What went wrong in words for the endpoint's owner. The order matters: aiohttp's classes derive from each other,
    and its `ConnectionTimeoutError` is a `TimeoutError` too.
    """
    refused = _refused(error)
    if refused is not None:
        return "address_refused", str(refused)
    match error:
        case aiohttp.ConnectionTimeoutError():
            return "connection", f"No connection within {CONNECT_SECONDS:g} seconds."
        case TimeoutError():
            return "timeout", f"No complete answer within {total:g} seconds."
        case aiohttp.ClientConnectorDNSError():
            return "dns", "The host name cannot be resolved."
        case aiohttp.ClientSSLError() | ssl.SSLError() | aiohttp.ServerFingerprintMismatch():
            return "tls", f"TLS failed: {_reason(error)}"
        case aiohttp.ClientConnectorError():
            return "connection", f"No connection: {_reason(error)}"
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientOSError() | ConnectionError():
            return "broken_answer", "The connection was closed before the answer was complete."
        case aiohttp.ClientPayloadError() | aiohttp.ClientResponseError() | aiohttp.http.HttpProcessingError():
            return "broken_answer", "The answer is not HTTP that can be read, or its headers are too long."
        case _BrokenAnswer():
            return "broken_answer", str(error)
        case _:
            return "fault", f"The attempt failed: {type(error).__name__}."


def _refused(error: Exception) -> Exception | None:
    """The refusal of an address inside what aiohttp made of it."""
    if isinstance(error, addresses.AddressRefused | resolver.Refused):
        return error
    inner = getattr(error, "os_error", None)
    return inner if isinstance(inner, resolver.Refused) else None


def _reason(error: Exception) -> str:
    """One line without our own addresses or object representations."""
    inner = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    text = getattr(inner, "verify_message", "") or getattr(inner, "strerror", "") or type(inner).__name__
    return str(text)[:200]
