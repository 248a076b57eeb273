"""Background jobs of banks. Each tick asks which environments have work and queues one message for each of them."""

from __future__ import annotations

from celery import shared_task

from banks.services import incidents, institution_health

# --- how banks are doing: in no environment, so the ticks do the work themselves --------------------------------------


@shared_task(name="banks.watch_health")
def watch_health() -> int:
    """Probe banks that failed, open and close incidents, and tell who is connected; returns how many changed."""
    return incidents.watch()


@shared_task(name="banks.prune_health")
def prune_health() -> int:
    """Delete the figures of calls to banks that were kept long enough; returns how many windows."""
    return institution_health.prune()
