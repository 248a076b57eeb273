"""The request log in a busy environment: each filter goes to what it finds by an index, and reads little else."""

from __future__ import annotations

import json
import os
from datetime import timedelta

import psycopg
import pytest
from django.db import connection

from connect.kit import clock
from connect.kit.pages import Page, slice_queryset
from connect.kit.tenancy import use_environment
from connect.models import RequestLog
from connect.selectors import request_logs

ROWS = 12_000
FILL = """
INSERT INTO connect_request_log (id, created_at, method, path, route, status, error_code, duration_us, user_agent,
    request_bytes, response_bytes, query, request_body, response_body, account_id, actor_kind, actor_id, idempotency_key,
    api_version, object_id)
SELECT (lpad(to_hex(ms), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid, to_timestamp(ms / 1000.0),
    CASE WHEN n = 100 THEN 'DELETE' ELSE 'POST' END, '/v1/refunds/' || lpad((n %% 3000)::text, 5, '0'), '/v1/refunds',
    CASE WHEN n = 200 THEN 500 WHEN n %% 5 = 0 THEN 404 ELSE 200 END, '', 1000, '', 1, 1, '', '', '', %(account)s, 'api_key',
    CASE WHEN n < 3000 THEN 'rolled' ELSE 'used' END, '', '', 'pi_' || lpad((n %% 4000)::text, 5, '0')
FROM (SELECT n, %(until)s - (%(rows)s - n)::bigint * 200000 AS ms FROM generate_series(0, %(rows)s - 1) n) made
"""
"""Four weeks. The key `rolled`, the one DELETE and the one error are in the first of them."""


def read(queryset) -> int:
    """How many rows of the log a page of this list looks at."""
    page = Page(limit=25)
    with connection.cursor() as cursor:
        statement, values = queryset.order_by("-id")[: page.limit + 1].query.sql_with_params()
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values)
        (plan,) = cursor.fetchone()
    found, _more = slice_queryset(queryset, page)
    assert found, "a filter that finds nothing shows nothing"
    return looked_at((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])


def looked_at(node) -> int:
    below = sum(looked_at(child) for child in node.get("Plans", ()))
    if node.get("Relation Name") != RequestLog._meta.db_table:
        return below
    rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return below + int(rows * node["Actual Loops"])


@pytest.mark.django_db(transaction=True)
def test_a_page_of_any_filter_looks_at_few_rows(environment, caller):
    now = clock.wall()
    with use_environment(environment), connection.cursor() as cursor:
        cursor.execute(FILL, {"rows": ROWS, "until": int(now.timestamp() * 1000), "account": caller.account})
    administration = os.environ["FC_TEST_ADMIN_URL"].rpartition("/")[0] + f"/{os.environ['FC_TEST_DATABASE']}"
    with psycopg.connect(administration, autocommit=True) as connected:
        connected.execute(f'VACUUM ANALYZE "{environment.schema_name}".connect_request_log'.encode())
    week = timedelta(days=7)
    asked = {
        "newest": {},
        "an object": {"object_id": "pi_00077"},
        "a path": {"path": "/v1/refunds/00123"},
        "a key that is used no more": {"actor_id": "rolled"},
        "failures": {"failed": True},
        "refused": {"status_class": 4},
        "the one error": {"status_class": 5},
        "the one with a seldom method": {"method": "DELETE"},
        "until weeks ago": {"until": now - 3 * week},
        "a week long ago": {"since": now - 3 * week, "until": now - 2 * week},
    }
    with use_environment(environment):
        counts = {name: read(request_logs.newest(account=caller.account, **filters)) for name, filters in asked.items()}
    assert {name: count for name, count in counts.items() if count > 300} == {}, counts
