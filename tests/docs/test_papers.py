"""The papers keep their word: commands and answers they show are run, files and excerpts they name are there."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command, get_commands

from banks.models import Change, Connection
from connect.domain import api_keys, oauth
from connect.kit.tenancy import use_environment
from connect.services import api_clients
from tests.banks import rows as bank_rows

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
SEPARATOR = "<next block>"
PAPERS = [
    *(path for path in sorted(ROOT.glob("*.md"))),
    *(path for path in sorted(ROOT.glob("docs/**/*.md")) if path.name != "errors.md"),
    *(path for path in sorted(ROOT.glob(".github/**/*.md"))),
]
GUIDES_TYPED_HERE = {"oauth.md"}
"""Guides that need a person beside the shell; a test of this file is that person."""
OF_THE_REPOSITORY = [path for path in PAPERS if path.parent.name != "guides" or path.name in GUIDES_TYPED_HERE]
"""Those whose blocks are checked here; tests/docs/test_guides.py runs the others."""
RUN, SHOWN = {"sh", "python"}, {"json"}
READ_ONLY = {"console", "text", "mermaid", "ini"}
"""Kinds of blocks: what is run, what it answers, and what cannot be run in a test but is checked line by line."""


@dataclass(frozen=True)
class Block:
    paper: str
    line: int
    kind: str
    note: str
    text: str

    def __str__(self) -> str:
        return f"{self.paper}:{self.line}"


def blocks(path: Path) -> list[Block]:
    """The fenced blocks of a paper. `note` is what stands behind the kind: `python payments/api/customers.py`."""
    found, text = [], path.read_text(encoding="utf-8")
    for match in re.finditer(r"^( *)```(\w*) ?(.*)\n((?:.*\n)*?)\1```$", text, flags=re.MULTILINE):
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(path.name, line, match[2], match[3].strip(), match[4]))
    return found


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


# --- what is run ------------------------------------------------------------------------------------------------------


def agrees(shown, real, where="answer"):
    """The first place where a shown answer is not part of the real one, or None. `…` stands for anything."""
    if isinstance(shown, dict):
        if not isinstance(real, dict):
            return f"{where}: {real!r} is not an object"
        for name, value in shown.items():
            if name not in real:
                return f"{where}.{name} is missing"
            if fault := agrees(value, real[name], f"{where}.{name}"):
                return fault
        return None
    if isinstance(shown, list):
        if not isinstance(real, list) or (not shown and real):
            return f"{where}: {real!r} is not {shown!r}"
        return next((f"{where}: nothing like {part!r} in {real!r}" for part in shown
                     if all(agrees(part, candidate) for candidate in real)), None)  # fmt: skip
    if isinstance(shown, str) and "…" in shown:
        pattern = ".*".join(re.escape(part) for part in shown.split("…"))
        return None if re.fullmatch(pattern, str(real), flags=re.DOTALL) else f"{where}: {real!r} is not like {shown!r}"
    return None if type(shown) is type(real) and shown == real else f"{where}: {real!r} is not {shown!r}"


class Reader:
    """Somebody who types what a paper says, in a folder where `make run` has written `.local/demo.json`."""

    def __init__(self, folder: Path, address: str, secret: str, bank: str = "") -> None:
        self.folder = folder
        (folder / ".local").mkdir()
        facts = {"api_base": address, "secret_key": secret, "sandbox_bank_url": bank}
        (folder / ".local" / "demo.json").write_text(json.dumps(facts))
        python = folder / "python3"  # a link would leave the virtual environment
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
        kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        self.environment = {**kept, "PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": ""}

    def type(self, typed: list[Block]) -> list[str]:
        """Run blocks in one shell, one after the other; returns what each printed."""
        script = "set -euo pipefail\n"
        for block in typed:
            script += block.text if block.kind == "sh" else f"python3 -W error - <<'PYTHON'\n{block.text}PYTHON\n"
            script += f"printf '{SEPARATOR}'\n"
        done = subprocess.run(
            ["bash", "-c", script], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip
        printed = done.stdout.split(SEPARATOR)
        assert done.returncode == 0, f"{typed[len(printed) - 1]} failed\n{printed[-1]}\n{done.stderr}"
        return printed[:-1]


@pytest.fixture
def reader(tmp_path, product):
    return Reader(tmp_path, product.server.url, product.acme.key, product.bank.url)


@pytest.fixture
def reader_inside(tmp_path, live_server, secrets):
    """A reader whose server runs in this process, on the rows of the test."""
    return Reader(tmp_path, live_server.url, secrets["acme"]["test"])


def test_the_readme_can_be_typed_from_top_to_bottom(reader):
    """Every shell and Python block of the README runs, and every answer it shows is part of the real one."""
    found = [block for block in blocks(README) if block.kind in RUN | SHOWN]
    answers = iter(reader.type([block for block in found if block.kind in RUN]))
    answer, checked = "", 0
    for block in found:
        if block.kind in RUN:
            answer = next(answers)
        else:
            fault = agrees(json.loads(block.text), json.loads(answer))
            assert fault is None, f"{block} {fault}\n{answer}"
            checked += 1
    assert checked >= 6


def test_the_page_of_test_cards_shows_a_call_that_works(reader):
    (call,) = [block for block in blocks(ROOT / "docs" / "test-cards.md") if block.kind == "sh"]
    variables = next(block for block in blocks(README) if block.kind == "sh")
    assert json.loads(reader.type([variables, call])[1])["status"] == "succeeded"


def test_the_page_of_the_sandbox_bank_can_be_typed(tmp_path, sandbox_bank):
    """Every shell block of it runs, and every answer it shows is part of the real one."""
    found = [block for block in blocks(ROOT / "docs" / "sandbox-bank.md") if block.kind in RUN | SHOWN]
    typed = [
        dataclasses.replace(block, text=block.text.replace("http://127.0.0.1:8010", sandbox_bank.url))
        for block in found
        if block.kind in RUN
    ]
    answers = iter(Reader(tmp_path, sandbox_bank.url, "").type(typed))
    answer, checked = "", 0
    for block in found:
        if block.kind in RUN:
            answer = next(answers)
            assert '"error"' not in answer, f"{block}\n{answer}"
        else:
            fault = agrees(json.loads(block.text), json.loads(answer))
            assert fault is None, f"{block} {fault}\n{answer}"
            checked += 1
    assert checked >= 4


def test_the_guide_to_bank_data_can_be_typed_from_top_to_bottom(reader_inside, caller):
    """Its reader's customer comes back from their bank before the token is exchanged, which no shell can do."""
    with use_environment(caller.environment):
        token = bank_rows.public_token(caller)
        account = bank_rows.account(Connection.objects.get())
        row = bank_rows.transaction(account)
        Change.objects.create(connection_id=account.connection_id, position=1, transaction_id=row.id, kind="added")
        Connection.objects.filter(pk=account.connection_id).update(position=1)
    found = [block for block in blocks(ROOT / "docs" / "banking.md") if block.kind in {"sh", "json"}]
    variables = next(block for block in blocks(README) if block.kind == "sh")
    back = dataclasses.replace(variables, text=f"PUBLIC_TOKEN={token}\n")
    typed, shown = found[::2], found[1::2]
    assert [block.kind for block in typed + shown] == ["sh"] * len(typed) + ["json"] * len(typed)
    for block, answer in zip(shown, reader_inside.type([variables, back, *typed])[2:], strict=True):
        fault = agrees(json.loads(block.text), json.loads(answer))
        assert fault is None, f"{block} {fault}\n{answer}"


