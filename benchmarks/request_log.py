"""What the request log costs: in the request, in its thread, and on the way through Valkey.

    python benchmarks/request_log.py

Uses `REDIS_URL`, or starts the embedded Valkey. `capture` and `middleware` are paid while the caller waits; `redact`
and `send` by a background thread. The baseline of the same run is a middleware that does nothing.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

BODY = (
    b'{"id":"pi_0351rWRGCbKbriJ3fDfSu2","object":"payment_intent","amount":4200,"currency":"eur","metadata":{},'
    + b",".join(b'"field_%d":"value of some length"' % number for number in range(25))
    + b"}"
)


def microseconds(works: dict[str, Callable[[], object]], times: int = 2000, rounds: int = 9) -> dict[str, float]:
    """Medians of interleaved rounds."""
    measured: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            started = time.perf_counter()
            for _ in range(times):
                work()
            measured[name].append((time.perf_counter() - started) / times * 1e6)
    return {name: statistics.median(values) for name, values in measured.items()}


def main() -> None:
    from benchmarks.limiter import environment, prepare

    prepare()
    import django
    from django.conf import settings

    settings.FC_PUBLIC_URL, settings.FC_TRUSTED_PROXIES, settings.ALLOWED_HOSTS = "http://localhost", 0, ["*"]
    django.setup()
    from django.http import HttpResponse
    from django.test import RequestFactory

    from connect.api.middleware import RequestContextMiddleware, _captured
    from connect.clients import request_stream
    from connect.services import request_logs
    from connect.services.request_logs import Trace, redacted

    where, factory = environment(), RequestFactory()
    request = factory.post(
        "/v1/payment_intents", BODY, content_type="application/json", HTTP_USER_AGENT="Stripe/v1 Python"
    )
    assert request.body == BODY  # read, as a parser would have
    request.resolver_match = type("Match", (), {"route": "v1/payment_intents"})()
    response = HttpResponse(BODY, content_type="application/json")
    trace = Trace("req_0351rWRGCbKbriJ3fDfSu2", time.perf_counter_ns(), time.time(), where)
    captured = _captured(request, response, trace)
    encoded = request_logs._encoder.encode(redacted(captured))
    middleware, nothing = RequestContextMiddleware(lambda _: response), (lambda _: response)

    request_logs.buffer._thread = object()  # no thread: what is measured is the request's own share
    waiting = request_logs.buffer._waiting

    def capture() -> None:
        request_logs.record(_captured(request, response, trace))
        waiting.clear()

    def whole() -> None:
        middleware(request)
        waiting.clear()

    result = microseconds(
        {
            "nothing": lambda: nothing(request),
            "capture": capture,
            "middleware": whole,
            "redact": lambda: redacted(captured),
        }
    )
    batch = [encoded] * 200
    result["send"] = microseconds({"send": lambda: request_stream.append(batch)}, times=10)["send"] / len(batch)
    request_stream.valkey.patient_client().delete(request_stream.STREAM)
    print(
        f"in the request: capture {result['capture']:.1f} us; the whole middleware with its id and headers"
        f" {result['middleware']:.1f} us (one that does nothing: {result['nothing']:.2f} us)"
    )
    print(
        f"in the thread: redact {result['redact']:.1f} us, send {result['send']:.1f} us,"
        f" with two bodies of {len(BODY)} bytes"
    )


if __name__ == "__main__":
    main()
