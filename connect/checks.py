"""`manage.py check`: what a deployment must not get wrong. The security ones run with `--deploy`, the others with
`--database default`, because they ask the server.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections
from django.http.request import validate_host

from connect.kit import secretbox

EXAMPLE_SECRET_KEY: Final = "development-only-"  # noqa: S105 - what the example's begins with, refused below
EXAMPLE_ENCRYPTION_KEY: Final = b"facturino-connect-example-key-01"
"""The bytes of the key in `.env.example`, which the whole world knows."""
POSTGRESQL_OLDEST: Final = 150000


def install() -> None:
    """Make the checks known to Django; called once, when the apps are ready."""
    for check in (
        failpoints_are_disarmed, private_hosts_are_closed, keys_are_not_the_examples, roles_are_two,
        the_address_is_ours, identities_can_be_signed,
    ):  # fmt: skip
        register(check, Tags.security, deploy=True)
    register(environments_stay_apart, Tags.database)
    register(the_server_suits, Tags.database)


def failpoints_are_disarmed(**_: Any) -> list[CheckMessage]:
    """A failpoint kills or fails a request in the middle of a payment."""
    if not os.environ.get("FC_FAILPOINTS"):
        return []
    return [Error("FC_FAILPOINTS is set: requests would be made to fail.", hint="Unset it.", id="connect.E101")]


def private_hosts_are_closed(**_: Any) -> list[CheckMessage]:
    """Whoever may register an endpoint could otherwise make us call what stands behind our own walls."""
    if not settings.FC_PRIVATE_HOSTS_ALLOWED:
        return []
    hosts = ", ".join(settings.FC_PRIVATE_HOSTS_ALLOWED)
    return [
        Error(
            f"FC_PRIVATE_HOSTS_ALLOWED opens private addresses to webhooks: {hosts}.",
            hint="Leave it empty in production. It is for development, where endpoints run on the same machine.",
            id="connect.E102",
        )
    ]


def keys_are_not_the_examples(**_: Any) -> list[CheckMessage]:
    """The example boots unedited, so that anybody can try the product; its keys are therefore no keys."""
    found: list[CheckMessage] = []
    try:
        known = EXAMPLE_ENCRYPTION_KEY in secretbox.raw_keys(settings.FC_ENCRYPTION_KEYS).values()
    except ValueError as error:
        hint = "Give id:base64 pairs of 32 bytes, with commas between them; .env.example shows how to make one."
        found.append(Error(f"FC_ENCRYPTION_KEYS cannot be read: {error}.", hint=hint, id="connect.E103"))
    else:
        if known:
            hint = (
                "Begin with a key of your own, and without what was sealed under this one; .env.example shows how to"
                " make one."
            )
            found.append(Error("FC_ENCRYPTION_KEYS holds the example's key.", hint=hint, id="connect.E103"))
    if settings.SECRET_KEY.startswith(EXAMPLE_SECRET_KEY):
        hint = "Make a new one; .env.example shows how."
        found.append(Error("SECRET_KEY is the example's.", hint=hint, id="connect.E104"))
    return found


def roles_are_two(**_: Any) -> list[CheckMessage]:
    """Web processes hold rows, never structure: an injection may then read a table, but not drop a trigger.

    Without DATABASE_OWNER_URL, as web processes run, there is nothing to compare.
    """
    if not os.environ.get("DATABASE_OWNER_URL"):
        return []
    web, owner = settings.DATABASES["default"]["USER"], settings.DATABASES["owner"]["USER"]
    if web != owner:
        return []
    hint = "Make the roles fc_app and fc_owner as deploy/roles.sql does, and give each address its own."
    return [Error(f"DATABASE_URL and DATABASE_OWNER_URL share the role {web!r}.", hint=hint, id="connect.E105")]


def identities_can_be_signed(**_: Any) -> list[CheckMessage]:
    """Other companies' apps trust who somebody is by our signature; a short key could be computed by others."""
    keys = settings.OAUTH2_PROVIDER["OIDC_RSA_PRIVATE_KEY"], *settings.OAUTH2_PROVIDER["OIDC_RSA_PRIVATE_KEYS_INACTIVE"]
    given = [part for part in settings.FC_OIDC_PRIVATE_KEY.split(",") if part.strip()]
    if given and len(given) == len(keys) and all(_is_signing_key(key) for key in keys):
        return []
    hint = "Make one with `openssl genrsa 2048 | base64 -w0`; a new one stands in front of the old, after a comma."
    return [Error("FC_OIDC_PRIVATE_KEY holds no RSA key of 2048 bits or more.", hint=hint, id="connect.E111")]


