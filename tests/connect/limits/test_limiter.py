"""Row 38–40 of the catalogue: atomic, exact, and of known behaviour without Valkey."""

from __future__ import annotations

import datetime
import logging

import pytest
import time_machine

from connect.domain import tiers
from connect.domain.tiers import QuotaExceeded, RateLimit
from connect.kit import clock, metrics, valkey
from connect.services import limits


def spend(environment, key="key_a", times=1):
    return [limits.check(environment, key) for _ in range(times)]


def rewind(environment, seconds, *buckets):
    """Let time pass for the buckets: what they store is the moment at which they will be full."""
    for bucket in buckets:
        valkey.client().decrby(f"fc:limit:{{{environment.short_id}}}:{bucket}", int(seconds * 1_000_000))


def empty_environment_bucket(environment):
    tier = tiers.of(environment)
    keys = [f"fc:limit:{{{environment.short_id}}}:environment"]
    while limits._ask(keys, [tier.environment], None)[0] == 1:
        pass


def test_burst_then_refusal(make_environment):
    """The burst passes, the next is refused and told when to come again."""
    environment = make_environment("free")
    burst = tiers.of(environment).key.burst
    verdicts = spend(environment, times=burst)
    assert all(verdict.allowed for verdict in verdicts)
    assert verdicts[0].remaining >= burst - 2
    refused = None
    for _ in range(burst):  # a slow machine earns tokens on the way
        refused = limits.check(environment, "key_a")
        if not refused.allowed:
            break
    assert not refused.allowed
    assert (refused.remaining, refused.limit) == (0, burst)
    error = refused.refusal()
    assert isinstance(error, RateLimit)
    assert error.extra_headers() == {"Retry-After": "1", "Stripe-Should-Retry": "true"}
    assert error.status == 429


def test_tokens_return_with_time(make_environment):
    """A second earns `per_second` tokens, and a long rest no more than the burst."""
    environment = make_environment("starter")
    spend(environment, times=200)
    rewind(environment, 0.5, "key:key_a", "environment")
    assert 49 <= limits.check(environment, "key_a").remaining < 200
    rewind(environment, 3600, "key:key_a", "environment")
    assert limits.check(environment, "key_a").remaining == 199


def test_both_buckets_or_neither(make_environment):
    """A request that the environment refuses takes nothing from its key."""
    environment = make_environment("growth")
    empty_environment_bucket(environment)
    refused = None
    for _ in range(50):
        refused = limits.check(environment, "key_b")
        if not refused.allowed:
            break
        empty_environment_bucket(environment)
    assert (refused.allowed, refused.bucket) == (False, "environment")
    before = valkey.client().get(f"fc:limit:{{{environment.short_id}}}:key:key_b")
    while (verdict := limits.check(environment, "key_b")).allowed:
        before = valkey.client().get(f"fc:limit:{{{environment.short_id}}}:key:key_b")
        empty_environment_bucket(environment)
    assert verdict.bucket == "environment"
    assert valkey.client().get(f"fc:limit:{{{environment.short_id}}}:key:key_b") == before


def test_key_is_limited_before_its_environment(make_environment):
    """One key cannot use up what belongs to all: Growth gives a key less than its environment."""
    environment = make_environment("growth")
    verdicts = spend(environment, "key_a", times=2000)
    refused = next(verdict for verdict in verdicts if not verdict.allowed)
    assert refused.bucket == "key"
    assert limits.check(environment, "key_b").allowed


def test_noisy_neighbour(make_environment):
    """An environment that is refused leaves another one's buckets as they were."""
    noisy, quiet = make_environment("free"), make_environment("free")
    spend(noisy, times=300)
    assert limits.check(quiet, "key_a").remaining == tiers.of(quiet).key.burst - 1


def test_forgotten_script(make_environment):
    """A Valkey that was restarted does not know the script; the check brings it along."""
    environment = make_environment()
    valkey.client().script_flush()
    assert limits.check(environment, "key_a").allowed
    assert limits.check(environment, "key_a").remaining < 199


def test_time_is_valkeys(make_environment):
    """A machine whose clock is an hour ahead gives nobody more."""
    environment = make_environment("free")
    spend(environment, times=100)
    with time_machine.travel(clock.wall() + datetime.timedelta(hours=1)):
        assert limits.check(environment, "key_a").remaining < 50


def test_headers(make_environment):
    """The IETF draft's fields, in whole numbers."""
    headers = limits.check(make_environment("starter"), "key_a").headers()
    assert headers == {
        "RateLimit-Limit": "200",
        "RateLimit-Remaining": "199",
        "RateLimit-Reset": "1",
        "RateLimit-Policy": "100;w=1;burst=200;scope=key",
    }


def test_buckets_expire(make_environment):
    """A full bucket is no bucket: Valkey keeps nothing about who has been quiet."""
    environment = make_environment("starter")
    limits.check(environment, "key_a")
    lives = valkey.client().pttl(f"fc:limit:{{{environment.short_id}}}:key:key_a")
    assert 0 < lives <= 12


@pytest.mark.parametrize(("tier", "kind", "quota"), [
    ("free", "live", 100_000), ("free", "test", None), ("starter", "live", None), ("nonsense", "live", 100_000),
])  # fmt: skip
def test_hard_quota(make_environment, tier, kind, quota):
    """Only a live environment of a hard tier is ever refused for its month; an unknown tier is Free."""
    assert tiers.hard_quota(make_environment(tier, kind)) == quota


def test_month_used_up(make_environment):
    """The last request of the month passes, the next is refused, and an SDK is told not to wait for it."""
    environment = make_environment("free", "live")
    limits.restore_month(environment, 99_999)
    assert limits.check(environment, "key_a").allowed
    refused = limits.check(environment, "key_a")
    error = refused.refusal()
    assert isinstance(error, QuotaExceeded)
    assert error.extra_headers()["Stripe-Should-Retry"] == "false"
    assert "100000" in error.text
    assert 0 < error.retry_after <= 31 * 86400


def test_refused_requests_use_no_quota(make_environment):
    """The month counts what passed."""
    environment = make_environment("free", "live")
    passed = sum(verdict.allowed for verdict in spend(environment, times=300))
    assert passed < 300
    assert int(valkey.client().get(limits._month_key(environment))) == passed


def test_month_is_restored_upwards_only(make_environment):
    """After a flush the usage table's number comes back; it never lowers the counter."""
    environment = make_environment("free", "live")
    limits.restore_month(environment, 70)
    limits.restore_month(environment, 50)
    assert int(valkey.client().get(limits._month_key(environment))) == 70


def test_valkey_down_fails_open_with_one_alarm(make_environment, valkey_down, caplog):
    """Requests pass, the alarm is logged once and counted, and Valkey is left alone for a while."""
    environment = make_environment()
    valkey_down()
    counted = metrics.LIMITER_ALARMS._value.get()
    with caplog.at_level(logging.ERROR):
        assert limits.check(environment, "key_a") is None
        assert limits.check(environment, "key_a") is None
        limits.outage.until = 0.0  # the pause is over, Valkey still away
        assert limits.check(environment, "key_a") is None
    assert metrics.LIMITER_ALARMS._value.get() == counted + 2
    assert sum("limits.valkey_down" in record.getMessage() for record in caplog.records) == 1


def test_valkey_back(make_environment, valkey_down, settings):
    """When the pause is over and Valkey answers, limits hold again."""
    address = settings.REDIS_URL
    valkey_down()
    environment = make_environment()
    assert limits.check(environment, "key_a") is None
    settings.REDIS_URL = address
    limits.outage.until = 0.0
    assert limits.check(environment, "key_a").allowed
