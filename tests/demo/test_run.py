"""One whole `make run` with real servers and small programs in the places of web, worker and beat."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from demo import processes
from demo.servers.postgres import EmbeddedPostgres, free_port
from demo.servers.valkey import EmbeddedValkey

ROOT = Path(__file__).resolve().parents[2]

MANAGE = """
import json, os, sys
import psycopg
with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as connection:
    if sys.argv[1] == "migrate":
        connection.execute("CREATE TABLE IF NOT EXISTS runs (n int)")
        connection.execute("GRANT SELECT ON runs TO fc_app")
        connection.execute("INSERT INTO runs VALUES (1)")
    elif sys.argv[1:3] == ["seed_demo", "--output"]:
        base = os.environ["FC_PUBLIC_URL"]
        with open(sys.argv[3], "w") as file:
            json.dump({"api_base": base, "secret_key": "fc_test_key", "dashboard_url": base + "/o/demo/test/",
                       "email": "demo@example.com", "password": "a password",
                       "sandbox_bank_url": os.environ["FC_SANDBOX_BANK_URL"]}, file)
    else:
        sys.exit("unknown command")
"""
WEB = """
import http.server, json, os, sys
import psycopg, redis
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
            user, runs = connection.execute("SELECT current_user, (SELECT count(*) FROM runs)").fetchone()
        with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
            hits = client.incr("hits")
        body = json.dumps({"user": user, "runs": runs, "hits": hits,
                           "owner_differs": os.environ["DATABASE_OWNER_URL"] != os.environ["DATABASE_URL"]}).encode()
        self.send_response(200); self.end_headers(); self.wfile.write(body)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
"""
BANK = """
import http.server, json, os, sys
import psycopg
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with psycopg.connect(os.environ["SANDBOX_BANK_DATABASE_URL"]) as connection:
            user, = connection.execute("SELECT current_user").fetchone()
        body = json.dumps({"user": user, "told": sorted(os.environ), "url": os.environ["SANDBOX_BANK_URL"]}).encode()
        self.send_response(200); self.end_headers(); self.wfile.write(body)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
"""
DRIVER = """
import sys
from pathlib import Path
from demo import run
from demo.supervisor import Program
run.ROOT = Path(sys.argv[1])
run.PROGRAMS = (Program("web", (sys.executable, "web.py", "{port}")),
                Program("worker", (sys.executable, "-c", "import time; time.sleep(600)"), rights="owner"))
run.BANK = (Program("bank-migrate", (sys.executable, "-c", ""), rights="bank"),
            Program("bank", (sys.executable, "bank.py", "{bank_port}"), rights="bank"))
