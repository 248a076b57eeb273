"""What the floor itself brings to the register of objects."""

from __future__ import annotations

from connect.kit import registry
from connect.kit.registry import Resource


def register() -> None:
    """Fill the register; called once, when the apps are ready."""
    from connect.selectors import test_clocks
    from connect.shapes.test_clocks import PREFIX, TestClockOut

    registry.register(
        Resource(PREFIX, "test_helpers.test_clock", TestClockOut, test_clocks.load, None, "test_clocks:read")
    )
