"""What `make soak` saw, as a dated page in `docs/soak/`: every run of a day adds a section, whether it passed or not."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

PAGES: Final = Path(__file__).resolve().parents[1] / "docs" / "soak"
SEEN: Final = "seen"
"""The property by which a long test says what it saw, its seeds included: `record_property("seen", …)`."""


def write(reports: list[pytest.TestReport], arguments: list[str], state: str, folder: Path = PAGES) -> Path:
    """Add a run to the page of today; `state` is that of the code when it began. Returns the page."""
    now = datetime.now(UTC)
    page = folder / f"{now:%Y-%m-%d}.md"
    folder.mkdir(exist_ok=True)
    if not page.exists():
        page.write_text(f"# Long runs of {now:%Y-%m-%d}\n\nWritten by `make soak`.\n", encoding="utf-8")
    lines = [
        "",
        f"## {now:%H:%M} UTC, {state}",
        "",
        f"`pytest {' '.join(arguments)}`",
        "",
        "| test | outcome | seconds | what it saw |",
        "|---|---|---|---|",
        *(_line(report) for report in reports),
    ]
    with page.open("a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return page


def _line(report: pytest.TestReport) -> str:
    seen = "; ".join(str(value) for name, value in report.user_properties if name == SEEN)
    return f"| `{report.nodeid}` | {report.outcome} | {report.duration:.0f} | {seen} |"


def state_of_the_code() -> str:
    """Which state of the code it was."""
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=PAGES.parent, capture_output=True, text=True, check=False
    )
    return f"at {told.stdout.strip()}" if told.returncode == 0 else "outside of a repository"
