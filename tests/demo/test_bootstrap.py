"""What runs before anything is installed."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import bootstrap

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "a checkout"
    folder.mkdir()
    for name in bootstrap.FILES.values():
        (folder / name).write_text("")
    return folder


def test_an_old_python_hears_one_sentence_and_can_read_the_file() -> None:
    with pytest.raises(bootstrap.Failed, match=r"Python 3\.11 or newer is needed, but /old/python is Python 3\.9;"):
        bootstrap.check_python((3, 9, 2), "/old/python")
    bootstrap.check_python((3, 11, 0), "/new/python")
    ast.parse((ROOT / "deploy" / "bootstrap.py").read_text(), feature_version=(3, 6))


def test_a_folder_that_cannot_be_written_to_is_one_sentence() -> None:
    with pytest.raises(bootstrap.Failed, match=r"The folder /proc cannot be written to"):
        bootstrap.check_folder(Path("/proc"))


def test_packages_are_installed_once_and_again_only_when_the_list_changes(checkout: Path) -> None:
    bootstrap.Environment(checkout).bring("runtime")
    made = checkout / ".venv" / "installed.json"
    first = made.stat().st_mtime_ns
    assert bootstrap.Environment(checkout).has("runtime")
    assert not bootstrap.Environment(checkout).has("dev")
    bootstrap.Environment(checkout).bring("runtime")
    assert made.stat().st_mtime_ns == first
    (checkout / "requirements-dev.txt").write_text("# other tools\n")
    assert bootstrap.Environment(checkout).has("runtime")
    (checkout / "requirements.txt").write_text("# another list\n")
    assert not bootstrap.Environment(checkout).has("runtime")
    bootstrap.Environment(checkout).bring("dev")
    assert bootstrap.Environment(checkout).has("runtime")
    assert bootstrap.Environment(checkout).has("dev")


def test_a_package_without_a_hash_is_refused_and_nothing_is_remembered(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "requirements.txt").write_text("django==5.2\n")
    with pytest.raises(bootstrap.Failed, match="pip says why above"):
        bootstrap.Environment(checkout).bring("runtime")
    assert "hash" in capsys.readouterr().out
    assert not bootstrap.Environment(checkout).has("runtime")


def test_a_broken_environment_is_made_anew(checkout: Path) -> None:
    environment = bootstrap.Environment(checkout)
    environment.bring("runtime")
    environment.python.unlink()
    assert not environment.has("runtime")
    environment.bring("runtime")
    assert subprocess.run([environment.python, "-c", "import pip"], check=False).returncode == 0


def test_progress_is_told_now_and_then_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    progress = bootstrap.Progress(25)
    for number in range(25):
        progress.read(f"Collecting package-{number}==1.0 (from -r requirements.txt (line 1))")
    progress.read("Installing collected packages: all")
    assert capsys.readouterr().out == "  20 of 25\n  all are here; unpacking …\n"


def test_the_command_takes_two_words_only() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "deploy" / "bootstrap.py", "everything"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "Usage: python3 deploy/bootstrap.py runtime|dev\n")


def test_make_help_names_every_target() -> None:
    done = subprocess.run(["make", "-C", ROOT, "--no-print-directory"], capture_output=True, text=True, check=True)
    phony = next(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith(".PHONY:"))
    for target in set(phony.split()[1:]) - {"runtime", "dev"}:
        assert f"make {target} " in done.stdout


def test_make_says_so_when_there_is_no_such_python() -> None:
    done = subprocess.run(
        ["make", "-C", ROOT, "runtime", "PYTHON=no-such-python"], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "There is no program no-such-python; install Python 3.11 or newer" in done.stderr


def test_the_memory_is_what_the_next_run_reads(checkout: Path) -> None:
    environment = bootstrap.Environment(checkout)
    environment.folder.mkdir()
    environment.memory.write_text("not json")
    assert not environment.has("runtime")
    environment.memory.write_text(json.dumps({"runtime": "of another list"}))
    assert not environment.has("runtime")
