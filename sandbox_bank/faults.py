"""Misbehaviour on demand. A fault says what goes wrong, at which endpoint, how often and until when."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from sandbox_bank.models import Fault

ANSWERS = ("down", "too_many", "error", "malformed", "html")
DELAYS = ("hang", "slow", "drip")
TWISTS = ("blank_ids", "not_provided_ids", "reissued_ids", "duplicates", "loop", "relative_links", "unsigned_amounts")
KINDS = (*ANSWERS, *DELAYS, *TWISTS)
LONGEST_WAIT_MS = 120_000
LOOK_EVERY = 0.1


def set_up(kind: str, *, endpoint: str, times: int | None, seconds: float | None, details: dict[str, Any]) -> Fault:
    """Begin to misbehave. `details["skip"]` lets so many calls through first."""
    until = None if seconds is None else timezone.now() + timedelta(seconds=seconds)
    return Fault.objects.create(kind=kind, endpoint=endpoint, remaining=times, until=until, details=details)


@transaction.atomic
def draw(endpoint: str) -> dict[str, Fault]:
    """The faults that hit this call, by kind. One that is limited to a number of calls is used up by that."""
    now = timezone.now()  # whoever tests waits by the machine's clock
    rows = Fault.objects.select_for_update().order_by("pk")
    hit: dict[str, Fault] = {}
    for row in rows.filter(Q(until=None) | Q(until__gt=now), endpoint__in=["", endpoint]).exclude(remaining=0):
        if row.kind in hit:
            continue
        if row.details.get("skip", 0) > 0:
            row.details["skip"] -= 1
            row.save(update_fields=["details"])
            continue
        if row.remaining is not None:
            row.remaining -= 1
            row.save(update_fields=["remaining"])
        hit[row.kind] = row
    return hit


def wait(fault: Fault) -> None:
    """Keep the caller waiting; a reset of the bank lets it go."""
    end = time.monotonic() + min(int(fault.details.get("ms", 30_000)), LONGEST_WAIT_MS) / 1000
    while (left := end - time.monotonic()) > 0 and Fault.objects.filter(pk=fault.pk).exists():
        time.sleep(min(LOOK_EVERY, left))
