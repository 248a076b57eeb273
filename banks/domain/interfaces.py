"""What staff may enter about a bank's interface, as it stands in `Institution.interface`, checked before it is used.

{"base_url": "https://api.bank.example/psd2",
"capabilities": {"payments": true, "history_days": 730},
"payment_products": {"mkd": "domestic-credit-transfers"},
"headers": {"TPP-Brand-Logging-Information": "Facturino"},
"confidence": "high", "confidence_note": "tried with the bank's own sandbox in May"}
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

import msgspec

from banks.domain.profiles import Approach
from connect.kit import currencies

_NAME: Final = re.compile(r"[A-Za-z0-9-]{1,60}")
_PRODUCT: Final = re.compile(r"[a-z0-9-]{1,60}")
Days = Annotated[int, msgspec.Meta(ge=1, le=730)]


class InterfaceCapabilities(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Those of `profiles.Capabilities` that differ from what is usual."""

    accounts: bool | msgspec.UnsetType = msgspec.UNSET
    payments: bool | msgspec.UnsetType = msgspec.UNSET
    pending: bool | msgspec.UnsetType = msgspec.UNSET
    history_days: Days | msgspec.UnsetType = msgspec.UNSET
    consent_days: Days | msgspec.UnsetType = msgspec.UNSET
    calls_per_day: Annotated[int, msgspec.Meta(ge=1, le=96)] | msgspec.UnsetType = msgspec.UNSET
    overlap_days: Annotated[int, msgspec.Meta(ge=0, le=90)] | msgspec.UnsetType = msgspec.UNSET
    approaches: Annotated[list[Approach], msgspec.Meta(min_length=1)] | msgspec.UnsetType = msgspec.UNSET


class Interface(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """All of it. `confidence` is how sure staff are, in place of what the catalogue's file says; the note says why."""

    base_url: str = ""
    capabilities: InterfaceCapabilities | msgspec.UnsetType = msgspec.UNSET
    payment_products: dict[str, str] = {}
    headers: dict[str, str] = {}
    confidence: Literal["", "low", "medium", "high"] = ""
    confidence_note: Annotated[str, msgspec.Meta(max_length=500)] = ""


class InterfaceInvalid(ValueError):
    """What was entered cannot be used; the message says why."""


def check(entered: Any, *, plain_http: bool) -> None:
    """Raises `InterfaceInvalid` unless connectors can use it. `plain_http` allows `http://`, for the sandbox bank."""
    try:
        known = msgspec.convert(entered, Interface)
    except msgspec.ValidationError as wrong:
        raise InterfaceInvalid(str(wrong)) from None
    if known.base_url:
        _check_address(known.base_url, plain_http=plain_http)
    for currency, product in known.payment_products.items():
        if not currencies.is_known(currency):
            raise InterfaceInvalid(f"payment_products: {currency} is no lower-case currency")
        if not _PRODUCT.fullmatch(product):
            raise InterfaceInvalid(f"payment_products: {product} is no name of a payment product")
    for name, value in known.headers.items():
        if not _NAME.fullmatch(name) or not value.isprintable():
            raise InterfaceInvalid(f"headers: {name} cannot be sent")


def _check_address(text: str, *, plain_http: bool) -> None:
    schemes = ("https", "http") if plain_http else ("https",)
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise InterfaceInvalid(f"base_url: {text} is no address") from None
    if parts.scheme not in schemes or not host or re.search(r"\s", text):
        raise InterfaceInvalid(f"base_url: an address begins with {' or '.join(f'{name}://' for name in schemes)}")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise InterfaceInvalid("base_url: an address has no user name, no query and no fragment")
    if parts.path.rstrip("/").endswith("/v1"):
        raise InterfaceInvalid("base_url: it ends before /v1")
