"""Chance that can be played again: every race prints its seed, and `RACE_SEED` brings it back."""

from __future__ import annotations

import os
import secrets
from typing import Final

SEED: Final = os.environ.get("RACE_SEED") or secrets.token_hex(4)
"""Of this run. `RACE_SEED=3f2a91c0` makes the same seeds again, `RACE_SEED=3f2a91c0-17` that one only."""


def seeds(count: int) -> list[str]:
    """The seeds of one race of this run."""
    return [SEED] if "-" in SEED else [f"{SEED}-{number}" for number in range(count)]
