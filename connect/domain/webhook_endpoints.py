"""Rules of webhook endpoints: which addresses are taken, and when one that only fails is given up."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

import idna

from connect.domain import private_hosts
from connect.domain.errors import UrlInvalid

ENDPOINTS_MAX: Final = 16
EVERY_EVENT: Final = "*"
URL_LENGTH_MAX: Final = 2048
OVERLAP_SECONDS_MAX: Final = 24 * 3600
"""How long a rotated secret may go on signing beside its successor."""

FAILURES_MIN: Final = 3
WATCH_MAX: Final = timedelta(hours=24)
WATCH_MIN: Final = timedelta(hours=12)
GIVE_UP_AFTER: Final = timedelta(days=5)

_UNSAFE: Final = re.compile(r"[\s\\\x00-\x1f\x7f]")
_PATH_SAFE: Final = "%/:@!$&'()*+,;=~"
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_OF_NO_ONE: Final = frozenset({"localhost", "local", "internal", "intranet", "lan", "home", "corp", "arpa", "onion"})


@dataclass(frozen=True, slots=True)
class FailureRun:
    """Failures of an endpoint since its last success. `since` is the clock; it runs once failure has shown to last."""

    first_at: datetime | None = None
    count: int = 0
    since: datetime | None = None


def after_failure(run: FailureRun, at: datetime) -> FailureRun:
    """The run with one more failure. The clock starts once three or more came within 24 hours, the first and the last
    of them at least 12 hours apart: neither one bad hour nor a rare event starts it.
    """
    if run.since is not None:
        return FailureRun(run.first_at, run.count + 1, run.since)
    if run.first_at is None or at - run.first_at > WATCH_MAX:
        return FailureRun(at, 1)
    lasting = run.count + 1 >= FAILURES_MIN and at - run.first_at >= WATCH_MIN
    return FailureRun(run.first_at, run.count + 1, at if lasting else None)


def is_given_up(run: FailureRun, at: datetime) -> bool:
    """Whether the endpoint has done nothing but fail for five days."""
    return run.since is not None and at - run.since >= GIVE_UP_AFTER


def normal_url(text: str, *, is_test: bool, allowed: Iterable[str]) -> str:
    """The address as it is stored: ASCII, lower-case host, no fragment. Raises `UrlInvalid` with what to change.

    An address is public: https, a full domain name, port 443 or above 1023. In a test environment the hosts that
    `allowed` names (`connect.domain.private_hosts`) may also be private, be addressed by number and speak http.
    """
    if len(text) > URL_LENGTH_MAX:
        raise _refusal(f"It has {len(text)} characters; at most {URL_LENGTH_MAX} are allowed")
    if _UNSAFE.search(text):
        raise _refusal("It contains a space, a backslash or a control character; percent-encode it")
    try:
        parts = urlsplit(text)
        port, name = parts.port, parts.hostname
    except ValueError:
        raise _refusal("It cannot be read as an address") from None
    if parts.scheme not in {"https", "http"} or not name:
        raise _refusal("Begin it with https:// and a host name")
    if "@" in parts.netloc:
        raise _refusal("Take the user name or password out; requests are authenticated by their signature")
    host = name.lower() if ":" in name else _ascii(name)
    actual = port if port is not None else 443 if parts.scheme == "https" else 80
    if not (is_test and private_hosts.is_allowed(host, actual, allowed)):
        _require_public(parts, host, actual)
    shown = f"[{host}]" if ":" in host else host
    netloc = shown if port is None else f"{shown}:{port}"
    path, query = quote(parts.path or "/", safe=_PATH_SAFE), quote(parts.query, safe=_PATH_SAFE + "?")
    return urlunsplit((parts.scheme, netloc, path, query, ""))


def _ascii(name: str) -> str:
    """The host in lower-case ASCII, an internationalized one in punycode."""
    host = name.rstrip(".").lower()
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode()
        except idna.IDNAError:
            raise _refusal(f"The host name '{name[:60]}' cannot be written in ASCII") from None
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise _refusal(f"'{name[:60]}' is not a host name")
    return host


def _require_public(parts: SplitResult, host: str, port: int) -> None:
    labels = host.split(".")
    if ":" in host or _NUMBER.fullmatch(labels[-1]):
        raise _refusal("Use a domain name instead of an IP address")
    if len(labels) < 2 or labels[-1] in _OF_NO_ONE:
        raise _refusal(f"'{host}' cannot be reached from the internet; use a public domain name")
    if parts.scheme != "https":
        raise _refusal("Begin it with https://")
    if port != 443 and not 1024 <= port <= 65535:
        raise _refusal(f"Port {port} is not allowed; use 443, or one from 1024 on")


def _refusal(reason: str) -> UrlInvalid:
    return UrlInvalid(reason=reason, param="url")
