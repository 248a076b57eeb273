"""Compile requirements.in and requirements-dev.in to files with exact versions and hashes (`make requirements`).

The packages of the first block of requirements.in stand on top of each result, in that order, so that a reader meets
what the product is built on before what that brings along. Versions that still fit are kept; `--upgrade` takes the
newest of all. One file serves every Python from 3.11 on and every system, by environment markers.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADER = "# Made by `make requirements` from {source}: exact versions with hashes. Do not edit.\n"


def name_of(requirement: str) -> str:
    """The package a requirement line names, in the one spelling that compares (`Django<6` is `django`)."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    return re.sub(r"[-_.]+", "-", match.group()).lower() if match else ""


def first_block(text: str) -> list[str]:
    """Names of the packages before the first empty line of a requirements.in."""
    lines = (line.partition("#")[0].strip() for line in text.partition("\n\n")[0].splitlines())
    return [name_of(line) for line in lines if line]


def reordered(compiled: str, first: list[str]) -> str:
    """The same entries, those named in `first` on top and in that order, the others as they were.

    An entry is a line that begins at the margin with everything indented below it.
    """
    body = "".join(line for line in compiled.splitlines(keepends=True) if not line.startswith("#"))
    entries = re.findall(r"^\S.*\n(?:[ \t]+.*\n)*", body, flags=re.MULTILINE)
    rank = {name: place for place, name in enumerate(first)}
    return "".join(sorted(entries, key=lambda entry: rank.get(name_of(entry), len(rank))))


def compile_file(source: str, *options: str) -> None:
    """Write `<source>.txt` from `<source>.in`. Raises CalledProcessError after uv has said why."""
    target = ROOT / f"{source}.txt"
    subprocess.run(  # noqa: S603  # our own arguments
        [sys.executable, "-m", "uv", "pip", "compile", f"{source}.in", "--output-file", target.name, "--quiet",
         "--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--no-emit-index-url",
         "--no-emit-find-links", *options],
        cwd=ROOT, check=True,
    )  # fmt: skip
    first = first_block((ROOT / "requirements.in").read_text())
    target.write_text(HEADER.format(source=f"{source}.in") + reordered(target.read_text(), first))


def main(arguments: list[str]) -> int:
    """Compile both files; the development one may not differ in what both have."""
    if unknown := set(arguments) - {"--upgrade"}:
        print(f"Unknown option {' '.join(sorted(unknown))}; there is only --upgrade.", file=sys.stderr)  # noqa: T201
        return 2
    try:
        compile_file("requirements", *arguments)
        compile_file("requirements-dev", "--constraints", "requirements.txt", *arguments)
    except subprocess.CalledProcessError as error:
        return error.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
