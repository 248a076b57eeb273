"""pytest over real parts: the schemas are built once per state of the code that makes them, tests copy or roll back.

A *base* database holds public, the template and four environments (`base_data.py`). Each worker gets a copy in about
0.2 s. A test with `db` rolls back; a test with `transactional_db` commits for real, and its worker gets a fresh copy.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings

from tests.sandbox_bank.live import sandbox_bank, sandbox_bank_server  # noqa: F401  fixtures, started when asked for

ROOT = Path(__file__).resolve().parents[1]
MADE_FROM = ("*/migrations/*.py", "*/*/migrations/*.py", "banks/data/*.csv", "banks/handlers.py", "*/models/*.py",
             "ledger/sql/*", "tests/base_data.py", "connect/services/schemas.py", "connect/services/environments.py",
             "config/settings/base.py")  # fmt: skip
# How fast an example runs is a matter of the machine.
settings.register_profile("product", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("product")

BEGAN_WITH = pytest.StashKey[str]()
"""Which state of the code a run began with."""


def _base_name() -> str:
    state = hashlib.sha256(str(ROOT).encode())
    for pattern in MADE_FROM:
        for file in sorted(ROOT.glob(pattern)):
            state.update(file.read_bytes())
    return f"fc_base_{state.hexdigest()[:12]}"


def _admin() -> psycopg.Connection:
    return psycopg.connect(os.environ["FC_TEST_ADMIN_URL"], autocommit=True)


def _with_database(url: str, name: str) -> str:
    return url.rsplit("/", 1)[0] + f"/{name}"


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    from demo.servers.postgres import EmbeddedPostgres
    from tests import soak

    config.stash[BEGAN_WITH] = soak.state_of_the_code()
    name = _base_name()
    home = Path(os.environ["FC_TEST_SERVERS"])
    facts = home / f"{name}.json"
    with _admin() as admin:
        exists = admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if not exists or not facts.exists():
            for (old,) in admin.execute("SELECT datname FROM pg_database WHERE datname LIKE 'fc_base_%'").fetchall():
                admin.execute(f'DROP DATABASE "{old}" WITH (FORCE)')
            EmbeddedPostgres(home / "postgres", durability="none").ensure_database(f"{name}_new")
            environment = {
                **os.environ,
                "DATABASE_URL": _with_database(os.environ["DATABASE_URL"], f"{name}_new"),
                "DATABASE_OWNER_URL": _with_database(os.environ["DATABASE_OWNER_URL"], f"{name}_new"),
            }
            built = subprocess.run(
                [sys.executable, str(ROOT / "tests" / "base_data.py")],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            if built.returncode:
                raise pytest.UsageError(f"the base database could not be built:\n{built.stdout}\n{built.stderr}")
            facts.write_text(built.stdout)
            admin.execute(f'ALTER DATABASE "{name}_new" RENAME TO "{name}"')
    os.environ.update(FC_TEST_BASE=name, FC_TEST_FACTS=str(facts))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """A long run (`make soak`) is written down."""
    if config.option.markexpr != "soak":
        return
    from tests import soak

    found = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    reports = [report for report in found if isinstance(report, pytest.TestReport)]
    if called := [report for report in reports if report.when == "call" or report.failed]:
        page = soak.write(called, list(config.invocation_params.args), config.stash[BEGAN_WITH])
        terminalreporter.write_line(f"written to {page.relative_to(ROOT)}")


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """A copy of the base instead of pytest-django's migrations."""
    from django.db import connections
    from django.test import TransactionTestCase

    name = f"test_fc_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"

    def fresh(*, create: bool = True) -> None:
        for connection in connections.all(initialized_only=True):
            connection.close()
        with _admin() as admin:
            admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            if create:
                admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{os.environ["FC_TEST_BASE"]}" OWNER fc_owner')
                admin.execute(f'GRANT CONNECT ON DATABASE "{name}" TO fc_app')

    def fresh_copy_instead_of_flush(self: TransactionTestCase) -> None:
        fresh()

    with django_db_blocker.unblock():
        fresh()
        for alias in ("default", "owner"):
            connections[alias].settings_dict["NAME"] = name
    os.environ["FC_TEST_DATABASE"] = name
    original = TransactionTestCase._fixture_teardown
    TransactionTestCase._fixture_teardown = fresh_copy_instead_of_flush  # type: ignore[method-assign]
    yield
    TransactionTestCase._fixture_teardown = original  # type: ignore[method-assign]
    with django_db_blocker.unblock():
        fresh(create=False)


