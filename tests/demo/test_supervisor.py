"""The supervisor of `make run` with small programs in the places of web, worker and beat."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from demo import processes, run, settings
from demo.supervisor import RESTARTS, AlreadyRunning, Failed, Program, Stopped, Supervisor
from demo.terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]
PATIENT = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(print('bye', flush=True)))\n"
FOREVER = PATIENT + "print('here', flush=True)\nwhile True: time.sleep(60)"


def program(name: str, text: str, patience: float = 10) -> Program:
    return Program(name, (sys.executable, "-c", text), patience=patience)


class FakeServer:
    def __init__(self) -> None:
        self.starts, self.stopped = 0, False
        self.alive = True

    def start(self) -> None:
        self.starts += 1
        self.alive = True

    def stop(self) -> None:
        self.stopped = True

    def process_id(self) -> int | None:
        return 1 if self.alive else None


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def supervisor(tmp_path: Path, out: io.StringIO) -> Iterator[Supervisor]:
    made = Supervisor(tmp_path, tmp_path / ".local", Terminal(out))
    yield made
    made.stop()


def until(truth: Callable[[], object]) -> None:
    """Wait for a fact of another process; the limit only turns a hang into a failure."""
    deadline = time.monotonic() + 30
    while not truth():
        assert time.monotonic() < deadline, "never came true"
        time.sleep(0.01)


def said(supervisor: Supervisor, out: io.StringIO, text: str) -> Callable[[], bool]:
    def look() -> bool:
        supervisor.look()
        return text in out.getvalue()

    return look


def test_lines_of_all_programs_make_one_stream_and_a_file_each(supervisor: Supervisor, out: io.StringIO) -> None:
    supervisor.start(program("web", FOREVER))
    supervisor.start(program("beat", "print('\\x1b[31mred\\x1b[0m', flush=True)\n" + FOREVER))
    until(said(supervisor, out, "web        | here"))
    until(said(supervisor, out, "beat       | red\n"))
    assert (supervisor.local / "logs" / "web.log").read_text() == "here\n"
    assert (supervisor.local / "logs" / "web.log").stat().st_mode & 0o777 == 0o600
    assert "\x1b" not in out.getvalue()


def test_programs_stop_in_the_order_of_the_table_and_servers_after_them(
    supervisor: Supervisor, out: io.StringIO
) -> None:
    servers = {"PostgreSQL": FakeServer(), "Valkey": FakeServer()}
    supervisor.servers.update(servers)
    for name in ("web", "worker", "beat"):
        supervisor.start(program(name, FOREVER))
    for name in ("web", "worker", "beat"):
        until(said(supervisor, out, f"{name:<10} | here"))
    supervisor.stop()
    farewells = [line.split()[0] for line in out.getvalue().splitlines() if line.endswith("| bye")]
    assert farewells == ["web", "worker", "beat"]
    assert all(server.stopped for server in servers.values())


def test_a_program_deaf_to_the_request_is_ended_with_all_its_helpers(supervisor: Supervisor, out: io.StringIO) -> None:
    text = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "helper = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print('helper', helper.pid, flush=True)\ntime.sleep(600)"
    )
    supervisor.start(program("web", text, patience=0))
    until(said(supervisor, out, "helper"))
    helper = int(out.getvalue().rsplit("helper", 1)[1])
    leader = supervisor.children["web"].process.pid
    supervisor.stop()
    until(lambda: processes.started(helper) is None and processes.started(leader) is None)


def test_a_killed_program_starts_again_and_the_person_hears_of_it(supervisor: Supervisor, out: io.StringIO) -> None:
    supervisor.start(program("worker", FOREVER))
    first = supervisor.children["worker"].process.pid
    os.kill(first, signal.SIGKILL)
    until(said(supervisor, out, f"worker was killed by SIGKILL; starting it again (1 of {RESTARTS} allowed"))
    second = supervisor.children["worker"].process.pid
    assert second != first
    assert processes.started(second) is not None


def test_helpers_of_a_killed_program_do_not_survive_its_restart(supervisor: Supervisor, out: io.StringIO) -> None:
    text = (
        "import subprocess, sys, time\n"
        "helper = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print('helper', helper.pid, flush=True)\ntime.sleep(600)"
    )
    supervisor.start(program("web", text))
    until(said(supervisor, out, "helper"))
    helper = int(out.getvalue().rsplit("helper", 1)[1])
    os.kill(supervisor.children["web"].process.pid, signal.SIGKILL)
    until(said(supervisor, out, "web was killed"))
    until(lambda: processes.started(helper) is None)


def test_a_program_that_keeps_dying_stops_all_with_its_last_words(supervisor: Supervisor, out: io.StringIO) -> None:
    supervisor.start(program("beat", "print('no schedule', flush=True); raise SystemExit(3)"))
    with pytest.raises(Failed, match=r"beat ended with exit code 3, 6 times within a minute(.|\n)*no schedule"):
        until(said(supervisor, out, "never"))


def test_a_program_that_dies_while_starting_is_not_tried_again(supervisor: Supervisor) -> None:
    supervisor.start(program("web", "print('cannot import'); raise SystemExit(1)"))

    def look() -> None:
        supervisor.look(forgiving=False)

    with pytest.raises(Failed, match=r"web ended with exit code 1 while starting(.|\n)*cannot import"):
        until(look)


def test_a_step_that_fails_shows_its_last_lines(supervisor: Supervisor) -> None:
    supervisor.run_to_end(program("migrate", "print('fine')"))
    with pytest.raises(Failed, match=r"seed ended with exit code 1(.|\n)*ValueError: no bank"):
        supervisor.run_to_end(program("seed", "raise ValueError('no bank')"))


def test_a_request_to_stop_ends_the_step_that_runs(supervisor: Supervisor) -> None:
    supervisor.stop_requested = True
    with pytest.raises(Stopped):
        supervisor.run_to_end(program("migrate", FOREVER))
    assert processes.carrying("FC_RUN", supervisor.run_id) == []


def test_a_lost_server_is_started_again(supervisor: Supervisor, out: io.StringIO) -> None:
    server = FakeServer()
    supervisor.servers["Valkey"] = server
    supervisor.look()
    server.alive = False
    supervisor.look()
    assert server.starts == 1
    assert "Valkey is gone; starting it again" in out.getvalue()


def test_two_supervisors_do_not_share_a_folder(supervisor: Supervisor, out: io.StringIO) -> None:
    other = Supervisor(supervisor.root, supervisor.local, Terminal(out))
    with (
        supervisor.alone("http://127.0.0.1:8000"),
        pytest.raises(AlreadyRunning, match=rf"process {os.getpid()}, http://127.0.0.1:8000"),
        other.alone("http://127.0.0.1:8001"),
    ):
        pass
    with other.alone("http://127.0.0.1:8001"):
        pass


def test_what_a_killed_supervisor_left_behind_is_ended_by_the_next(supervisor: Supervisor, out: io.StringIO) -> None:
    script = (
        "import sys, time; from pathlib import Path\n"
        "from demo.supervisor import Program, Supervisor; from demo.terminal import Terminal\n"
        "here = Path(sys.argv[1]); s = Supervisor(here, here / '.local', Terminal())\n"
        "with s.alone('here'):\n"
        "    s.start(Program('web', (sys.executable, '-c', sys.argv[2])))\n"
        "    print(s.children['web'].process.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(supervisor.root), FOREVER], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as killed:
        assert killed.stdout is not None
        child = int(killed.stdout.readline())
        killed.kill()
    assert processes.started(child) is not None
    with supervisor.alone("http://127.0.0.1:8000"):
        assert processes.started(child) is None
    assert "ended what an earlier run had left behind: web" in out.getvalue()


def test_a_stranger_with_a_remembered_process_id_is_left_alone(supervisor: Supervisor) -> None:
    with subprocess.Popen([sys.executable, "-c", FOREVER], stdout=subprocess.PIPE, start_new_session=True) as stranger:
        assert stranger.stdout is not None
        stranger.stdout.readline()
        state = {"children": {"web": (stranger.pid, "another moment")}, "run": "of another time"}
        (supervisor.local / "run" / "state.json").write_text(json.dumps(state))
        with supervisor.alone("http://127.0.0.1:8000"):
            assert stranger.poll() is None
        stranger.kill()


# -- sentences ---


@pytest.mark.parametrize("text", ["", "http", "0", "65536", "-1", "８０００", "80.0"])
def test_a_port_that_is_none_is_refused_by_name(text: str) -> None:
    with pytest.raises(settings.BadSetting, match="PORT is"):
        settings.port({"PORT": text})


def test_the_port_is_8000_unless_set() -> None:
    assert settings.port({}) == 8000
    assert settings.port({"PORT": "8123"}) == 8123


def test_a_used_port_is_one_sentence_that_names_another() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Failed) as caught:
            run.check_port(port)
    assert str(caught.value).startswith(f"Port {port} is used by another program; choose another one: PORT=")


def test_a_folder_that_cannot_be_written_to_is_one_sentence() -> None:
    with pytest.raises(Failed, match=r"The folder /proc cannot be written to .* Copy the checkout"):
        run.check_folder(Path("/proc"))


def test_make_run_ends_with_the_sentence_alone(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        script = "import sys; from pathlib import Path; from demo import run; run.ROOT = Path(sys.argv[1]); "
        done = subprocess.run(
            [sys.executable, "-c", script + "sys.exit(run.main([]))", str(tmp_path)], cwd=ROOT, check=False,
            env={**os.environ, "PORT": str(other.getsockname()[1])}, capture_output=True, text=True,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "is used by another program" in done.stderr


def test_reset_forgets_everything_but_asks_first(tmp_path: Path, out: io.StringIO, monkeypatch) -> None:
    (tmp_path / ".local" / "postgres").mkdir(parents=True)
    (tmp_path / ".local" / "demo.json").write_text("{}")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(Failed, match="FORCE=1 make reset"):
        run.reset(tmp_path, Terminal(out), force=False)
    assert (tmp_path / ".local" / "demo.json").exists()
    run.reset(tmp_path, Terminal(out), force=True)
    assert not (tmp_path / ".local").exists()
    run.reset(tmp_path, Terminal(out), force=True)
    assert "nothing to forget" in out.getvalue()


def test_the_welcome_shows_where_who_and_a_line_to_try() -> None:
    demo = {
        "api_base": "http://127.0.0.1:8000/v1", "secret_key": "fc_test_abc", "email": "demo@example.com",
        "password": "correct horse", "dashboard_url": "http://127.0.0.1:8000/o/demo/test/",
    }  # fmt: skip
    text = run.welcome("http://127.0.0.1:8000", demo, Path("/x/.local/logs"))
    for part in ("demo@example.com", "correct horse", "/o/demo/test/", "/x/.local/logs"):
        assert part in text
    assert "curl http://127.0.0.1:8000/v1/payment_intents -u fc_test_abc: -d amount=2000" in text


def test_a_step_is_one_line_even_when_others_speak_meanwhile(out: io.StringIO) -> None:
    terminal = Terminal(out)
    with terminal.step("first"):
        pass
    with terminal.step("second"):
        terminal.relay("web", "hello")
    lines = out.getvalue().splitlines()
    assert lines[0].startswith("  first … ")
    assert lines[1:3] == ["  second …", "web        | hello"]
    assert lines[3].startswith("  second: ")


def test_a_closed_terminal_is_no_reason_to_fail() -> None:
    closed = io.StringIO()
    terminal = Terminal(closed)
    closed.close()
    terminal.say("to nobody")