def test_the_guide_to_oauth_can_be_typed_from_top_to_bottom(reader_inside, caller):
    """Its reader has registered an app, which no shell can do, and put what they got into variables."""
    app, secret = api_clients.create(
        caller, name="Guide", redirect_uris=["https://app.example.com/oauth/callback"],
        grant_types=list(oauth.GRANT_TYPES), scopes=["customers:read", "payments:write"],
    )  # fmt: skip
    variables = next(block for block in blocks(README) if block.kind == "sh")
    registered = dataclasses.replace(variables, text=f"CLIENT_ID={app.id}\nCLIENT_SECRET={secret}\n")
    found = [block for block in blocks(ROOT / "docs" / "guides" / "oauth.md") if block.kind in {"sh", "json"}]
    typed, shown = found[::2], found[1::2]
    assert [block.kind for block in typed + shown] == ["sh"] * len(typed) + ["json"] * len(typed)
    for block, answer in zip(shown, reader_inside.type([variables, registered, *typed])[2:], strict=True):
        fault = agrees(json.loads(block.text), json.loads(answer))
        assert fault is None, f"{block} {fault}\n{answer}"


@pytest.mark.parametrize(
    ("shown", "real"),
    [
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {}),
        ({"a": True}, {"a": 1}),
        ({"a": "pi_…"}, {"a": "ch_1"}),
        ([{"a": 1}], [{"a": 2}, {"b": 1}]),
        ([], [1]),
    ],
)
def test_a_wrong_answer_is_noticed(shown, real):
    assert agrees(shown, real)


