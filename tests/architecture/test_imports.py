"""The contracts of `.importlinter` hold, and each of them is able to say no."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMAND = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"


def packages() -> list[str]:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    return contracts["importlinter"]["root_packages"].split()


def lint(folder: Path) -> tuple[int, str]:
    """Exit code and text, on one line, of import-linter over `folder`."""
    ran = subprocess.run(
        [sys.executable, "-c", COMMAND],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "400"},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, re.sub(r"\s+", " ", ran.stdout + ran.stderr)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of our code, and nothing but code, that a test may spoil and has to mend again."""
    folder = tmp_path_factory.mktemp("house")
    shutil.copy(ROOT / ".importlinter", folder)
    for name in packages():
        shutil.copytree(ROOT / name, folder / name, ignore=lambda _, names: [n for n in names if n == "__pycache__"])
    return folder


def test_every_app_is_under_contract():
    """A package with an `apps.py` or with Django's settings that no contract knows fails here."""
    found = {file.parent.name for file in ROOT.glob("*/apps.py")} | {"config"}
    assert found <= set(packages())


def test_every_module_of_the_kit_is_pure_or_known_not_to_be():
    """What needs Django in the kit is named here; anything new is pure until somebody decides otherwise."""
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    pure = {name.rpartition(".")[2] for name in contracts["importlinter:contract:pure"]["source_modules"].split()}
    kit = {path.stem for path in (ROOT / "connect/kit").iterdir() if not path.stem.startswith("_")}
    assert kit - pure == {"addresses", "devices", "postgresql", "rows", "secretbox", "sessions", "tenancy", "valkey"}


def test_the_house_stands():
    code, text = lint(ROOT)
    assert code == 0, text
    assert " 0 broken" in text


BREACHES = {
    "the ledger imports payments": (
        "ledger/services/journal.py",
        "from payments.services import charges",
        "ledger.services.journal -> payments.services.charges",
    ),
    "a breach hidden in a function": (
        "ledger/services/journal.py",
        "def late() -> object:\n    from payments.services import charges\n    return charges",
        "ledger.services.journal -> payments.services.charges",
    ),
    "the floor imports an app": (
        "connect/services/events.py",
        "import ledger.domain.postings",
        "connect.services.events -> ledger.domain.postings",
    ),
    "payments reads the ledger's tables": (
        "payments/services/books.py",
        "from ledger.models import accounts as rows",
        "payments.services.books -> ledger.models.accounts",
    ),
    "the dashboard calls a processor": (
        "dashboard/pages/home.py",
        "from payments.clients import sandbox",
        "dashboard.pages.home -> payments.clients.sandbox",
    ),
    "an app reads the floor's tables": (
        "payments/services/books.py",
        "from connect.models import Event",
        "payments.services.books -> connect.models",
    ),
    "domain knows Django": ("ledger/domain/postings.py", "import django.db", "ledger.domain.postings -> django"),
    "the pure kit knows Django": ("connect/kit/money.py", "import django.conf", "connect.kit.money -> django"),
    "domain reaches Valkey": ("connect/domain/tiers.py", "import redis", "connect.domain.tiers -> redis"),
    "a shape asks the database": (
        "payments/shapes/charges.py",
        "from payments.models import charges as rows",
        "payments.shapes is not allowed to import payments.models",
    ),
    "a service starts a job": (
        "connect/services/usage.py",
        "from connect import tasks",
        "connect.services.usage -> connect.tasks",
    ),
    "a selector writes": (
        "payments/selectors/charges.py",
        "from payments.services import charges as writes",
        "payments.selectors.charges -> payments.services.charges",
    ),
    "a service knows HTTP": (
        "payments/services/charges.py",
        "import rest_framework",
        "payments.services is not allowed to import rest_framework",
    ),
    "a selector uses the API's conventions": (
        "payments/selectors/charges.py",
        "from connect.api import pagination",
        "payments.selectors is not allowed to import connect.api",
    ),
    "the bank of the sandbox uses our code": (
        "sandbox_bank/clock.py",
        "from connect.kit import clock",
        "sandbox_bank is not allowed to import connect",
    ),
    "we use the code of the sandbox's bank": (
        "banks/services/institutions.py",
        "from sandbox_bank import ibans",
        "banks is not allowed to import sandbox_bank",
    ),
    "a stray module": ("payments/leftovers.py", "", "payments.leftovers"),
}


@pytest.mark.parametrize("name", BREACHES)
def test_a_deliberate_breach_is_reported(house, name):
    file, addition, report = BREACHES[name]
    path = house / file
    before = path.read_text() if path.exists() else None
    path.write_text(f"{before or ''}\n{addition}\n")
    try:
        code, text = lint(house)
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_text(before)
    assert code == 1, text
    assert report in text


def test_a_type_may_be_named_from_above(house):
    """An import for annotations only ties nothing together at run time."""
    path = house / "ledger/services/journal.py"
    before = path.read_text()
    path.write_text(
        f"{before}\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from payments.services import charges\n"
    )
    try:
        code, text = lint(house)
    finally:
        path.write_text(before)
    assert code == 0, text
