"""One stack for all crash tests of a run, and the seed they share."""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Iterator

import pytest

from connect.kit import ids  # noqa: F401 - imported before any process is killed
from tests.crash.audit import Tables
from tests.crash.stack import DATABASE, CrashStack
from tests.stack import ROOT

SEED = os.environ.get("CRASH_SEED") or secrets.token_hex(4)
SUMMARY: list[str] = []


@pytest.fixture(scope="session")
def stack() -> Iterator[CrashStack]:
    """The whole product, running."""
    made = CrashStack(ROOT / ".local" / "test" / f"crash-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}-{os.getpid()}")
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture
def tables(stack: CrashStack) -> Tables:
    """Acme's test environment, as its tables say."""
    return Tables(stack.postgres.admin_url(DATABASE), _schema(stack))


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> str:
    """This test's own seed; it follows from CRASH_SEED and the test's name."""
    return f"{SEED}-{request.node.name}"


@pytest.fixture
def rng(seed: str) -> random.Random:
    """Chance that can be replayed."""
    return random.Random(seed)


@pytest.fixture
def tell() -> Iterator[list[str]]:
    """Lines for the end of the report."""
    return SUMMARY


def _schema(stack: CrashStack) -> str:
    public = Tables(stack.postgres.admin_url(DATABASE), "public")
    return public.rows(
        "SELECT e.schema_name FROM connect_environment e JOIN connect_organization o ON o.id = e.organization_id"
        " WHERE o.slug = 'acme' AND e.kind = 'test'"
    )[0]["schema_name"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The seed of this run, and what was killed how often."""
    if SUMMARY:
        terminalreporter.section("crash tests")
        terminalreporter.write_line(f"CRASH_SEED={SEED} plays them again")
        for line in SUMMARY:
            terminalreporter.write_line(line)
