"""What an organization says about itself before live mode is opened."""

from __future__ import annotations

import re
from typing import Final

from connect.kit.errors import DomainError

COUNTRIES: Final[dict[str, str]] = {
    "AL": "Albania", "BA": "Bosnia and Herzegovina", "XK": "Kosovo", "ME": "Montenegro", "MK": "North Macedonia",
    "RS": "Serbia",
    "AT": "Austria", "BE": "Belgium", "BG": "Bulgaria", "CH": "Switzerland", "CY": "Cyprus", "CZ": "Czechia",
    "DE": "Germany", "DK": "Denmark", "EE": "Estonia", "ES": "Spain", "FI": "Finland", "FR": "France",
    "GB": "United Kingdom", "GR": "Greece", "HR": "Croatia", "HU": "Hungary", "IE": "Ireland", "IS": "Iceland",
    "IT": "Italy", "LI": "Liechtenstein", "LT": "Lithuania", "LU": "Luxembourg", "LV": "Latvia", "MT": "Malta",
    "NL": "Netherlands", "NO": "Norway", "PL": "Poland", "PT": "Portugal", "RO": "Romania", "SE": "Sweden",
    "SI": "Slovenia", "SK": "Slovakia", "TR": "Türkiye", "US": "United States",
}  # fmt: skip
"""Where the company is registered: the countries this product is for, then those that do business with them."""

_REGISTRATION_NUMBER: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z ./-]{1,38}[0-9A-Za-z]")


class LiveAlreadyOpen(DomainError):
    """Live mode is opened once."""

    code = "live_already_open"
    message = "Live mode of this organization is open already, or is being opened."


def is_registration_number(text: str) -> bool:
    """Whether `text` can be a number in a company register: each country writes its own way."""
    return bool(_REGISTRATION_NUMBER.fullmatch(text))