@pytest.fixture(autouse=True)
def _forgetful_process() -> Iterator[None]:
    """What a process or Valkey remembers between requests (keys, limits, alarms) must not leak between tests."""
    from django.db import connections

    from connect.kit import valkey
    from connect.selectors import credentials
    from connect.services import limits, request_logs

    # While Playwright keeps an event loop in this thread, Django has other connections here than afterwards, so these may
    # have outlived the database they were made for.
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()
    request_logs.buffer.flush()  # what an earlier test left with the buffer's thread would arrive in this one's log
    valkey.client().flushdb()
    limits.outage.reset()
    limits.local_failures.reset()
    credentials.forget()
    yield
    credentials.forget()


@pytest.fixture(scope="session")
def secrets() -> dict[str, dict[str, str]]:
    """API keys by organization and mode: `secrets["acme"]["test"]`."""
    return json.loads(Path(os.environ["FC_TEST_FACTS"]).read_text())


@pytest.fixture
def environments(db: None) -> dict[str, Any]:
    """The four environments by `slug/kind`."""
    return dict(_environments())


@cache
def _environments() -> dict[str, Any]:
    """Read once: every copy of the base has the same."""
    from connect.selectors import environments as selectors

    return {f"{slug}/{kind}": selectors.get(slug, kind) for slug in ("acme", "other") for kind in ("test", "live")}


@pytest.fixture
def environment(environments: dict[str, Any]) -> Any:
    """Acme's test environment, not opened."""
    return environments["acme/test"]


@pytest.fixture
def caller(environment: Any) -> Any:
    """A caller with every right in Acme's test environment."""
    from connect.domain import scopes
    from connect.kit import ids
    from connect.kit.caller import Actor, Caller

    request_id = ids.encode("req", ids.new())
    return Caller(environment, Actor("api_key", "key_tests"), scopes=frozenset({scopes.ALL}), request_id=request_id)


@pytest.fixture
def opened(environment: Any) -> Iterator[Any]:
    """Acme's test environment, open for the whole test."""
    from connect.kit.tenancy import use_environment

    with use_environment(environment):
        yield environment


class Api:
    """A client of one key: `api.post("/v1/customers", {"email": …})` sends JSON, `form=` a raw form body."""

    def __init__(self, secret: str) -> None:
        from django.test import Client

        self.client = Client(raise_request_exception=False)
        self.headers = {"authorization": f"Bearer {secret}"}

    def get(self, path: str, query: dict[str, Any] | None = None, **headers: str) -> Any:
        return self.client.get(path, query or {}, headers={**self.headers, **headers})

    def post(self, path: str, body: Any = None, *, form: str | None = None, **headers: str) -> Any:
        named = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if form is not None:
            return self.client.post(path, form, content_type="application/x-www-form-urlencoded", headers=named)
        return self.client.post(path, json.dumps(body or {}), content_type="application/json", headers=named)

    def delete(self, path: str, **headers: str) -> Any:
        return self.client.delete(path, headers={**self.headers, **headers})


@pytest.fixture
def api(db: None, secrets: dict[str, dict[str, str]]) -> Api:
    """The API as Acme's test key sees it."""
    return Api(secrets["acme"]["test"])


@pytest.fixture
def api_as(db: None, secrets: dict[str, dict[str, str]]) -> Any:
    """`api_as("other", "live")` is the API under that key."""
    return lambda slug, kind: Api(secrets[slug][kind])
