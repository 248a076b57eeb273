"""`make run` as a newcomer meets it: a fresh checkout in a folder with a blank in its path, and nothing else.

In continuous integration the packages come from the index, as for a newcomer; elsewhere the copy borrows the packages
of the Python that runs the tests, unless FC_TEST_FRESH_VENV=1.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest

from connect.kit import ids
from demo import processes
from demo.servers.postgres import EmbeddedPostgres, free_port
from demo.servers.valkey import EmbeddedValkey
from deploy.bootstrap import Environment

pytestmark = pytest.mark.stack

ROOT = Path(__file__).resolve().parents[2]
FRESH = bool(os.environ.get("CI") or os.environ.get("FC_TEST_FRESH_VENV"))
READY = "Ctrl-C stops everything."


@pytest.fixture
def checkout() -> Iterator[Path]:
    """What `git clone` gives, without its history, and with packages."""
    with copied(fresh=False) as folder:
        yield folder


@pytest.fixture
def bare_checkout() -> Iterator[Path]:
    """What `git clone` gives, without its history, where packages may be fetched."""
    with copied(fresh=FRESH) as folder:
        yield folder


@contextmanager
def copied(*, fresh: bool) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="new comer ") as name:
        Path(name).chmod(0o755)
        folder = Path(name) / "facturino connect"
        ignored = shutil.ignore_patterns(".git", ".venv", ".local", ".env", ".*_cache", "__pycache__")
        shutil.copytree(ROOT, folder, symlinks=True, ignore=ignored)
        if not fresh:
            borrow_packages(folder)
        yield folder
        for server in (EmbeddedPostgres(folder / ".local" / "postgres"), EmbeddedValkey(folder / ".local" / "valkey")):
            server.destroy()


def borrow_packages(checkout: Path) -> None:
    """A virtual environment that is this one under another name."""
    environment = Environment(checkout)
    environment.folder.mkdir()
    for entry in ("bin", "lib", "lib64", "pyvenv.cfg"):
        (environment.folder / entry).symlink_to(Path(sys.prefix) / entry)
    environment.memory.write_text(json.dumps(environment.wanted))


OF_THE_TESTS = {"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "SECRET_KEY",
                "FC_ENCRYPTION_KEYS", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"}  # fmt: skip


def surroundings(**settings: str) -> dict[str, str]:
    """The environment of somebody who has set nothing, and `settings`."""
    return {name: value for name, value in os.environ.items() if name not in OF_THE_TESTS} | settings


class Terminal:
    """A terminal in which somebody typed `make …`."""

    def __init__(self, checkout: Path, target: str, **settings: str) -> None:
        self.process = subprocess.Popen(
            ["make", target, f"PYTHON={getattr(sys, '_base_executable', sys.executable)}"], cwd=checkout, text=True,
            env=surroundings(**settings), start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def read_until_ready(self) -> str:
        assert self.process.stdout is not None
        seen = []
        for line in self.process.stdout:
            seen.append(line)
            if READY in line:
                return "".join(seen)
        raise AssertionError(f"ended with {self.process.wait()} before it was ready:\n{''.join(seen)}")

    def press_ctrl_c(self) -> str:
        """What a terminal does: the signal goes to everybody in front. Returns what was said until the end."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.communicate()[0]

    def close(self) -> None:
        """Nothing of this terminal survives, whatever happened."""
        if self.process.poll() is None:
            self.press_ctrl_c()


def living(checkout: Path) -> list[str]:
    """The command lines of all processes that belong to the checkout."""
    ids = [int(folder.name) for folder in Path("/proc").glob("[0-9]*")] if Path("/proc/self").exists() else []
    lines = [" ".join(processes.command_line(number)) for number in ids if processes.started(number) is not None]
    return [line for line in lines if str(checkout) in line]


def ask(url: str, key: str | None = None, form: dict[str, str] | None = None) -> tuple[int, bytes]:
    headers = {"Authorization": f"Basic {base64.b64encode(f'{key}:'.encode()).decode()}"} if key else {}
    request = urllib.request.Request(url, urlencode(form).encode() if form else None, headers)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        return answer.status, answer.read()


