"""What fills an environment of `benchmarks.fragments`: thirty days of requests, and what comes of them."""

from __future__ import annotations

import time
from typing import Any, Final
from uuid import UUID

from benchmarks import bank_lists
from benchmarks.stack import fill_tables

DAYS: Final = 30
NOBODY: Final = "00000000-0000-0000-0000-000000000000"
ENDPOINT: Final = "01980000-0000-7000-a000-000000000001"
BANK_SHARE: Final = 5
"""One bank transaction for this many requests."""

FILL: Final = (
    """
    INSERT INTO connect_request_log (id, created_at, method, path, route, status, error_code, duration_us, ip, user_agent,
        request_bytes, response_bytes, query, request_body, response_body, account_id, actor_kind, actor_id,
        idempotency_key, api_version, object_id)
    SELECT (lpad(to_hex(ms), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid, to_timestamp(ms / 1000.0),
        CASE WHEN n %% 50021 = 7 THEN 'DELETE' WHEN n %% 2 = 0 THEN 'GET' ELSE 'POST' END, '/v1/' || route || '/' || n %% 5000, '/v1/' || route,
        status, CASE WHEN status >= 400 THEN 'resource_missing' ELSE '' END, 2000 + n %% 90000, '192.0.2.7', 'benchmark',
        200, 900, '', '{"amount": "2500"}', '{"id": "pi_1", "object": "payment_intent"}', %(nobody)s, 'api_key',
        CASE WHEN n < %(rows)s / 10 THEN 'app-old' ELSE (ARRAY[%(key)s, 'app-one', 'app-two'])[1 + n %% 3] END, '', '2026-11-01', 'pi_' || lpad((n %% 50000)::text, 22, '0')
    FROM (SELECT n, %(until)s - ((%(rows)s - n)::bigint * %(span)s / %(rows)s) AS ms,
        (ARRAY['payment_intents', 'customers', 'refunds', 'balance', 'charges', 'events', 'banking/accounts',
               'banking/transactions', 'checkout/sessions', 'ledger/accounts', 'prices', 'products'])[1 + n %% 12] AS route,
        (ARRAY[200, 200, 200, 200, 200, 200, 200, 404, 200, 200, 200, 429, 200, 200, 200, 500])[1 + n %% 16] AS status
        FROM generate_series(0, %(rows)s - 1) n) made
    """,
    """
    INSERT INTO connect_usage_hour (id, hour, method, route, actor_id, status_class, requests, limited, duration_us, latency)
    SELECT gen_random_uuid(), date_trunc('hour', created_at), method, route, actor_id, status / 100, count(*),
        count(*) FILTER (WHERE status = 429), sum(duration_us),
        ARRAY[count(*) FILTER (WHERE duration_us <= 5000), count(*) FILTER (WHERE duration_us BETWEEN 5001 AND 10000),
              count(*) FILTER (WHERE duration_us BETWEEN 10001 AND 25000),
              count(*) FILTER (WHERE duration_us BETWEEN 25001 AND 50000),
              count(*) FILTER (WHERE duration_us > 50000), 0, 0, 0, 0, 0, 0]
    FROM connect_request_log GROUP BY 2, 3, 4, 5, 6
    """,
    """
    INSERT INTO connect_webhook_endpoint (id, account_id, url, description, enabled_events, enabled_after, api_version,
        metadata, created_at, status, disabled_reason, failure_count)
    SELECT %(endpoint)s, %(nobody)s, 'https://shop.example.com/hooks', '', ARRAY['*'],
        '01980000-0000-7000-a000-000000000000', '', '{}', now(), 'enabled', '', 0
    """,
    """
    INSERT INTO connect_event (id, account_id, type, schema_version, api_version, object_id, payload, request_id,
        idempotency_key, created_at, fanned_out_at)
    SELECT id, %(nobody)s, CASE WHEN id::text LIKE '%%fff0' THEN 'customer.deleted' ELSE 'payment_intent.succeeded' END, 1, '2026-11-01', object_id,
        '{"id": "pi_1", "object": "payment_intent", "amount": 2500, "currency": "eur"}', '', '', created_at, created_at
    FROM connect_request_log WHERE right(id::text, 12) ~ '[05af]$'
    """,
    """
    INSERT INTO connect_webhook_delivery (id, event_id, endpoint_id, state, attempts, failures, created_at, finished_at)
    SELECT id, id, %(endpoint)s, CASE WHEN right(id::text, 2) = '0f' THEN 'failed' ELSE
        'succeeded' END, 1, 0, created_at, created_at FROM connect_event
    """,
    """
    INSERT INTO payments_charge (id, account_id, metadata, created_at, payment_intent_id, amount_minor,
        amount_captured_minor, amount_refunded_minor, amount_refunding_minor, currency, status, captured, paid, refunded,
        disputed, billing_details, processor, customer_id)
    SELECT id, %(nobody)s, '{}', created_at, id, 2500, 2500, 0, 0, (ARRAY['eur', 'mkd'])[1 + (random() * 1)::int],
        'succeeded', true, true, false, false, '{}', 'sandbox', id
    FROM connect_request_log WHERE right(id::text, 2) IN ('00', '55', 'aa')
    """,
    """
    INSERT INTO payments_payment_intent (id, account_id, metadata, created_at, amount_minor, amount_capturable_minor,
        amount_received_minor, currency, status, capture_method, confirmation_method, latest_charge_id, customer_id,
        payment_method_types)
    SELECT id, account_id, '{}', created_at, amount_minor, 0, amount_minor, currency, 'succeeded', 'automatic',
        'automatic', id, customer_id, '["card"]' FROM payments_charge
    """,
    """
    INSERT INTO payments_customer (id, account_id, metadata, created_at, email, name, preferred_locales, balance_minor)
    SELECT id, account_id, '{}', created_at, 'payer-' || right(id::text, 6) || '@example.com',
        'Payer ' || right(id::text, 6), '[]', 0 FROM payments_charge
    """,
    """
    INSERT INTO payments_balance_transaction (id, account_id, metadata, created_at, type, reporting_category,
        amount_minor, fee_minor, net_minor, currency, status, available_on, source_id, fee_details)
    SELECT id, account_id, '{}', created_at, 'charge', 'charge', 2500, 65, 2435, currency, 'available', created_at,
        'ch_' || lpad(right(id::text, 12), 22, '0'), '[]' FROM payments_charge
    """,
    """
    INSERT INTO payments_checkout_session (id, account_id, metadata, created_at, secret_hash, secret_sealed, mode, status,
        payment_status, currency, amount_subtotal_minor, amount_total_minor, payment_intent_id, phone_number_collection,
        payment_method_types, intent_data, expires_at, completed_at)
    SELECT id, account_id, '{}', created_at, sha256(id::text::bytea), '', 'payment', 'complete', 'paid', currency, 2500,
        2500, id, false, '["card"]', '{}', created_at + interval '1 day', created_at FROM payments_charge
    """,
    """
    INSERT INTO connect_audit_entry (id, actor_kind, actor_id, action, target, request_id, data, created_at)
    SELECT id, 'user', 'usr_' || lpad(right(id::text, 2), 22, '0'), 'payment.refunded',
        'pi_' || lpad(right(id::text, 12), 22, '0'), '', '{"amount": 2500}', created_at FROM payments_charge
    """,
    """
    INSERT INTO connect_webhook_attempt (id, delivery_id, number, requested_at, url, request_headers, body_sha256,
        body_bytes, finished_at, duration_ms, response_status, response_headers, response_body, error_kind, error)
    SELECT id, id, 1, created_at, 'https://shop.example.com/hooks', '{"User-Agent": "Facturino-Connect/1"}',
        sha256(''), 400, created_at, 35, 200, '{"Content-Type": "text/plain"}', 'ok', '', '' FROM connect_webhook_delivery
    """,
    """
    INSERT INTO banks_link_session (id, account_id, created_at, metadata, secret_hash, secret_sealed, mode, status,
        permissions, countries, recurring, history_days, expires_at, ended_at)
    SELECT id, account_id, created_at, '{}', sha256(id::text::bytea), '', 'link', 'complete', '["accounts"]', '[]', true,
        90, created_at + interval '1 hour', created_at FROM payments_charge
    """,
)


