"""Background jobs of the floor. Names are stable: messages under way and schedules in the database carry them."""

from __future__ import annotations

from celery import shared_task

from connect.selectors import environments, sweeps
from connect.services import environments as environment_services
from connect.services import idempotency, request_log_drain, webhook_notices, webhook_resends


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


@shared_task(name="connect.send_webhook_notices")
def send_webhook_notices() -> int:
    """Mail people about webhook endpoints that were disabled; returns how many mails."""
    return sum(webhook_notices.send_due(environment) for environment in sweeps.environments_where(*webhook_notices.DUE))


@shared_task(name="connect.prune_webhook_log")
def prune_webhook_log() -> int:
    """Delete ended webhook deliveries that are older than their tier keeps; returns how many."""
    return sum(webhook_resends.prune(environment) for environment in environments.ready())