def kill_all(checkout: Path, run: Terminal) -> None:
    """SIGKILL for the supervisor first, so that it brings nobody back, then for everybody else."""
    state = json.loads((checkout / ".local" / "run" / "state.json").read_text())
    os.kill(state["supervisor"], signal.SIGKILL)
    run.process.communicate()
    for process_id, _ in state["children"].values():
        os.killpg(process_id, signal.SIGKILL)
    for server in (EmbeddedPostgres(checkout / ".local" / "postgres"), EmbeddedValkey(checkout / ".local" / "valkey")):
        process_id = server.process_id()
        assert process_id is not None
        os.kill(process_id, signal.SIGKILL)


def test_from_an_empty_folder_to_a_payment_and_back_again(bare_checkout: Path) -> None:
    checkout = bare_checkout
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    run = Terminal(checkout, "run", PORT=str(port))
    try:
        words = run.read_until_ready()
        assert ask(f"{address}/readyz")[0] == 200

        file = checkout / ".local" / "demo.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        demo = json.loads(file.read_text())
        assert demo["api_base"] == address
        for name in ("secret_key", "dashboard_url", "email", "password"):
            assert demo[name] in words, f"{name} is not told"

        form = {"amount": "2000", "currency": "eur", "payment_method": "pm_card_visa", "confirm": "true"}
        status, body = ask(f"{demo['api_base']}/v1/payment_intents", demo["secret_key"], form)
        paid = json.loads(body)
        assert (status, paid["status"], paid["amount_received"]) == (200, "succeeded", 2000)

        assert living(checkout), "nothing would be found that is left behind"
        words = run.press_ctrl_c()
        assert "Stopped." in words
        assert "Traceback" not in words
        assert living(checkout) == []
    finally:
        run.close()

    again = Terminal(checkout, "run", PORT=str(port))
    try:
        words = again.read_until_ready()
        assert "Installing" not in words
        assert json.loads(file.read_text())["password"] == demo["password"]
        kept = ask(f"{address}/v1/payment_intents/{paid['id']}", demo["secret_key"])[1]
        assert json.loads(kept)["amount_received"] == 2000

        name = ids.decode("pi", paid["id"])
        question = f"from payments.models import PaymentIntent as P; print('status', P.objects.get(pk='{name}').status)"
        shell = subprocess.run(
            ["make", "shell"],
            cwd=checkout,
            env=surroundings(),
            input=question,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "status succeeded" in shell.stdout, shell.stderr

        kill_all(checkout, again)
    finally:
        again.close()

    third = Terminal(checkout, "run", PORT=str(port))
    try:
        third.read_until_ready()
        kept = ask(f"{address}/v1/payment_intents/{paid['id']}", demo["secret_key"])[1]
        assert json.loads(kept)["status"] == "succeeded"
        third.press_ctrl_c()
        assert living(checkout) == []
    finally:
        third.close()

    reset = Terminal(checkout, "reset", FORCE="1")
    assert "Forgotten." in reset.process.communicate()[0]
    assert not (checkout / ".local").exists()


def test_the_example_settings_boot_unedited_and_on_their_port(checkout: Path) -> None:
    """`.env.example` copied to `.env`; only its port is taken from the environment, which wins."""
    shutil.copy(checkout / ".env.example", checkout / ".env")
    port = free_port()
    run = Terminal(checkout, "run", PORT=str(port))
    try:
        assert f"http://127.0.0.1:{port}" in run.read_until_ready()
        assert ask(f"http://127.0.0.1:{port}/readyz")[0] == 200
    finally:
        run.close()
    assert living(checkout) == []


def test_the_shell_says_what_it_needs_where_nothing_runs(checkout: Path) -> None:
    shell = Terminal(checkout, "shell")
    words = shell.process.communicate()[0]
    assert "start `make run` in another terminal first" in words
    assert "Traceback" not in words
