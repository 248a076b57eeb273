"""The rules of the house that no linter knows: each a function over one file, and each tried on what it forbids."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = ("config", "connect", "ledger", "payments", "dashboard", "demo")
LAYERS = ("api", "services", "selectors", "shapes", "models")
SKIPPED = {"__pycache__", "node_modules", "staticfiles", "build", "vendor"}
TEXT = {".py", ".sql", ".md", ".html", ".css", ".js", ".toml", ".ini", ".in", ".txt", ".yml", ".yaml", ".example", ""}


@dataclass(frozen=True)
class File:
    """A file of the repository: its path from the root, and what it holds."""

    path: str
    text: str

    @property
    def parts(self) -> tuple[str, ...]:
        return PurePosixPath(self.path).parts

    @property
    def name(self) -> str:
        return self.parts[-1]

    @property
    def layer(self) -> str:
        return self.parts[1].removesuffix(".py") if len(self.parts) > 1 else ""

    @property
    def is_program(self) -> bool:
        """Python of the product, without its migrations and without tests."""
        return self.name.endswith(".py") and self.parts[0] in APPS and "migrations" not in self.parts

    def tree(self) -> ast.Module:
        return _parsed(self.text)

    def nodes(self) -> Iterator[ast.AST]:
        return ast.walk(self.tree())


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


def files() -> Iterator[File]:
    """Everything we wrote: no hidden folders but continuous integration's, nothing built, nothing of third parties."""
    for path in sorted(ROOT.rglob("*")):
        place = path.relative_to(ROOT)
        hidden = [part for part in place.parts if part.startswith(".")]
        if SKIPPED & set(place.parts) or (hidden and place.parts[0] not in {".ci", ".env.example", ".importlinter"}):
            continue
        if path.is_file() and path.suffix in TEXT and ".min." not in path.name:
            yield File(place.as_posix(), path.read_text(encoding="utf-8"))


# --- the rules --------------------------------------------------------------------------------------------------------

RULES: dict[str, Callable[[File], list[str]]] = {}


def rule(check: Callable[[File], list[str]]) -> Callable[[File], list[str]]:
    RULES[check.__name__] = check
    return check


@rule
def named_by_subject(file: File) -> list[str]:
    """A module is named after what it holds."""
    vague = {"utils", "util", "helpers", "helper", "misc", "common", "manager", "managers"}
    stems = {PurePosixPath(part).stem for part in file.parts} if file.name.endswith(".py") else set()
    return [f"named {stem}" for stem in stems & vague]


@rule
def nothing_left_for_later(file: File) -> list[str]:
    """What is missing is said in the documentation, not in a comment."""
    return re.findall(r"\b(?:[T]ODO|[F]IXME|[X]XX|[H]ACK)\b", file.text)


@rule
def no_words_of_a_workplace(file: File) -> list[str]:
    """No path of one machine, no tool of one desk, no package registry's host, no number of somebody's tracker."""
    if file.name.endswith("LICENSE"):
        return []
    words = (
        r"(?<![\w.])/[w]ork/", r"/[r]oot/", r"(?i)\b[c]laude\b", r"(?i)\b[a]nthropic\b", r"(?i)\bsub-?[a]gent\b",
        r"(?i)\b[w]orktree\b", r"(?i)[p]ypi\.org", r"(?i)[p]ythonhosted", r"(?i)[n]pmjs\.(?:org|com)",
        r"(?i)\b(?:issue|ticket|pull request|PR) ?#\d+",
    )  # fmt: skip
    return [found[0] for word in words if (found := re.search(word, file.text))]


@rule
def programs_log_and_do_not_print(file: File) -> list[str]:
    """The supervisor, the installer, benchmarks and tests talk to a person; everything else has a log."""
    if not file.name.endswith(".py") or file.parts[0] in {"demo", "deploy", "benchmarks", "tests"}:
        return []
    return [
        f"print in line {node.lineno}"
        for node in file.nodes()
        if isinstance(node, ast.Call) and _name(node.func) == "print"
    ]


@rule
def public_functions_say_what_they_promise(file: File) -> list[str]:
    """Services, selectors and domain are read by those who call them."""
    if not file.is_program or file.layer not in {"services", "selectors", "domain", "clients"} or not file.text.strip():
        return []
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    told = [node for node in file.tree().body if isinstance(node, kinds) and not node.name.startswith("_")]
    found = [f"{node.name} has no docstring" for node in told if not ast.get_docstring(node)]
    return found + ([] if ast.get_docstring(file.tree()) else ["the module has no docstring"])


@rule
def services_take_the_caller_first(file: File) -> list[str]:
    """`caller` (or for a part of a service, the environment), then one object at most, then keywords only."""
    if not file.is_program or file.layer != "services" or file.parts[0] == "connect":
        return []
    found = []
    for node in file.tree().body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            names = [argument.arg for argument in node.args.posonlyargs + node.args.args]
            if "caller" in names and names[0] != "caller":
                found.append(f"{node.name} takes the caller in place {names.index('caller') + 1}")
            if any(argument.arg == "caller" for argument in node.args.kwonlyargs):
                found.append(f"{node.name} takes the caller by keyword")
    return found


