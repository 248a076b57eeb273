"""Real servers instead of the embedded ones: `DATABASE_URL` and `REDIS_URL`.

The product needs two roles in the database, one for structure and one for rows. `make run` makes them where the given
URL may; otherwise a database administrator does, with `deploy/roles.sql`.
"""

from __future__ import annotations

import json
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import psycopg
import redis
from psycopg import sql
from redis.backoff import NoBackoff
from redis.retry import Retry

from demo.servers import ServerError
from demo.servers.postgres import APP, BANK, OWNER, closed, rights

OLDEST_POSTGRESQL = 150_000


class NoRoomForBank(ServerError):
    """The sandbox bank finds no database. The product runs without it; the text says what would help."""


@dataclass(frozen=True)
class Database:
    """The two URLs the product works with."""

    app_url: str
    owner_url: str


def database(url: str, owner_url: str | None, memory: Path) -> Database:
    """The roles' URLs for an external database. `memory`: the 0600 file of passwords of roles that were made here.

    Raises `ServerError`, with one sentence, when the server does not answer, is too old, or roles are missing that
    the given URL may not create.
    """
    if owner_url:
        for name, given in (("DATABASE_URL", url), ("DATABASE_OWNER_URL", owner_url)):
            _connect(given, name).close()
        return Database(url, owner_url)
    known = json.loads(memory.read_text()) if memory.exists() else {}
    place = "{0.hostname}:{0.port}{0.path}".format(urlsplit(url))
    if place not in known:
        passwords = {role: secrets.token_urlsafe(24) for role in (OWNER, APP)}
        _create_roles(url, passwords)
        _remember(memory, {**known, place: passwords})
        known[place] = passwords
    made = Database(_as_role(url, APP, known[place][APP]), _as_role(url, OWNER, known[place][OWNER]))
    for made_url in (made.app_url, made.owner_url):
        _connect(made_url, f"The role made for DATABASE_URL (its password is in {memory})").close()
    return made


def bank_database(url: str, memory: Path) -> str:
    """The URL of a database of the sandbox bank's own beside an external one, with a role of its own.

    Both are named after that one, whose server others may share. `memory`: the file of `database`. Raises
    `NoRoomForBank` where the given role may not make it.
    """
    known = json.loads(memory.read_text()) if memory.exists() else {}
    name = f"{urlsplit(url).path.strip('/')}_{BANK}"
    place = "{0.hostname}:{0.port}/{1}".format(urlsplit(url), name)
    if place not in known:
        password = secrets.token_urlsafe(24)
        try:
            _create_bank(url, name, password)
        except (psycopg.Error, ServerError) as error:
            reason = " ".join(str(error).split())
            raise NoRoomForBank(
                f"The sandbox bank is not started, because DATABASE_URL may not make a database for it ({reason}). To "
                "have it, set SANDBOX_BANK_DATABASE_URL to an empty database of its own, or FC_SANDBOX_BANK_URL to a "
                "bank that runs elsewhere."
            ) from None
        known[place] = {name: password}
        _remember(memory, known)
    return urlunsplit(urlsplit(_as_role(url, name, known[place][name]))._replace(path=f"/{name}"))


def check_redis(url: str) -> None:
    """Raises `ServerError` when no Valkey or Redis answers at `url`."""
    try:
        with redis.Redis.from_url(url, socket_timeout=5, retry=Retry(NoBackoff(), 0)) as client:
            client.ping()
    except (redis.exceptions.RedisError, ValueError, OSError) as error:
        raise ServerError(f"REDIS_URL does not answer ({error}); start that server, or unset REDIS_URL.") from None


def _create_roles(url: str, passwords: dict[str, str]) -> None:
    """Both roles and their rights in one transaction."""
    with _connect(url, "DATABASE_URL") as connection:
        name = connection.info.dbname
        may_create = connection.execute(
            "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        existing = connection.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [[OWNER, APP]]).fetchall()
        if existing or may_create != (True,):
            reason = f"the role {existing[0][0]} is there already" if existing else "its role may not create roles"
            raise ServerError(
                f"DATABASE_URL alone is not enough, because {reason}: have an administrator run deploy/roles.sql, "
                "then set DATABASE_URL to the role fc_app and DATABASE_OWNER_URL to the role fc_owner."
            )
        try:
            for role, password in passwords.items():
                create = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
                connection.execute(create.format(sql.Identifier(role), sql.Literal(password)))
            for statement in (*rights(name), *owner_rights(name)):
                connection.execute(statement)
        except psycopg.errors.InsufficientPrivilege as error:
            raise ServerError(
                f"DATABASE_URL may not prepare the database ({error.diag.message_primary}): have an administrator "
                "run deploy/roles.sql, then set DATABASE_URL and DATABASE_OWNER_URL."
            ) from None


def _create_bank(url: str, name: str, password: str) -> None:
    """Role and database. A database cannot be made inside a transaction, so each step may be found done."""
    role = sql.Identifier(name)
    with _connect(url, "DATABASE_URL") as connection:
        connection.autocommit = True
        with suppress(psycopg.errors.DuplicateObject):
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, sql.Literal(password)))
        with suppress(psycopg.errors.DuplicateDatabase):
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(role))  # or it may not give it a database
            connection.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(role))
        connection.execute(closed(name))


def owner_rights(database_name: str) -> list[sql.Composed]:
    """What `fc_owner` needs in a database it does not own."""
    names = {"database": sql.Identifier(database_name), "owner": sql.Identifier(OWNER)}
    texts = (
        "GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {database} TO {owner}",
        "GRANT USAGE, CREATE ON SCHEMA public TO {owner}",
    )
    return [sql.SQL(text).format(**names) for text in texts]


def _connect(url: str, name: str) -> psycopg.Connection:
    try:
        connection = psycopg.connect(url, connect_timeout=5)
    except (psycopg.OperationalError, psycopg.ProgrammingError) as error:
        reason = " ".join(str(error).split())
        raise ServerError(f"{name} does not lead to a database: {reason}") from None
    if connection.info.server_version < OLDEST_POSTGRESQL:
        version = connection.info.server_version // 10_000
        connection.close()
        raise ServerError(f"{name} leads to PostgreSQL {version}; the product needs PostgreSQL 15 or newer.")
    return connection


def _as_role(url: str, role: str, password: str) -> str:
    """The same URL with another user."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(unquote(role))}:{quote(password)}@{host}"))


def _remember(memory: Path, known: dict[str, dict[str, str]]) -> None:
    memory.touch(mode=0o600)
    memory.write_text(json.dumps(known))
