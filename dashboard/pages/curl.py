"""Requests as one can send them from a terminal: they run as they stand once the variable holds a key."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from django.http import HttpRequest

KEY_VARIABLE: Final = "$FC_SECRET_KEY"


def first_payment(request: HttpRequest, *, livemode: bool, secret: str = KEY_VARIABLE) -> str:
    """A curl command for 25.00 EUR; `secret` is the key, or a shell variable for it.

    In test mode the test card pays at once. In live mode the payment waits for a customer.
    """
    fields = {"amount": "2500", "currency": "eur"}
    if not livemode:
        fields |= {"payment_method": "pm_card_visa", "confirm": "true"}
    return example(request, "/v1/payment_intents", fields, secret=secret)


def example(
    request: HttpRequest, path: str, fields: Mapping[str, str] | None = None, *, secret: str = KEY_VARIABLE
) -> str:
    """A curl command for `path` of this installation: a POST of the form `fields`, or a GET without any."""
    lines = [f"curl {shlex.quote(request.build_absolute_uri(path))}", f'-u "{secret}:"']
    lines += [f"-d {shlex.quote(f'{name}={value}')}" for name, value in (fields or {}).items()]
    return " \\\n  ".join(lines)


def exchange(request: HttpRequest, session_id: str, *, secret: str = KEY_VARIABLE) -> str:
    """The commands that fetch a completed link session's public token and exchange it for the connection."""
    session = shlex.quote(request.build_absolute_uri(f"/v1/banking/link_sessions/{session_id}"))
    found = f"""TOKEN=$(curl -s {session} -u "{secret}:" | sed -n 's/.*"public_token": *"\\([^"]*\\)".*/\\1/p')"""
    address = shlex.quote(request.build_absolute_uri("/v1/banking/connections"))
    return f'{found}\ncurl {address} \\\n  -u "{secret}:" \\\n  -d public_token="$TOKEN"'


def repeat(request: HttpRequest, *, method: str, path: str, query: str, body: str) -> str:
    """The command that sends a logged request again, with the key left out. What was redacted stays redacted.

    A form was kept as JSON of texts; it is sent as a form, everything else as JSON.
    """
    address = request.build_absolute_uri(path) + (f"?{query}" if query else "")
    lines = [f"curl {shlex.quote(address)}", f'-u "{KEY_VARIABLE}:"']
    if method not in {"GET", "POST"}:
        lines[0] = f"curl -X {method} {shlex.quote(address)}"
    fields = _form(body)
    if fields is not None:
        lines += [f"--data-urlencode {shlex.quote(f'{name}={value}')}" for name, value in fields]
    elif body:
        lines += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(body)}"]
    if method == "POST" and not body:
        lines[0] = f"curl -X POST {shlex.quote(address)}"
    return " \\\n  ".join(lines)


def pretty(body: str) -> str:
    """JSON text, indented for people; text that is none is left as it is."""
    if not body:
        return ""
    try:
        return msgspec.json.format(body, indent=2)
    except msgspec.DecodeError:
        return body


def _form(body: str) -> list[tuple[str, str]] | None:
    try:
        found: Any = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    if not isinstance(found, dict) or not found:
        return None
    pairs: list[tuple[str, str]] = []
    for name, value in found.items():
        texts = value if isinstance(value, list) else [value]
        if not all(isinstance(text, str) for text in texts):
            return None
        pairs += [(name, text) for text in texts]
    return pairs
