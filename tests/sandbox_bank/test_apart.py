"""Sandbox Bank is a bank of its own: nothing of ours comes into its process, and its numbers are right."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox_bank import ibans, money

ROOT = Path(__file__).resolve().parents[2]
OURS = {"config", "connect", "ledger", "banks", "payments", "dashboard", "demo"}
LOAD_ALL = """
import importlib, os, pkgutil, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "sandbox_bank.settings"
import sandbox_bank.wsgi
for module in pkgutil.walk_packages(sandbox_bank.__path__, "sandbox_bank."):
    importlib.import_module(module.name)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_nothing_of_ours_is_imported():
    variables = {"SANDBOX_BANK_SECRET_KEY": "x", "SANDBOX_BANK_URL": "http://127.0.0.1:1",
                 "SANDBOX_BANK_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nowhere"}  # fmt: skip
    done = subprocess.run([sys.executable, "-c", LOAD_ALL], cwd=ROOT, env={**os.environ, **variables},
                          capture_output=True, text=True, check=True)  # fmt: skip
    loaded = set(done.stdout.split())
    assert {"sandbox_bank", "django"} <= loaded
    assert not loaded & OURS


def test_its_migrations_are_complete():
    variables = {"SANDBOX_BANK_SECRET_KEY": "x", "SANDBOX_BANK_URL": "http://127.0.0.1:1",
                 "SANDBOX_BANK_DATABASE_URL": "sqlite://:memory:"}  # fmt: skip
    command = [sys.executable, "-m", "sandbox_bank.manage", "makemigrations", "--check", "--dry-run"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_filled_bank_is_not_filled_again(sandbox_bank):
    variables = {"SANDBOX_BANK_SECRET_KEY": "x", "SANDBOX_BANK_URL": sandbox_bank.url,
                 "SANDBOX_BANK_DATABASE_URL": sandbox_bank.database_url}  # fmt: skip
    before = sandbox_bank.state()["users"]
    command = [sys.executable, "-m", "sandbox_bank.manage", "seed"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "The bank is filled already.\n"
    assert sandbox_bank.state()["users"] == before


def test_every_iban_is_right_and_of_bank_999(sandbox_bank):
    shapes = {"MK": r"MK07999\d{12}", "RS": r"RS35999\d{15}", "AL": r"AL\d{2}9990001\d{17}"}
    seen = set()
    for user in sandbox_bank.state()["users"]:
        for account in user["accounts"]:
            iban = account["iban"]
            assert ibans.is_right(iban), iban
            assert re.fullmatch(shapes[iban[:2]], iban), iban
            seen.add(iban)
    assert len(seen) == 20


@pytest.mark.parametrize("iban", ["MK07300000000042425", "AL47212110090000000235698741", "RS35260005601001611379"])
def test_published_ibans_are_right(iban):
    assert ibans.is_right(iban)
    assert not ibans.is_right(iban[:-1] + str((int(iban[-1]) + 1) % 10))


def test_the_national_check_digits_are_those_of_published_accounts():
    assert ibans.albanian(0)[4:12] == "99900016"  # 9·9+9·7+9·3+0·1+0·9+0·7+1·3 = 174, and 6 more are 180
    for country in (ibans.macedonian(1234567890), ibans.serbian(1234567890)):
        assert int(country[4:]) % 97 == 1


@pytest.mark.parametrize(
    ("text", "minor"),
    [("12.30", 1230), ("-0.05", -5), ("7", 700), ("7.5", 750), ("1.230", 123), ("1.005", None), ("1,5", None),
     ("", None), ("+1.00", None), (1, None), ("１", None), ("1" * 15, None)],
)  # fmt: skip
def test_amounts_are_read_exactly(text, minor):
    assert money.read(text) == minor


@pytest.mark.parametrize(("minor", "shown"), [(1230, "12.30"), (-5, "-0.05"), (0, "0.00")])
def test_amounts_are_written_exactly(minor, shown):
    assert money.text(minor) == shown
