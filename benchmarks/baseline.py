"""What the product is measured against: one bare Django view per operation, the rows written by bare psycopg.

The same rows in the same number of commits, the same SQL function of the ledger, answers of the same fields by msgspec.
What it leaves out is what the product adds: limits, scopes, validation, state machines, sealing, the request log, the
processor behind its Protocol. Statements are prepared and the search path is set once per connection, which no shared
connection could do. It is a yardstick, not a way to write this product.

`FC_BENCHMARK_SCHEMA` and `FC_BENCHMARK_KEY` say whose rows and which key; `application` is served by granian.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import django
import msgspec
import psycopg
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import path
from psycopg.types.json import Jsonb, set_json_dumps

from connect.kit import ids
from connect.kit.ids import encode
from payments.shapes.billing_details import AddressOut, BillingDetailsOut
from payments.shapes.charges import ChargeOut
from payments.shapes.payment_intents import PaymentIntentOut

if not settings.configured:
    settings.configure(
        ROOT_URLCONF=__name__, MIDDLEWARE=[], ALLOWED_HOSTS=["127.0.0.1"], APPEND_SLASH=False, USE_TZ=True
    )
    django.setup()
set_json_dumps(msgspec.json.encode)

SCHEMA = os.environ.get("FC_BENCHMARK_SCHEMA", "")
EXPECTED = f"Bearer {os.environ.get('FC_BENCHMARK_KEY', '')}"
ENVIRONMENT = UUID(os.environ.get("FC_BENCHMARK_ENVIRONMENT", str(UUID(int=0))))
SECRET = os.environ.get("SECRET_KEY", "").encode()
PLATFORM = UUID(int=0)
STRIPES = 16
_local = threading.local()


def _insert(table: str, columns: str, *, count: int = 1) -> str:
    row = f"({', '.join(['%s'] * (columns.count(',') + 1))})"
    return f"INSERT INTO {table} ({columns}) VALUES {', '.join([row] * count)}"


_KEY_COLUMNS = "id, account_id, key, fingerprint, state, request_id, resume, lease_until, status, reply, created_at"
_EVENT_COLUMNS = (
    "id, account_id, type, schema_version, api_version, object_id, payload, request_id, idempotency_key, created_at"
)
INSERT_KEY = _insert("connect_idempotency_key", _KEY_COLUMNS)
INSERT_EVENT = _insert("connect_event", _EVENT_COLUMNS)
INSERT_TWO_EVENTS = _insert("connect_event", _EVENT_COLUMNS, count=2)
INSERT_INTENT = _insert(
    "payments_payment_intent",
    "id, account_id, metadata, created_at, amount_minor, amount_capturable_minor, amount_received_minor, currency,"
    " status, capture_method, confirmation_method, payment_method_id, open_attempt_id, payment_method_types",
)
INSERT_METHOD = _insert(
    "payments_payment_method", "id, account_id, metadata, created_at, type, card, billing_details, used_up"
)
INSERT_ATTEMPT = _insert(
    "payments_payment_attempt",
    "id, account_id, metadata, created_at, payment_intent_id, charge_id, kind, state, processor, request,"
    " status_before, tries, lease_until",
)
INSERT_CHARGE = _insert(
    "payments_charge",
    "id, account_id, metadata, created_at, payment_intent_id, payment_method_id, amount_minor, amount_captured_minor,"
    " amount_refunded_minor, currency, status, captured, paid, refunded, disputed, outcome, payment_method_details,"
    " billing_details, balance_transaction_id, processor, processor_reference",
)
INSERT_BALANCE_TRANSACTION = _insert(
    "payments_balance_transaction",
    "id, account_id, metadata, created_at, type, reporting_category, amount_minor, fee_minor, net_minor, currency,"
    " status, available_on, source_id, fee_details",
)
POST = (
    "SELECT ids FROM ledger_post(%s::uuid[], %s::text[], %s::text[], %s::timestamptz[], %s::text[], %s::text[],"
    " %s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::smallint[], %s::uuid[], %s::uuid[],"
    " %s::int[], %s::int[], %s::int[], %s::bigint[])"
)
LIST = (
    "SELECT id, amount_minor, amount_capturable_minor, amount_received_minor, canceled_at, cancellation_reason,"
    " capture_method, confirmation_method, created_at, currency, customer_id, description, last_payment_error,"
    " latest_charge_id, metadata, next_action, payment_method_id, payment_method_types, receipt_email,"
    " setup_future_usage, shipping, statement_descriptor, statement_descriptor_suffix, status, transfer_group"
    " FROM payments_payment_intent WHERE account_id = %s ORDER BY id DESC LIMIT %s"
)
CARD = {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2034, "funding": "credit", "country": "US",
        "fingerprint": "Zf0qQhX5bJfJ8d1p", "test_token": "visa", "cvc_check": "pass"}  # fmt: skip
OUTCOME = {"advice_code": None, "network_advice_code": None, "network_decline_code": None,
           "network_status": "approved_by_network", "reason": None, "risk_level": "normal", "risk_score": 20,
           "seller_message": "Payment complete.", "type": "authorized"}  # fmt: skip


def payment_intents(request: HttpRequest) -> HttpResponse:
    """`GET` lists, `POST` creates, with `confirm=true` and pays."""
    if not hmac.compare_digest(request.META.get("HTTP_AUTHORIZATION", ""), EXPECTED):
        return HttpResponse(status=401)
    connection = _connection()
    if request.method == "GET":
        return _answer(_list(connection, request))
    given = dict(parse_qsl(request.body.decode()))
    key = request.META["HTTP_IDEMPOTENCY_KEY"]
    if given.get("confirm") == "true":
        return _answer(_create_and_confirm(connection, given, key))
    return _answer(_create(connection, given, key))


def _create(connection: psycopg.Connection, given: dict[str, str], key: str) -> bytes:
    """One commit: intent, event, idempotency key with the answer."""
    now, identifier, amount, currency = datetime.now(UTC), ids.new(), int(given["amount"]), given["currency"]
    shown = _intent(identifier, amount, currency, now, "requires_payment_method")
    body = msgspec.json.encode(shown)
    with connection.transaction():
        connection.execute(
            INSERT_INTENT,
            (identifier, PLATFORM, "{}", now, amount, 0, 0, currency, "requires_payment_method", "automatic",
             "automatic", None, None, '["card"]'),
        )  # fmt: skip
        connection.execute(INSERT_EVENT, _event("payment_intent.created", shown, key, now))
        connection.execute(INSERT_KEY, _key(key, "done", now, status=200, reply=body))
    return body


def _create_and_confirm(connection: psycopg.Connection, given: dict[str, str], key: str) -> bytes:
    """Two commits: method, intent, event, attempt and claim; then everything an approved answer brings."""
    now, amount, currency = datetime.now(UTC), int(given["amount"]), given["currency"]
    intent, method, attempt, charge, transaction, claim = (ids.new() for _ in range(6))
    fee = (amount * 14 + 500) // 1000
    asked = {"attempt_id": encode("patt", attempt), "livemode": False, "currency": currency, "amount_minor": amount,
             "instrument": "visa", "capture": True, "off_session": False, "return_url": None,
             "statement_descriptor": None}  # fmt: skip
    first = _intent(intent, amount, currency, now, "requires_confirmation", method=method)
    with connection.transaction():
        connection.execute(INSERT_METHOD, (method, PLATFORM, "{}", now, "card", Jsonb(CARD), "{}", False))
        connection.execute(INSERT_EVENT, _event("payment_intent.created", first, key, now))
        connection.execute(
            INSERT_ATTEMPT,
            (attempt, PLATFORM, "{}", now, intent, charge, "authorize", "open", "sandbox", Jsonb(asked),
             "requires_confirmation", 1, now + timedelta(seconds=60)),
        )  # fmt: skip
        connection.execute(
            INSERT_INTENT,
            (intent, PLATFORM, "{}", now, amount, 0, 0, currency, "processing", "automatic", "automatic", method,
             attempt, '["card"]'),
        )  # fmt: skip
        connection.execute(INSERT_KEY, _key(key, "claimed", now, identifier=claim, resume=encode("patt", attempt)))

    # Here the product asks the processor.
    reference, authorization_code = hashlib.sha256(attempt.bytes).hexdigest()[:24], "123456"
    details = _details(amount, authorization_code)
    last = _intent(intent, amount, currency, now, "succeeded", method=method, charge=charge, received=amount)
    shown = _charge(charge, intent, method, transaction, amount, currency, now, details)
    body = msgspec.json.encode(last)
    with connection.transaction():
        connection.execute("SELECT id FROM payments_payment_intent WHERE id = %s FOR UPDATE", (intent,))
        connection.execute(
            "UPDATE payments_payment_attempt SET state = 'approved', outcome = %s, settled_at = %s WHERE id = %s",
            (Jsonb({"outcome": "Approved", "reference": reference, "captured": True}), now, attempt),
        )
        _post(connection, shown.id, amount, fee, currency, now)
        connection.execute(
            INSERT_BALANCE_TRANSACTION,
            (transaction, PLATFORM, "{}", now, "charge", "charge", amount, fee, amount - fee, currency, "pending",
             now + timedelta(days=2), shown.id, Jsonb([{"amount": fee, "currency": currency}])),
        )  # fmt: skip
        connection.execute(
            INSERT_CHARGE,
            (charge, PLATFORM, "{}", now, intent, method, amount, amount, 0, currency, "succeeded", True, True, False,
             False, Jsonb(OUTCOME), Jsonb(details), "{}", transaction, "sandbox", reference),
        )  # fmt: skip
        connection.execute(
            "UPDATE payments_payment_intent SET status = 'succeeded', amount_received_minor = %s, latest_charge_id ="
            " %s, open_attempt_id = NULL WHERE id = %s",
            (amount, charge, intent),
        )
        connection.execute(
            INSERT_TWO_EVENTS,
            (*_event("charge.succeeded", shown, key, now), *_event("payment_intent.succeeded", last, key, now)),
        )
        connection.execute(
            "UPDATE connect_idempotency_key SET state = 'done', status = 200, reply = %s, lease_until = NULL"
            " WHERE id = %s",
            (body, claim),
        )
    return body


def _list(connection: psycopg.Connection, request: HttpRequest) -> bytes:
    limit = int(request.GET["limit"])
    rows = connection.execute(LIST, (PLATFORM, limit + 1)).fetchall()
    data = [_shown(row) for row in rows[:limit]]
    return msgspec.json.encode({"object": "list", "url": request.path, "has_more": len(rows) > limit, "data": data})


def _shown(row: tuple[Any, ...]) -> PaymentIntentOut:
    (identifier, amount, capturable, received, canceled_at, reason, capture, confirmation, created_at, currency,
     customer, description, error, charge, metadata, action, method, types, receipt, usage, shipping, descriptor, suffix, status,
     group) = row  # fmt: skip
    return PaymentIntentOut(
        id=encode("pi", identifier), amount=amount, amount_capturable=capturable, amount_received=received,
        canceled_at=int(canceled_at.timestamp()) if canceled_at else None, cancellation_reason=reason,
        capture_method=capture, client_secret=_client_secret(identifier), confirmation_method=confirmation,
        created=int(created_at.timestamp()), currency=currency, customer=encode("cus", customer) if customer else None,
        description=description, last_payment_error=error, latest_charge=encode("ch", charge) if charge else None,
        livemode=False, metadata=metadata, next_action=action, payment_method=encode("pm", method) if method else None,
        payment_method_types=types, receipt_email=receipt, setup_future_usage=usage, shipping=shipping,
        statement_descriptor=descriptor, statement_descriptor_suffix=suffix, status=status, transfer_group=group,
    )  # fmt: skip


def _intent(
    identifier: UUID, amount: int, currency: str, at: datetime, status: Any, *, method: UUID | None = None,
    charge: UUID | None = None, received: int = 0,
) -> PaymentIntentOut:  # fmt: skip
    return PaymentIntentOut(
        id=encode("pi", identifier), amount=amount, amount_capturable=0, amount_received=received,
        capture_method="automatic", client_secret=_client_secret(identifier), confirmation_method="automatic",
        created=int(at.timestamp()), currency=currency, livemode=False, metadata={}, payment_method_types=["card"],
        payment_method=encode("pm", method) if method else None, latest_charge=encode("ch", charge) if charge else None,
        status=status,
    )  # fmt: skip


def _charge(
    identifier: UUID, intent: UUID, method: UUID, transaction: UUID, amount: int, currency: str, at: datetime,
    details: dict[str, Any],
) -> ChargeOut:  # fmt: skip
    return ChargeOut(
        id=encode("ch", identifier), amount=amount, amount_captured=amount, amount_refunded=0,
        authorization_code="123456", balance_transaction=encode("txn", transaction),
        billing_details=BillingDetailsOut(address=AddressOut()), captured=True, created=int(at.timestamp()),
        currency=currency, disputed=False, fraud_details={}, livemode=False, metadata={}, outcome=OUTCOME, paid=True,
        payment_intent=encode("pi", intent), payment_method=encode("pm", method), payment_method_details=details,
        refunded=False, status="succeeded",
    )  # fmt: skip


def _details(amount: int, authorization_code: str) -> dict[str, Any]:
    card = {
        "amount_authorized": amount, "authorization_code": authorization_code, "brand": "visa", "capture_before": None,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US", "exp_month": 12, "exp_year": 2034, "extended_authorization": {"status": "disabled"},
        "fingerprint": "Zf0qQhX5bJfJ8d1p", "funding": "credit", "incremental_authorization": {"status": "unavailable"},
        "installments": None, "last4": "4242", "mandate": None, "multicapture": {"status": "unavailable"},
        "network": "visa", "network_token": {"used": False}, "network_transaction_id": "123456789012345",
        "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
        "regulated_status": "unregulated", "three_d_secure": None, "wallet": None,
    }  # fmt: skip
    return {"type": "card", "card": card}


def _post(connection: psycopg.Connection, charge: str, amount: int, fee: int, currency: str, now: datetime) -> None:
    """Three lines: clearing, pending, fees. The accounts are opened by the first posting that names them."""
    paths = (f"processor:sandbox:clearing:{currency}", f"platform:pending:{currency}", f"fees:processor:{currency}")
    connection.execute(
        POST,
        (
            _array([ids.new()]), "{charge.capture}", f'{{"charge:{charge}:capture:1"}}', f'{{"{now.isoformat()}"}}',
            _array([charge]), '{""}', '{"{}"}', _array(f'"{path}"' for path in paths), _array([currency] * 3),
            "{debit,credit,credit}", "{NULL,NULL,NULL}", f"{{{STRIPES},1,{STRIPES}}}", _array([PLATFORM] * 3),
            _array(ids.new() for _ in paths), "{1,1,1}", "{1,2,3}", "{1,2,3}", _array([-amount, amount - fee, fee]),
        ),
    )  # fmt: skip


def _array(values: Iterable[object]) -> str:
    return "{" + ",".join(map(str, values)) + "}"


def _event(kind: str, shown: Any, key: str, now: datetime) -> tuple[Any, ...]:
    request_id = encode("req", ids.new())
    return (ids.new(), PLATFORM, kind, 1, "2026-11-01", shown.id, Jsonb(shown), request_id, key, now)


def _key(
    key: str, state: str, now: datetime, *, identifier: UUID | None = None, resume: str = "", status: int | None = None,
    reply: bytes | None = None,
) -> tuple[Any, ...]:  # fmt: skip
    lease = now + timedelta(seconds=60) if state == "claimed" else None
    fingerprint = hashlib.sha256(key.encode()).digest()
    request_id = encode("req", ids.new())
    return (identifier or ids.new(), PLATFORM, key, fingerprint, state, request_id, resume, lease, status, reply, now)


def _client_secret(identifier: UUID) -> str:
    digest = hmac.digest(SECRET, b"payment_intent:" + ENVIRONMENT.bytes + identifier.bytes, hashlib.sha256)
    return f"{encode('pi', identifier)}_secret_{ids.base62(int.from_bytes(digest[:16], 'big'), ids.BODY_LENGTH)}"


def _connection() -> psycopg.Connection:
    """One connection per thread, for ever."""
    connection: psycopg.Connection | None = getattr(_local, "connection", None)
    if connection is None:
        connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, options=f"-c search_path={SCHEMA}")
        _local.connection = connection
    return connection


def _answer(body: bytes) -> HttpResponse:
    return HttpResponse(body, content_type="application/json", headers={"Content-Length": str(len(body))})


def healthz(_request: HttpRequest) -> HttpResponse:
    """That the server answers."""
    return HttpResponse(b"ok")


urlpatterns = [path("healthz", healthz), path("v1/payment_intents", payment_intents)]
application = WSGIHandler()
