"""What each tier allows, and how a caller is told that it asked for more.

Test environments have the rates of live ones: a developer's test suite is the burstiest caller there is, and an API
that limits it harder teaches people to write sleeps. What a month may cost is limited in live environments only.

Staff can give one environment limits of its own (`connect.services.limit_overrides`): `of` is the tier with them in
place, so whoever asks it needs to know nothing of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from connect.kit import clock
from connect.kit.caller import EnvironmentRef
from connect.kit.errors import DomainError


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_second` requests, sustained; up to `burst` at once after a pause of `burst / per_second` seconds."""

    per_second: float
    burst: int


@dataclass(frozen=True, slots=True)
class Tier:
    """`monthly_quota` is requests in a calendar month (UTC), None for no limit; when `hard`, going over is refused,
    otherwise it is only shown and billed. `log_days` is how long the request log is kept.
    """

    name: str
    environment: Rate
    key: Rate
    monthly_quota: int | None
    hard: bool
    log_days: int


TIERS: Final[Mapping[str, Tier]] = MappingProxyType(
    {
        "free": Tier("Free", Rate(50, 100), Rate(50, 100), 100_000, hard=True, log_days=7),
        "starter": Tier("Starter", Rate(100, 200), Rate(100, 200), 2_000_000, hard=False, log_days=30),
        "growth": Tier("Growth", Rate(300, 600), Rate(200, 400), 20_000_000, hard=False, log_days=30),
        "enterprise": Tier("Enterprise", Rate(2000, 4000), Rate(1000, 2000), None, hard=False, log_days=90),
    }
)

FAILED_CREDENTIALS: Final = Rate(0.5, 20)
"""Wrong keys and tokens from one address: twenty at once, then one every two seconds."""
SIGN_IN: Final = Rate(1 / 30, 10)
"""Attempts to sign in, per address and per account: ten at once, then one every thirty seconds."""
HOSTED_PAYMENTS: Final = Rate(1 / 20, 20)
"""Cards tried on hosted pages, per address: twenty at once, then one every twenty seconds. Thieves try thousands."""

INVITATIONS: Final = Rate(1 / 3600, 5)
"""Mails with an invitation to one address, from whatever organization: five at once, then one an hour."""
INVITATIONS_SENT: Final = Rate(1 / 60, 60)
"""Mails with an invitation from one organization: sixty at once, then one a minute."""
ORGANIZATIONS: Final = Rate(1 / 3600, 10)
"""Organizations that one person makes, each with a schema: ten at once, then one an hour."""
DEVICES: Final = Rate(1, 60)
"""Devices that begin to ask for a person, per address: sixty at once, then one a second."""
DEVICE_CODES: Final = Rate(1 / 30, 10)
"""Codes of devices that one person types: ten at once, then one every thirty seconds. A code has 34 bits."""


def of(environment: EnvironmentRef) -> Tier:
    """What an environment may do: its tier, and in place of its figures those that staff set for it alone.

    An unknown name counts as Free, so that a typing error never opens the gates. A rate or burst of its own is that of
    the environment and of each key in it, so that one key can use all of it. A quota of its own is as hard as the
    tier's.
    """
    tier, own = TIERS.get(environment.tier, TIERS["free"]), environment.own_limits
    if own is None or not own.hold_at(clock.wall()):
        return tier
    return replace(
        tier,
        environment=_own_rate(tier.environment, own.per_second, own.burst),
        key=_own_rate(tier.key, own.per_second, own.burst),
        monthly_quota=tier.monthly_quota if own.monthly_quota is None else own.monthly_quota,
    )


def _own_rate(rate: Rate, per_second: float | None, burst: int | None) -> Rate:
    return Rate(rate.per_second if per_second is None else per_second, rate.burst if burst is None else burst)


def hard_quota(environment: EnvironmentRef) -> int | None:
    """The number of requests a month after which this environment is refused, or None when it never is."""
    tier = of(environment)
    return tier.monthly_quota if tier.hard and environment.livemode else None


def monthly_quota(environment: EnvironmentRef) -> int | None:
    """The requests that a month of this environment has room for, refused or only billed above it; None for no end."""
    return of(environment).monthly_quota if environment.livemode else None


ALERT_SHARES: Final = (80, 100)
"""At which parts of a month's quota, in percent, people are told."""


def share_to_tell(used: int, quota: int) -> int:
    """The highest of `ALERT_SHARES` that is reached; 0 for none."""
    return max((share for share in ALERT_SHARES if used * 100 >= quota * share), default=0)


class Limited(DomainError):
    """Base of the refusals that end by waiting; `retry_after` is in whole seconds."""

    status = 429
    should_retry = "true"

    def __init__(self, message: str | None = None, *, retry_after: int, **data: Any) -> None:
        self.retry_after = max(1, retry_after)
        super().__init__(message, retry_after=self.retry_after, **data)

    def extra_headers(self) -> dict[str, str]:
        """`Retry-After` in seconds, and whether an SDK should do so by itself."""
        return {"Retry-After": str(self.retry_after), "Stripe-Should-Retry": self.should_retry}


class RateLimit(Limited):
    """Too many requests in a short time, for the key or for its environment. Wait as `Retry-After` says."""

    code = "rate_limit"
    message = "Too many requests: this {bucket} may make {per_second} a second. Send this again in {retry_after} s."


class QuotaExceeded(Limited):
    """The environment has used up its month. A larger tier opens it at once; a new month opens it by itself."""

    code = "quota_exceeded"
    message = "This environment has used its {quota} requests of the month. Choose a larger tier in the dashboard."
    should_retry = "false"  # an SDK would only wait for days


class TooManyFailedCredentials(Limited):
    """Too many wrong keys or tokens from one address. Check the key; then wait as `Retry-After` says."""

    code = "too_many_failed_credentials"
    message = "Too many invalid API keys were sent from your address. Check the key, and try again in {retry_after} s."


class TooManySignIns(Limited):
    """Too many attempts to sign in from one address or for one account."""

    code = "too_many_sign_ins"
    message = "Too many attempts to sign in. Try again in {retry_after} s."


class TooManyPayments(Limited):
    """Too many cards were tried from one address on a hosted page."""

    code = "too_many_payments"
    message = "Too many payments were tried from here. Try again in {retry_after} s."


class TooManyDeviceCodes(Limited):
    """Too many codes of devices were typed by one person."""

    code = "too_many_device_codes"
    message = "Too many codes were tried. Look at the device again, and wait {retry_after} s before the next."


class TooManyDevices(Limited):
    """Too many devices began to ask for a person from one address."""

    code = "too_many_devices"
    message = "Too many devices were begun from your address. Try again in {retry_after} s."


class TooManyInvitations(Limited):
    """Too many invitations were mailed to one address, or by one organization."""

    code = "too_many_invitations"
    message = "Too many invitations went to this address, or out from your organization. Try again in {retry_after} s."


class TooManyOrganizations(Limited):
    """One person made too many organizations in a short time."""

    code = "too_many_organizations"
    message = "You made many organizations in a short time. Make the next one in {retry_after} s."


class SignInUnavailable(Limited):
    """Attempts to sign in cannot be counted just now, so none is let through. Try again shortly."""

    type = "api_error"
    code = "sign_in_unavailable"
    status = 503
    message = "Signing in is not possible for a moment. Try again in {retry_after} s."
