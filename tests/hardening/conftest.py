"""What the runs over the API's description say at the end."""

from __future__ import annotations

from typing import Any

RUNS: list[str] = []


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How much was tried, with the seed, when any of them ran."""
    for line in RUNS:
        terminalreporter.write_line(line)
