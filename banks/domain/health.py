"""How a bank is doing, in one word."""

from __future__ import annotations

from enum import StrEnum


class Standing(StrEnum):
    """`unknown`: nobody has called the bank lately."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"
