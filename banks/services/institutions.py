"""The catalogue of banks: brought in line with the file that comes with the product, and what staff decide about it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from banks.domain import institution_ids, interfaces
from banks.domain.names import fold
from banks.domain.profiles import SANDBOX
from banks.models import Institution, InstitutionIncident
from connect.kit import ids
from connect.kit.errors import ResourceMissing

FILE: Final = Path(__file__).resolve().parents[1] / "data" / "institutions.csv"
_OF_THE_FILE: Final = (
    "name", "country", "bic", "bank_code", "connector", "website", "identity_confidence", "integration_confidence",
    "note",
)  # fmt: skip


def load_catalogue(*, using: str) -> int:
    """Write the file's banks into the public schema through the alias `using`; returns how many rows changed.

    What staff decided (`is_enabled`, `native_name`, `interface` with their word on how sure it is) stays. A bank that
    left the file keeps its row, because connections may name it.
    """
    changed = 0
    with transaction.atomic(using=using), FILE.open(encoding="utf-8", newline="") as file:
        known = {row.slug: row for row in Institution.objects.using(using).all()}
        for line in csv.DictReader(file):
            row = known.get(line["slug"]) or Institution(id=institution_ids.of_slug(line["slug"]), slug=line["slug"])
            fresh = {name: line[name] for name in _OF_THE_FILE}
            fresh["search_text"] = _searched(line["name"], row.native_name, line["slug"], line["bic"])
            if line["slug"] in known and all(getattr(row, name) == value for name, value in fresh.items()):
                continue
            for name, value in fresh.items():
                setattr(row, name, value)
            row.save(using=using, force_insert=line["slug"] not in known)
            changed += 1
    return changed


def update(*, institution_id: UUID, is_enabled: bool, native_name: str, interface: dict[str, Any]) -> None:
    """Put a bank on the link page or take it off, and say how it is called at home and how it is reached.

    Connections that exist go on either way. Raises `InterfaceInvalid`, and `ResourceMissing` for an unknown bank.
    """
    with transaction.atomic():
        row = Institution.objects.select_for_update().filter(pk=institution_id).first()
        if row is None:
            raise _missing("banking.institution", institution_ids.PREFIX, institution_id)
        interfaces.check(interface, plain_http=row.slug == SANDBOX)
        row.is_enabled, row.native_name, row.interface = is_enabled, native_name.strip(), interface
        row.search_text = _searched(row.name, row.native_name, row.slug, row.bic)
        row.save(update_fields=["is_enabled", "native_name", "interface", "search_text"])


def note_incident(*, incident_id: UUID, note: str) -> None:
    """Keep what readers of the status page are told of an incident. Raises `ResourceMissing`."""
    if not InstitutionIncident.objects.filter(pk=incident_id).update(note=note.strip()):
        raise _missing("incident", "inc", incident_id)


def _searched(name: str, native_name: str, slug: str, bic: str) -> str:
    return fold(f"{name} {native_name} {slug} {bic}")[:400]


def _missing(resource: str, prefix: str, identifier: UUID) -> ResourceMissing:
    return ResourceMissing(resource=resource, id=ids.encode(prefix, identifier), param="id")