@rule
def schemas_are_switched_in_one_place(file: File) -> list[str]:
    """`use_environment` opens an environment; only the owner's connection is told a schema by name."""
    if not file.is_program or file.path == "connect/services/schemas.py":
        return []
    switches = {"schema_context", "tenant_context", "set_tenant", "set_schema", "set_schema_to_public"}
    used = {_name(node) for node in file.nodes() if isinstance(node, ast.Name | ast.Attribute)}
    imported = {alias.name for node in file.nodes() if isinstance(node, ast.ImportFrom) for alias in node.names}
    return sorted(switches & (used | imported))


@rule
def only_clients_reach_the_network(file: File) -> list[str]:
    """The outside world has one door per app. `demo` starts servers and asks them whether they are up; the connection to
    Valkey is one for the clients of all apps.
    """
    if (
        not file.is_program
        or file.layer == "clients"
        or file.parts[0] == "demo"
        or file.path == "connect/kit/valkey.py"
    ):
        return []
    network = {"socket", "ssl", "http.client", "urllib.request", "urllib3", "requests", "httpx", "aiohttp", "redis",
               "smtplib", "ftplib", "telnetlib", "xmlrpc.client", "websockets", "stripe"}  # fmt: skip
    return sorted(name for name in _imports(file) if any(name == one or name.startswith(f"{one}.") for one in network))


@rule
def http_stays_at_the_entry_points(file: File) -> list[str]:
    """Below them nothing knows requests and responses."""
    if not file.is_program or file.layer not in {"services", "shapes", "selectors", "models", "clients", "domain"}:
        return []
    return sorted(
        name for name in _imports(file) if name.startswith(("django.http", "django.shortcuts", "django.views"))
    )


@rule
def no_signals_are_sent(file: File) -> list[str]:
    """Up by event: what others shall learn is a row. A library's signals are received in `handlers.py` only."""
    if not file.is_program:
        return []
    signals = {
        alias.asname or alias.name
        for node in file.nodes()
        if isinstance(node, ast.ImportFrom) and (node.module or "").rpartition(".")[2] in {"signals", "dispatch"}
        for alias in node.names
    }
    # Django's own signal of a failed request: on the API's short way nobody else would send it.
    if file.path == "connect/api/middleware.py":
        signals -= {"got_request_exception"}
    found = []
    for node in file.nodes():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _name(node.func.value) in signals:
            if node.func.attr in {"send", "send_robust", "asend", "asend_robust"}:
                found.append(f"sends {_name(node.func.value)}")
            if node.func.attr == "connect" and file.name != "handlers.py":
                found.append(f"receives {_name(node.func.value)} outside of handlers.py")
        if isinstance(node, ast.Call) and _name(node.func) == "Signal" and "Signal" in signals:
            found.append("makes a signal")
        if isinstance(node, ast.Call) and _name(node.func) == "receiver" and file.name != "handlers.py":
            found.append("receives a signal outside of handlers.py")
    return found


@rule
def jobs_name_their_environment(file: File) -> list[str]:
    """A task gets plain values and no ambient tenant."""
    if not file.is_program or file.layer != "tasks":
        return []
    return [name for name in _imports(file) if ".models" in name or ".clients" in name or name == "django.db"]


def _imports(file: File) -> set[str]:
    found = set()
    for node in file.nodes():
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


# --- the house against the rules --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RULES)
def test_the_house_keeps_the_rule(name):
    seen = list(files())
    assert len(seen) > 200
    assert {file.path: found for file in seen if (found := RULES[name](file))} == {}


