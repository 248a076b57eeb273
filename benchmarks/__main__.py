"""`make bench`: every benchmark, then one table. Takes about five minutes; what else the machine does is in the ranges.

python -m benchmarks [--rounds 5] [--seconds 2]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

from benchmarks import endpoints, environments, webhooks
from benchmarks.report import Row, show
from benchmarks.stack import ROOT, stack

POSTING_GOAL = 0.6
KINDS = {
    "open": "journal.post, inside a transaction",
    "one": "journal.post, committed",
    "batch": "journal.post_many of 100, per posting",
}


def postings() -> list[Row]:
    """The ledger's own benchmark, in a process of its own because it makes a database of its own."""
    command = [sys.executable, "benchmarks/ledger.py", "--json"]
    answer = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found = json.loads(answer.strip().splitlines()[-1])
    return [
        Row(
            name,
            f"{found[kind]['service_us']:.0f} us",
            f"{found[kind]['bare_us']:.0f} us",
            f"{found[kind]['ratio']:.2f}",
            f">= {POSTING_GOAL}",
            found[kind]["ratio"] >= POSTING_GOAL,
        )
        for kind, name in KINDS.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    options = parser.parse_args()
    rows = postings()
    with stack() as parts:
        rows += endpoints.measure(parts, rounds=options.rounds, seconds=options.seconds)
        rows += environments.measure(parts)
        rows += webhooks.measure(parts, rounds=options.rounds)
    show(rows)


if __name__ == "__main__":
    main()
