"""`manage.py check --deploy`: clean for a proper production, and each mistake is named. As a process, as it is run."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connections

from connect import checks
from demo.settings import signing_key

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "config.settings.prod",
    "SECRET_KEY": "q7Vd-1kZr9mX0cTnB4wYhE8sLgU2aPiR6oJfQ3vKzD5tWxMb-and-more",
    "FC_ENCRYPTION_KEYS": "k1:" + base64.b64encode(bytes(range(100, 132))).decode(),
    "FC_OIDC_PRIVATE_KEY": signing_key(),
    "DATABASE_URL": "postgresql://fc_app:one@127.0.0.1:1/facturino",
    "DATABASE_OWNER_URL": "postgresql://fc_owner:two@127.0.0.1:1/facturino",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "ALLOWED_HOSTS": "pay.example.com",
    "FC_PUBLIC_URL": "https://pay.example.com",
    "FC_TRUSTED_PROXIES": "1",
    "FC_METRICS_TOKEN": "a-token-of-the-monitoring",
    "DEFAULT_FROM_EMAIL": "Pay <no-reply@example.com>",
}


def example(name: str) -> str:
    """A setting of `.env.example`, which boots unedited."""
    found = re.search(rf"^#? ?{name}=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert found
    return found[1]


def check(*arguments: str, **changed: str) -> tuple[int, str]:
    ran = subprocess.run(
        [sys.executable, "-W", "error", "manage.py", "check", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **PRODUCTION, **changed},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stdout + ran.stderr


def test_a_proper_production_is_clean():
    code, text = check("--deploy", "--fail-level", "DEBUG")
    assert code == 0, text
    assert "no issues (0 silenced)" in text


def test_every_mistake_is_named_and_no_key_is_printed():
    wrong = {
        "FC_FAILPOINTS": "payments.attempt.called=kill",
        "FC_PRIVATE_HOSTS_ALLOWED": example("FC_PRIVATE_HOSTS_ALLOWED"),
        "FC_ENCRYPTION_KEYS": example("FC_ENCRYPTION_KEYS"),
        "SECRET_KEY": example("SECRET_KEY"),
        "FC_OIDC_PRIVATE_KEY": base64.b64encode(b"no key").decode(),
        "DATABASE_OWNER_URL": PRODUCTION["DATABASE_URL"],
        "FC_PUBLIC_URL": "http://pay.example.com",
        "ALLOWED_HOSTS": "*",
    }
    code, text = check("--deploy", **wrong)
    assert code == 1
    assert sorted(set(re.findall(r"connect\.E\d+", text))) == [
        "connect.E101", "connect.E102", "connect.E103", "connect.E104", "connect.E105", "connect.E109", "connect.E110",
        "connect.E111",
    ]  # fmt: skip
    assert text.count("HINT:") == 8
    assert wrong["FC_ENCRYPTION_KEYS"] not in text
    assert wrong["SECRET_KEY"] not in text
    assert ":one@" not in text


@pytest.mark.parametrize(
    ("address", "hosts", "wrong"),
    [
        ("https://pay.example.com", ["pay.example.com"], []),
        ("https://pay.example.com", [".example.com"], []),
        ("http://pay.example.com", ["pay.example.com"], ["connect.E109"]),
        ("pay.example.com", ["pay.example.com"], ["connect.E109", "connect.E110"]),
        ("https://pay.example.com", ["other.example.com"], ["connect.E110"]),
        ("https://pay.example.com", ["*"], ["connect.E110"]),
        ("https://pay.example.com", [], ["connect.E110"]),
    ],
)
def test_the_address_is_over_tls_and_answered(settings, address, hosts, wrong):
    settings.FC_PUBLIC_URL, settings.ALLOWED_HOSTS = address, hosts
    assert [message.id for message in checks.the_address_is_ours()] == wrong


@pytest.mark.parametrize(
    "keys",
    [
        example("FC_ENCRYPTION_KEYS"),
        f"{PRODUCTION['FC_ENCRYPTION_KEYS']},{example('FC_ENCRYPTION_KEYS')}",
        example("FC_ENCRYPTION_KEYS").replace("example:", "renamed:"),
        "no key at all",
        "k1:c2hvcnQ=",
        "",
    ],
)
def test_a_key_that_everybody_knows_or_that_is_none_is_refused(settings, keys):
    """By its bytes, under whatever name and in whatever place, since each of them opens what it sealed."""
    settings.FC_ENCRYPTION_KEYS = keys
    assert [message.id for message in checks.keys_are_not_the_examples()] == ["connect.E103"]


def test_web_processes_need_not_know_the_owner(settings, monkeypatch):
    """They never get its address, so that there is nothing to compare."""
    monkeypatch.delenv("DATABASE_OWNER_URL")
    monkeypatch.setitem(settings.DATABASES["owner"], "USER", settings.DATABASES["default"]["USER"])
    assert checks.roles_are_two() == []
    monkeypatch.setenv("DATABASE_OWNER_URL", "postgresql://fc_app@db/facturino")
    assert [message.id for message in checks.roles_are_two()] == ["connect.E105"]


def test_development_may_have_what_production_may_not():
    code, text = check(
        DJANGO_SETTINGS_MODULE="config.settings.dev", FC_FAILPOINTS="a=raise", SECRET_KEY=example("SECRET_KEY")
    )
    assert code == 0, text


def test_the_mail_server_of_the_example_is_the_one_that_production_speaks_to():
    names = ("EMAIL_HOST", "EMAIL_PORT", "EMAIL_HOST_USER", "EMAIL_USE_TLS", "EMAIL_USE_SSL")
    given = {**{name: example(name) for name in names}, "EMAIL_HOST_PASSWORD": "of the mail server"}
    told = "from django.core.mail import get_connection as c; s = c(); print((s.host, s.port, s.username, s.password"
    ran = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup(); {told}, s.use_tls, s.use_ssl, s.timeout))"],
        cwd=ROOT, env={"PATH": os.environ["PATH"], **PRODUCTION, **given}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    wanted = ("smtp.example.com", 587, "connect", "of the mail server", True, False, 10)
    assert ran.stdout.strip() == repr(wanted), ran.stderr


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_the_database_is_asked_when_it_is_named(monkeypatch):
    """Our own server passes; the owner's role, which may change structure, would not pass as the web's."""
    connections["default"].close()  # the connection of an earlier test would lead to a database that is gone
    assert checks.environments_stay_apart(databases=["default"]) == []
    assert checks.the_server_suits(databases=["default"]) == []
    assert checks.the_server_suits(databases=None) == []
    monkeypatch.setitem(connections["default"].settings_dict, "USER", connections["owner"].settings_dict["USER"])
    monkeypatch.setitem(
        connections["default"].settings_dict, "PASSWORD", connections["owner"].settings_dict["PASSWORD"]
    )
    connections["default"].close()
    assert [message.id for message in checks.the_server_suits(databases=["default"])] == ["connect.E108"]
    connections["default"].close()


def test_a_path_that_is_shared_is_seen(monkeypatch):
    """Both connections through one, as a proxy that pools by statement would have it."""
    paths = {"now": "public"}

    class Shared:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def execute(self, statement):
            if "SET LOCAL" in statement:
                paths["now"] = statement.rpartition("= ")[2]
            return self

        def fetchone(self):
            return (paths["now"],)

    monkeypatch.setattr(checks.psycopg, "connect", lambda **_: Shared())
    assert [message.id for message in checks.environments_stay_apart(databases=["default"])] == ["connect.E106"]
