"""Banks as they are read: by id or slug, by name in either script, and as a connector sees them.

Institutions are public rows: reading them needs no environment, and works inside one too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings

from banks import clients
from banks.domain import institution_ids
from banks.domain.health import Standing
from banks.domain.names import fold
from banks.domain.profiles import SANDBOX, Approach, BankProfile, Capabilities
from banks.models import Institution
from banks.selectors import institution_health
from banks.shapes import institutions as shapes
from banks.shapes.institutions import InstitutionOut
from connect.kit import ids
from connect.kit.caller import Caller


def by_id(institution_id: UUID) -> Institution | None:
    """The bank of a row that names it."""
    return Institution.objects.filter(pk=institution_id).first()


def find(text: str, *, livemode: bool) -> Institution | None:
    """The bank named by its public id (`inst_…`) or its slug (`sandbox-bank`); live mode has no sandbox."""
    found = by_id(ids.decode(institution_ids.PREFIX, text) or institution_ids.of_slug(text))
    return None if found is None or (livemode and found.slug == SANDBOX) else found


def search(
    query: str = "", *, livemode: bool, countries: list[str] | None = None, limit: int = 200
) -> list[Institution]:
    """Enabled banks whose name, slug or BIC holds every word of `query`, in either script; the sandbox first, then
    those that can be linked, then by name.
    """
    rows = Institution.objects.filter(is_enabled=True)
    if countries:
        rows = rows.filter(country__in=[code.upper() for code in countries])
        if not livemode:
            rows = rows | Institution.objects.filter(is_enabled=True, slug=SANDBOX)
    if livemode:
        rows = rows.exclude(slug=SANDBOX)
    for word in fold(query).split():
        rows = rows.filter(search_text__contains=word)
    found = sorted(rows, key=lambda row: (row.slug != SANDBOX, profile(row) is None, row.name))
    return found[:limit]


def profile(row: Institution) -> BankProfile | None:
    """The bank as its connector sees it, or None when it cannot be reached from this installation.

    It can once a connector of its kind is installed and the address of its interface is known: the sandbox's from the
    settings, a real bank's from what staff entered as `interface`.
    """
    interface: dict[str, Any] = dict(row.interface)
    if row.slug == SANDBOX and settings.FC_SANDBOX_BANK_URL:
        interface = {**_SANDBOX_INTERFACE, "base_url": settings.FC_SANDBOX_BANK_URL, **interface}
    if not interface.get("base_url") or not clients.is_installed(row.connector):
        return None
    abilities = dict(interface.get("capabilities", {}))
    abilities["approaches"] = tuple(Approach(name) for name in abilities.get("approaches", ["redirect"]))
    return BankProfile(
        slug=row.slug,
        name=row.name,
        country=row.country,
        connector=row.connector,
        base_url=interface["base_url"].rstrip("/"),
        capabilities=Capabilities(**abilities),
        payment_products=dict(interface.get("payment_products", {})),
        headers=dict(interface.get("headers", {})),
    )


_SANDBOX_INTERFACE: dict[str, Any] = {
    "capabilities": {"payments": True, "history_days": 365, "consent_days": 180, "calls_per_day": 4},
    "payment_products": {
        "eur": "sepa-credit-transfers", "mkd": "domestic-mkd-credit-transfers", "rsd": "domestic-rsd-credit-transfers",
        "all": "domestic-all-credit-transfers",
    },
}  # fmt: skip


def load(caller: Caller, identifiers: Sequence[UUID]) -> dict[UUID, InstitutionOut]:
    """Many at once, for expanding."""
    rows = list(Institution.objects.filter(pk__in=identifiers))
    statuses = institution_health.statuses([row.id for row in rows])
    return {row.id: shape(caller, row, statuses[row.id]) for row in rows}


def shape(caller: Caller, row: Any, status: Standing) -> InstitutionOut:
    """The bank on the wire; `status` is that of `institution_health.statuses`."""
    return shapes.render(row, livemode=caller.livemode, available=profile(row) is not None, status=status)
