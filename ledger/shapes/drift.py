"""The drift report on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

import msgspec

from connect.kit.clock import unix
from connect.kit.ids import encode
from ledger.domain.records import Drift, DriftReport, Fault

_PREFIXES: Final = {"transaction": "ltxn", "orphan": "ltxn", "hold": "lhold"}


class LedgerFaultOut(msgspec.Struct, kw_only=True, gc=False):
    """One disagreement: what the entries and holds say, and what was found instead, in minor units."""

    actual: int
    expected: int
    fault: Fault
    subject: str | None


class LedgerDriftOut(msgspec.Struct, kw_only=True):
    """The ledger compared with itself. `rows` were read; in a sound ledger `faults` is empty and `ok` is true."""

    object: Literal["ledger.drift"] = "ledger.drift"
    created: int
    faults: list[LedgerFaultOut]
    livemode: bool
    ok: bool
    rows: int


def render(report: DriftReport, *, livemode: bool, at: datetime) -> LedgerDriftOut:
    """The wire shape of a report made at `at`."""
    return LedgerDriftOut(
        created=unix(at),
        faults=[_fault(found) for found in report.faults],
        livemode=livemode,
        ok=report.ok,
        rows=report.rows,
    )


def _fault(found: Drift) -> LedgerFaultOut:
    return LedgerFaultOut(actual=found.actual, expected=found.expected, fault=found.fault, subject=subject(found))


def subject(found: Drift) -> str | None:
    """The public id of what disagrees; None for a currency's sum."""
    return None if found.subject is None else encode(_PREFIXES.get(found.fault, "lacct"), found.subject)
