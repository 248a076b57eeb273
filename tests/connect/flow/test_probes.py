"""/healthz, /readyz and /metrics, and the log stream."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
import structlog
from django.db import connections

from config.celery import app
from config.settings.celery import broker_url
from config.settings.logging import LOGGING
from connect.api import health
from connect.clients import dispatcher_heartbeat
from connect.kit import logs, valkey

ROOT = Path(__file__).resolve().parents[3]
KEY = "fc_live_" + "aZ09" * 9 + "WxYz"


@pytest.fixture(autouse=True)
def _ask_again():
    health.forget()
    yield
    health.forget()


def test_alive(client):
    """Without a look at anything behind it."""
    assert client.get("/healthz").content == b"ok\n"


def test_ready(client, db):
    """Database, broker and migrations."""
    answer = client.get("/readyz")
    assert answer.json()["checks"] == {"database": "ok", "broker": "ok", "migrations": "ok"}
    assert answer.json()["ready"] is True
    assert answer.status_code == 200


def test_whether_a_dispatcher_lives_is_told_and_decides_nothing(client, db, settings, tmp_path):
    """Without one, webhooks wait and requests do not."""

    def told():
        answer = client.get("/readyz")
        return answer.status_code, answer.json()["dispatcher"]

    valkey.client().delete(dispatcher_heartbeat.KEY)
    assert told() == (200, "not seen")
    dispatcher_heartbeat.beat()
    assert told() == (200, "alive")
    valkey.client().delete(dispatcher_heartbeat.KEY)
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"
    assert told() == (503, "unknown")


def test_not_ready_without_broker(client, db, settings, tmp_path):
    """503, naming the broker and nothing that helps a stranger."""
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"database": "ok", "broker": "failed", "migrations": "ok"}


def test_not_ready_when_an_environment_is_behind(client, db, environment):
    """One environment that lacks one migration is enough; the text says what to do."""
    with connections["default"].cursor() as cursor:
        cursor.execute(f'DELETE FROM "{environment.schema_name}".django_migrations WHERE name = %s', ["0001_initial"])
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "1 of 4 environments are behind: run manage.py migrate" in answer.json()["checks"]["migrations"]


def test_not_ready_when_public_is_behind(client, db):
    """The public schema counts too."""
    with connections["default"].cursor() as cursor:
        cursor.execute("DELETE FROM public.django_migrations WHERE app = 'connect' AND name = '0001_initial'")
    assert "public" in client.get("/readyz").json()["checks"]["migrations"]


def test_metrics(client, settings):
    """For this machine, or with the token; never with a tenant in a label."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    for name in (
        "fc_http_requests_total",
        "fc_http_request_seconds",
        "fc_limiter_alarms_total",
        "fc_request_log_dropped",
    ):
        assert name in answer.content.decode()
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.1").status_code == 401
    assert client.get("/metrics", headers={"x-forwarded-for": "192.0.2.1"}).status_code == 401
    settings.FC_METRICS_TOKEN = "t0ken"
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"authorization": "Bearer t0ken"}, REMOTE_ADDR="192.0.2.1").status_code == 200


def test_metrics_of_all_processes(tmp_path):
    """With PROMETHEUS_MULTIPROC_DIR one process shows what all of them counted."""
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    count = "from connect.kit import metrics; metrics.observe_request('GET', '/v1/a', 200, 0.01)"
    show = "from connect.kit import metrics; print(metrics.exposition().decode())"
    for program in (count, count):
        subprocess.run([sys.executable, "-c", program], env=environment, check=True)
    done = subprocess.run([sys.executable, "-c", show], env=environment, check=True, capture_output=True, text=True)
    assert 'fc_http_requests_total{method="GET",route="/v1/a",status="200"} 2.0' in done.stdout


@pytest.fixture
def lines():
    """`lines()`: what the JSON handler wrote, parsed."""
    import io

    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    definition = dict(LOGGING["formatters"]["json"])
    handler.setFormatter(definition.pop("()")(**definition))
    logger = logging.getLogger()
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.removeHandler(handler)
    logger.setLevel(level)
    logs.clear()


def test_log_lines(lines, environment):
    """One JSON object a line with the request and its environment, ours and the standard library's alike."""
    logs.bind(request_id="req_1")
    logs.bind_environment(environment)
    structlog.get_logger("fc.test").info("something.happened", amount=42)
    logging.getLogger("fc.other").warning("plain %s", "text", extra={"order": 7})
    ours, theirs = lines()
    assert ours["event"] == "something.happened"
    assert (ours["amount"], ours["level"], ours["logger"]) == (42, "info", "fc.test")
    assert (theirs["event"], theirs["order"]) == ("plain text", 7)
    for line in (ours, theirs):
        assert (line["request_id"], line["environment"], line["livemode"]) == ("req_1", environment.short_id, False)


def test_log_lines_are_redacted(lines):
    """No key in an event, a field, an argument or a traceback (row 33)."""
    log = structlog.get_logger("fc.test")
    log.info("key %s", KEY, password="hunter2", body={"secret": "x" * 20, "note": KEY})
    logging.getLogger("fc.other").error("failed with %s", KEY)
    try:
        raise ValueError(KEY)
    except ValueError:
        log.exception("broken")
    written = json.dumps(lines(), ensure_ascii=False)
    assert KEY not in written
    assert "hunter2" not in written
    assert "fc_live_…WxYz" in written
    assert "Traceback" in lines()[2]["exception"]


def test_celery_promises():
    """Late acknowledgement, JSON only, and no task that outlives the broker's patience."""
    conf = app.conf
    assert (conf.task_acks_late, conf.task_reject_on_worker_lost, conf.worker_prefetch_multiplier) == (True, True, 1)
    assert conf.accept_content == ["json"]
    assert conf.task_time_limit < conf.broker_transport_options["visibility_timeout"]
    app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in conf.beat_schedule.values()}
    assert "connect.drain_request_log" in scheduled
    assert scheduled <= set(app.tasks)


@pytest.mark.parametrize(("redis", "broker"), [
    ("unix:///run/v.sock?db=3", "redis+socket:///run/v.sock?virtual_host=3"),
    ("unix:///run/v.sock", "redis+socket:///run/v.sock?virtual_host=0"),
    ("rediss://user:word@cache.example:6380/1", "rediss://user:word@cache.example:6380/1"),
])  # fmt: skip
def test_broker_url(redis, broker):
    """One setting for both clients."""
    assert broker_url(redis) == broker
