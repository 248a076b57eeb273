"""Background jobs of banks. Each tick asks which environments have work and queues one message for each of them."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from banks.services import link_sessions, link_tokens
from connect.kit.caller import Caller
from connect.selectors import environments, sweeps


@shared_task(name="banks.find_overdue_links")
def find_overdue_links() -> int:
    """Queue `expire_links` for every environment with a link session whose time has run out."""
    condition = "status IN ('open', 'at_bank', 'choosing') AND expires_at <= clock_timestamp()"
    found = list(sweeps.environments_where("banks_link_session", condition))
    for environment in found:
        expire_links.delay(str(environment.id))
    return len(found)


@shared_task(name="banks.expire_links")
def expire_links(environment_id: str) -> int:
    """Expire the environment's link sessions whose time has run out; returns how many."""
    environment = environments.by_id(UUID(environment_id))
    if environment is None:
        return 0
    return link_sessions.expire_due(Caller.system(environment, "banks.expire_links"))


@shared_task(name="banks.find_consents_to_give_back")
def find_consents_to_give_back() -> int:
    """Queue `give_back_consents` for every environment with a session that came to nothing after a bank was asked."""
    condition = "status IN ('canceled', 'expired') AND handle_sealed IS NOT NULL"
    found = list(sweeps.environments_where("banks_link_session", condition))
    for environment in found:
        give_back_consents.delay(str(environment.id))
    return len(found)


@shared_task(name="banks.give_back_consents")
def give_back_consents(environment_id: str) -> int:
    """Give the consents of ended sessions back to their banks; returns how many are done with."""
    environment = environments.by_id(UUID(environment_id))
    if environment is None:
        return 0
    return link_sessions.give_back_due(Caller.system(environment, "banks.give_back_consents"))


@shared_task(name="banks.find_unexchanged_tokens")
def find_unexchanged_tokens() -> int:
    """Queue `discard_unexchanged` for every environment with a public token that nobody exchanged in time."""
    condition = "public_token_expires_at <= clock_timestamp() AND exchanged_at IS NULL"
    found = list(sweeps.environments_where("banks_link_session", condition))
    for environment in found:
        discard_unexchanged.delay(str(environment.id))
    return len(found)


@shared_task(name="banks.discard_unexchanged")
def discard_unexchanged(environment_id: str) -> int:
    """End the environment's connections that no app took; returns how many."""
    environment = environments.by_id(UUID(environment_id))
    if environment is None:
        return 0
    return link_tokens.discard_due(Caller.system(environment, "banks.discard_unexchanged"))