def fill(environment: Any, rows: int) -> None:
    """Everything, for so many requests."""
    from connect.kit import ids
    from connect.models import ApiKey

    key = ids.encode("key", ApiKey.objects.filter(environment_id=environment.id).values_list("id", flat=True)[0])
    values = {
        "nobody": NOBODY, "endpoint": ENDPOINT, "rows": rows, "key": key, "until": int(time.time() * 1000), "span": DAYS * 86_400_000,
    }  # fmt: skip
    fill_tables(environment, FILL, values)
    bank_lists.fill(environment, rows // BANK_SHARE)
    _post(environment)


def _post(environment: Any) -> None:
    """The charges in the ledger, where no statement of ours may write."""
    from connect.kit import ids
    from connect.kit.caller import PLATFORM_ACCOUNT, Caller
    from connect.kit.money import Money
    from connect.kit.tenancy import use_environment
    from ledger.services import journal
    from payments.domain import postings
    from payments.models import Charge

    caller = Caller.system(environment, "benchmark")
    with use_environment(environment):
        charges = list(Charge.objects.order_by("id").values_list("id", "currency", "created_at"))
    for start in range(0, len(charges), 100):
        with use_environment(environment):
            journal.post_many(
                caller,
                [
                    postings.for_capture(
                        charge=ids.encode("ch", identifier), account=PLATFORM_ACCOUNT, processor="sandbox",
                        amount=Money(2500, currency), fee=Money(65, currency), effective_at=created_at,
                    )
                    for identifier, currency, created_at in charges[start : start + 100]
                ],
            )  # fmt: skip


def known(environment: Any, count: int = 50) -> dict[str, list[str]]:
    """Ids of objects that have pages of their own, by prefix: up to `count` of each, from all of the thirty days."""
    from django.db import connection

    from connect.kit import ids
    from connect.kit.tenancy import use_environment

    tables = {
        "req": "connect_request_log", "evt": "connect_event", "whd": "connect_webhook_delivery",
        "pi": "payments_payment_intent", "ch": "payments_charge", "cus": "payments_customer",
        "cs": "payments_checkout_session", "ltxn": "ledger_transaction", "lacct": "ledger_account",
        "conn": "banks_connection", "bka": "banks_account", "btx": "banks_transaction", "lks": "banks_link_session",
    }  # fmt: skip
    found: dict[str, list[str]] = {"we": [ids.encode("we", UUID(ENDPOINT))]}
    with use_environment(environment), connection.cursor() as cursor:
        for prefix, table in tables.items():
            cursor.execute(
                f"SELECT id FROM {table} ORDER BY md5(id::text) LIMIT %s",
                [count],
            )
            found[prefix] = [ids.encode(prefix, identifier) for (identifier,) in cursor.fetchall()]
    return found
