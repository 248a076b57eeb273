"""The catalogue of banks: brought in line with the file that comes with the product."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

from django.db import transaction

from banks.domain import institution_ids
from banks.domain.names import fold
from banks.models import Institution

FILE: Final = Path(__file__).resolve().parents[1] / "data" / "institutions.csv"
_OF_THE_FILE: Final = (
    "name", "country", "bic", "bank_code", "connector", "website", "identity_confidence", "integration_confidence",
    "note",
)  # fmt: skip


def load_catalogue(*, using: str) -> int:
    """Write the file's banks into the public schema through the alias `using`; returns how many rows changed.

    What staff decided (`is_enabled`, `interface`, `native_name`) stays. A bank that left the file keeps its row,
    because connections may name it.
    """
    changed = 0
    with transaction.atomic(using=using), FILE.open(encoding="utf-8", newline="") as file:
        known = {row.slug: row for row in Institution.objects.using(using).all()}
        for line in csv.DictReader(file):
            row = known.get(line["slug"]) or Institution(id=institution_ids.of_slug(line["slug"]), slug=line["slug"])
            fresh = {name: line[name] for name in _OF_THE_FILE}
            fresh["search_text"] = fold(" ".join([line["name"], row.native_name, line["slug"], line["bic"]]))
            if line["slug"] in known and all(getattr(row, name) == value for name, value in fresh.items()):
                continue
            for name, value in fresh.items():
                setattr(row, name, value)
            row.save(using=using, force_insert=line["slug"] not in known)
            changed += 1
    return changed
