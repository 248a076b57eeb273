"""The servers of `make run`: started by anybody, killed at any moment, found again, and alone with their files."""

from __future__ import annotations

import json
import os
import pwd
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
import redis

from demo import processes
from demo.servers.postgres import APP, BANK, OWNER, EmbeddedPostgres
from demo.servers.valkey import EmbeddedValkey

ROOT = Path(__file__).resolve().parents[2]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be refused by PostgreSQL, or become others")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder with a blank in its path that every account may enter (pytest's own is closed to others)."""
    with tempfile.TemporaryDirectory(prefix="fc servers ") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture
def postgres(open_folder: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(open_folder / "pg")
    server.start()
    yield server
    server.destroy()


@pytest.fixture
def valkey(open_folder: Path) -> Iterator[EmbeddedValkey]:
    server = EmbeddedValkey(open_folder / "kv")
    server.start()
    yield server
    server.stop()


def answer(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def kill(process_id: int | None) -> None:
    assert process_id is not None
    os.kill(process_id, signal.SIGKILL)


# -- PostgreSQL ---


def test_the_sandbox_bank_and_the_product_cannot_enter_each_others_database(postgres: EmbeddedPostgres) -> None:
    postgres.ensure_database("shop")
    bank = postgres.ensure_bank_database()
    assert postgres.ensure_bank_database() == bank
    with psycopg.connect(bank) as connection:
        connection.execute("CREATE TABLE customers (n int)")
    for url in (bank.rsplit("/", 1)[0] + "/shop", postgres.app_url(BANK), postgres.owner_url(BANK)):
        with pytest.raises(psycopg.OperationalError, match="does not have CONNECT privilege"):
            psycopg.connect(url)


def test_a_server_of_an_older_release_gets_the_banks_role(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.admin_url()) as connection:
        connection.execute(f"DROP ROLE {BANK}")
    memory = json.loads((postgres.home / "server.json").read_text())
    del memory["passwords"][BANK]
    (postgres.home / "server.json").write_text(json.dumps(memory))
    postgres.start()
    assert answer(postgres.ensure_bank_database(), "SELECT current_user::text") == BANK


def test_a_second_start_finds_the_server_running(postgres: EmbeddedPostgres) -> None:
    first = postgres.process_id()
    again = EmbeddedPostgres(postgres.home)
    again.start()
    assert first is not None
    assert again.process_id() == first
    assert again.running()


def test_stopped_and_started_it_keeps_what_was_committed(postgres: EmbeddedPostgres) -> None:
    postgres.ensure_database("shop")
    with psycopg.connect(postgres.owner_url("shop")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    postgres.stop()
    assert postgres.process_id() is None
    assert not postgres.running()
    postgres.stop()  # twice is no fault
    postgres.start()
    assert answer(postgres.owner_url("shop"), "SELECT n FROM kept") == 7


def test_a_killed_server_starts_again_at_once_with_its_data(postgres: EmbeddedPostgres) -> None:
    postgres.ensure_database("shop")
    with psycopg.connect(postgres.owner_url("shop")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    killed = postgres.process_id()
    kill(killed)
    postgres.start()
    assert postgres.process_id() not in (None, killed)
    assert answer(postgres.owner_url("shop"), "SELECT n FROM kept") == 7


def test_a_process_id_that_now_belongs_to_somebody_else_is_not_believed(postgres: EmbeddedPostgres) -> None:
    postgres.stop()
    pid_file = postgres.data / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{postgres.data}\n0\n1\n\n127.0.0.1\n\nready\n")
    assert postgres.process_id() is None
    postgres.start()
    assert postgres.running()


def test_a_port_taken_by_others_is_exchanged_for_a_free_one(postgres: EmbeddedPostgres) -> None:
    postgres.stop()
    old = psycopg.conninfo.conninfo_to_dict(postgres.admin_url())["port"]
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # the clients' closed connections linger
        squatter.bind(("127.0.0.1", int(str(old))))
        squatter.listen()
        postgres.start()
        new = psycopg.conninfo.conninfo_to_dict(postgres.admin_url())["port"]
        assert new != old
        assert int(str(new)) < 32768
        assert postgres.running()


def test_a_server_killed_while_its_helpers_stand_still_comes_back_on_its_port(postgres: EmbeddedPostgres) -> None:
    """They hold the shared memory, and would for ever: nobody is left to wake or end them."""
    first, url = postgres.process_id(), postgres.admin_url()
    assert first is not None
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        helpers = [row[0] for row in connection.execute("SELECT pid FROM pg_stat_activity").fetchall()]
        for process_id in helpers:
            os.kill(process_id, signal.SIGSTOP)
        kill(first)
        postgres.start()
    assert postgres.admin_url() == url
    assert answer(url, "SELECT n FROM kept") == 7
    assert [process_id for process_id in helpers if processes.started(process_id) is not None] == []


def test_four_processes_may_start_it_at_once(open_folder: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from demo.servers.postgres import EmbeddedPostgres as P; "
        "s = P(Path(sys.argv[1]), durability='none'); s.start(); s.ensure_database('shop'); print(s.process_id())"
    )
    home = open_folder / "pg"
    try:
        starters = [
            subprocess.Popen([sys.executable, "-c", script, str(home)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
            for _ in range(4)
        ]
        answers = [starter.communicate(timeout=90)[0].strip() for starter in starters]
        assert [starter.returncode for starter in starters] == [0, 0, 0, 0]
        assert len(set(answers)) == 1
        assert answers[0] == str(EmbeddedPostgres(home).process_id())
    finally:
        EmbeddedPostgres(home).destroy()
    assert not home.exists()


def test_the_roles_can_do_what_they_need_and_no_more(postgres: EmbeddedPostgres) -> None:
    assert postgres.ensure_database("shop") is True
    assert postgres.ensure_database("shop") is False
    with psycopg.connect(postgres.owner_url("shop")) as connection:
        connection.execute("CREATE SCHEMA tenant; CREATE TABLE public.things (name citext)")
    assert answer(postgres.app_url("shop"), "SELECT current_user") == APP
    for statement in (
        "CREATE TABLE mine (n int)",
        "CREATE TEMPORARY TABLE mine (n int)",
        "CREATE SCHEMA mine",
        "SELECT * FROM public.things",
        f"SET ROLE {OWNER}",
    ):
        with (
            psycopg.connect(postgres.app_url("shop")) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(statement)
    privileged = "SELECT count(*) FROM pg_roles WHERE rolname ~ '^fc_' AND (rolsuper OR rolcreaterole OR rolcreatedb)"
    assert answer(postgres.admin_url(), privileged) == 0


def test_a_copy_of_a_database_has_its_rows_and_the_same_rights(postgres: EmbeddedPostgres) -> None:
    postgres.ensure_database("base")
    with psycopg.connect(postgres.owner_url("base")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        connection.execute(f"GRANT SELECT ON kept TO {APP}")
    postgres.ensure_database("copy", template="base")
    assert answer(postgres.app_url("copy"), "SELECT n FROM kept") == 7
    with (
        psycopg.connect(postgres.app_url("copy")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("CREATE TEMPORARY TABLE mine (n int)")
    postgres.drop_database("copy")
    postgres.drop_database("copy")


def test_no_one_gets_in_without_a_password(postgres: EmbeddedPostgres) -> None:
    facts = psycopg.conninfo.conninfo_to_dict(postgres.admin_url())
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host="127.0.0.1", port=facts["port"], user="postgres", dbname="postgres", passfile="/dev/null")
    secrets = postgres.home / "server.json"
    assert secrets.stat().st_mode & 0o777 == 0o600
    assert postgres.data.stat().st_mode & 0o777 == 0o700


@as_root
def test_below_a_closed_folder_root_opens_nothing_and_keeps_its_data_elsewhere(open_folder: Path) -> None:
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    before = {path: path.stat().st_mode for path in (closed, *closed.parents)}
    server = EmbeddedPostgres(closed / "pg", durability="none")
    try:
        server.start()
        assert server.running()
        assert not server.data.is_relative_to(closed)
        assert server.data.stat().st_uid == pwd.getpwnam("nobody").pw_uid
        assert {path: path.stat().st_mode for path in before} == before
    finally:
        server.destroy()
    assert not server.data.exists()


@as_root
def test_a_normal_user_runs_it_as_himself(open_folder: Path) -> None:
    script = (
        "import sys, os; from pathlib import Path; from demo.servers.postgres import EmbeddedPostgres as P\n"
        "s = P(Path(sys.argv[1]), durability='none'); s.start()\n"
        "print(s.running(), s.data.stat().st_uid == os.geteuid(), s.data.is_relative_to(sys.argv[1])); s.destroy()"
    )
    account = pwd.getpwnam("nobody")
    mine = open_folder / "mine"
    mine.mkdir()
    os.chown(mine, account.pw_uid, account.pw_gid)
    as_user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": [], "cwd": "/", "capture_output": True}
    environment = {"PYTHONPATH": f"{ROOT}:{Path(psycopg.__file__).parents[1]}", "PATH": os.environ["PATH"]}
    for python in (sys.executable, "/usr/bin/python3"):  # the first may lie below root's home
        with suppress(PermissionError, FileNotFoundError):
            probe = [python, "-c", "import psycopg, demo.servers.postgres as p; assert p._reachable(p._wheel())"]
            if subprocess.run(probe, env=environment, check=False, **as_user).returncode == 0:
                break
    else:
        pytest.skip("no other account can reach an interpreter, the packages and this checkout")
    done = subprocess.run([python, "-c", script, str(mine / "pg")], env=environment, check=True, text=True, **as_user)
    assert done.stdout.strip() == "True True True"


# -- Valkey ---


def test_valkey_is_found_running_by_the_next_who_starts_it(valkey: EmbeddedValkey) -> None:
    first = valkey.process_id()
    again = EmbeddedValkey(valkey.home)
    again.start()
    assert first is not None
    assert again.process_id() == first


def test_valkey_keeps_what_it_was_told_over_a_stop(valkey: EmbeddedValkey) -> None:
    with redis.Redis.from_url(valkey.url(1)) as client:
        client.set("kept", "7")
    valkey.stop()
    assert valkey.process_id() is None
    assert not valkey.running()
    valkey.stop()  # twice is no fault
    valkey.start()
    with redis.Redis.from_url(valkey.url(1)) as client:
        assert client.get("kept") == b"7"
    with redis.Redis.from_url(valkey.url(0)) as client:
        assert client.get("kept") is None


def test_a_killed_valkey_starts_again_at_once_with_its_data(valkey: EmbeddedValkey) -> None:
    with redis.Redis.from_url(valkey.url(1)) as client:
        client.set("kept", "7")
        client.execute_command("WAITAOF", 1, 0, 5000)
    kill(valkey.process_id())
    valkey.start()
    with redis.Redis.from_url(valkey.url(1)) as client:
        assert client.get("kept") == b"7"


def test_celery_reads_the_same_address_blanks_included(valkey: EmbeddedValkey) -> None:
    from celery import Celery

    url = valkey.celery_url(2)
    with Celery("probe", broker=url, backend=url) as app:
        with app.connection_for_write() as connection:
            app.send_task("probe.nothing", connection=connection, ignore_result=True)
        app.pool.force_close_all()
        app.backend.client.set("kept", "7")
        app.backend.client.connection_pool.disconnect()
    with redis.Redis.from_url(valkey.url(2)) as client:
        assert client.llen("celery") == 1
        assert client.get("kept") == b"7"


def test_the_socket_of_a_deep_folder_lies_in_a_short_private_one(open_folder: Path) -> None:
    server = EmbeddedValkey(open_folder / ("deep" * 30))
    try:
        server.start()
        assert server.running()
        assert server.socket.parent.stat().st_mode & 0o777 == 0o700
        assert EmbeddedValkey(server.home).process_id() == server.process_id()
    finally:
        server.destroy()
    assert not server.socket.parent.exists()


# -- who is behind a process id ---


def test_a_zombie_and_an_unused_id_count_as_nothing() -> None:
    with subprocess.Popen(["sh", "-c", "echo; read line"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()  # it is what it will be from here on
        assert processes.started(child.pid) is not None
        assert processes.command_line(child.pid) == ["sh", "-c", "echo; read line"]
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, and not yet asked for
        assert processes.started(child.pid) is None
    assert processes.started(child.pid) is None
    assert processes.command_line(child.pid) == []


def test_a_group_is_only_ended_when_the_mark_is_the_leaders() -> None:
    with subprocess.Popen(
        ["sh", "-c", "trap '' TERM; echo; sleep 60"], stdout=subprocess.PIPE, start_new_session=True
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()  # deaf to SIGTERM from here on
        mark = processes.started(child.pid)
        assert mark is not None
        processes.end_group(child.pid, "another moment", patience=0)
        assert child.poll() is None
        processes.end_group(child.pid, mark, patience=0)
        assert child.wait(timeout=10) == -signal.SIGKILL
