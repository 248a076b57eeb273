"""A test clock on the wire."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from connect.kit.clock import unix
from connect.kit.ids import encode

PREFIX = "clock"


class AdvancingOut(msgspec.Struct, kw_only=True, gc=False):
    """Where an advancing clock goes, in unix seconds."""

    target_frozen_time: int


class StatusDetailsOut(msgspec.Struct, kw_only=True):
    """What the status does not say by itself."""

    advancing: AdvancingOut | None = None


class TestClockOut(msgspec.Struct, kw_only=True):
    """A clock that stands at `frozen_time` until it is advanced. `applies_to` says whose time it is."""

    __test__ = False

    id: str
    object: Literal["test_helpers.test_clock"] = "test_helpers.test_clock"
    applies_to: Literal["customers", "environment"]
    created: int
    deletes_after: int
    frozen_time: int
    livemode: bool
    name: str | None = None
    status: Literal["advancing", "internal_failure", "ready"]
    status_details: StatusDetailsOut


class DeletedTestClockOut(msgspec.Struct, kw_only=True, gc=False):
    """What is left of a test clock that was deleted. Only this shape has `deleted`."""

    id: str
    object: Literal["test_helpers.test_clock"] = "test_helpers.test_clock"
    deleted: Literal[True] = True


def render(row: Any, *, livemode: bool) -> TestClockOut:
    """The clock of `row`."""
    advancing = AdvancingOut(target_frozen_time=unix(row.target_time)) if row.status == "advancing" else None
    return TestClockOut(
        id=encode(PREFIX, row.id),
        applies_to="environment" if row.for_environment else "customers",
        created=unix(row.created_at),
        deletes_after=unix(row.deletes_after),
        frozen_time=unix(row.frozen_time),
        livemode=livemode,
        name=row.name,
        status=row.status,
        status_details=StatusDetailsOut(advancing=advancing),
    )
