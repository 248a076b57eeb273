"""Failpoints: what `FC_FAILPOINTS` means, and what a process that reaches one does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from connect.kit.failpoints import parse

ROOT = Path(__file__).resolve().parents[2]
PASSES = "from connect.kit.failpoints import failpoint\nfor n in range(1, 8): print(n, flush=True); failpoint('here')"


def passing(points: str) -> subprocess.CompletedProcess[str]:
    """A process that comes by `here` seven times."""
    return subprocess.run(
        [sys.executable, "-c", PASSES], cwd=ROOT, env=os.environ | {"FC_FAILPOINTS": points},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("text", ["here", "here=", "here=explode", "here=kill@", "here=kill@0", "here=kill@x"])
def test_what_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write name=kill, name=stop@3 or name=raise"):
        parse(text)


def test_unarmed_and_armed_elsewhere_it_does_nothing() -> None:
    for points in ("", "elsewhere=kill"):
        done = passing(points)
        assert (done.returncode, done.stdout.split()[-1], done.stderr) == (0, "7", "")


def test_kill_ends_the_process_at_that_passage_and_says_so_first() -> None:
    done = passing("elsewhere=raise, here=kill@3")
    assert (done.returncode, done.stdout.split()[-1]) == (-signal.SIGKILL, "3")
    assert done.stderr.startswith("failpoint here: kill process ")
    assert done.stderr.endswith(" at passage 3\n")


def test_raise_without_a_number_is_every_passage() -> None:
    done = passing("here=raise")
    assert (done.returncode, done.stdout) == (1, "1\n")
    assert "FailpointReached" in done.stderr


def test_one_kind_of_work_is_armed_apart_from_the_others() -> None:
    passes = "from connect.kit.failpoints import failpoint\nfor kind in 'abc': print(kind, flush=True); failpoint('here', kind)"
    for points, seen in (("here:b=kill", "a b"), ("here:x=kill", "a b c"), ("here=kill@3,here:a=kill@2", "a b c")):
        done = subprocess.run(
            [sys.executable, "-c", passes], cwd=ROOT, env=os.environ | {"FC_FAILPOINTS": points},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.stdout.split() == seen.split(), points


def test_stop_halts_at_every_nth_passage_and_goes_on_when_told() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PASSES], cwd=ROOT, env=os.environ | {"FC_FAILPOINTS": "here=stop@3"},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    stops = 0
    while os.WIFSTOPPED(status := os.waitpid(process.pid, os.WUNTRACED)[1]):
        stops += 1
        os.kill(process.pid, signal.SIGCONT)
    assert stops == 2
    assert os.waitstatus_to_exitcode(status) == 0
    process.returncode = 0  # waited for above
    assert process.communicate()[0].split() == list("1234567")
