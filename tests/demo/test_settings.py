"""What the product's processes get told, and what a database of one's own needs."""

from __future__ import annotations

import base64
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from demo import external, sandbox_bank, settings
from demo.run import ROOT
from demo.servers import ServerError
from demo.servers.postgres import APP, EXTENSIONS, OWNER, EmbeddedPostgres, free_port
from deploy.compile_requirements import first_block, reordered


@pytest.fixture
def postgres() -> Iterator[EmbeddedPostgres]:
    """A server that stands for somebody else's: the product's roles are not in it."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        server = EmbeddedPostgres(Path(name) / "pg", durability="none")
        server.start()
        with psycopg.connect(server.admin_url(), autocommit=True) as connection:
            connection.execute(f"DROP ROLE {OWNER}")
            connection.execute(f"DROP ROLE {APP}")
            connection.execute("CREATE DATABASE shop")
        yield server
        server.destroy()


def may(url: str) -> dict[str, bool]:
    """What a role may do with a database."""
    allowed = {}
    for statement in ("CREATE SCHEMA mine", "CREATE TABLE public.mine (n int)", "CREATE TEMPORARY TABLE mine (n int)"):
        with psycopg.connect(url) as connection:
            try:
                connection.execute(statement)
            except psycopg.errors.InsufficientPrivilege:
                allowed[statement] = False
            else:
                allowed[statement] = True
            connection.rollback()
    return allowed


def assert_prepared(app_url: str, owner_url: str) -> None:
    assert set(may(owner_url).values()) == {True}
    assert set(may(app_url).values()) == {False}
    with psycopg.connect(owner_url) as connection:
        found = {row[0] for row in connection.execute("SELECT extname FROM pg_extension")}
    assert found >= set(EXTENSIONS)


def test_a_database_of_ones_own_gets_its_roles_once(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    memory = tmp_path / "roles.json"
    made = external.database(postgres.admin_url("shop"), None, memory)
    assert_prepared(made.app_url, made.owner_url)
    assert memory.stat().st_mode & 0o777 == 0o600
    assert external.database(postgres.admin_url("shop"), None, memory) == made
    assert external.database(made.app_url, made.owner_url, tmp_path / "none.json") == made


def test_roles_sql_prepares_the_same(postgres: EmbeddedPostgres) -> None:
    facts = conninfo_to_dict(postgres.admin_url("shop"))
    subprocess.run(
        [postgres.binary("psql"), postgres.admin_url("shop"), "-X", "-q", "-v", "ON_ERROR_STOP=1",
         "-v", "owner_password=o'1", "-v", "app_password=a2", "-f", ROOT / "deploy" / "roles.sql"],
        check=True, capture_output=True,
    )  # fmt: skip
    place = f"127.0.0.1:{facts['port']}/shop"
    assert_prepared(f"postgresql://{APP}:a2@{place}", f"postgresql://{OWNER}:o%271@{place}")


def test_a_role_that_may_not_create_roles_is_told_what_to_do(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    with psycopg.connect(postgres.admin_url()) as connection:
        connection.execute("CREATE ROLE weak LOGIN PASSWORD 'weak'")
    facts = conninfo_to_dict(postgres.admin_url())
    with pytest.raises(ServerError, match=r"may not create roles: .*deploy/roles\.sql.*DATABASE_OWNER_URL"):
        external.database(f"postgresql://weak:weak@127.0.0.1:{facts['port']}/shop", None, tmp_path / "roles.json")
    assert not (tmp_path / "roles.json").exists()


def test_the_sandbox_bank_gets_a_database_beside_an_external_one(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    memory = tmp_path / "roles.json"
    external.database(postgres.admin_url("shop"), None, memory)
    with psycopg.connect(postgres.admin_url()) as connection:
        connection.execute("CREATE ROLE maker LOGIN CREATEROLE CREATEDB PASSWORD 'maker'")
        connection.execute("GRANT CONNECT ON DATABASE shop TO maker")
    port = conninfo_to_dict(postgres.admin_url())["port"]
    made = external.bank_database(f"postgresql://maker:maker@127.0.0.1:{port}/shop", memory)
    assert external.bank_database(postgres.admin_url("shop"), memory) == made  # remembered
    with psycopg.connect(made) as connection:
        connection.execute("CREATE TABLE customers (n int)")
        (name,) = connection.execute("SELECT current_database()").fetchone() or ("",)
    assert name == "shop_sandbox_bank"
    with pytest.raises(psycopg.OperationalError, match="does not have CONNECT privilege"):
        psycopg.connect(made.removesuffix("_sandbox_bank"))


def test_where_there_is_no_room_for_the_bank_the_person_hears_what_would_help(
    postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    with psycopg.connect(postgres.admin_url()) as connection:
        connection.execute("CREATE ROLE weak LOGIN PASSWORD 'weak'")
    port = conninfo_to_dict(postgres.admin_url())["port"]
    with pytest.raises(external.NoRoomForBank, match=r"not started, .*SANDBOX_BANK_DATABASE_URL.*FC_SANDBOX_BANK_URL"):
        external.bank_database(f"postgresql://weak:weak@127.0.0.1:{port}/shop", tmp_path / "roles.json")
    assert not (tmp_path / "roles.json").exists()


def test_the_bank_keeps_its_port_and_secret_and_is_told_nothing_of_the_product(tmp_path: Path) -> None:
    file, web = tmp_path / "sandbox_bank.env", free_port()
    given = {"PATH": "/bin", "LC_ALL": "C", "SECRET_KEY": "ours", "DATABASE_URL": "postgresql://ours"}
    bank = sandbox_bank.of_this_checkout(file, web, "postgresql://bank", given)
    assert file.stat().st_mode & 0o777 == 0o600
    assert bank.environment == {
        "PATH": "/bin", "LC_ALL": "C", "PYTHONUNBUFFERED": "1", "SANDBOX_BANK_URL": bank.url,
        "SANDBOX_BANK_DATABASE_URL": "postgresql://bank", "SANDBOX_BANK_SECRET_KEY": bank.environment["SANDBOX_BANK_SECRET_KEY"],
    }  # fmt: skip
    assert sandbox_bank.of_this_checkout(file, web + 1, "postgresql://bank", given) == bank
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", int(bank.url.rpartition(":")[2])))
        squatter.listen()
        assert sandbox_bank.of_this_checkout(file, web, "postgresql://bank", given).url != bank.url


def test_servers_that_do_not_answer_are_named_by_their_setting(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="DATABASE_URL does not lead to a database"):
        external.database("postgresql://x@127.0.0.1:1/x", None, tmp_path / "roles.json")
    with pytest.raises(ServerError, match="DATABASE_URL does not lead to a database"):
        external.database("not a url", None, tmp_path / "roles.json")
    for url in ("redis://127.0.0.1:1/0", "nonsense"):
        with pytest.raises(ServerError, match="REDIS_URL does not answer"):
            external.check_redis(url)


def test_secrets_are_made_once_and_for_their_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "secrets.env"
    first = settings.kept_secrets(file)
    assert settings.kept_secrets(file) == first
    assert file.stat().st_mode & 0o777 == 0o600
    name, _, key = first["FC_ENCRYPTION_KEYS"].partition(":")
    assert (name, len(base64.b64decode(key))) == ("k1", 32)
    assert len(first["SECRET_KEY"]) >= 50
    assert base64.b64decode(first["FC_OIDC_PRIVATE_KEY"]).startswith(b"-----BEGIN PRIVATE KEY-----")
    assert settings.kept_secrets(tmp_path / "other.env") != first


def test_a_key_given_later_encrypts_and_the_kept_one_still_opens() -> None:
    kept = {"SECRET_KEY": "kept", "FC_ENCRYPTION_KEYS": "k1:aaaa"}
    assert settings.with_secrets({}, kept) == kept
    joined = settings.with_secrets({"FC_ENCRYPTION_KEYS": "example:bbbb", "SECRET_KEY": "given"}, kept)
    assert joined == {"SECRET_KEY": "given", "FC_ENCRYPTION_KEYS": "example:bbbb,k1:aaaa"}
    replaced = settings.with_secrets({"FC_ENCRYPTION_KEYS": "k1:cccc"}, kept)
    assert replaced["FC_ENCRYPTION_KEYS"] == "k1:cccc"


def test_the_real_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("# a comment\n\nPORT=8100\nLOG_LEVEL='info'\nexport DEBUG=true\nREDIS_URL=\n")
    monkeypatch.setenv("PORT", "8200")
    monkeypatch.setenv("PGHOST", "elsewhere")
    monkeypatch.delenv("REDIS_URL", raising=False)
    given = settings.given(tmp_path)
    assert (given["PORT"], given["LOG_LEVEL"], given["DEBUG"]) == ("8200", "info", "true")
    assert "PGHOST" not in given
    assert "REDIS_URL" not in given


def test_the_example_can_be_used_as_it_is() -> None:
    example = settings.read_file(ROOT / ".env.example")
    assert settings.port(example) == 8000
    name, _, key = example["FC_ENCRYPTION_KEYS"].partition(":")
    assert (name, len(base64.b64decode(key))) == ("example", 32)
    assert "DATABASE_URL" not in example  # set, it would switch the embedded server off
    assert "REDIS_URL" not in example


def test_the_fixed_packages_stand_on_top_of_the_compiled_file_in_their_order() -> None:
    wanted = first_block((ROOT / "requirements.in").read_text())
    assert wanted[0] == "django"
    assert len(wanted) == 10
    compiled = (ROOT / "requirements.txt").read_text()
    names = [line.partition("==")[0] for line in compiled.splitlines() if "==" in line and line[0].isalpha()]
    assert names[:10] == wanted
    assert reordered(compiled, wanted) == compiled.partition("\n")[2]
    assert "://" not in compiled
