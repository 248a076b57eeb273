"""The request log's way: a clean stream, and a buffer that is flushed only when the test says so."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from connect.kit import ids
from connect.services import request_logs
from connect.services.request_logs import Buffer, Captured, Trace


@pytest.fixture(autouse=True)
def buffer(monkeypatch: pytest.MonkeyPatch) -> Buffer:
    """A buffer without its thread: nothing happens between two lines of a test."""
    fresh = Buffer()
    fresh._thread = threading.current_thread()
    monkeypatch.setattr(request_logs, "buffer", fresh)
    return fresh


@pytest.fixture
def captured() -> Callable[..., Captured]:
    """`captured(environment, status=402)`: an answered request."""

    def make(environment: Any = None, **changed: Any) -> Captured:
        trace = Trace(ids.encode("req", ids.new()), 0, changed.pop("arrived", time.time()), environment)
        trace.actor_kind, trace.actor_id, trace.api_version = "api_key", "key_a", "2026-11-01"
        values: dict[str, Any] = {
            "trace": trace, "duration_us": 12_000, "method": "POST", "path": "/v1/payment_intents", "query": "",
            "route": "/v1/payment_intents", "status": 200, "ip": "192.0.2.7", "user_agent": "tests",
            "idempotency_key": "", "request_bytes": 20, "response_bytes": 30, "request_body": b'{"amount":1}',
            "response_body": b'{"id":"pi_1"}', "form": False, "keep": True,
        }  # fmt: skip
        return Captured(**(values | changed))

    return make
