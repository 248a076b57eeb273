"""The counts of webhook deliveries: what a trigger wrote for each change is added to their totals."""

from __future__ import annotations

from typing import Final

from django.db import connection

from connect.kit.caller import Caller
from connect.kit.tenancy import use_environment

LOOSE: Final = ("connect_webhook_delivery_count", "NOT is_total")
"""Table and condition of changes that are in no total yet, for `sweeps.environments_where`."""
BATCH: Final = 10_000

# One statement: whoever reads meanwhile sees the changes or the totals with them, never both or neither.
_ADD_UP: Final = """
WITH loose AS (
    DELETE FROM connect_webhook_delivery_count WHERE id IN
        (SELECT id FROM connect_webhook_delivery_count WHERE NOT is_total LIMIT %s FOR UPDATE SKIP LOCKED)
    RETURNING account_id, quarter, state, deliveries
), totals AS (
    INSERT INTO connect_webhook_delivery_count AS total (id, account_id, quarter, state, deliveries, is_total)
    SELECT gen_random_uuid(), account_id, quarter, state, sum(deliveries), true FROM loose
    GROUP BY account_id, quarter, state HAVING sum(deliveries) <> 0 ORDER BY account_id, quarter, state
    ON CONFLICT (account_id, quarter, state) WHERE is_total
    DO UPDATE SET deliveries = total.deliveries + excluded.deliveries
    RETURNING id, deliveries
)
SELECT (SELECT count(*) FROM loose), ARRAY(SELECT id FROM totals WHERE deliveries = 0)
"""


def add_up(caller: Caller) -> int:
    """Add the changes of the caller's environment to the totals, a batch in each transaction; returns how many."""
    done = 0
    while True:
        with use_environment(caller.environment), connection.cursor() as cursor:
            cursor.execute(_ADD_UP, [BATCH])
            count, empty = cursor.fetchone()
            if empty:
                cursor.execute("DELETE FROM connect_webhook_delivery_count WHERE id = ANY (%s)", [empty])
        done += count
        if count < BATCH:
            return done
