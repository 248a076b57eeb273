"""The one connection to Valkey, used for limits, the request log and what is known of banks that do not answer.

Valkey may be flushed or gone at any moment: nothing here is a truth. Time-outs are short and nothing is retried,
because a request that waits for its rate limit is worse than a request without one.
"""

from __future__ import annotations

from functools import cache
from typing import Final, cast

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

ValkeyError = redis.RedisError
"""Whatever goes wrong between us and Valkey, a refusal by it included."""
NoScript = redis.exceptions.NoScriptError
"""Valkey has forgotten a script: it was restarted or its script cache was flushed."""

TIMEOUT_SECONDS: Final = 0.25
"""For connecting and for each answer. Commands here take microseconds; a quarter of a second means it is in trouble."""
JOB_TIMEOUT_SECONDS: Final = 5.0
"""For background jobs, which move megabytes at a time and keep nobody waiting."""


def client() -> redis.Redis:
    """The client for work inside a request. Made on first use; safe for threads and, by redis-py's own
    check of the process id, after a fork.
    """
    return _client(cast("str", settings.REDIS_URL), TIMEOUT_SECONDS)


def patient_client() -> redis.Redis:
    """The same server for background work, with time-outs that suit large answers."""
    return _client(cast("str", settings.REDIS_URL), JOB_TIMEOUT_SECONDS)


@cache
def _client(url: str, timeout: float) -> redis.Redis:
    # redis-py retries for seconds unless told otherwise; RESP 2 saves a handshake and every server speaks it.
    return redis.Redis.from_url(
        url, socket_connect_timeout=timeout, socket_timeout=timeout, retry=Retry(NoBackoff(), 0), protocol=2
    )