sys.exit(run.main(sys.argv[2:]))
"""


@pytest.fixture
def checkout() -> Iterator[Path]:
    """A folder with a blank in its path that stands for a checkout."""
    with tempfile.TemporaryDirectory(prefix="a checkout ") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "manage.py").write_text(MANAGE)
        (folder / "web.py").write_text(WEB)
        (folder / "bank.py").write_text(BANK)
        yield folder
        drive(folder, 8000, "reset").communicate()


def drive(checkout: Path, port: int, *arguments: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "DATABASE_OWNER_URL",
                                                                              "REDIS_URL")}  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-u", "-c", DRIVER, str(checkout), *arguments], cwd=ROOT, text=True,
        env={**kept, "PORT": str(port), "FORCE": "1"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


@contextmanager
def running(checkout: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """The supervisor after it said that all is there."""
    with drive(checkout, port) as supervisor:
        try:
            read_until(supervisor, "Ctrl-C stops everything.")
            yield supervisor
        finally:
            if supervisor.poll() is None:
                supervisor.terminate()
                supervisor.communicate()


def read_until(supervisor: subprocess.Popen[str], text: str) -> str:
    assert supervisor.stdout is not None
    seen = []
    for line in supervisor.stdout:
        seen.append(line)
        if text in line:
            return "".join(seen)
    raise AssertionError(f"ended without saying {text!r}:\n{''.join(seen)}")


def ask(port: int) -> dict[str, object]:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://127.0.0.1:{port}/") as answer:
        return dict(json.loads(answer.read()))


def demo(checkout: Path) -> dict[str, str]:
    return dict(json.loads((checkout / ".local" / "demo.json").read_text()))


def bank_port(checkout: Path) -> int:
    return int(demo(checkout)["sandbox_bank_url"].rpartition(":")[2])


def children(checkout: Path) -> dict[str, tuple[int, str]]:
    return dict(json.loads((checkout / ".local" / "run" / "state.json").read_text())["children"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_and_the_next_run_goes_on_with_the_data(
    checkout: Path, number: signal.Signals
) -> None:
    port = free_port()
    with running(checkout, port) as supervisor:
        first = ask(port)
        assert first["user"] == "fc_app"
        assert first["runs"] == 1
        assert first["owner_differs"] is False  # web never gets the role that may change structure
        ids = [child[0] for child in children(checkout).values()]
        supervisor.send_signal(number)
        supervisor.send_signal(number)  # an impatient second one leaves nothing behind either
        words = supervisor.communicate()[0]
        assert supervisor.returncode == 0, words
        assert "Traceback" not in words
        assert [processes.started(child) for child in ids] == [None, None, None]
        assert EmbeddedPostgres(checkout / ".local" / "postgres").process_id() is None
        assert EmbeddedValkey(checkout / ".local" / "valkey").process_id() is None
    with running(checkout, port):
        again = ask(port)
        assert again["runs"] == 2
        assert isinstance(again["hits"], int)
        assert isinstance(first["hits"], int)
        assert again["hits"] > first["hits"]


def test_the_sandbox_bank_lives_apart_and_keeps_its_port(checkout: Path) -> None:
    port = free_port()
    with drive(checkout, port) as supervisor:
        words = read_until(supervisor, "Ctrl-C stops everything.")
        first = bank_port(checkout)
        assert f"http://127.0.0.1:{first}" in words
        assert "user_good / pass_good, one-time code 1234" in words
        told = ask(first)
        assert told["user"] == "sandbox_bank"
        assert told["url"] == demo(checkout)["sandbox_bank_url"]
        assert isinstance(told["told"], list)
        known = {name for name in told["told"] if not name.startswith(("LC_", "SANDBOX_BANK_"))}
        assert not known & {"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "SECRET_KEY", "FC_ENCRYPTION_KEYS"}
        assert known <= {
            "PATH",
            "HOME",
            "LANG",
            "TMPDIR",
            "TZ",
            "NO_COLOR",
            "PYTHONWARNINGS",
            "PYTHONUNBUFFERED",
            "FC_RUN",
        }
        os.kill(children(checkout)["bank"][0], signal.SIGKILL)
        read_until(supervisor, "bank is back")
        supervisor.send_signal(signal.SIGINT)
        words = supervisor.communicate()[0]
        assert supervisor.returncode == 0, words
    with running(checkout, free_port()):  # web moves; links that lead to the bank do not break
        assert bank_port(checkout) == first


def test_killed_web_valkey_and_postgresql_come_back_by_themselves(checkout: Path) -> None:
    port = free_port()
    with running(checkout, port) as supervisor:
        postgres = EmbeddedPostgres(checkout / ".local" / "postgres")
        valkey = EmbeddedValkey(checkout / ".local" / "valkey")
        for name, process_id in (
            ("web", children(checkout)["web"][0]),
            ("PostgreSQL", postgres.process_id()),
            ("Valkey", valkey.process_id()),
        ):
            assert process_id is not None
            os.kill(process_id, signal.SIGKILL)
            read_until(supervisor, f"{name} is back")
        with psycopg.connect(postgres.admin_url()) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert valkey.running()


def test_after_a_killed_supervisor_the_next_run_takes_over(checkout: Path) -> None:
    port = free_port()
    with drive(checkout, port) as killed:
        read_until(killed, "Ctrl-C stops everything.")
        left = [child[0] for child in children(checkout).values()]
        killed.kill()
    assert all(processes.started(child) for child in left)
    with running(checkout, port):
        assert [processes.started(child) for child in left] == [None, None, None]
        assert ask(port)["runs"] == 2


def test_a_second_run_beside_a_running_one_is_one_sentence(checkout: Path) -> None:
    port = free_port()
    with running(checkout, port), drive(checkout, free_port()) as second:
        words = second.communicate()[0]
        assert second.returncode == 1
        assert words.startswith("`make run` is already running in this folder (process ")
        assert f"http://127.0.0.1:{port}" in words
        assert words.count("\n") == 1
        assert ask(port)["user"] == "fc_app"


def test_a_migration_that_fails_stops_with_its_words_and_leaves_nothing_running(checkout: Path) -> None:
    (checkout / "manage.py").write_text("raise SystemExit('no such column')")
    with drive(checkout, free_port()) as supervisor:
        words = supervisor.communicate()[0]
    assert supervisor.returncode == 1
    assert "migrate ended with exit code 1" in words
    assert "no such column" in words
    assert "Traceback" not in words
    assert EmbeddedPostgres(checkout / ".local" / "postgres").process_id() is None
    assert EmbeddedValkey(checkout / ".local" / "valkey").process_id() is None
