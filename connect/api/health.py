"""For machines that watch: `/healthz`, `/readyz`, `/metrics`."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from functools import cache
from typing import Final

import structlog
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from connect.clients import dispatcher_heartbeat
from connect.kit import metrics, valkey
from connect.services import schemas

log = structlog.get_logger(__name__)

CACHE_SECONDS: Final = 5.0
LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})


class _NotReady(Exception):
    """A check failed; the text may be shown to anybody."""


@csrf_exempt
@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """Alive: this process answers. Says nothing about what stands behind it, so that nobody restarts us for that."""
    return HttpResponse(b"ok\n", content_type="text/plain")


@csrf_exempt
@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """Ready: database, broker and migrations. 503 naming what is not; a load balancer then looks elsewhere. Whether a
    dispatcher lives is told besides: without one, webhooks wait and requests do not.
    """
    checks = {name: _run(name, check) for name, check in CHECKS.items()}
    ready = all(state == "ok" for state in checks.values())
    return JsonResponse({"ready": ready, "checks": checks, "dispatcher": _dispatcher()}, status=200 if ready else 503)


@csrf_exempt
@require_safe
def metrics_text(request: HttpRequest) -> HttpResponse:
    """Prometheus' text. With `FC_METRICS_TOKEN` set it must come as Bearer token; without it only this machine itself,
    and not through a proxy, may read.
    """
    token = getattr(settings, "FC_METRICS_TOKEN", "")
    if token:
        allowed = hmac.compare_digest(request.META.get("HTTP_AUTHORIZATION", "").encode(), f"Bearer {token}".encode())
    else:
        allowed = request.META.get("REMOTE_ADDR") in LOOPBACK and "HTTP_X_FORWARDED_FOR" not in request.META
    if not allowed:
        text = b"Send 'Authorization: Bearer ' and FC_METRICS_TOKEN.\n"
        return HttpResponse(text, status=401, content_type="text/plain", headers={"WWW-Authenticate": "Bearer"})
    return HttpResponse(metrics.exposition(), content_type="text/plain; version=0.0.4; charset=utf-8")


def _dispatcher() -> str:
    try:
        return "alive" if dispatcher_heartbeat.heard() else "not seen"
    except valkey.ValkeyError:
        return "unknown"


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _broker() -> None:
    valkey.client().ping()


def _migrations() -> None:
    """Raise when public or an environment lacks a migration; asked of the database every few seconds at most."""
    global _migrations_known
    now = time.monotonic()
    known = _migrations_known
    if known is None or known[0] < now:
        known = (now + CACHE_SECONDS, _behind())
        _migrations_known = known
    if known[1]:
        raise _NotReady(known[1])


_migrations_known: tuple[float, str] | None = None


def forget() -> None:
    """Ask the database again at the next `/readyz`."""
    global _migrations_known
    _migrations_known = None


def _behind() -> str:
    if schemas.behind_public(using=DEFAULT_DB_ALIAS):
        return "the public schema is behind: run manage.py migrate"
    names = schemas.environment_schemas(using=DEFAULT_DB_ALIAS)
    late = schemas.behind(names, _wanted(), using=DEFAULT_DB_ALIAS) if names else []
    return f"{len(late)} of {len(names)} environments are behind: run manage.py migrate" if late else ""


@cache
def _wanted() -> list[str]:
    """The migrations this code brings; reading them from disk takes a while, and they do not change under us."""
    return schemas.wanted_migrations()


def _run(name: str, check: Callable[[], None]) -> str:
    try:
        check()
    except _NotReady as reason:
        return str(reason)
    except Exception as error:  # noqa: BLE001 - whatever it is, the answer is "not ready" and the log has the rest
        log.warning("readyz.failed", check=name, error=repr(error))
        return "failed"
    return "ok"


CHECKS: Final[dict[str, Callable[[], None]]] = {
    "database": _database,
    "broker": _broker,
    "migrations": _migrations,
}
