"""How much a key, an environment and an address may ask: one atomic script in Valkey.

The script is GCRA, the token bucket that stores a single number: the moment at which the bucket will be full again. It
looks at the key's bucket, the environment's bucket and, where the tier's month is hard, the month's counter, and takes
from all of them or from none. Time is Valkey's own, so that machines with different clocks agree.

When Valkey does not answer:
- the API **fails open**: requests pass without a limit, an alarm is logged and counted, and Valkey is asked again a
  second later, so that an outage costs one request a second its time-out and the others nothing;
- wrong keys and tokens are still counted, in this process' memory, with the same allowance per address;
- signing in **fails closed**, because passwords can be guessed: `SignInUnavailable`, 503.
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import structlog

from connect.domain import tiers
from connect.kit import clock, metrics, valkey
from connect.kit.addresses import allowance_of
from connect.kit.caller import EnvironmentRef

log = structlog.get_logger(__name__)

SCRIPT: Final = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local rates = #ARGV / 2 - 1
local quota = tonumber(ARGV[#ARGV - 1])
if quota >= 0 then
  if tonumber(redis.call('GET', KEYS[rates + 1]) or '0') >= quota then return {-1, 0, 0, 0} end
end
local full, tightest, left, reset, wait, denied = {}, 1, nil, 0, 0, 0
for i = 1, rates do
  local interval, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local at = tonumber(redis.call('GET', KEYS[i]) or '0')
  if at < now then at = now end
  full[i] = at + interval
  local room = now + burst * interval - at
  if room + 0.5 < interval and interval - room > wait then
    wait, denied = interval - room, i
  end
  local tokens = math.floor((room + 0.5) / interval)
  if left == nil or tokens < left then left, tightest, reset = tokens, i, at - now end
end
if denied > 0 then return {0, denied, 0, math.ceil(wait)} end
for i = 1, rates do
  redis.call('SET', KEYS[i], string.format('%.0f', full[i]), 'PX', math.ceil((full[i] - now) / 1000) + 1)
end
if quota >= 0 and redis.call('INCR', KEYS[rates + 1]) == 1 then redis.call('EXPIRE', KEYS[rates + 1], ARGV[#ARGV]) end
return {1, tightest, left - 1, math.ceil(reset + tonumber(ARGV[2 * tightest - 1]))}
"""
"""KEYS: a bucket per rate, then the month's counter. ARGV: microseconds per token and burst of each, then the quota
(-1 for none) and the seconds after which its counter is forgotten. Answers {1 | 0 | -1, bucket, left, microseconds}."""
_SHA: Final = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()

MONTH_KEPT_SECONDS: Final = 32 * 86400
PAUSE_SECONDS: Final = 1.0
ALARM_EVERY_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the buckets said. `bucket` is the tighter of the two, `limit` its burst, `remaining` what is left in it,
    `reset` the whole seconds until it is full, `retry_after` those to wait after a refusal, 0 otherwise.
    """

    allowed: bool
    bucket: str
    per_second: float
    limit: int
    remaining: int
    reset: int
    retry_after: int = 0
    quota: int | None = None

    def headers(self) -> dict[str, str]:
        """The fields of the IETF's RateLimit draft; `w` is the window in seconds of the policy's rate."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
            "RateLimit-Policy": f"{self.per_second:g};w=1;burst={self.limit};scope={self.bucket}",
        }

    def refusal(self) -> tiers.Limited:
        """The error to raise when not `allowed`."""
        if self.quota is not None:
            return tiers.QuotaExceeded(retry_after=self.retry_after, quota=self.quota)
        return tiers.RateLimit(bucket=self.bucket, per_second=f"{self.per_second:g}", retry_after=self.retry_after)


class _Outage:
    """Remembers for a second that Valkey is down, and says so once in a while."""

    def __init__(self) -> None:
        self.until = 0.0
        self._alarmed = -math.inf

    @property
    def on(self) -> bool:
        return time.monotonic() < self.until

    def begin(self, error: Exception) -> None:
        now = time.monotonic()
        self.until = now + PAUSE_SECONDS
        metrics.LIMITER_ALARMS.inc()
        if now - self._alarmed >= ALARM_EVERY_SECONDS:
            self._alarmed = now
            log.error("limits.valkey_down", error=repr(error), effect="API requests pass without a rate limit")

    def reset(self) -> None:
        """As if nothing had happened: for tests."""
        self.until, self._alarmed = 0.0, -math.inf


outage: Final = _Outage()


