"""Putting the sandbox bank down and up, from test environments only. It is one bank for the whole installation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from banks.clients import sandbox_control
from banks.domain import errors, institution_ids
from banks.domain.profiles import SANDBOX
from banks.models import Connection
from banks.services import syncs
from banks.shapes.connections import PREFIX
from connect.kit import clock, ids
from connect.kit.caller import Caller
from connect.kit.outcomes import Refused, Waiting
from connect.services import audit

DOWN: Final = "down"
DOWN_SECONDS: Final = 300
"""It comes back by itself: nobody else is to wait for the one who put it down."""


@dataclass(frozen=True, slots=True)
class SandboxBank:
    """How the bank is: whether its control answers, whether it was put down, and until when, if that ends by itself."""

    answers: bool
    is_down: bool = False
    until: datetime | None = None


def begin(caller: Caller, *, down: bool) -> Waiting:
    """Claim what `perform` does outside of any transaction. Raises `SandboxBankInLive`."""
    if caller.livemode:
        raise errors.SandboxBankInLive
    return Waiting(resume="down" if down else "up", call=down)


def resume(caller: Caller, which: str) -> Waiting:
    """Take up what was begun and never answered: doing it twice does no harm."""
    return begin(caller, down=which == "down")


def perform(waiting: Waiting) -> errors.SandboxBankSilent | None:
    """Tell the bank: answer every call with 503 for `DOWN_SECONDS`, or stop that. Not inside a transaction.

    Answers with the refusal when the bank does not listen.
    """
    try:
        sandbox_control.ask("behave", {"kind": DOWN})
        if waiting.call:
            sandbox_control.ask("misbehave", {"kind": DOWN, "seconds": DOWN_SECONDS})
    except errors.SandboxBankSilent as silent:
        return silent
    return None


def record(caller: Caller, waiting: Waiting, silent: errors.SandboxBankSilent | None) -> dict[str, str] | Refused:
    """Note who did it, and have the newest connection to the bank read, so that one sees what follows.

    Answers with that connection's id, empty when nobody has linked the bank.
    """
    if silent is not None:
        return Refused(silent, keep=False)
    audit.record(caller, action=f"sandbox_bank.{'put_down' if waiting.call else 'brought_back'}", target=SANDBOX)
    rows = Connection.objects.filter(
        account_id=caller.account, institution_id=institution_ids.of_slug(SANDBOX), status__in=syncs.RUNNING
    )
    newest = rows.order_by("-id").values_list("id", flat=True).first()
    return {"id": syncs.request(caller, ids.encode(PREFIX, newest)).id if newest else ""}


def look() -> SandboxBank:
    """How it is, as the bank itself says. Not inside a transaction."""
    try:
        faults = sandbox_control.ask("state").get("faults", [])
    except errors.SandboxBankSilent:
        return SandboxBank(answers=False)
    now = clock.wall()
    for fault in faults:
        until = datetime.fromisoformat(fault["until"]) if fault.get("until") else None
        if fault.get("kind") == DOWN and fault.get("remaining") != 0 and (until is None or until > now):
            return SandboxBank(answers=True, is_down=True, until=until)
    return SandboxBank(answers=True)
