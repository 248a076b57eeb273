"""One table for every benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """A measurement: the product's figure, the baseline's of the same run (or nothing), their ratio, the goal."""

    name: str
    product: str
    baseline: str
    ratio: str
    goal: str
    met: bool


def show(rows: Sequence[Row]) -> None:
    """Print a Markdown table with its columns aligned."""
    lines = [("", "product", "baseline of the same run", "ratio: median (min..max)", "goal", "")]
    lines += [
        (row.name, row.product, row.baseline, row.ratio, row.goal, "met" if row.met else "MISSED") for row in rows
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    lines.insert(1, tuple("-" * width for width in widths))  # type: ignore[arg-type]
    for line in lines:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |")
