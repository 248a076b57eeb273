"""Background jobs of the floor. Names are stable: messages under way and schedules in the database carry them."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from connect.kit.caller import Caller
from connect.kit.tenancy import use_environment
from connect.selectors import environments, sweeps
from connect.services import environments as environment_services
from connect.services import idempotency, request_log_drain, test_clocks, webhook_notices, webhook_resends


@shared_task(name="connect.drain_request_log")
def drain_request_log() -> int:
    """Write the request log and usage to the database, every second; returns the number of new records."""
    return request_log_drain.drain()


@shared_task(name="connect.provision_environments")
def provision_environments() -> int:
    """Make the schemas of new environments; returns how many. The worker is the only process that may."""
    made = 0
    for environment_id in environments.pending():
        environment_services.provision(environment_id)
        made += 1
    return made


@shared_task(name="connect.prune_request_logs")
def prune_request_logs() -> int:
    """Delete request log rows that are older than their tier keeps; returns how many."""
    pruned = request_log_drain.prune_public()
    for environment in environments.ready():
        pruned += request_log_drain.prune(environment)
    return pruned


@shared_task(name="connect.prune_idempotency_keys")
def prune_idempotency_keys() -> int:
    """Delete stored answers older than `idempotency.KEPT_HOURS`; returns how many."""
    return sum(idempotency.prune(environment) for environment in environments.ready())


@shared_task(name="connect.find_stuck_test_clocks")
def find_stuck_test_clocks() -> int:
    """Queue `advance_test_clocks` for every environment with an advancing clock that nobody moves any more."""
    condition = "status = 'advancing' AND deleted_at IS NULL AND lease_until < clock_timestamp()"
    found = list(sweeps.environments_where("connect_test_clock", condition))
    for environment in found:
        advance_test_clocks.delay(str(environment.id))
    return len(found)


@shared_task(name="connect.advance_test_clocks")
def advance_test_clocks(environment_id: str) -> int:
    """Move the environment's stuck clocks on; returns how many."""
    environment = environments.by_id(UUID(environment_id))
    if environment is None:
        return 0
    return test_clocks.advance_stuck(Caller.system(environment, "connect.advance_test_clocks"))


@shared_task(name="connect.delete_old_test_clocks")
def delete_old_test_clocks() -> int:
    """Delete test clocks after their time; returns how many."""
    condition = "deleted_at IS NULL AND deletes_after < clock_timestamp()"
    deleted = 0
    for environment in list(sweeps.environments_where("connect_test_clock", condition)):
        with use_environment(environment):
            deleted += test_clocks.delete_old(Caller.system(environment, "connect.delete_old_test_clocks"))
    return deleted


@shared_task(name="connect.send_webhook_notices")
def send_webhook_notices() -> int:
    """Mail people about webhook endpoints that were disabled; returns how many mails."""
    return sum(webhook_notices.send_due(environment) for environment in sweeps.environments_where(*webhook_notices.DUE))


@shared_task(name="connect.prune_webhook_log")
def prune_webhook_log() -> int:
    """Delete ended webhook deliveries that are older than their tier keeps; returns how many."""
    return sum(webhook_resends.prune(environment) for environment in environments.ready())
