"""How long things are kept: the one table of rules. The jobs delete by it, and docs/operations.md shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from connect.domain.tiers import TIERS, Tier


@dataclass(frozen=True, slots=True)
class Rule:
    """`kept` is how long; None where the tier says it (`log_days`). `name` is what jobs call it, `what` what people do.

    `stays` names what is kept all the same, however old it is.
    """

    name: str
    what: str
    kept: timedelta | None
    stays: str = ""

    def kept_by(self, tier: Tier) -> timedelta:
        """How long an environment of this tier keeps it."""
        return timedelta(days=tier.log_days) if self.kept is None else self.kept


IDEMPOTENCY_KEYS: Final = Rule(
    # A day more than the 24 hours we promise.
    "idempotency_keys", "answers kept for idempotency keys", timedelta(hours=48), "a request that has not ended"
)  # fmt: skip
REQUEST_LOG: Final = Rule("request_log", "request log of an environment", None)
PUBLIC_REQUEST_LOG: Final = Rule("public_request_log", "requests whose key named no environment", timedelta(days=7))
SIGN_INS: Final = Rule("sign_ins", "sign-ins of people, and attempts that failed", timedelta(days=180))
WEBHOOK_ATTEMPTS: Final = Rule("webhook_attempts", "attempts to deliver a webhook", None)
WEBHOOK_DELIVERIES: Final = Rule(
    "webhook_deliveries", "webhook deliveries, from their end on", None, "one that is still to be sent"
)
EVENTS: Final = Rule(
    # Thirteen months, so that a year can be compared with the one before.
    "events", "events, with their deliveries", timedelta(days=396), "one that is still to be delivered"
)  # fmt: skip
BANK_HEALTH: Final = Rule("bank_health", "figures of the calls to each bank", timedelta(days=30), "incidents")
TEST_CLOCKS: Final = Rule("test_clocks", "test clocks, with their customers", timedelta(days=30))
OAUTH_TOKENS: Final = Rule(
    # Longer than a family of refresh tokens lives: its age is that of its first one.
    "oauth_tokens", "what apps were given and can no longer use: a day; refresh tokens", timedelta(days=120)
)  # fmt: skip

RULES: Final = {
    rule.name: rule
    for rule in (
        IDEMPOTENCY_KEYS, REQUEST_LOG, PUBLIC_REQUEST_LOG, SIGN_INS, WEBHOOK_ATTEMPTS, WEBHOOK_DELIVERIES, EVENTS,
        BANK_HEALTH, TEST_CLOCKS, OAUTH_TOKENS,
    )
}  # fmt: skip
FOR_EVER: Final = ("ledger", "payments, refunds, customers and the attempts to a processor", "usage", "audit logs")


def table() -> str:
    """The rules as a table in Markdown, for docs/operations.md."""
    lines = ["| what | kept | stays all the same |", "|---|---|---|"]
    lines += [f"| {rule.what} | {_words(rule)} | {rule.stays or '–'} |" for rule in RULES.values()]
    lines += [f"| {what} | for ever | – |" for what in FOR_EVER]
    return "\n".join(lines)


def _words(rule: Rule) -> str:
    if rule.kept is None:
        return ", ".join(f"{tier.name} {tier.log_days} days" for tier in TIERS.values())
    hours = rule.kept // timedelta(hours=1)
    if rule is EVENTS:
        return f"13 months ({rule.kept.days} days)"
    return f"{hours} hours" if hours < 72 else f"{rule.kept.days} days"
