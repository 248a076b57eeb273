"""Whether the projection tells the truth: balances against entries, held amounts against holds, sums against zero."""

from __future__ import annotations

from typing import Final

from django.db import connection

from ledger.domain.records import Drift, DriftReport

_ROWS: Final = (
    "SELECT (SELECT count(*) FROM ledger_entry) + (SELECT count(*) FROM ledger_account)"
    " + (SELECT count(*) FROM ledger_hold)"
)
_FAULTS: Final = "SELECT fault, subject, expected::bigint, actual::bigint FROM ledger_drift ORDER BY 1, 2"


def report() -> DriftReport:
    """Read every row of the open environment's ledger and compare. A sound ledger has no faults."""
    with connection.cursor() as cursor:
        cursor.execute(_ROWS)
        rows = cursor.fetchone()[0]
        cursor.execute(_FAULTS)
        return DriftReport(rows, tuple(Drift(*row) for row in cursor.fetchall()))
