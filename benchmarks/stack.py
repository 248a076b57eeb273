"""The real parts a benchmark needs: servers of its own below `.local/benchmark`, an organization, web servers.

The database is made anew by every run and durable as in production: commits are flushed to disk.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / ".local" / "benchmark"
DATABASE = "facturino_benchmark"
READY_SECONDS = 60
SLUG = "benchmark"


@dataclass(frozen=True, slots=True)
class Stack:
    """What is there: `variables` for a process of the product, `key` of the environment's API, the environment."""

    variables: dict[str, str]
    environment: Any
    key: str


@contextmanager
def stack() -> Iterator[Stack]:
    """Servers, a migrated database and one organization on the highest tier; Django is set up in this process."""
    from demo.servers.postgres import EmbeddedPostgres
    from demo.servers.valkey import EmbeddedValkey

    postgres, valkey = EmbeddedPostgres(HOME / "postgres"), EmbeddedValkey(HOME / "valkey")
    postgres.start()
    valkey.start()
    try:
        postgres.drop_database(DATABASE)
        postgres.ensure_database(DATABASE)
        variables = {
            "DJANGO_SETTINGS_MODULE": "config.settings.dev",
            "SECRET_KEY": "benchmarks-only",
            "FC_ENCRYPTION_KEYS": "b1:YmVuY2htYXJrcy1vbmx5LWJlbmNobWFya3Mtb25seS4=",
            "DATABASE_URL": postgres.app_url(DATABASE),
            "DATABASE_OWNER_URL": postgres.owner_url(DATABASE),
            "REDIS_URL": valkey.url(0),
            "LOG_LEVEL": "WARNING",
        }
        os.environ.update(variables)
        subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, check=True)
        import django

        django.setup()
        yield Stack(variables, *organization())
    finally:
        valkey.stop()
        postgres.stop()


def organization() -> tuple[Any, str]:
    """An organization with a test environment, made by the services, and a key with every right."""
    from connect.kit import ids
    from connect.kit.caller import Actor, Caller
    from connect.models import Environment, User
    from connect.services import api_keys, environments, organizations

    owner = User.objects.create_user("owner@benchmark.example", "not a password anybody uses", name="Owner")
    made = organizations.create(owner_id=owner.id, name="Benchmark", slug=SLUG, tier="enterprise")
    row = Environment.objects.get(organization_id=made.id, kind=Environment.Kind.TEST)
    environment = environments.provision(row.id)
    caller = Caller(environment=environment, actor=Actor("user", ids.encode("usr", owner.id)))
    _, secret = api_keys.create(caller, name="Benchmark", scopes=["*"])
    return environment, secret


def fill_tables(environment: Any, statements: Iterable[str], values: dict[str, Any]) -> None:
    """Run `statements` as the owner in the environment's schema, each with `values`."""
    from django.db import connections

    with connections["owner"].cursor() as cursor:
        cursor.execute(f'SET search_path = "{environment.schema_name}", public')
        for statement in statements:
            cursor.execute(statement, values)
        cursor.execute("RESET search_path")


@contextmanager
def granian(application: str, *, port: int, variables: dict[str, str], path: str) -> Iterator[None]:
    """`application` under granian with the flags of `make run`, from when `path` is answered until the block ends."""
    from demo.run import PROGRAMS, THREADS, WORKERS

    values = {"port": str(port), "log_level": "warning", "workers": str(WORKERS), "threads": str(THREADS)}
    command = [word.format(**values) for word in next(p for p in PROGRAMS if p.name == "web").command]
    command[command.index("config.wsgi:application")] = application
    server = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **variables})
    try:
        _await(server, port, path)
        yield
    finally:
        server.terminate()
        with suppress(subprocess.TimeoutExpired):
            server.wait(15)
        if server.poll() is None:
            server.kill()
            server.wait()


def _await(server: subprocess.Popen[bytes], port: int, path: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2) as client:
            client.sendall(request)
            if client.recv(15).startswith(b"HTTP/1.1 200"):
                return
        time.sleep(0.05)
    raise RuntimeError(f"nothing answers {path} on port {port}")
