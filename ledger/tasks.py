"""Background jobs of the ledger."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from connect.kit.caller import Caller
from connect.kit.tenancy import use_environment
from connect.selectors import environments, sweeps
from ledger.services import holds

BATCH = 500


@shared_task(name="ledger.find_expired_holds")
def find_expired_holds() -> int:
    """Queue `expire_holds` for every environment with a pending hold whose time is over."""
    condition = "state = 'pending' AND expires_at <= clock_timestamp()"
    found = list(sweeps.environments_where("ledger_hold", condition))
    for environment in found:
        expire_holds.delay(str(environment.id))
    return len(found)


@shared_task(name="ledger.expire_holds")
def expire_holds(environment_id: str) -> int:
    """Void the environment's expired holds, a batch in each transaction; returns how many."""
    environment = environments.by_id(UUID(environment_id))
    if environment is None:
        return 0
    caller, expired = Caller.system(environment, "ledger.expire_holds"), 0
    while True:
        with use_environment(environment):
            count = len(holds.expire_due(caller, limit=BATCH))
        expired += count
        if count < BATCH:
            return expired
