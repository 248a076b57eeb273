"""`seed`: the bank's customers, accounts and a year of entries, unless they are there."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from sandbox_bank import data


class Command(BaseCommand):
    """May be run any number of times."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        """Fill an empty bank."""
        made = data.seed()
        self.stdout.write("The bank is filled." if made else "The bank is filled already.")
