"""Background jobs of the ledger."""

from __future__ import annotations

from celery import shared_task

from connect.kit.caller import Caller
from connect.kit.tenancy import use_environment
from connect.services import jobs
from ledger.services import holds

BATCH = 500


@shared_task(name="ledger.find_expired_holds")
def find_expired_holds() -> int:
    """Queue `expire_holds` for every environment with a pending hold whose time is over."""
    condition = "state = 'pending' AND expires_at <= clock_timestamp()"
    return jobs.queue(expire_holds, "ledger_hold", condition)


@shared_task(name="ledger.expire_holds")
def expire_holds(environment_id: str) -> int:
    """Void the environment's expired holds, a batch in each transaction; returns how many."""
    return jobs.run(expire_holds, environment_id, _void_expired)


def _void_expired(caller: Caller) -> int:
    expired = 0
    while True:
        with use_environment(caller.environment):
            count = len(holds.expire_due(caller, limit=BATCH))
        expired += count
        if count < BATCH:
            return expired
