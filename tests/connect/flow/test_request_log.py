"""From an answered request to a row: off the hot path, redacted, once, in the right schema."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import OperationalError

from connect.clients import request_stream
from connect.kit import ids, metrics, valkey
from connect.kit.tenancy import use_environment
from connect.models import PublicRequestLog, UsageHour
from connect.selectors import request_logs as reads
from connect.services import request_log_drain, request_logs

ROOT = Path(__file__).resolve().parents[3]
KEY = "fc_test_" + "aZ09" * 9 + "WxYz"


def dropped(reason):
    return metrics.LOG_DROPPED.labels(reason)._value.get()


def waiting():
    return valkey.client().xlen(request_stream.STREAM)


def rows(environment):
    with use_environment(environment):
        return list(reads.newest())


def test_a_request_becomes_a_row(environment, captured, buffer):
    """Every field arrives, and the answer's object is known by its id."""
    one = captured(environment, query="expand[]=customer&api_key=abc", idempotency_key="idem-1")
    request_logs.record(one)
    assert buffer.flush()
    assert request_log_drain.drain() == 1
    (row,) = rows(environment)
    assert ids.encode("req", row.id) == one.trace.request_id
    assert (row.method, row.path, row.route, row.status) == ("POST", "/v1/payment_intents", "/v1/payment_intents", 200)
    assert (row.actor_kind, row.actor_id, row.object_id, row.error_code) == ("api_key", "key_a", "pi_1", "")
    assert (row.ip, row.user_agent, row.idempotency_key, row.api_version) == (
        "192.0.2.7",
        "tests",
        "idem-1",
        "2026-11-01",
    )
    assert (row.duration_us, row.request_bytes, row.response_bytes) == (12_000, 20, 30)
    assert json.loads(row.request_body) == {"amount": 1}
    assert row.query == "expand[]=customer&api_key=%5Bredacted%5D" or row.query.endswith("api_key=[redacted]")
    assert abs(row.created_at.timestamp() - one.trace.arrived) < 0.001
    with use_environment(environment):
        assert reads.get(one.trace.request_id) == row


def test_errors_are_known_by_their_code(environment, captured, buffer):
    """A refusal's code is read from the body that was sent."""
    request_logs.record(captured(environment, status=402, response_body=b'{"error":{"code":"card_declined"}}'))
    buffer.flush()
    request_log_drain.drain()
    with use_environment(environment):
        (row,) = reads.newest(failed=True)
    assert (row.error_code, row.object_id) == ("card_declined", "")


def test_environments_do_not_mix(environments, captured, buffer):
    """One drain, two environments: each finds its own."""
    for slug in ("acme/test", "other/live", "acme/test"):
        request_logs.record(captured(environments[slug]))
    buffer.flush()
    assert request_log_drain.drain() == 3
    assert [len(rows(environments[slug])) for slug in ("acme/test", "other/live", "acme/live")] == [2, 1, 0]


def test_strangers_go_to_the_public_log(db, captured, buffer):
    """Without a tenant there is a row in public, and nothing that was sent is kept."""
    one = captured(None, status=401, response_body=b'{"error":{"code":"api_key_invalid"}}')
    request_logs.record(one)
    buffer.flush()
    assert request_log_drain.drain() == 1
    row = PublicRequestLog.objects.get(pk=ids.decode("req", one.trace.request_id))
    assert (row.error_code, row.request_body, row.response_body) == ("api_key_invalid", "", "")


def test_no_key_in_the_stream(environment, captured, buffer):
    """Keys, card numbers and passwords are gone before anything leaves the process (row 33)."""
    request_logs.record(captured(
        environment, path=f"/v1/x/{KEY}", query=f"key={KEY}", user_agent=f"ua {KEY}", idempotency_key=KEY,
        request_body=f"a={KEY}&card[number]=4242424242424242&password=hunter2".encode(), form=True,
        response_body=json.dumps({"id": KEY, "secret": KEY, "note": f"{KEY} 4242424242424242"}).encode(),
    ))  # fmt: skip
    buffer.flush()
    raw = b"".join(record for _, record in request_stream.read(10))
    for secret in (KEY, "4242424242424242", "hunter2"):
        assert secret.encode() not in raw
    assert "…WxYz".encode() in raw


def test_long_bodies_are_not_kept(environment, captured, buffer):
    """Half a document cannot be redacted: above the limit only the size is kept."""
    body = json.dumps({"text": "x" * request_logs.BODY_MAX}).encode()
    request_logs.record(captured(environment, request_body=body, request_bytes=len(body)))
    buffer.flush()
    request_log_drain.drain()
    (row,) = rows(environment)
    assert (row.request_body, row.request_bytes) == ("", len(body))


def test_what_postgresql_cannot_store(environment, captured, buffer):
    """NUL and lone surrogates in a path or header cost characters, not the record."""
    request_logs.record(captured(environment, path="/v1/\x00a", user_agent="\udcff ok", idempotency_key="k" * 900))
    buffer.flush()
    assert request_log_drain.drain() == 1
    (row,) = rows(environment)
    assert (row.path, row.user_agent, len(row.idempotency_key)) == ("/v1/a", "? ok", 255)


