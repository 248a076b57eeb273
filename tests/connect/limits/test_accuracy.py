"""Eight processes, one key: what is admitted is what the rate allows, to one per cent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("seconds", [5, pytest.param(60, marks=pytest.mark.soak)])
def test_row_38_eight_processes(seconds):
    """100 a second with a burst of 200."""
    command = [sys.executable, str(ROOT / "benchmarks" / "limiter.py"), "--accuracy", "--json", f"--seconds={seconds}"]
    done = subprocess.run(command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    assert result["processes"] == 8
    assert result["asked"] > 2 * result["expected"], "the processes did not ask for more than was allowed"
    assert result["admitted"] == pytest.approx(result["expected"], rel=0.01)
