"""Background jobs of the floor. Names are stable: messages under way and schedules in the database carry them.

A tick asks which environments have work and queues one message for each of them, so that what goes wrong in one holds
up no other. Exceptions are the ticks whose work is in no environment.
"""

from __future__ import annotations

from celery import shared_task

from connect.domain import retention as rules
from connect.domain.retention import Rule
from connect.kit.caller import Caller
from connect.kit.tenancy import use_environment
from connect.selectors import environments
from connect.services import environments as environment_services
from connect.services import (
    jobs,
    oauth_tokens,
    quota_alerts,
    request_log_drain,
    retention,
    support_notices,
    test_clocks,
    webhook_counts,
    webhook_notices,
)


@shared_task(name="connect.drain_request_log")
def drain_request_log() -> int:
    """Write the request log and usage to the database; returns the number of new records."""
    return request_log_drain.drain()


@shared_task(name="connect.provision_environments")
def provision_environments() -> int:
    """Make the schemas of new environments; returns how many. The worker is the only process that may."""
    made = 0
    for environment_id in environments.pending():
        environment_services.provision(environment_id)
        made += 1
    return made


# --- what was kept long enough ----------------------------------------------------------------------------------------


@shared_task(name="connect.prune_request_logs")
def prune_request_logs() -> int:
    """Delete requests that belong to no environment, and queue `prune` for environments with an old request log."""
    retention.prune_public()
    return _queue_prune(rules.REQUEST_LOG)


@shared_task(name="connect.prune_idempotency_keys")
def prune_idempotency_keys() -> int:
    """Queue `prune` for every environment with answers that were kept long enough."""
    return _queue_prune(rules.IDEMPOTENCY_KEYS)


@shared_task(name="connect.prune_webhook_log")
def prune_webhook_log() -> int:
    """Queue `prune` for every environment with old attempts, and for every one with old deliveries."""
    return _queue_prune(rules.WEBHOOK_ATTEMPTS) + _queue_prune(rules.WEBHOOK_DELIVERIES)


@shared_task(name="connect.prune_events")
def prune_events() -> int:
    """Queue `prune` for every environment with events that were kept long enough."""
    return _queue_prune(rules.EVENTS)


@shared_task(name="connect.prune_oauth_tokens")
def prune_oauth_tokens() -> int:
    """Delete codes and tokens of apps that nobody can use any more; returns how many."""
    return oauth_tokens.forget_old()


@shared_task(name="connect.prune")
def prune(environment_id: str, rule: str) -> int:
    """Delete what the environment keeps no longer by the rule of this name; returns how many rows."""
    return jobs.run(prune, environment_id, lambda caller: retention.prune(caller.environment, rules.RULES[rule]))


def _queue_prune(rule: Rule) -> int:
    return jobs.queue(prune, *retention.old(rule), rule.name)


# --- test clocks ------------------------------------------------------------------------------------------------------


@shared_task(name="connect.find_stuck_test_clocks")
def find_stuck_test_clocks() -> int:
    """Queue `advance_test_clocks` for every environment with an advancing clock that nobody moves any more."""
    condition = "status = 'advancing' AND deleted_at IS NULL AND lease_until < clock_timestamp()"
    return jobs.queue(advance_test_clocks, "connect_test_clock", condition)


@shared_task(name="connect.advance_test_clocks")
def advance_test_clocks(environment_id: str) -> int:
    """Move the environment's stuck clocks on; returns how many."""
    return jobs.run(advance_test_clocks, environment_id, test_clocks.advance_stuck)


@shared_task(name="connect.delete_old_test_clocks")
def delete_old_test_clocks() -> int:
    """Queue `delete_test_clocks` for every environment with a clock whose time is over."""
    condition = "deleted_at IS NULL AND deletes_after < clock_timestamp()"
    return jobs.queue(delete_test_clocks, "connect_test_clock", condition)


@shared_task(name="connect.delete_test_clocks")
def delete_test_clocks(environment_id: str) -> int:
    """Delete the environment's clocks whose time is over, a batch in each transaction; returns how many."""
    return jobs.run(delete_test_clocks, environment_id, _delete_test_clocks)


def _delete_test_clocks(caller: Caller) -> int:
    deleted = 0
    while True:
        with use_environment(caller.environment):
            count = test_clocks.delete_old(caller)
        deleted += count
        if count < test_clocks.BATCH:
            return deleted


# --- webhooks ---------------------------------------------------------------------------------------------------------


@shared_task(name="connect.send_webhook_notices")
def send_webhook_notices() -> int:
    """Queue `send_notices` for every environment with a webhook endpoint whose disabling is to be told."""
    return jobs.queue(send_notices, *webhook_notices.DUE)


@shared_task(name="connect.send_notices")
def send_notices(environment_id: str) -> int:
    """Mail people about the environment's webhook endpoints that were disabled; returns how many mails."""
    return jobs.run(send_notices, environment_id, lambda caller: webhook_notices.send_due(caller.environment))


@shared_task(name="connect.find_loose_webhook_counts")
def find_loose_webhook_counts() -> int:
    """Queue `add_up_webhook_counts` for every environment whose deliveries changed since it last ran."""
    return jobs.queue(add_up_webhook_counts, *webhook_counts.LOOSE)


@shared_task(name="connect.add_up_webhook_counts")
def add_up_webhook_counts(environment_id: str) -> int:
    """Add changes of the environment's deliveries to the totals; returns how many."""
    return jobs.run(add_up_webhook_counts, environment_id, webhook_counts.add_up)


# --- usage ------------------------------------------------------------------------------------------------------------


@shared_task(name="connect.watch_quotas")
def watch_quotas() -> int:
    """Queue `send_quota_alert` for every environment whose month has reached a share that nobody was told of."""
    return jobs.queue(send_quota_alert, *quota_alerts.due())


@shared_task(name="connect.send_quota_alert")
def send_quota_alert(environment_id: str) -> int:
    """Tell the organization how much of the environment's month is used; returns how many mails."""
    return jobs.run(send_quota_alert, environment_id, lambda caller: quota_alerts.send(caller.environment))


# --- support's looks --------------------------------------------------------------------------------------------------


@shared_task(name="connect.send_support_notices")
def send_support_notices() -> int:
    """Mail owners about leave to look that was given, taken unasked or taken back; returns how many mails."""
    return support_notices.send_due()
