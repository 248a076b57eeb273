"""Banks as they are read: by id or slug, by name in either script, and as a connector sees them.

Institutions are public rows: reading them needs no environment, and works inside one too.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet

from banks import clients
from banks.domain import ibans, institution_ids
from banks.domain.errors import IbanInvalid
from banks.domain.health import Standing
from banks.domain.ibans import Iban, NotAnIban
from banks.domain.names import fold, words
from banks.domain.profiles import SANDBOX, Approach, BankProfile, Capabilities
from banks.models import Institution
from banks.selectors import institution_health
from banks.shapes import institutions as shapes
from banks.shapes.institutions import InstitutionOut
from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.errors import ResourceMissing
from connect.kit.pages import Page, require_cursor


def by_id(institution_id: UUID) -> Institution | None:
    """The bank of a row that names it."""
    return Institution.objects.filter(pk=institution_id).first()


def find(text: str, *, livemode: bool) -> Institution | None:
    """The bank named by its public id (`inst_…`) or its slug (`sandbox-bank`); live mode has no sandbox."""
    found = by_id(ids.decode(institution_ids.PREFIX, text) or institution_ids.of_slug(text))
    return None if found is None or (livemode and found.slug == SANDBOX) else found


def get(caller: Caller, text: str) -> InstitutionOut:
    """The bank named by its id or slug, also one that staff took off the list. Raises `ResourceMissing`."""
    row = find(text, livemode=caller.livemode)
    if row is None:
        raise ResourceMissing(resource="banking.institution", id=text, param="id")
    return shape(caller, row, institution_health.statuses([row.id])[row.id])


def page(
    caller: Caller,
    page: Page,
    *,
    query: str | None = None,
    country: str | None = None,
    available: bool | None = None,
    iban: str | None = None,
) -> tuple[list[InstitutionOut], bool]:
    """A page of the banks there are, by name, and whether there are more. Raises `IbanInvalid`.

    The catalogue has some hundred banks and whether one is available is no column, so it is read whole and cut here.
    """
    rows = _offered(livemode=caller.livemode, query=query or "")
    if country:
        rows = rows.filter(country=country.upper())
    if iban is not None:
        rows = rows.filter(_keeps(iban))
    found = [row for row in rows if available is None or (profile(row) is not None) is available]
    found.sort(key=lambda row: (fold(row.name), row.id))
    shown, has_more = _cut(found, page)
    statuses = institution_health.statuses([row.id for row in shown])
    return [shape(caller, row, statuses[row.id]) for row in shown], has_more


def of_iban(iban: Iban, *, livemode: bool) -> Institution | None:
    """The bank that keeps the account, or None when it is not in the catalogue."""
    rows = Institution.objects.filter(_of_code(iban)).order_by("slug")
    return (rows.exclude(slug=SANDBOX) if livemode else rows).first()


def search(
    query: str = "", *, livemode: bool, countries: list[str] | None = None, limit: int = 200
) -> list[Institution]:
    """Enabled banks with a word in name, slug or BIC that begins with each word of `query`, in either script; the
    sandbox first, then those that can be linked, then by name.
    """
    rows = _offered(livemode=livemode, query=query)
    if countries:
        rows = rows.filter(Q(country__in=[code.upper() for code in countries]) | Q(slug=SANDBOX))
    found = sorted(rows, key=lambda row: (row.slug != SANDBOX, profile(row) is None, row.name))
    return found[:limit]


def _offered(*, livemode: bool, query: str) -> QuerySet[Institution]:
    rows = Institution.objects.filter(is_enabled=True)
    if livemode:
        rows = rows.exclude(slug=SANDBOX)
    wanted = words(query)
    if wanted is None:
        return rows.none()
    for word in wanted:
        rows = rows.filter(Q(search_text__startswith=word) | Q(search_text__contains=f" {word}"))
    return rows


def _keeps(number: str) -> Q:
    try:
        found = [_of_code(iban) for iban in ibans.readings(number)]
    except NotAnIban as refused:
        raise IbanInvalid(reason=str(refused), param="iban") from None
    return reduce(or_, found)


def _of_code(iban: Iban) -> Q:
    """The sandbox keeps accounts in every country, under the one code that no real bank has."""
    return Q(country=iban.country, bank_code=iban.bank_code) | Q(slug=SANDBOX, bank_code=iban.bank_code)


def _cut(found: list[Institution], page: Page) -> tuple[list[Institution], bool]:
    """What `pages.slice_queryset` does for rows in the order of their ids: these have one of their own."""
    places = {row.id: place for place, row in enumerate(found)}
    require_cursor(page, institution_ids.PREFIX, places.__contains__)
    if page.ending_before is not None:
        end = places[page.ending_before]
        return found[max(0, end - page.limit) : end], end > page.limit
    start = places[page.starting_after] + 1 if page.starting_after is not None else 0
    return found[start : start + page.limit], len(found) > start + page.limit


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