def test_drain_that_dies_before_it_acknowledges(environment, captured, buffer, monkeypatch):
    """What was written comes again and changes nothing: one row, counted once."""
    request_logs.record(captured(environment))
    buffer.flush()
    with monkeypatch.context() as patch:
        patch.setattr(request_stream, "acknowledge", lambda ids: (_ for _ in ()).throw(ConnectionError("died")))
        with pytest.raises(ConnectionError):
            request_log_drain.drain()
    assert request_log_drain.drain() == 0
    assert len(rows(environment)) == 1
    with use_environment(environment):
        assert [row.requests for row in UsageHour.objects.all()] == [1]
    assert waiting() == 0


def test_database_away(environment, captured, buffer, monkeypatch):
    """Records wait in the stream while the database is away, and arrive when it is back."""
    request_logs.record(captured(environment))
    buffer.flush()
    with monkeypatch.context() as patch:
        patch.setattr(request_log_drain, "_insert", lambda *a: (_ for _ in ()).throw(OperationalError("away")))
        with pytest.raises(OperationalError):
            request_log_drain.drain()
    assert waiting() == 1
    assert request_log_drain.drain() == 1


def test_one_drain_at_a_time(environment, captured, buffer):
    """A second drain leaves at once; the lock is given back."""
    request_logs.record(captured(environment))
    buffer.flush()
    with request_stream.only_one() as alone:
        assert alone
        assert request_log_drain.drain() == 0
    assert request_log_drain.drain() == 1


def test_unreadable_record(environment, captured, buffer):
    """Something foreign in the stream is dropped and counted; it holds up nobody."""
    before = dropped("unreadable")
    request_stream.append([b"not a record"])
    request_logs.record(captured(environment))
    buffer.flush()
    assert request_log_drain.drain() == 1
    assert dropped("unreadable") == before + 1
    assert waiting() == 0


def test_environment_that_is_gone(environment, captured, buffer):
    """Records of a deleted environment are dropped and counted."""
    from dataclasses import replace

    before = dropped("environment_gone")
    request_logs.record(captured(replace(environment, id=ids.new())))
    buffer.flush()
    assert request_log_drain.drain() == 0
    assert dropped("environment_gone") == before + 1
    assert waiting() == 0


def test_flushed_valkey(environment, captured, buffer):
    """After a flush the stream and its group are made again."""
    request_log_drain.drain()
    valkey.client().flushdb()
    request_logs.record(captured(environment))
    buffer.flush()
    assert request_log_drain.drain() == 1


def test_valkey_away(environment, captured, buffer, settings, tmp_path):
    """The buffer keeps what Valkey does not take, up to its limit, and counts what it cannot keep."""
    address = settings.REDIS_URL
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"
    request_logs.record(captured(environment))
    assert not buffer.flush()
    settings.REDIS_URL = address
    request_logs.record(captured(environment))
    assert buffer.flush()
    assert request_log_drain.drain() == 2


def test_full_buffer(environment, captured, buffer):
    """A process never keeps more than its limit; the first ones stay, because they lead to the cause."""
    before = dropped("buffer_full")
    one = captured(environment)
    for _ in range(request_logs.BUFFER_MAX + 3):
        request_logs.record(one)
    assert dropped("buffer_full") == before + 3


def test_stream_is_capped():
    """A drain that stands still cannot fill Valkey."""
    for _ in range(12):
        request_stream.append([b"x" * 100] * 1000)
    assert waiting() <= request_stream.LENGTH_MAX * 1.1


def test_pages_are_counted_but_not_logged(captured, buffer):
    """A dashboard page shows in the metrics only."""
    counter = metrics.REQUESTS.labels("GET", "/o/{slug}", "200")
    before = counter._value.get()
    request_logs.record(captured(None, method="GET", route="/o/{slug}", keep=False))
    buffer.flush()
    assert counter._value.get() == before + 1
    assert waiting() == 0


PROGRAM = """
import os, sys
sys.path.insert(0, {root!r})
from django.conf import settings
settings.configure(REDIS_URL=os.environ["REDIS_URL"], USE_TZ=True)
from connect.services import request_logs
from connect.services.request_logs import Captured, Trace
from connect.kit import ids

def note():
    trace = Trace(ids.encode("req", ids.new()), 0, 0.0)
    request_logs.record(Captured(trace, 1, "GET", "/v1", "", "", 404, "", "", "", 0, 0, None, None, False, True))

def child():
    note()

note()
if {how!r} == "fork":
    import multiprocessing
    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join()
"""


@pytest.mark.parametrize(("how", "records"), [("exit", 1), ("fork", 2)])
def test_end_of_a_process(how, records):
    """A process that ends sends what it has; a forked child sends its own and not its parent's once more."""
    program = PROGRAM.format(root=str(ROOT), how=how)
    subprocess.run([sys.executable, "-c", program], env=dict(os.environ), check=True, capture_output=True)
    assert waiting() == records
