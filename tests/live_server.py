"""The real web process for tests that must come in by the network: granian, a port, and a database of its own.

    @pytest.fixture(scope="module")
    def server():
        with live_server() as running:
            yield running

The database is a copy of the base all tests start from (two organizations with keys), so what one module does here no
other test sees, and nothing has to be rolled back.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from django.utils import timezone

from connect.domain import api_keys
from connect.kit import ids
from demo.run import answers
from demo.servers.postgres import free_port

ROOT = Path(__file__).resolve().parents[1]
READY_SECONDS = 60
STOP_SECONDS = 30


@dataclass(frozen=True)
class Answered:
    """An HTTP answer. Header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class LiveServer:
    """A running web process. `secrets["acme"]["test"]` is a key with every right."""

    url: str
    database_url: str
    secrets: dict[str, dict[str, str]]

    def request(self, method: str, path: str, body: Any = None, *, key: str | None = None, **headers: str) -> Answered:
        """One request on a connection of its own, as Acme's test key unless `key` says otherwise. Safe in threads."""
        parts = urllib.parse.urlsplit(self.url)
        sent = {
            "Authorization": f"Bearer {key or self.secrets['acme']['test']}",
            **({"Content-Type": "application/json"} if body is not None else {}),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            answer = connection.getresponse()
            return Answered(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def query(self, sql: str, parameters: Any = (), *, slug: str = "acme", kind: str = "test") -> list[tuple[Any, ...]]:
        """Rows of one environment, read past the product."""
        with psycopg.connect(self.database_url) as connection:
            (schema,) = connection.execute(
                "SELECT e.schema_name FROM connect_environment e"
                " JOIN connect_organization o ON o.id = e.organization_id WHERE o.slug = %s AND e.kind = %s",
                [slug, kind],
            ).fetchone() or ("",)
            connection.execute(f'SET search_path = "{schema}", public')
            return connection.execute(sql, parameters).fetchall()

    def restricted_key(self, *scopes: str, slug: str = "acme", kind: str = "test") -> str:
        """The secret of a new key with only these scopes."""
        secret = api_keys.generate(kind)
        values = {
            "id": ids.new(), "name": "Restricted", "secret_hash": api_keys.digest(secret), "prefix": secret[:8],
            "last4": secret[-4:], "scopes": list(scopes), "ip_allowlist": [], "created_at": timezone.now(),
        }  # fmt: skip
        with psycopg.connect(self.database_url) as connection:
            connection.execute(
                f"INSERT INTO connect_api_key (environment_id, {', '.join(values)})"
                " SELECT e.id, " + ", ".join(["%s"] * len(values)) + " FROM connect_environment e"
                " JOIN connect_organization o ON o.id = e.organization_id WHERE o.slug = %s AND e.kind = %s",
                [*values.values(), slug, kind],
            )
        return secret


@contextmanager
def live_server(*, workers: int = 2, threads: int = 4, **environment: str) -> Iterator[LiveServer]:
    """Start the web process, wait until it answers, and end it with its database. `environment` adds variables."""
    port = free_port()
    name = f"test_fc_live_{os.getpid()}_{port}"
    with database_copy(name) as url, tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "granian", "--interface", "wsgi", "config.wsgi:application",
                "--host", "127.0.0.1", "--port", str(port), "--workers", str(workers),
                "--blocking-threads", str(threads), "--no-ws", "--log-level", "warning",
            ],
            cwd=ROOT,
            env={
                **os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test", "DATABASE_URL": url,
                "DATABASE_OWNER_URL": url, "FC_PUBLIC_URL": f"http://127.0.0.1:{port}", **environment,
            },
            stdout=log,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            _await(process, f"http://127.0.0.1:{port}/healthz", log)
            secrets = json.loads(Path(os.environ["FC_TEST_FACTS"]).read_text())
            yield LiveServer(f"http://127.0.0.1:{port}", url, secrets)
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def database_copy(name: str) -> Iterator[str]:
    """A copy of the base for `fc_app`, until the end of the block."""
    with psycopg.connect(os.environ["FC_TEST_ADMIN_URL"], autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{os.environ["FC_TEST_BASE"]}" OWNER fc_owner')
        admin.execute(f'GRANT CONNECT ON DATABASE "{name}" TO fc_app')
    try:
        yield os.environ["DATABASE_URL"].rsplit("/", 1)[0] + f"/{name}"
    finally:
        with psycopg.connect(os.environ["FC_TEST_ADMIN_URL"], autocommit=True) as admin:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _await(process: subprocess.Popen[bytes], url: str, log: Any) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not answers(url):
        try:
            process.wait(0.05)  # also the pause between two looks
        except subprocess.TimeoutExpired:
            if time.monotonic() < deadline:
                continue
        log.seek(0)
        raise RuntimeError(f"the web process did not answer at {url}; it wrote:\n{log.read().decode(errors='replace')}")
