"""From the stream in Valkey into the tables: request log and usage, one transaction per environment.

Every step may be repeated. A record is inserted by its request id and counted only where it was new, so a drain that
dies between the commit and the acknowledgement changes nothing when its records come again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.utils import Error as DatabaseError

from connect.clients import request_stream
from connect.domain import tiers
from connect.kit import clock, ids, metrics
from connect.kit.tenancy import use_environment
from connect.selectors import environments
from connect.selectors import usage as usage_reads
from connect.services import api_keys, consents, limits, usage
from connect.services.request_logs import Record

log = structlog.get_logger(__name__)

BATCH: Final = 1_000
ROUNDS_MAX: Final = 50

_SHARED: Final = {
    "id": "uuid", "created_at": "timestamptz", "method": "text", "path": "text", "route": "text", "status": "smallint",
    "error_code": "text", "duration_us": "bigint", "ip": "inet", "user_agent": "text", "request_bytes": "integer",
    "response_bytes": "integer", "query": "text", "request_body": "text", "response_body": "text",
}  # fmt: skip
_TENANT: Final = _SHARED | {
    "account_id": "uuid", "actor_kind": "text", "actor_id": "text", "idempotency_key": "text", "api_version": "text",
    "object_id": "text",
}  # fmt: skip

_decoder: Final = msgspec.msgpack.Decoder(Record)


@dataclass(slots=True)
class _Batch:
    """Records by environment (empty for none), each with the stream ids that are done once it is written."""

    records: dict[str, list[Record]] = field(default_factory=lambda: defaultdict(list))
    entries: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    unreadable: list[bytes] = field(default_factory=list)


def drain() -> int:
    """Write what waits in the stream; returns how many records were new. 0 when another drain is at work."""
    written = 0
    with request_stream.only_one() as alone:
        if not alone:
            return 0
        for _ in range(ROUNDS_MAX):
            entries = request_stream.read(BATCH)
            written += _write(_sort(entries))
            if len(entries) < BATCH:
                break
    return written


def _sort(entries: Sequence[request_stream.Entry]) -> _Batch:
    batch = _Batch()
    for stream_id, raw in entries:
        try:
            record = _decoder.decode(raw)
            environment = str(UUID(record.environment)) if record.environment else ""
            if ids.decode("req", record.request_id) is None:
                raise ValueError("not a request id")
        except (msgspec.MsgspecError, ValueError):
            batch.unreadable.append(stream_id)
            continue
        batch.records[environment].append(record)
        batch.entries[environment].append(stream_id)
    return batch


def _write(batch: _Batch) -> int:
    if batch.unreadable:
        metrics.LOG_DROPPED.labels("unreadable").inc(len(batch.unreadable))
        request_stream.acknowledge(batch.unreadable)
    written = 0
    for environment_id, records in batch.records.items():
        try:
            written += _write_public(records) if not environment_id else _write_tenant(UUID(environment_id), records)
        except (OperationalError, InterfaceError):
            raise  # the database is away or busy: the records stay pending and come again
        except DatabaseError:
            # Kept pending it would come first for ever and hold up everybody else's log.
            metrics.LOG_DROPPED.labels("refused").inc(len(records))
            log.exception("request_log.refused", environment_id=environment_id, records=len(records))
        request_stream.acknowledge(batch.entries[environment_id])
    metrics.LOG_DRAINED.inc(written)
    return written


def _write_tenant(environment_id: UUID, records: list[Record]) -> int:
    environment = environments.by_id(environment_id)
    if environment is None:
        metrics.LOG_DROPPED.labels("environment_gone").inc(len(records))
        return 0
    with use_environment(environment):
        new = _insert("connect_request_log", _TENANT, [_tenant_row(record) for record in records])
        usage.add(record for record in records if ids.decode("req", record.request_id) in new)
        used = usage_reads.month_total(clock.wall()) if tiers.hard_quota(environment) is not None else 0
    limits.restore_month(environment, used)
    api_keys.mark_used(_last_used(records))
    consents.mark_used(_last_used_consents(records))
    return len(new)


def _last_used(records: Sequence[Record]) -> dict[str, datetime]:
    """When each API key made its latest request."""
    latest: dict[str, float] = {}
    for record in records:
        if record.actor_kind == "api_key":
            latest[record.actor_id] = max(record.arrived, latest.get(record.actor_id, 0.0))
    return {key: _moment(seconds) for key, seconds in latest.items()}


def _last_used_consents(records: Sequence[Record]) -> dict[str, datetime]:
    """When an app last acted on each consent."""
    latest: dict[str, float] = {}
    for record in records:
        if record.consent:
            latest[record.consent] = max(record.arrived, latest.get(record.consent, 0.0))
    return {consent: _moment(seconds) for consent, seconds in latest.items()}


def _write_public(records: list[Record]) -> int:
    with transaction.atomic():
        return len(_insert("connect_public_request_log", _SHARED, [_shared_row(record) for record in records]))


def _insert(table: str, columns: dict[str, str], rows: list[dict[str, Any]]) -> set[UUID]:
    """One statement for any number of rows; returns the ids of those that were not there yet."""
    names = ", ".join(columns)
    arrays = ", ".join(f"%s::{kind}[]" for kind in columns.values())
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {names} FROM unnest({arrays}) AS t({names})"  # noqa: S608 - our names
            " ON CONFLICT (id) DO NOTHING RETURNING id",
            [[row[name] for row in rows] for name in columns],
        )
        return {row[0] for row in cursor.fetchall()}


def _shared_row(record: Record) -> dict[str, Any]:
    return {
        "id": ids.decode("req", record.request_id),
        "created_at": _moment(record.arrived),
        "ip": record.ip or None,
        **{name: getattr(record, name) for name in _SHARED if name not in ("id", "created_at", "ip")},
    }


def _tenant_row(record: Record) -> dict[str, Any]:
    extra = {name: getattr(record, name) for name in _TENANT if name not in _SHARED and name != "account_id"}
    return _shared_row(record) | extra | {"account_id": UUID(record.account)}


def _moment(seconds: float) -> datetime:
    return clock.from_unix(0) + timedelta(seconds=seconds)
