"""Make `.venv` and install the pinned packages into it: `python3 deploy/bootstrap.py runtime` (or `dev`).

Runs before anything is installed, on whatever Python is there, so it avoids what old ones cannot read: an old Python
shall hear a sentence, not a syntax error.
"""

import fcntl
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILES = {"runtime": "requirements.txt", "dev": "requirements-dev.txt"}  # the second contains the first
OLDEST = (3, 11)


class Failed(Exception):
    """The text is one sentence for a person."""


def check_python(version: "tuple[int, ...]", executable: str) -> None:
    """Raise Failed when this Python is too old for the product."""
    if tuple(version[:2]) < OLDEST:
        raise Failed(
            f"Python 3.11 or newer is needed, but {executable} is Python {version[0]}.{version[1]}; "
            "name a newer one: make run PYTHON=python3.11"
        )


def check_folder(folder: Path) -> None:
    """Raise Failed when nothing can be written there."""
    try:
        with tempfile.TemporaryFile(dir=str(folder)):
            pass
    except OSError as error:
        raise Failed(
            f"The folder {folder} cannot be written to ({error.strerror}); packages go to .venv/ and data to .local/ "
            "there. Copy the checkout to a folder of yours."
        ) from None


class Environment:
    """The virtual environment of the checkout in `root`."""

    def __init__(self, root: Path) -> None:
        self.root, self.folder = root, root / ".venv"
        self.python, self.memory = self.folder / "bin" / "python", self.folder / "installed.json"
        self.wanted = {kind: fingerprint(root / name) for kind, name in FILES.items()}

    def has(self, kind: str) -> bool:
        """Is exactly what the files list installed already?"""
        try:
            memory = json.loads(self.memory.read_text())
        except (OSError, ValueError):
            return False
        return self.python.exists() and bool(memory.get(kind) == self.wanted[kind])

    def bring(self, kind: str) -> None:
        """Install what is missing; instant when nothing is."""
        if self.has(kind):
            return
        check_folder(self.root)
        with (self.root / FILES[kind]).open() as lock:  # two commands at once: the second waits and finds all done
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.has(kind):
                return
            self._make()
            self._install(self.root / FILES[kind])
            kinds = ("runtime", "dev") if kind == "dev" else ("runtime",)
            self.memory.write_text(json.dumps({kind: self.wanted[kind] for kind in kinds}))

    def _make(self) -> None:
        """A fresh virtual environment, unless a usable one of this Python is there."""
        probe = [str(self.python), "-c", f"import sys, pip; sys.exit(sys.version != {sys.version!r})"]
        if self.python.exists():
            done = subprocess.run(probe, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)  # noqa: S603
            if done.returncode == 0:
                return
        say("Making the virtual environment .venv …")
        shutil.rmtree(str(self.folder), ignore_errors=True)
        made = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "venv", str(self.folder)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        if made.returncode == 0:
            return
        shutil.rmtree(str(self.folder), ignore_errors=True)
        words = made.stdout.decode(errors="replace").strip()
        if "ensurepip" in words:
            raise Failed(
                f"{sys.executable} cannot make virtual environments; install its part for that (Debian, Ubuntu: "
                f"apt install python{sys.version_info[0]}.{sys.version_info[1]}-venv), then try again."
            )
        raise Failed(f"The virtual environment .venv could not be made: {words[-1000:]}")

    def _install(self, file: Path) -> None:
        """Install exactly what the file lists, telling how far it is."""
        total = len(re.findall(r"^[A-Za-z0-9][^\s]*==", file.read_text(), flags=re.MULTILINE))
        say(f"Installing {total} packages, once; this takes a minute or two …")
        command = [str(self.python), "-m", "pip", "install", "--require-hashes", "-r", file.name]
        command += ["--progress-bar", "off", "--disable-pip-version-check", "--no-input"]
        begun, progress = time.time(), Progress(total)
        words: list[str] = []
        with subprocess.Popen(  # noqa: S603
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=str(self.root)
        ) as pip:
            for raw in pip.stdout or ():
                words.append(raw.decode(errors="replace").rstrip())
                progress.read(words[-1])
        if pip.returncode:
            say("\n".join("    " + line for line in words[-12:]))
            raise Failed("The packages could not be installed; pip says why above. Mend that and try again.")
        say(f"  installed in {time.time() - begun:.0f} s")


class Progress:
    """Tells from pip's lines how far it is: in place on a terminal, else now and then."""

    def __init__(self, total: int) -> None:
        self.total, self.seen, self.terminal = total, 0, sys.stdout.isatty()

    def read(self, line: str) -> None:
        """Take one line of pip's."""
        name = re.match(r"(?:Collecting|Requirement already satisfied:) ([A-Za-z0-9._-]+)", line)
        if name:
            self.seen += 1
            if self.terminal:
                sys.stdout.write(f"\r\033[K  {self.seen} of {self.total}  {name.group(1)}")
                sys.stdout.flush()
            elif self.seen % 20 == 0:
                say(f"  {self.seen} of {self.total}")
        elif line.startswith("Installing collected packages"):
            say(("\r\033[K" if self.terminal else "") + "  all are here; unpacking …")


def fingerprint(file: Path) -> str:
    """What an installation depends on: the packages, and the Python they were installed for."""
    return hashlib.sha256(file.read_bytes() + sys.version.encode()).hexdigest()


def say(text: str) -> None:
    """One line for the person who waits."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(arguments: "list[str]") -> int:
    """Exit code 0, or 1 after one sentence."""
    try:
        check_python(sys.version_info[:2], sys.executable)
        if arguments not in (["runtime"], ["dev"]):
            raise Failed("Usage: python3 deploy/bootstrap.py runtime|dev")
        Environment(ROOT).bring(arguments[0])
    except Failed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped; the next run goes on from here.\n")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