# --- what is only read ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("paper", names(OF_THE_REPOSITORY))
def test_every_block_is_of_a_kind_that_is_checked(paper):
    for block in blocks(ROOT / paper):
        assert block.kind in RUN | SHOWN | READ_ONLY, f"{block}: a block of kind {block.kind!r} is checked by nobody"
        if block.kind == "python" and paper != "README.md":
            assert block.note, f"{block}: say which file this is from"
        if block.kind == "sh":
            assert paper in {
                "README.md",
                "docs/test-cards.md",
                "docs/sandbox-bank.md",
                "docs/banking.md",
                "docs/guides/oauth.md",
            }, f"{block}: nobody runs this"


@pytest.mark.parametrize("paper", names(OF_THE_REPOSITORY))
def test_excerpts_stand_in_their_files(paper):
    """A block ```python path``` is a copy of lines of that file; a line `…` leaves some out."""
    for block in blocks(ROOT / paper):
        if block.kind != "python" or not block.note:
            continue
        source, position = (ROOT / block.note).read_text(encoding="utf-8"), 0
        for part in re.split(r"^ *…\n", block.text, flags=re.MULTILINE):
            place = source.find(part, position)
            assert place >= 0, f"{block}: not in {block.note} (any more), or not in this order:\n{part}"
            position = place + len(part)


@pytest.mark.parametrize("paper", names(PAPERS))
def test_commands_exist(paper):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    text = (ROOT / paper).read_text(encoding="utf-8")
    code = "\n".join([*(block.text for block in blocks(ROOT / paper)), *re.findall(r"`([^`\n]+)`", text)])
    for target in re.findall(r"(?:^|\s)make ([a-z]+)", code):
        assert target in targets, f"{paper}: there is no `make {target}`"
    for command in re.findall(r"manage\.py ([a-z_]+)", code):
        assert command in get_commands(), f"{paper}: there is no `manage.py {command}`"