def check(environment: EnvironmentRef, key_id: str) -> Verdict | None:
    """Take one request from the key's and the environment's buckets, from both or from neither.

    `key_id` is the credential's public id. Answers None when Valkey cannot be asked: the request passes.
    """
    tier, quota = tiers.of(environment), tiers.hard_quota(environment)
    # The braces put an environment's keys on one node of a cluster, where alone a script may touch them together.
    root = f"fc:limit:{{{environment.short_id}}}"
    answer = _ask(
        [f"{root}:key:{key_id}", f"{root}:environment", *([_month_key(environment)] if quota is not None else [])],
        [tier.key, tier.environment],
        quota,
    )
    if answer is None:
        return None
    outcome, bucket, remaining, microseconds = answer
    if outcome == -1:
        metrics.LIMITED.labels("quota").inc()
        return Verdict(False, "environment", tier.environment.per_second, tier.environment.burst, 0, _to_next_month(),
                       retry_after=_to_next_month(), quota=quota)  # fmt: skip
    name, rate = ("key", tier.key) if bucket == 1 else ("environment", tier.environment)
    seconds = math.ceil(microseconds / 1_000_000)
    if outcome == 1:
        return Verdict(True, name, rate.per_second, rate.burst, remaining, seconds)
    metrics.LIMITED.labels(name).inc()
    full_again = math.ceil(rate.burst / rate.per_second)
    return Verdict(False, name, rate.per_second, rate.burst, 0, full_again, retry_after=max(1, seconds))


def restore_month(environment: EnvironmentRef, requests: int) -> None:
    """Raise the month's counter to what the usage table knows, so that a flushed Valkey does not give a month away."""
    if tiers.hard_quota(environment) is None:
        return
    script = (
        "if tonumber(redis.call('GET', KEYS[1]) or '0') < tonumber(ARGV[1]) then "
        "redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2]) end"
    )
    valkey.patient_client().eval(script, 1, _month_key(environment), str(requests), str(MONTH_KEPT_SECONDS))


def refuse_guessing(address: str) -> None:
    """Before a credential that is not already known is looked up: raise `TooManyFailedCredentials` when this address
    has sent too many wrong ones. Costs nothing but a read; `count_failed_credential` is what takes a token.
    """
    address = allowance_of(address)
    wait = _wait("failed", address, tiers.FAILED_CREDENTIALS, take=False)
    if wait is None:
        wait = local_failures.wait(address, take=False)
    if wait > 0:
        metrics.LIMITED.labels("failed_credentials").inc()
        raise tiers.TooManyFailedCredentials(retry_after=wait)


def count_failed_credential(address: str) -> None:
    """A key or token from `address` was wrong: take one from its allowance."""
    address = allowance_of(address)
    if _wait("failed", address, tiers.FAILED_CREDENTIALS, take=True) is None:
        local_failures.wait(address, take=True)


def attempt_sign_in(address: str, account: str, *, is_known_device: bool = False) -> None:
    """Take one attempt for the address and one for the account (an e-mail address, stored as a hash).

    Devices on which the person has signed in before have an allowance of their own: strangers who use up the account's
    lock nobody out of those. Raises `TooManySignIns`, or `SignInUnavailable` when attempts cannot be counted.
    """
    kind = "sign-in-known-device" if is_known_device else "sign-in-account"
    _attempt("sign-in-address", allowance_of(address), tiers.SIGN_IN, "sign_in", tiers.TooManySignIns)
    _attempt(kind, _hidden(account), tiers.SIGN_IN, "sign_in", tiers.TooManySignIns)


def attempt_second_factor(user_id: str) -> None:
    """Take one attempt at a code of this person. Raises as `attempt_sign_in` does."""
    _attempt("second-factor", user_id, tiers.SIGN_IN, "sign_in", tiers.TooManySignIns)


def attempt_device_code(person: str) -> None:
    """Take one try to name a device for the person. Raises `TooManyDeviceCodes`, or `SignInUnavailable` when tries
    cannot be counted: a code is short enough to be guessed.
    """
    _attempt("device-code", person, tiers.DEVICE_CODES, "device_code", tiers.TooManyDeviceCodes)


# What costs work or mail and lets nobody in passes while nobody can count.


def attempt_device(address: str) -> None:
    """Let one device begin to ask for a person. Raises `TooManyDevices`."""
    _attempt("device", allowance_of(address), tiers.DEVICES, "device", tiers.TooManyDevices, fails_open=True)


