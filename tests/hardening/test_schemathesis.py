"""The whole of `docs/openapi.yaml` against the running product: nothing fails, and nothing is answered that is not written.

Schemathesis makes the requests, from what the description allows and from what it forbids, and checks the answers: no
5xx, no undocumented status, type, body or header, no wrong input that is taken, no method that is not offered. The
seed is fixed and printed; `FC_SEED=7 make test ARGS=tests/hardening/test_schemathesis.py` tries another.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml

from connect.domain.api_keys import generate
from tests.hardening.conftest import RUNS
from tests.live_server import LiveServer, live_server
from tests.soak import SEEN

DESCRIPTION = Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml"
SEED = int(os.environ.get("FC_SEED", "20261126"))
COVERED_SHARE = 12
"""One operation in so many has every case that its schema defines tried in the default run; the long run does all."""
ADDRESS_TOO_LONG = 414
"""What the HTTP server says of an address that no server takes, before the product hears of it."""
UNTESTED = {
    # What a schema cannot say: that an id must exist, that a currency does, that a consent is still valid.
    "positive_data_acceptance": {"enabled": False},
    # Said by the runs with a wrong key and without one, which see every operation.
    "ignored_auth": {"enabled": False},
}


@dataclass
class Run:
    """What a run saw: cases by phase, answers by status, operations, and each kind of failure once."""

    cases: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    operations: set[str] = field(default_factory=set)
    failures: dict[tuple[str, str], str] = field(default_factory=dict)

    def __str__(self) -> str:
        phases = ", ".join(f"{name} {number}" for name, number in sorted(self.cases.items()))
        answers = ", ".join(f"{status} × {number}" for status, number in sorted(self.statuses.items()))
        return (
            f"{len(self.operations)} operations, {self.cases.total()} cases ({phases}), answers {answers}, seed {SEED}"
        )

    def note(self, event: Any) -> None:
        recorder = event.recorder
        self.cases[str(event.phase.value)] += len(recorder.cases)
        for identifier, node in recorder.cases.items():
            self.operations.add(node.value.operation.label)
            interaction = recorder.interactions.get(identifier)
            if interaction is not None and interaction.response is not None:
                self.statuses[interaction.response.status_code] += 1
        for identifier, checks in recorder.checks.items():
            interaction = recorder.interactions.get(identifier)
            if interaction and interaction.response and interaction.response.status_code == ADDRESS_TOO_LONG:
                continue
            for check in checks:
                if check.failure_info is not None:
                    failure = check.failure_info.failure
                    text = f"{failure.title}\n{failure.message}\n{check.failure_info.code_sample}"
                    self.failures.setdefault((check.name, failure.operation), text)


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server(workers=1) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def _a_key_for_each_request() -> Iterator[None]:
    """An idempotency key of its own, or all requests but the first would be refused for using it otherwise."""
    import schemathesis

    number = count()

    def before_call(context: Any, case: Any, kwargs: Any) -> None:
        if case.headers and "Idempotency-Key" in case.headers:
            case.headers["Idempotency-Key"] = f"{str(case.headers['Idempotency-Key'])[:200]}-{next(number)}"

    schemathesis.hook(before_call)
    yield
    schemathesis.hooks.unregister(before_call)


def described() -> dict[str, Any]:
    return yaml.safe_load(DESCRIPTION.read_text(encoding="utf-8"))


def operations() -> list[tuple[str, str]]:
    return [(method, path) for path, methods in described()["paths"].items() for method in methods]


def run(server: LiveServer, *, key: str | None, phases: dict[str, Any], only: list[str] | None = None) -> Run:
    """Schemathesis with the key, over the operations at the paths of `only` or over all."""
    import schemathesis
    from schemathesis.config import SchemathesisConfig
    from schemathesis.engine import events, from_schema

    config = SchemathesisConfig.from_dict({
        "seed": SEED,
        "continue-on-failure": True,
        "headers": {"Authorization": f"Bearer {key}"} if key else {},
        "generation": {"database": "none", "with-security-parameters": False},
        "checks": UNTESTED,
        "phases": {"enabled": False, **phases},
    })  # fmt: skip
    schema = schemathesis.openapi.from_dict(described(), config=config)
    schema.config.update(base_url=server.url)
    if only is not None:
        schema = schema.include(path=only)
    seen = Run()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            seen.note(event)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            pytest.fail(f"Schemathesis could not go on: {getattr(event, 'value', None) or event.exception}")
    return seen


def clean(seen: Run, name: str, record_property: Any) -> None:
    RUNS.append(f"{name}: {seen}")
    record_property(SEEN, str(seen))
    told = "\n\n".join(f"{check} {operation}: {text}" for (check, operation), text in seen.failures.items())
    assert not told, told
    assert max(seen.statuses) < 500
    assert 404 in seen.statuses or 401 in seen.statuses


@pytest.mark.filterwarnings("ignore")  # of the tool's own making: large generated values, deprecated helpers
def test_every_operation_holds_what_it_promises(server, record_property):
    """Each operation with a few requests of both kinds, and chains of them: what one makes, the next one gets."""
    seen = run(
        server,
        key=server.secrets["acme"]["test"],
        phases={
            "fuzzing": {"enabled": True, "generation": {"max-examples": 3}},
            "stateful": {"enabled": True, "max-steps": 6, "generation": {"max-examples": 5}},
        },
    )
    clean(seen, "Schemathesis, every operation", record_property)
    assert len(seen.operations) == len(operations())
    assert 200 in seen.statuses


@pytest.mark.filterwarnings("ignore")
def test_every_case_of_a_schema_holds(server, record_property):
    """Every bound, type, missing and unknown parameter, and every method that is not offered, of some operations."""
    paths = sorted({path for _, path in operations()})
    chosen = random.Random(SEED).sample(paths, len(paths) // COVERED_SHARE)
    seen = run(server, key=server.secrets["acme"]["test"], phases={"coverage": {"enabled": True}}, only=chosen)
    clean(seen, "Schemathesis, every case of a schema", record_property)
    assert 405 in seen.statuses


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("key", ["none", "wrong"])
def test_without_a_right_key_no_operation_says_anything(server, key, record_property):
    """Whatever is sent: 401, or 429 to whoever tries too often."""
    keys = {"none": None, "wrong": generate("test")}
    seen = run(
        server, key=keys[key], phases={"fuzzing": {"enabled": True, "generation": {"max-examples": 1, "mode": "positive"}}}
    )  # fmt: skip
    clean(seen, f"Schemathesis, key: {key}", record_property)
    assert set(seen.statuses) <= {401, 429}
    assert len(seen.operations) == len(operations())


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore")
def test_every_operation_holds_what_it_promises_for_long(server, record_property):
    """All phases, all cases of all schemas, two hundred requests an operation, and long chains."""
    seen = run(
        server,
        key=server.secrets["acme"]["test"],
        phases={
            "examples": {"enabled": True},
            "coverage": {"enabled": True},
            "fuzzing": {"enabled": True, "generation": {"max-examples": 200}},
            "stateful": {"enabled": True, "max-steps": 20, "generation": {"max-examples": 100}},
        },
    )
    clean(seen, "Schemathesis, long", record_property)
    assert len(seen.operations) == len(operations())
