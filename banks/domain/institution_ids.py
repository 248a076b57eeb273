"""The ids of banks. They follow from the slug, so that `inst_…` names the same bank on every installation."""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid5

PREFIX: Final = "inst"
_NAMESPACE: Final = UUID("5f1d2c8a-6f0e-5a3b-9a51-6d1c0e7b4f20")


def of_slug(slug: str) -> UUID:
    """The id of the bank with this slug."""
    return uuid5(_NAMESPACE, slug)
