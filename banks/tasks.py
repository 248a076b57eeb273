"""Background jobs of banks. Each tick asks which environments have work and queues one message for each of them."""

from __future__ import annotations

from celery import shared_task

from banks.services import (
    connections,
    consent_returns,
    incidents,
    institution_health,
    link_sessions,
    link_tokens,
    syncs,
)
from connect.services import jobs


@shared_task(name="banks.find_overdue_links")
def find_overdue_links() -> int:
    """Queue `expire_links` for every environment with a link session whose time has run out."""
    condition = "status IN ('open', 'at_bank', 'choosing') AND expires_at <= clock_timestamp()"
    return jobs.queue(expire_links, "banks_link_session", condition)


@shared_task(name="banks.expire_links")
def expire_links(environment_id: str) -> int:
    """Expire the environment's link sessions whose time has run out; returns how many."""
    return jobs.run(expire_links, environment_id, link_sessions.expire_due)


@shared_task(name="banks.find_links_to_give_back")
def find_links_to_give_back() -> int:
    """Queue `give_back_links` for every environment with a session that came to nothing after a bank was asked."""
    return jobs.queue(give_back_links, "banks_link_session", link_sessions.TO_GIVE_BACK)


@shared_task(name="banks.give_back_links")
def give_back_links(environment_id: str) -> int:
    """Give the consents of ended sessions back to their banks; returns how many are done with."""
    return jobs.run(give_back_links, environment_id, link_sessions.give_back_due)


@shared_task(name="banks.find_unexchanged_tokens")
def find_unexchanged_tokens() -> int:
    """Queue `discard_unexchanged` for every environment with a public token that nobody exchanged in time."""
    condition = "public_token_expires_at <= clock_timestamp() AND exchanged_at IS NULL"
    return jobs.queue(discard_unexchanged, "banks_link_session", condition)


@shared_task(name="banks.discard_unexchanged")
def discard_unexchanged(environment_id: str) -> int:
    """End the environment's connections that no app took; returns how many."""
    return jobs.run(discard_unexchanged, environment_id, link_tokens.discard_due)


@shared_task(name="banks.watch_health")
def watch_health() -> int:
    """Probe banks that failed, open and close incidents, and tell who is connected; returns how many changed."""
    return incidents.watch()


@shared_task(name="banks.prune_health")
def prune_health() -> int:
    """Delete the figures of calls to banks that were kept long enough; returns how many windows."""
    return institution_health.prune()


@shared_task(name="banks.find_due_syncs")
def find_due_syncs() -> int:
    """Queue `sync_connections` for every environment with a connection that is to be read."""
    return jobs.queue(sync_connections, "banks_connection", syncs.DUE)


@shared_task(name="banks.sync_connections")
def sync_connections(environment_id: str) -> int:
    """Read the environment's connections that are due from their banks; returns how many."""
    return jobs.run(sync_connections, environment_id, syncs.run_due)


@shared_task(name="banks.find_consents_to_give_back")
def find_consents_to_give_back() -> int:
    """Queue `give_back_consents` for every environment with a consent that has ended here."""
    return jobs.queue(give_back_consents, "banks_connection", consent_returns.DUE)


@shared_task(name="banks.give_back_consents")
def give_back_consents(environment_id: str) -> int:
    """Give the environment's ended consents back to their banks; returns how many were taken."""
    return jobs.run(give_back_consents, environment_id, consent_returns.give_back)


@shared_task(name="banks.find_ending_consents")
def find_ending_consents() -> int:
    """Queue `end_consents` for every environment with a consent in its last days, or past them."""
    condition = f"(({connections.EXPIRING}) OR ({connections.EXPIRED}))"
    return jobs.queue(end_consents, "banks_connection", condition)


@shared_task(name="banks.end_consents")
def end_consents(environment_id: str) -> int:
    """Announce consents that end in seven days and expire those that have ended; returns how many."""
    return jobs.run(end_consents, environment_id, connections.end_due)
