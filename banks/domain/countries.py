"""The countries whose banks the catalogue knows, in the lower case of the API."""

from __future__ import annotations

from typing import Final

COUNTRIES: Final = ("al", "ba", "bg", "me", "mk", "ro", "rs", "xk")
