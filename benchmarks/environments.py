"""Making an environment's schema, and finding out which of a hundred environments are behind.

python -m benchmarks.environments [--count 100]
"""

from __future__ import annotations

import argparse
import statistics
import time

from benchmarks.report import Row, show
from benchmarks.stack import Stack, stack

GOAL_SECONDS = 0.2
CHECKS = 9


def measure(_parts: Stack, *, count: int = 100) -> list[Row]:
    """Seconds from a pending environment to one that can be opened, and for one look at all of them."""
    from connect.models import Environment, User
    from connect.services import environments, organizations, schemas

    owner = User.objects.get(email="owner@benchmark.example")
    made = []
    for number in range(count):
        organization = organizations.create(owner_id=owner.id, name=f"Tenant {number}", slug=f"tenant-{number}")
        row = Environment.objects.get(organization_id=organization.id, kind=Environment.Kind.TEST)
        started = time.perf_counter()
        environments.provision(row.id)
        made.append(time.perf_counter() - started)
    names = schemas.environment_schemas()[:count]
    looks = []
    for _ in range(CHECKS):
        started = time.perf_counter()
        late = schemas.behind(names)
        looks.append(time.perf_counter() - started)
        assert not late, late
    return [_row("a new environment", made), _row(f"{len(names)} up-to-date environments checked", looks)]


def _row(name: str, seconds: list[float]) -> Row:
    median = statistics.median(seconds)
    told = f"{median:.3f} s ({min(seconds):.3f}..{max(seconds):.3f})"
    return Row(name, told, "", "", f"<= {GOAL_SECONDS} s", median <= GOAL_SECONDS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100)
    options = parser.parse_args()
    with stack() as parts:
        show(measure(parts, count=options.count))


if __name__ == "__main__":
    main()
