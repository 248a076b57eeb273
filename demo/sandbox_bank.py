"""The sandbox bank of `make run`: a program apart, with a port, a database and a secret of its own.

It is spoken to over HTTP only, by the product and by the demo alike, and is told nothing of the product.
"""

from __future__ import annotations

import json
import secrets
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from demo import settings
from demo.servers.postgres import free_port, is_free
from demo.supervisor import Program

LOGIN: Final = "user_good"
PASSWORD: Final = "pass_good"  # noqa: S105 - printed on the bank's own pages
ONE_TIME_CODE: Final = "1234"
BESIDE_WEB: Final = 10
"""Its port lies so far above that of web, where that one is free."""
_OF_THE_SYSTEM: Final = ("PATH", "HOME", "LANG", "TMPDIR", "TZ", "NO_COLOR", "PYTHONWARNINGS", "PYTHONUNBUFFERED")

MIGRATE: Final = Program("bank-migrate", (sys.executable, "-m", "sandbox_bank.manage", "migrate"), rights="bank")
SEED: Final = Program("bank-seed", (sys.executable, "-m", "sandbox_bank.manage", "seed"), rights="bank")
SERVE: Final = Program("bank", (
    sys.executable, "-m", "granian", "--interface", "wsgi", "sandbox_bank.wsgi:application", "--host", "127.0.0.1",
    "--port", "{bank_port}", "--workers", "1", "--blocking-threads", "4", "--no-ws", "--backpressure", "64",
    "--workers-kill-timeout", "10", "--respawn-failed-workers", "--log-level", "{log_level}",
), rights="bank")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bank:
    """Where the bank answers, and all that its programs are told."""

    url: str
    environment: Mapping[str, str]


def of_this_checkout(memory: Path, web_port: int, database_url: str, given: Mapping[str, str]) -> Bank:
    """The bank of this checkout. `memory`, a file, keeps its port and its secret from run to run."""
    kept = settings.read_file(memory)
    wanted = (int(kept.get("SANDBOX_BANK_PORT", "0")), web_port + BESIDE_WEB)
    port = next((one for one in wanted if 0 < one <= settings.HIGHEST_PORT and is_free(one)), None) or free_port()
    secret = kept.get("SANDBOX_BANK_SECRET_KEY") or secrets.token_urlsafe(48)
    settings.write_file(memory, {"SANDBOX_BANK_PORT": str(port), "SANDBOX_BANK_SECRET_KEY": secret})
    url = f"http://127.0.0.1:{port}"
    return Bank(url, {
        **{name: value for name, value in given.items() if name in _OF_THE_SYSTEM or name.startswith("LC_")},
        "PYTHONUNBUFFERED": "1",
        "SANDBOX_BANK_URL": url,
        "SANDBOX_BANK_DATABASE_URL": database_url,
        "SANDBOX_BANK_SECRET_KEY": secret,
    })  # fmt: skip


def agree(url: str, *, consent: bool) -> None:
    """Be the customer who was sent to the bank at `url` last, and say yes: to a consent, or to a payment.

    The bank's control does in one call what the customer does on its pages.
    """
    kind = "consent" if consent else "payment"
    newest = _ask(f"{url}/control/state")[f"{kind}s"][-1][kind]
    _ask(f"{url}/control/authorise", {kind: newest, "user": LOGIN})


def _ask(url: str, body: dict[str, Any] | None = None) -> Any:
    sent = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, sent, {"Content-Type": "application/json"})  # noqa: S310 - our own bank
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy knows nothing of this machine
    with direct.open(request, timeout=30) as answer:
        return json.load(answer)
