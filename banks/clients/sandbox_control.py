"""The control of the sandbox bank, which makes it misbehave. It is for whoever tests, and no interface of a bank."""

from __future__ import annotations

from typing import Any, Final

import httpx
from django.conf import settings

from banks.domain.errors import SandboxBankSilent
from connect.kit.tenancy import forbid_inside_transaction

TIMEOUT_SECONDS: Final = 3.0


def ask(path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """POST `body` to `/control/<path>`, or read it when there is none. Not inside a transaction.

    Raises `SandboxBankSilent` when there is no such bank, or its control does not do what it is asked.
    """
    forbid_inside_transaction("a call to the sandbox bank")
    base, token = settings.FC_SANDBOX_BANK_URL.rstrip("/"), settings.FC_SANDBOX_BANK_CONTROL_TOKEN
    if not base:
        raise SandboxBankSilent
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        # The bank is on this machine or beside it: the proxy of the environment knows nothing of it.
        with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            answer = client.request(
                "GET" if body is None else "POST", f"{base}/control/{path}", headers=headers, json=body
            )
            answer.raise_for_status()
            found = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise SandboxBankSilent from error
    return found if isinstance(found, dict) else {}
