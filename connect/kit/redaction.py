"""What may not be kept: keys, secrets, passwords and card numbers, found by field name and by their own shape.

Used for the request log, for log lines and for whatever else leaves the place where a secret is needed. It errs on the
side of hiding: a field called `token` is hidden whatever it holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

HIDDEN: Final = "[redacted]"
DEPTH_MAX: Final = 20
"""Values nested deeper than this are hidden whole."""

_NAMES: Final = frozenset(
    "number card_number pan cvc cvv cvc2 security_code pin password password1 password2 passphrase passwd secret token"  # noqa: SIM905
    " authorization proxy_authorization cookie set_cookie api_key apikey access_token refresh_token id_token"
    " client_secret device_code client_assertion webhook_secret secret_key private_key signing_secret code_verifier otp"
    " totp"
    " recovery_code credential credentials sessionid csrfmiddlewaretoken csrftoken assertion x_api_key".split()
)
_ENDINGS: Final = ("_secret", "_password", "_token", "_secret_key", "_private_key")
_HARMLESS: Final = frozenset({"next_page_token", "page_token"})

_FC_KEY: Final = re.compile(r"(?<![A-Za-z0-9])((?:fc|sk|rk|pk)_(?:live|test)_|fc_(?:at|rt|cs)_)([A-Za-z0-9]{8,})")
_OTHER_SECRETS: Final = re.compile(
    r"whsec_[A-Za-z0-9+/=_-]{16,}"
    r"|(?:_secret_)[A-Za-z0-9]{12,}"
    r"|(?<![A-Za-z0-9])public_(?:live|test)_[A-Za-z0-9_-]{16,}"
    r"|(?<=/invitations/)[\w-]{20,}|(?<=/reset/key/)[\w-]{10,}|(?<=/confirm-email/)[\w:-]{10,}"
    r"|(?<![a-z2-7])[a-z2-7]{12}\.[0-9A-Za-z]{33}(?![0-9A-Za-z])"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"
    r"|(?i:\b(?:bearer|basic)\s+)[A-Za-z0-9+/=._~-]{8,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
)
_DIGITS: Final = re.compile(r"(?<![0-9A-Za-z])[0-9](?:[ -]?[0-9]){11,18}(?![0-9A-Za-z])")
_IBAN: Final = re.compile(r"(?<![0-9A-Za-z])(?!RF)[A-Z]{2}[0-9]{2}(?: ?[0-9A-Z]){11,30}(?![0-9A-Za-z])")
_SUSPICIOUS: Final = re.compile(
    r"_(?:live|test)_|fc_[arc][ts]_|sec|eyJ|earer|asic|BEARER|BASIC|PRIVATE|[0-9](?:[ -]?[0-9]){11}|[a-z2-7]{12}\."
    r"|[A-Z]{2}[0-9]{2} ?[0-9A-Z]{4}|/invitations/|/key/|/confirm-email/"
)


def is_secret_name(name: str) -> bool:
    """Whether a field, header or parameter of this name is hidden whatever it holds: `card[number]`, `X-Api-Key`."""
    last = name.rstrip("]").rpartition("[")[2] if name.endswith("]") else name
    plain = last.lower().replace("-", "_")
    return (plain in _NAMES or plain.endswith(_ENDINGS)) and plain not in _HARMLESS


def text(value: str) -> str:
    """`value` without keys (their prefix and last four characters stay), tokens, private keys and card numbers.

    Of an IBAN its country and last four characters stay: it opens nothing, but it says whose account it is.
    """
    if not _SUSPICIOUS.search(value):
        return value
    value = _FC_KEY.sub(lambda match: f"{match[1]}…{match[2][-4:]}", value)
    value = _OTHER_SECRETS.sub(HIDDEN, value)
    value = _IBAN.sub(_account_number, value)
    return _DIGITS.sub(_card_number, value)


def tree(value: Any, depth: int = 0) -> Any:
    """A copy of what JSON can hold, redacted by name and by shape at every level."""
    kind = type(value)
    if kind is str:
        return text(value)
    if kind is bool or value is None or kind is float:
        return value
    if kind is int:
        return _card_text(value)
    if depth >= DEPTH_MAX:
        return HIDDEN
    if isinstance(value, Mapping):
        shown: dict[str, Any] = {}
        for name, item in value.items():
            label, hidden = _name(name) if type(name) is str and len(name) <= 64 else _look_at(str(name))
            shown[label] = _field(item, depth, hidden=hidden)
        return shown
    if isinstance(value, list | tuple):
        return [tree(item, depth + 1) for item in value]
    return text(str(value))


def _account_number(found: re.Match[str]) -> str:
    """Words in capitals may follow a number that is written in groups: the longest beginning that is an IBAN is one."""
    written = found[0]
    ends = [len(written), *(place for place in range(len(written) - 1, 14, -1) if written[place] == " ")]
    for end in ends:
        plain = written[:end].replace(" ", "")
        if 15 <= len(plain) <= 34 and int("".join(str(int(sign, 36)) for sign in plain[4:] + plain[:4])) % 97 == 1:
            return f"{plain[:2]}…{plain[-4:]}{written[end:]}"
    return written


def json_text(body: bytes) -> str | None:
    """A JSON body, redacted, as compact text; None when it is not JSON: what cannot be read cannot be made safe."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return msgspec.json.encode(tree(value)).decode()


def pairs(items: list[tuple[str, str]]) -> dict[str, Any]:
    """Form or query parameters, redacted; a name that comes twice keeps all its values in a list."""
    found: dict[str, Any] = {}
    for name, value in items:
        shown = HIDDEN if is_secret_name(name) and value else text(value)
        name = text(name)
        if name not in found:
            found[name] = shown
        elif isinstance(found[name], list):
            found[name].append(shown)
        else:
            found[name] = [found[name], shown]
    return found


def _field(value: Any, depth: int, *, hidden: bool) -> Any:
    if hidden and value not in (None, "", False, True):
        # A key in our own form is shown by its ends, so that a reader can tell which one it was.
        if isinstance(value, str) and _FC_KEY.fullmatch(value):
            return text(value)
        return HIDDEN
    return tree(value, depth + 1)


def _look_at(name: str) -> tuple[str, bool]:
    """The name as it may be shown, and whether its value is hidden."""
    return text(name), is_secret_name(name)


_name: Final = lru_cache(maxsize=4096)(_look_at)
"""The same short names come again and again."""


def _card_text(value: int) -> Any:
    return text(str(value)) if 10**11 <= value < 10**19 and _luhn(str(value)) else value


def _card_number(match: re.Match[str]) -> str:
    digits = re.sub(r"[ -]", "", match[0])
    return f"[card …{digits[-4:]}]" if _luhn(digits) else match[0]


def _luhn(digits: str) -> bool:
    """The check every card number passes; one in ten other numbers does too, which costs only their readability."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = ord(digit) - 48
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0 and any(digit != "0" for digit in digits)
