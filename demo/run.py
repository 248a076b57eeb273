"""`make run`: the whole product on this machine, from nothing, until Ctrl-C. `make reset` forgets it.

`make shell` looks into it.

Everything it keeps lies in `.local/`. Each step says what it does; each thing that can go wrong is one sentence.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demo import external, sandbox_bank, settings
from demo.servers import ServerError
from demo.servers.postgres import EmbeddedPostgres, is_free
from demo.servers.valkey import EmbeddedValkey
from demo.supervisor import Failed, Program, Stopped, Supervisor
from demo.terminal import Terminal

ROOT = Path(__file__).resolve().parents[1]
DATABASE = "facturino_connect"
READY_SECONDS = 90
WORKERS, THREADS = 2, 4  # of web
LOG_LEVEL = "WARNING"  # unless set: what a person need not act on stays out of the terminal
PYTHON = sys.executable
# Two warnings that say nothing here: root is the usual user of a container, and static files are not collected.
QUIET = "ignore::UserWarning:celery.platforms,ignore::UserWarning:django.core.handlers.base"

# The process table, in the order of start and of stop; the sandbox bank's row is in demo/sandbox_bank.py, and starts
# first, because the demo organization is a customer there. Words in {} are filled in.
PROGRAMS = (
    Program("web", (
        PYTHON, "-m", "granian", "--interface", "wsgi", "config.wsgi:application", "--host", "127.0.0.1",
        "--port", "{port}", "--workers", "{workers}", "--blocking-threads", "{threads}", "--no-ws",
        "--workers-kill-timeout", "10", "--respawn-failed-workers",
        "--backpressure", "64", "--log-level", "{log_level}",
    )),
    Program("worker", (
        PYTHON, "-m", "celery", "--quiet", "-A", "config.celery", "worker", "--concurrency", "2",
        "--loglevel", "{log_level}", "--without-gossip", "--without-mingle",
    ), rights="owner"),  # it makes the schemas of new environments
    Program("beat", (
        PYTHON, "-m", "celery", "--quiet", "-A", "config.celery", "beat", "--loglevel", "{log_level}", "--pidfile=",
        "-S", "django_celery_beat.schedulers:DatabaseScheduler",
    )),
    # Longer than an attempt may take: what is under way ends before it does.
    Program("dispatcher", (PYTHON, "manage.py", "dispatch_webhooks"), patience=25.0),
)  # fmt: skip
MIGRATE = Program("migrate", (PYTHON, "manage.py", "migrate"), rights="owner")
SEED = Program("seed", (PYTHON, "manage.py", "seed_demo", "--output", "{demo_file}"), rights="owner")
BankPrograms = tuple[Program, ...]
"""What prepares the sandbox bank, to be run to their end, and last what serves it."""
BANK: BankPrograms = (sandbox_bank.MIGRATE, sandbox_bank.SEED, sandbox_bank.SERVE)


class Run:
    """One `make run` of the checkout in `root`."""

    def __init__(self, root: Path, terminal: Terminal, programs: tuple[Program, ...], bank: BankPrograms) -> None:
        self.root, self.terminal, self.programs, self.bank_programs = root, terminal, programs, bank
        self.bank: sandbox_bank.Bank | None = None
        self.local = root / ".local"
        self.given = settings.given(root)
        self.port = settings.port(self.given)
        self.address = f"http://127.0.0.1:{self.port}"
        check_folder(root)
        self.local.mkdir(exist_ok=True)
        self.supervisor = Supervisor(root, self.local, terminal)

    def until_stopped(self) -> None:
        """Start everything, tell how to use it, watch until a signal. Raises `Failed` and its like."""
        with self.supervisor.alone(self.address):
            check_port(self.port)
            try:
                self._start()
                self.terminal.say(welcome(self.address, self._demo(), self.local / "logs"))
                self.supervisor.watch()
            except Stopped:
                pass
            finally:
                self.terminal.close()
                self.terminal.say("Stopping …")
                self.supervisor.stop()
                self.terminal.say("Stopped. `make run` goes on with the data in .local/, `make reset` forgets it.")

    def stop(self, *_signal: object) -> None:
        """Handle a signal: stop at the next safe point. A second one changes nothing, a third neither."""
        self.supervisor.stop_requested = True

    def _start(self) -> None:
        step, safe_point = self.terminal.step, self.supervisor.pause
        with step("starting PostgreSQL and Valkey"):
            database = self._database()
            safe_point(0)
            redis_url = self._redis()
            safe_point(0)
            self.bank = self._bank()
            safe_point(0)
        self._environment(database, redis_url)
        with step("bringing the database up to date"):
            self.supervisor.run_to_end(MIGRATE)
        if self.bank:
            with step("opening the sandbox bank"):
                self._open(self.bank)
        with step("making the demo organization"):
            self.supervisor.run_to_end(self._filled(SEED))
        with step(f"starting {', '.join(program.name for program in self.programs)}"):
            for program in self.programs:
                self.supervisor.start(self._filled(program))
            self._await("web", f"{self.address}/readyz")

    def _open(self, bank: sandbox_bank.Bank) -> None:
        *before, serve = self.bank_programs
        for program in before:
            self.supervisor.run_to_end(self._filled(program))
        self.supervisor.start(self._filled(serve))
        self._await(serve.name, f"{bank.url}/healthz")

    def _database(self) -> external.Database:
        if url := self.given.get("DATABASE_URL"):
            return external.database(url, self.given.get("DATABASE_OWNER_URL"), self.local / "roles.json")
        server = EmbeddedPostgres(self.local / "postgres")
        self.supervisor.servers["PostgreSQL"] = server
        server.start()
        server.ensure_database(DATABASE)
        return external.Database(server.app_url(DATABASE), server.owner_url(DATABASE))

    def _redis(self) -> str:
        if url := self.given.get("REDIS_URL"):
            external.check_redis(url)
            return url
        server = EmbeddedValkey(self.local / "valkey")
        self.supervisor.servers["Valkey"] = server
        server.start()
        return server.url(0)

    def _bank(self) -> sandbox_bank.Bank | None:
        """The sandbox bank of this checkout, not started; None where another one is named or there is no room."""
        if self.given.get("FC_SANDBOX_BANK_URL"):
            return None
        if (url := self.given.get("SANDBOX_BANK_DATABASE_URL")) is None:
            server = self.supervisor.servers.get("PostgreSQL")
            try:
                url = (
                    server.ensure_bank_database()
                    if isinstance(server, EmbeddedPostgres)
                    else external.bank_database(self.given["DATABASE_URL"], self.local / "roles.json")
                )
            except external.NoRoomForBank as reason:
                self.terminal.say(f"  {reason}")
                return None
        return sandbox_bank.of_this_checkout(self.local / "sandbox_bank.env", self.port, url, self.given)

    def _environment(self, database: external.Database, redis_url: str) -> None:
        """What the programs get. Only those that migrate or provision get the owner's URL."""
        kept = settings.kept_secrets(self.local / "secrets.env")
        common = {
            "DJANGO_SETTINGS_MODULE": "config.settings.dev",
            "FC_PUBLIC_URL": self.address,
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": QUIET,
            "LOG_FORMAT": "human",
            "LOG_LEVEL": LOG_LEVEL,
            **settings.with_secrets(self.given, kept),
            "PORT": str(self.port),
            "DATABASE_URL": database.app_url,
            "REDIS_URL": redis_url,
        }
        at_bank = {"FC_SANDBOX_BANK_URL": self.bank.url} if self.bank else {}
        common |= at_bank
        self.supervisor.environments = {
            "app": common | {"DATABASE_OWNER_URL": database.app_url},
            "owner": common | {"DATABASE_OWNER_URL": database.owner_url},
            "bank": dict(self.bank.environment) if self.bank else {},
        }
        # For commands by hand (`make shell`): the same servers while they run.
        servers = {
            "DATABASE_URL": database.app_url,
            "DATABASE_OWNER_URL": database.owner_url,
            "REDIS_URL": redis_url,
            **at_bank,
        }
        settings.write_file(self.local / "servers.env", servers)

    def _filled(self, program: Program) -> Program:
        return program.filled({
            "port": str(self.port),
            "workers": str(WORKERS),
            "threads": str(THREADS),
            "bank_port": self.bank.url.rpartition(":")[2] if self.bank else "",
            "log_level": self.given.get("LOG_LEVEL", LOG_LEVEL).lower(),
            "demo_file": str(self.local / "demo.json"),
        })  # fmt: skip

    def _await(self, name: str, url: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not answers(url):
            self.supervisor.look(forgiving=False)
            if time.monotonic() > deadline:
                raise Failed(
                    f"{url} does not say that all is well after {READY_SECONDS} seconds; "
                    f"look into {self.local / 'logs'}. {name} wrote last:\n{self.supervisor.logs[name].tail()}"
                )
            self.supervisor.pause(0.1)

    def _demo(self) -> dict[str, Any]:
        return dict(json.loads((self.local / "demo.json").read_text()))


def check_folder(root: Path) -> None:
    """Raises `Failed` when nothing can be written below `root`."""
    try:
        with tempfile.TemporaryFile(dir=root):
            pass
    except OSError as error:
        raise Failed(
            f"The folder {root} cannot be written to ({error.strerror}); `make run` keeps its data in .local/ there. "
            "Copy the checkout to a folder of yours."
        ) from None


def check_port(port: int) -> None:
    """Raises `Failed` when `port` cannot be had."""
    if port < 1024 and os.geteuid() != 0 and not is_free(port):
        raise Failed(f"Port {port} is reserved for root or in use; choose another one: PORT=8001 make run")
    if not is_free(port):
        another = port + 1 if port < settings.HIGHEST_PORT else settings.DEFAULT_PORT
        raise Failed(f"Port {port} is used by another program; choose another one: PORT={another} make run")


def answers(url: str) -> bool:
    """Does `url` answer 200 within two seconds?"""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy knows nothing of this machine
    try:
        with direct.open(url, timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def welcome(address: str, demo: Mapping[str, Any], logs: Path) -> str:
    """What a person needs to begin: where, who, which key, and a line to try."""
    api_base = str(demo["api_base"]).rstrip("/").removesuffix("/v1")
    payment = "-d amount=2000 -d currency=eur -d payment_method=pm_card_visa -d confirm=true"
    bank = ""
    if "sandbox_bank_url" in demo:
        login = f"{sandbox_bank.LOGIN} / {sandbox_bank.PASSWORD}, one-time code {sandbox_bank.ONE_TIME_CODE}"
        bank = f"  Bank        {demo['sandbox_bank_url']}   log in there as {login}\n"
    return f"""
Facturino Connect runs at {address}

  Dashboard   {demo["dashboard_url"]}
  Log in as   {demo["email"]}   password {demo["password"]}
  Mailbox     {demo.get("mailbox_url", f"{address}/mailbox")}
  API key     {demo["secret_key"]}   (all of this is in .local/demo.json)
{bank}  Logs        {logs}

Take a payment:

  curl {api_base}/v1/payment_intents -u {demo["secret_key"]}: {payment}

Ctrl-C stops everything.
"""


def reset(root: Path, terminal: Terminal, *, force: bool) -> None:
    """Stop what an earlier run left behind and delete `.local/`. Asks first, unless `force`."""
    local = root / ".local"
    if not local.exists():
        terminal.say("There is nothing to forget: .local/ does not exist.")
        return
    supervisor = Supervisor(root, local, terminal)
    with supervisor.alone("being reset"):
        if not force:
            if not sys.stdin.isatty():
                raise Failed("`make reset` deletes all local data; say FORCE=1 make reset where nobody can be asked.")
            if input("This deletes the database, keys and logs in .local/. Type yes to go on: ").strip() != "yes":
                raise Failed("Nothing was deleted.")
        for memory in list(local.rglob("server.json")):
            EmbeddedPostgres(memory.parent).destroy()
        for memory in list(local.rglob("valkey.pid")):
            EmbeddedValkey(memory.parent).destroy()
        shutil.rmtree(local)
    terminal.say("Forgotten. `make run` begins afresh.")


def shell(root: Path) -> None:
    """Become a Python shell in the demo's test environment. Raises `Failed` when the product does not run."""
    local = root / ".local"
    if not local.exists() or not Supervisor(root, local, Terminal()).held():
        raise Failed("The shell talks to the running product: start `make run` in another terminal first.")
    os.chdir(root)
    os.execv(PYTHON, [PYTHON, "manage.py", "shell", "--env", "demo/test"])  # noqa: S606 - our own interpreter


def main(arguments: list[str]) -> int:
    """Exit code 0 when stopped by a person, 1 with a sentence otherwise."""
    terminal = Terminal()
    try:
        if arguments == ["reset"]:
            reset(ROOT, terminal, force=os.environ.get("FORCE") == "1")
        elif arguments == ["shell"]:
            shell(ROOT)
        elif arguments:
            raise Failed("Usage: python -m demo.run [reset | shell]")
        else:
            run = Run(ROOT, terminal, PROGRAMS, BANK)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, run.stop)
            run.until_stopped()
    except KeyboardInterrupt:
        return 130
    except (Failed, ServerError, settings.BadSetting) as error:
        terminal.close()
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
