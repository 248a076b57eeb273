"""The limiter against a bare INCR on the same Valkey in the same run, and its accuracy under eight processes.

    python benchmarks/limiter.py [--seconds 5] [--accuracy] [--json]

Uses `REDIS_URL`, or starts the embedded Valkey. Prints microseconds per check, the ratio to INCR, and how many requests
were admitted against rate * time + burst, time being Valkey's between the first and the last question.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

PROCESSES = 8


def prepare() -> None:
    """Settings with nothing but Valkey in them: the limiter needs no more."""
    from django.conf import settings

    if "REDIS_URL" not in os.environ:
        from demo.servers.valkey import EmbeddedValkey

        server = EmbeddedValkey(ROOT / ".local" / "benchmark" / "valkey")
        server.start()
        os.environ["REDIS_URL"] = server.url(0)
    if not settings.configured:
        settings.configure(REDIS_URL=os.environ["REDIS_URL"], USE_TZ=True)


def environment():
    from connect.kit import ids
    from connect.kit.caller import EnvironmentRef

    identifier = ids.new()
    return EnvironmentRef(identifier, ids.new(), "test", "test_benchmark", f"b{identifier.hex[-11:]}", tier="starter")


def hammer(where, seconds, start, answers) -> None:
    prepare()
    from connect.kit import valkey
    from connect.services import limits

    def now() -> float:
        whole, micro = valkey.client().time()
        return whole + micro / 1_000_000

    now()
    start.wait()
    begun, asked, admitted = now(), 0, 0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        asked += 1
        verdict = limits.check(where, "key_benchmark")
        admitted += verdict.allowed
    answers.put((begun, now(), asked, admitted))


def accuracy(seconds: float) -> dict[str, float]:
    from connect.domain import tiers

    where = environment()
    rate = tiers.of(where).key
    context = multiprocessing.get_context("spawn")
    start, answers = context.Barrier(PROCESSES), context.Queue()
    workers = [context.Process(target=hammer, args=(where, seconds, start, answers)) for _ in range(PROCESSES)]
    for worker in workers:
        worker.start()
    results = [answers.get() for _ in workers]
    for worker in workers:
        worker.join()
    span = max(result[1] for result in results) - min(result[0] for result in results)
    admitted = sum(result[3] for result in results)
    expected = rate.burst + rate.per_second * span
    return {
        "processes": PROCESSES,
        "seconds": round(span, 3),
        "asked": sum(result[2] for result in results),
        "admitted": admitted,
        "expected": round(expected, 1),
        "error_percent": round(100 * (admitted - expected) / expected, 3),
    }


def cost() -> dict[str, float]:
    """Medians of interleaved rounds, so that what else the machine does hits all three."""
    from connect.domain import tiers
    from connect.kit import valkey
    from connect.services import limits

    open_rate = tiers.Rate(1_000_000, 1_000_000)
    tiers.TIERS = {
        **tiers.TIERS,
        "benchmark": tiers.Tier("Benchmark", open_rate, open_rate, None, hard=False, log_days=1),
    }
    passing, refused, client = replace(environment(), tier="benchmark"), environment(), valkey.client()
    while limits.check(refused, "key_benchmark").allowed:
        pass
    work = {
        "admitted_us": lambda: limits.check(passing, "key_benchmark"),
        "refused_us": lambda: limits.check(refused, "key_benchmark"),
        "incr_us": lambda: client.execute_command("INCR", "fc:benchmark"),
    }
    measured: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(15):
        for name, once in work.items():
            started = time.perf_counter()
            for _ in range(1000):
                once()
            measured[name].append((time.perf_counter() - started) * 1000)
    result = {name: round(statistics.median(times), 1) for name, times in measured.items()}
    pairs = zip(measured["admitted_us"], measured["incr_us"], strict=True)
    return result | {"ratio": round(statistics.median(check / bare for check, bare in pairs), 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--accuracy", action="store_true", help="only the accuracy")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    prepare()
    result = accuracy(options.seconds) if options.accuracy else cost() | accuracy(options.seconds)
    if options.json:
        print(json.dumps(result))
        return
    if "incr_us" in result:
        print(
            f"one check {result['admitted_us']} us admitted, {result['refused_us']} us refused;"
            f" bare INCR {result['incr_us']} us: {result['ratio']} times as much"
        )
    print(
        f"{PROCESSES} processes asked {result['asked']} times in {result['seconds']} s:"
        f" admitted {result['admitted']}, expected {result['expected']}, off by {result['error_percent']} %"
    )


if __name__ == "__main__":
    main()