def attempt_invitation(organization: str, email: str) -> None:
    """Take one mail for the organization, and one for the address it goes to. Raises `TooManyInvitations`."""
    for kind, subject, rate in (
        ("invitation-from", organization, tiers.INVITATIONS_SENT),
        ("invitation-to", _hidden(email), tiers.INVITATIONS),
    ):
        _attempt(kind, subject, rate, "invitation", tiers.TooManyInvitations, fails_open=True)


def attempt_organization(person: str) -> None:
    """Let the person make one more organization. Raises `TooManyOrganizations`."""
    _attempt("organization", person, tiers.ORGANIZATIONS, "organization", tiers.TooManyOrganizations, fails_open=True)


def attempt_payment(address: str) -> None:
    """Take one try to pay on a hosted page for the address. Raises `TooManyPayments`."""
    refusal = tiers.TooManyPayments
    _attempt("hosted-payment", allowance_of(address), tiers.HOSTED_PAYMENTS, "hosted_payment", refusal, fails_open=True)


def _attempt(
    kind: str, subject: str, rate: tiers.Rate, label: str, refusal: type[tiers.Limited], *, fails_open: bool = False
) -> None:
    """Take one attempt. Raises `refusal`, counted under `label`, or when none can be counted `SignInUnavailable`."""
    wait = _wait(kind, subject, rate, take=True)
    if wait is None and not fails_open:
        raise tiers.SignInUnavailable(retry_after=5)
    if wait:
        metrics.LIMITED.labels(label).inc()
        raise refusal(retry_after=wait)


def _hidden(email: str) -> str:
    """Valkey never learns whose address it is."""
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()[:32]


def _wait(purpose: str, subject: str, rate: tiers.Rate, *, take: bool) -> int | None:
    """Whole seconds until one more is allowed (0: now), None when Valkey cannot be asked."""
    key = f"fc:limit:{purpose}:{{{subject}}}"
    if take:
        answer = _ask([key], [rate], None)
        return None if answer is None else (0 if answer[0] == 1 else max(1, math.ceil(answer[3] / 1_000_000)))
    if outage.on:
        return None
    try:
        stored: Any = valkey.client().pttl(key)
    except valkey.ValkeyError as error:
        outage.begin(error)
        return None
    # The key lives until its bucket is full again, so its time to live says how empty the bucket is.
    missing = stored / 1000 - (rate.burst - 1) / rate.per_second
    return max(0, math.ceil(missing))


def _ask(keys: list[str], rates: list[tiers.Rate], quota: int | None) -> list[int] | None:
    if outage.on:
        return None
    arguments: list[Any] = [part for rate in rates for part in (1_000_000 / rate.per_second, rate.burst)]
    arguments += [-1 if quota is None else quota, MONTH_KEPT_SECONDS]
    client: Any = valkey.client()
    try:
        try:
            return client.execute_command("EVALSHA", _SHA, len(keys), *keys, *arguments)
        except valkey.NoScript:
            return client.execute_command("EVAL", SCRIPT, len(keys), *keys, *arguments)
    except valkey.ValkeyError as error:
        outage.begin(error)
        return None


class LocalFailures:
    """The same allowance in this process' memory, for as long as Valkey is away. Holds `SIZE` addresses at most."""

    SIZE: Final = 10_000

    def __init__(self, rate: tiers.Rate) -> None:
        self._interval = 1 / rate.per_second
        self._depth = rate.burst * self._interval
        self._full_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def wait(self, address: str, *, take: bool) -> int:
        """Whole seconds until one more is allowed; with `take`, count this one."""
        with self._lock:
            now = time.monotonic()
            at = max(now, self._full_at.get(address, now))
            missing = at + self._interval - now - self._depth
            if take and missing <= 0:
                if len(self._full_at) >= self.SIZE:
                    # Whoever is full again has nothing to remember; if nobody is, start anew rather than grow.
                    self._full_at = {who: when for who, when in self._full_at.items() if when > now}
                    if len(self._full_at) >= self.SIZE:
                        self._full_at.clear()
                self._full_at[address] = at + self._interval
            return max(0, math.ceil(missing))

    def __len__(self) -> int:
        return len(self._full_at)

    def reset(self) -> None:
        """Forget every address: for tests."""
        self._full_at.clear()


local_failures: Final = LocalFailures(tiers.FAILED_CREDENTIALS)


def _month_key(environment: EnvironmentRef) -> str:
    return f"fc:limit:{{{environment.short_id}}}:month:{clock.wall():%Y-%m}"


def _to_next_month() -> int:
    now = clock.wall()
    first = (now.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=32)).replace(day=1)
    return math.ceil((first - now).total_seconds())
