"""What `/metrics` shows. No label ever names a tenant, a key or an address: their number has no bound.

Label values: `method` is an HTTP method or `OTHER`; `route` is a URL pattern or `unmatched`; `bucket` is `key`,
`environment`, `quota`, `failed_credentials` or `sign_in`; `reason` is `buffer_full`, `valkey_down`, `unreadable`,
`environment_gone` or `refused`; `result` is `2xx` … `5xx` or the kind of failure; `of` is `valkey` or `database`.
"""

from __future__ import annotations

import os
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess
from prometheus_client.registry import REGISTRY

LATENCY_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper bounds in seconds of the latency histograms here and in the usage table; slower ones have a last one."""

REQUESTS: Final = Counter("fc_http_requests", "Requests answered.", ["method", "route", "status"])
LATENCY: Final = Histogram(
    "fc_http_request_seconds", "Time to answer.", ["method", "route"], buckets=(*LATENCY_BUCKETS, float("inf"))
)
LIMITED: Final = Counter("fc_limited_requests", "Requests refused by a limit.", ["bucket"])
LIMITER_ALARMS: Final = Counter("fc_limiter_alarms", "Times the limiter could not ask Valkey and let requests pass.")
LOG_DROPPED: Final = Counter("fc_request_log_dropped", "Records of the request log that were lost.", ["reason"])
WEBHOOK_ATTEMPTS: Final = Counter("fc_webhook_attempts", "Requests to webhook endpoints that ended.", ["result"])
WEBHOOK_SECONDS: Final = Histogram(
    "fc_webhook_seconds", "Time until an endpoint answered.", buckets=(*LATENCY_BUCKETS, 15.0, float("inf"))
)
WEBHOOKS_UNDER_WAY: Final = Gauge(
    "fc_webhooks_under_way", "Requests to webhook endpoints being sent.", multiprocess_mode="livesum"
)
WEBHOOKS_RETURNED: Final = Counter("fc_webhooks_returned", "Deliveries claimed and given back unsent.")
DISPATCHER_STALLS: Final = Counter("fc_dispatcher_stalls", "Times the dispatcher had to do without.", ["of"])
LOG_DRAINED: Final = Counter("fc_request_log_drained", "Records of the request log written to the database.")

_METHODS: Final = frozenset({"GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"})


def observe_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request. `route` is the URL pattern, empty when none matched."""
    method = method if method in _METHODS else "OTHER"
    route = route or "unmatched"
    REQUESTS.labels(method, route, str(status)).inc()
    LATENCY.labels(method, route).observe(seconds)


def exposition() -> bytes:
    """The text format of Prometheus: of all processes when `PROMETHEUS_MULTIPROC_DIR` is set, else of this one."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        collector: Any = multiprocess.MultiProcessCollector
        collector(registry)
        return generate_latest(registry)
    return generate_latest(REGISTRY)