# A tilde keeps a word from being found here; it is taken out before the rule reads it.
BROKEN = {
    "named_by_subject": [("payments/utils.py", ""), ("connect/kit/helpers.py", ""), ("connect/helpers/ids.py", "")],
    "nothing_left_for_later": [("connect/kit/ids.py", "# TO~DO: later"), ("docs/a.md", "FIX~ME")],
    "no_words_of_a_workplace": [
        ("README.md", "see /wo~rk/shared"),
        ("deploy/bootstrap.py", "INDEX = 'https://py~pi.org/simple'"),
        ("CHANGELOG.md", "Mends issue ~#12."),
    ],
    "programs_log_and_do_not_print": [("connect/services/usage.py", "def f():\n    print(1)")],
    "public_functions_say_what_they_promise": [
        ("payments/services/charges.py", '"""Charges."""\ndef create(caller):\n    return 1'),
        ("ledger/domain/postings.py", '"""Postings."""\nclass Line:\n    pass'),
        ("ledger/selectors/balances.py", "BALANCE = 1"),
    ],
    "services_take_the_caller_first": [
        ("payments/services/charges.py", "def create(amount, caller): ..."),
        ("payments/services/charges.py", "def create(*, caller): ..."),
    ],
    "schemas_are_switched_in_one_place": [
        ("payments/services/charges.py", "from django_tenants.utils import schema_context"),
        ("connect/tasks.py", "connection.set_tenant(tenant)"),
    ],
    "only_clients_reach_the_network": [
        ("payments/services/charges.py", "def f():\n    import requests"),
        ("connect/domain/ports.py", "from urllib.request import urlopen"),
        ("connect/services/limits.py", "import redis.asyncio"),
        ("connect/kit/clock.py", "import redis"),
    ],
    "http_stays_at_the_entry_points": [
        ("payments/services/charges.py", "from django.http import Http404"),
        ("connect/selectors/usage.py", "from django.shortcuts import get_object_or_404"),
    ],
    "no_signals_are_sent": [
        ("payments/services/charges.py", "from payments.signals import paid\npaid.send(sender=None)"),
        ("payments/signals.py", "from django.dispatch import Signal\npaid = Signal()"),
        ("payments/apps.py", "from django.db.models.signals import post_save\npost_save.connect(print)"),
        ("payments/models/charges.py", "from django.dispatch import receiver\n@receiver(x)\ndef f(): ..."),
    ],
    "jobs_name_their_environment": [("payments/tasks.py", "from payments.models import Charge")],
}
KEPT = {
    "named_by_subject": [("payments/services/charges.py", "")],
    "nothing_left_for_later": [("connect/kit/ids.py", "# a hold is todo with money")],
    "no_words_of_a_workplace": [("README.md", "GET /v1/network/ and the framework/ folder")],
    "programs_log_and_do_not_print": [("demo/run.py", "print(1)"), ("connect/kit/ids.py", "blueprint(1)")],
    "public_functions_say_what_they_promise": [
        ("payments/services/charges.py", '"""Charges."""\ndef _inner(): ...'),
        ("payments/api/charges.py", "def create(): ..."),
    ],
    "services_take_the_caller_first": [("payments/services/charges.py", "def create(caller, *, amount): ...")],
    "schemas_are_switched_in_one_place": [("connect/services/schemas.py", "connection.set_schema('x')")],
    "only_clients_reach_the_network": [
        ("payments/clients/bank.py", "import httpx"),
        ("connect/kit/valkey.py", "import redis"),
        ("connect/kit/addresses.py", "from urllib.parse import urlsplit\nfrom connect.clients import redis_stream"),
    ],
    "http_stays_at_the_entry_points": [("payments/api/charges.py", "from django.http import HttpResponse")],
    "no_signals_are_sent": [
        ("connect/handlers.py", "from django.dispatch import receiver\n@receiver(x)\ndef f(): ..."),
        ("payments/services/mails.py", "message.send()"),
    ],
    "jobs_name_their_environment": [("connect/tasks.py", "from connect.services import request_log_drain")],
}


@pytest.mark.parametrize(("name", "path", "text"), [(name, *case) for name, cases in BROKEN.items() for case in cases])
def test_the_rule_reports_what_it_forbids(name, path, text):
    assert RULES[name](File(path, text.replace("~", "")))


@pytest.mark.parametrize(("name", "path", "text"), [(name, *case) for name, cases in KEPT.items() for case in cases])
def test_the_rule_lets_the_rest_be(name, path, text):
    assert RULES[name](File(path, text)) == []


def test_every_rule_is_tried():
    assert set(RULES) == set(BROKEN) == set(KEPT)


# --- the same names in every layer ------------------------------------------------------------------------------------


def strangers(app: str, layers: dict[str, set[str]]) -> list[str]:
    """Modules that a newcomer would look for under another name: a resource has one name in all layers of its app."""
    everything = {name: layer for layer, names in layers.items() for name in names}
    found = [
        f"{app}/{layer}/{name}.py stands beside {app}/{everything[f'{name}s']}/{name}s.py"
        for layer, names in layers.items()
        for name in sorted(names)
        if f"{name}s" in everything and name not in layers[everything[f"{name}s"]]
    ]
    behind = set().union(*(names for layer, names in layers.items() if layer != "api"))
    return found + [
        f"{app}/api/{name}.py has no module of its name below" for name in sorted(layers.get("api", set()) - behind)
    ]


def test_a_resource_has_one_name_in_every_layer():
    for app in ("payments", "ledger"):
        layers = {
            layer: {file.stem for file in (ROOT / app / layer).glob("*.py")} - {"__init__", "urls", "shared", "base"}
            for layer in LAYERS
        }
        assert layers["services"]
        assert strangers(app, layers) == []


@pytest.mark.parametrize(
    "layers",
    [
        {"api": {"charges"}, "services": {"charge"}},
        {"api": {"charges", "refunds"}, "services": {"charges"}},
        {"selectors": {"charges"}, "models": {"charge"}},
    ],
)
def test_the_rule_of_names_sees_a_stranger(layers):
    assert strangers("payments", layers)