def _is_signing_key(pem: str) -> bool:
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2048


def the_address_is_ours(**_: Any) -> list[CheckMessage]:
    """Links in mails and redirects begin with FC_PUBLIC_URL: over TLS, and to a host that is answered."""
    parts = urlsplit(settings.FC_PUBLIC_URL)
    found: list[CheckMessage] = []
    if parts.scheme != "https" or not parts.hostname:
        hint = "Give the https:// address at which people reach the product."
        found.append(
            Error(f"FC_PUBLIC_URL is no address over TLS: {settings.FC_PUBLIC_URL}.", hint=hint, id="connect.E109")
        )
    if "*" in settings.ALLOWED_HOSTS or not validate_host(parts.hostname or "", settings.ALLOWED_HOSTS):
        hint = "Name in it the hosts that are answered, that of FC_PUBLIC_URL among them, and no `*`."
        found.append(
            Error("ALLOWED_HOSTS is open, or leaves the product's own host out.", hint=hint, id="connect.E110")
        )
    return found


def environments_stay_apart(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Two transactions at once, each with a schema of its own, through whatever stands before the server.

    A pooler that shares connections between transactions passes; one that shares them between statements would mix
    environments, and so would one that keeps a path after its transaction has ended.
    """
    if "default" not in (databases or []):
        return []
    if _paths_hold(_parameters("default")):
        return []
    hint = "Use pool_mode = transaction or session. Statement pooling cannot carry a transaction."
    return [Error("A schema chosen in one transaction reaches another.", hint=hint, id="connect.E106")]


def the_server_suits(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """PostgreSQL 15 or newer, and a role for web processes that owns and creates nothing."""
    if "default" not in (databases or []):
        return []
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version_num')::int,"
            " rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls,"
            " has_database_privilege(current_database(), 'CREATE') FROM pg_roles WHERE rolname = current_user"
        )
        version, is_powerful, may_create = cursor.fetchone()
    found: list[CheckMessage] = []
    if version < POSTGRESQL_OLDEST:
        hint = "Upgrade the server to PostgreSQL 15 or newer."
        found.append(Error(f"The server is PostgreSQL {version // 10000}.", hint=hint, id="connect.E107"))
    if is_powerful or may_create:
        hint = "Give DATABASE_URL the role fc_app as deploy/roles.sql makes it."
        found.append(Error("The role of DATABASE_URL may change structure.", hint=hint, id="connect.E108"))
    return found


def _paths_hold(parameters: dict[str, Any]) -> bool:
    with (
        psycopg.connect(**parameters, autocommit=True) as one,
        psycopg.connect(**parameters, autocommit=True) as other,
    ):
        for _ in range(5):
            one.execute("BEGIN; SET LOCAL search_path = pg_catalog")
            other.execute("BEGIN; SET LOCAL search_path = information_schema")
            inside = (_path(one), _path(other))
            one.execute("COMMIT")
            other.execute("COMMIT")
            if inside != ("pg_catalog", "information_schema") or {_path(one), _path(other)} & set(inside):
                return False
    return True


def _path(connection: psycopg.Connection) -> str:
    row = connection.execute("SHOW search_path").fetchone()
    return str(row[0]) if row else ""


def _parameters(alias: str) -> dict[str, Any]:
    """Of a connection of our own beside Django's, which might be in the middle of something."""
    settings_dict = connections[alias].settings_dict
    return {
        "host": settings_dict["HOST"],
        "port": settings_dict["PORT"] or 5432,
        "user": settings_dict["USER"],
        "password": settings_dict["PASSWORD"],
        "dbname": settings_dict["NAME"],
        "connect_timeout": 5,
    }
