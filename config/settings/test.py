"""Tests: the embedded servers, started here because pytest-django reads settings before any other hook runs."""

import os
from pathlib import Path

os.environ.setdefault("SECRET_KEY", "tests-only")
os.environ.setdefault("FC_SANDBOX_BANK_URL", "")  # not the one of a `make run` in this checkout
os.environ.setdefault("FC_ENCRYPTION_KEYS", "t1:dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=")
if "FC_OIDC_PRIVATE_KEY" not in os.environ:  # made here: a key in a repository is one that a scanner reports
    from demo.settings import signing_key

    os.environ["FC_OIDC_PRIVATE_KEY"] = signing_key()
if "FC_TEST_SERVERS" not in os.environ:  # workers of a parallel run inherit what the first process started
    from demo.servers.postgres import EmbeddedPostgres
    from demo.servers.valkey import EmbeddedValkey

    _home = Path(__file__).resolve().parents[2] / ".local" / "test"
    _postgres = EmbeddedPostgres(_home / "postgres", durability="none")
    _postgres.start()
    _valkey = EmbeddedValkey(_home / "valkey")
    _valkey.start()
    os.environ.update(
        FC_TEST_SERVERS=str(_home),
        FC_TEST_ADMIN_URL=_postgres.admin_url("postgres"),
        DATABASE_URL=_postgres.app_url("postgres"),
        DATABASE_OWNER_URL=_postgres.owner_url("postgres"),
        REDIS_URL=_valkey.url(0),
    )

# Tests empty their Valkey, so each worker of a parallel run has a database of its own.
if _worker := os.environ.get("PYTEST_XDIST_WORKER"):
    os.environ["REDIS_URL"] = os.environ["REDIS_URL"].partition("?")[0] + f"?db={int(_worker[2:]) + 1}"

from config.settings.dev import *

DEBUG = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
DATABASES = {alias: {**settings, "CONN_MAX_AGE": 0, "TEST": {"MIRROR": None}} for alias, settings in DATABASES.items()}