@pytest.mark.parametrize("paper", names(PAPERS))
def test_files_that_are_named_are_there(paper):
    """Links, and names in backticks that look like a path of this repository, or a path and `:function`."""
    text = re.sub(r"^( *)```.*\n(?:.*\n)*?\1```$", "", (ROOT / paper).read_text(encoding="utf-8"), flags=re.MULTILINE)
    folder = (ROOT / paper).parent
    for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if not link.startswith(("https://", "mailto:", "../..", "/")):  # `/…` is an address of the product
            assert (folder / link).exists(), f"{paper}: {link} leads nowhere"
    tops = "|".join(sorted(path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")))
    for name, inside in re.findall(rf"`((?:{tops})/[\w./{{}},*-]*)(?::(\w+))?`", text):
        assert any(existing(name)), f"{paper}: {name} does not exist"
        if inside:
            defined = rf"^ *(?:def|class) {inside}\b"
            assert re.search(defined, (ROOT / name).read_text(), flags=re.MULTILINE), f"{paper}: no {inside} in {name}"


def existing(name: str):
    """The files a name with `*` and `{a,b}` stands for; every alternative must be there."""
    braces = re.search(r"{([^}]*)}", name)
    if braces:
        choices = [name[: braces.start()] + choice + name[braces.end() :] for choice in braces[1].split(",")]
        return [all(any(existing(choice)) for choice in choices)]
    return list(ROOT.glob(name)) if "*" in name else [(ROOT / name).exists()]


READS = (
    r"\benv(?:\.\w+)?\(\s*[\"']([A-Z][A-Z_]+)",  # env.list("ALLOWED_HOSTS"
    r"environ(?:\.get\(|\.setdefault\(|\[)\s*\"([A-Z][A-Z_]+)\"",
    r"\"([A-Z][A-Z_]+)\" (?:not )?in os\.environ",
)
OF_THE_SYSTEM = {"PATH", "PGPASSWORD", "RES_OPTIONS"}


def test_every_setting_is_explained():
    """Each environment variable the product reads stands in docs/operations.md, and each that stands there is read."""
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("config", "connect", "ledger", "banks", "payments", "dashboard", "demo", "sandbox_bank")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path != ROOT / "config" / "settings" / "test.py"
    )
    found = {name for pattern in READS for name in re.findall(pattern, code)} - OF_THE_SYSTEM
    assert {"SECRET_KEY", "DATABASE_URL", "FC_FAILPOINTS", "NO_COLOR", "FC_PG_DUMP"} <= found
    table = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "operations.md").read_text(), flags=re.MULTILINE))
    assert found <= table, f"not explained: {sorted(found - table)}"
    assert {name for name in table if f'"{name}"' not in code and f"'{name}'" not in code} == set()


def test_every_decision_is_listed_and_says_what_enforces_it():
    folder = ROOT / "docs" / "adr"
    index = (folder / "README.md").read_text(encoding="utf-8")
    decisions = sorted(folder.glob("0*.md"))
    assert [path.name[:4] for path in decisions] == [f"{number:04}" for number in range(1, len(decisions) + 1)]
    for path in decisions:
        text = path.read_text(encoding="utf-8")
        assert f"({path.name})" in index, f"{path.name} is not in the list"
        for part in ("## Context", "## Decision", "## Consequences", "## What enforces it"):
            assert part in text, f"{path.name} lacks {part!r}"


def test_the_committed_page_of_test_cards_is_current():
    call_command("test_cards", check=True)


def test_a_leaked_key_is_found_by_the_rule_for_scanners():
    rules = {rule["id"]: rule for rule in tomllib.loads((ROOT / ".github" / "gitleaks.toml").read_text())["rules"]}
    found = re.compile(rules["facturino-connect-api-key"]["regex"])
    for kind in ("test", "live"):
        secret = api_keys.generate(kind)
        assert found.search(f'curl -u "{secret}:"')[0] == secret
    assert not found.search("fc_test_key")
    tokens = re.compile(rules["facturino-connect-oauth"]["regex"])
    for prefix in (oauth.ACCESS_TOKEN, oauth.REFRESH_TOKEN, oauth.CLIENT_SECRET):
        secret = oauth.generate(prefix)
        assert tokens.search(f"Bearer {secret}")[0] == secret
    sealing = re.compile(rules["facturino-connect-encryption-keys"]["regex"])
    assert sealing.search((ROOT / ".env.example").read_text())


def test_actions_are_pinned_by_commit():
    """A tag can be moved to other code; a commit cannot."""
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        used = [step["uses"] for job in yaml.safe_load(path.read_text())["jobs"].values() for step in job["steps"]
                if "uses" in step]  # fmt: skip
        assert used
        assert [name for name in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", name)] == []


@pytest.mark.parametrize("form", names(sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))))
def test_the_forms_can_be_read(form):
    read = yaml.safe_load((ROOT / form).read_text())
    if form.endswith("config.yml"):
        return
    assert {"name", "description", "labels", "body"} <= read.keys()
    fields = [field["id"] for field in read["body"] if field["type"] != "markdown"]
    assert len(fields) == len(set(fields)) >= 2
