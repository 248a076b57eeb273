"""A bank on the wire."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from banks.domain.health import Standing
from banks.domain.institution_ids import PREFIX
from connect.kit.ids import encode


class InstitutionOut(msgspec.Struct, kw_only=True):
    """A bank of the catalogue.

    `available` says whether this installation can link it; `connector` how it would be reached, and the two confidences
    how sure that is. `status` is how the bank has been doing lately.
    """

    id: str
    object: Literal["banking.institution"] = "banking.institution"
    available: bool
    bank_code: str | None = None
    bic: str | None = None
    connector: str | None = None
    country: str
    identity_confidence: str
    integration_confidence: str
    livemode: bool
    name: str
    native_name: str | None = None
    slug: str
    status: Literal["healthy", "degraded", "down", "unknown"]
    website: str | None = None


def render(row: Any, *, livemode: bool, available: bool, status: Standing) -> InstitutionOut:
    """The bank of `row`."""
    return InstitutionOut(
        id=encode(PREFIX, row.id),
        available=available,
        bank_code=row.bank_code or None,
        bic=row.bic or None,
        connector=row.connector or None,
        country=row.country.lower(),
        identity_confidence=row.identity_confidence,
        integration_confidence=row.confidence,
        livemode=livemode,
        name=row.name,
        native_name=row.native_name or None,
        slug=row.slug,
        status=status.value,
        website=row.website or None,
    )
