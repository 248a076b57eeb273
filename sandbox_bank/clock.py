"""The bank's own clock. Whoever tests may stop it or put it forward; nothing else of the bank asks the machine."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.utils import timezone

from sandbox_bank.models import Bank


def bank() -> Bank:
    """What is set for the whole bank."""
    return Bank.objects.get_or_create(pk=1)[0]


def now() -> datetime:
    """The moment it is at the bank."""
    row = bank()
    return row.frozen_at or timezone.now() + timedelta(seconds=row.offset_seconds)


def today() -> date:
    """The day it is at the bank."""
    return now().date()
