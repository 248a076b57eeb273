"""A first organization with something in it, made through the same services that the API and the pages use.

Every seeded payment is a real one: authorized by the sandbox processor, posted to the ledger, announced by events.
Deleting the seed leaves an empty product that works.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from connect.api import execution, renderers
from connect.domain.errors import UrlInvalid
from connect.kit import ids
from connect.kit.caller import Actor, Caller, EnvironmentRef
from connect.kit.pages import Page
from connect.kit.tenancy import use_environment
from connect.selectors import credentials
from connect.selectors import environments as environment_selectors
from connect.selectors import organizations as organization_selectors
from connect.selectors import users as user_selectors
from connect.selectors import webhook_endpoints as endpoint_selectors
from connect.services import api_keys, environments, organizations, users, webhook_endpoints, webhook_inbox
from payments.selectors import payment_intents as intents
from payments.services import customers, payment_intents, payment_outcomes, processor_calls

EMAIL: Final = "demo@facturino.example"
ORGANIZATION: Final = ("Demo Shop", "demo")

PAYMENTS: Final[tuple[dict[str, Any], ...]] = (
    {"amount": 249_00, "currency": "eur", "payment_method": "pm_card_visa", "description": "Espresso machine"},
    {"amount": 15_400_00, "currency": "mkd", "payment_method": "pm_card_mk", "description": "Годишна претплата"},
    {"amount": 8_990_00, "currency": "rsd", "payment_method": "pm_card_rs", "description": "Ручно ткани тепих"},
    {"amount": 12_500_00, "currency": "all", "payment_method": "pm_card_mastercard", "description": "Dhoma, dy netë"},
    {"amount": 79_90, "currency": "eur", "payment_method": "pm_card_visa_chargeDeclinedInsufficientFunds",
     "description": "Running shoes"},
    {"amount": 1_200_00, "currency": "eur", "payment_method": "pm_card_visa", "capture_method": "manual",
     "description": "Deposit, held until check-out"},
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seeded:
    """What a person needs to begin."""

    email: str
    password: str
    organization: str
    secret_key: str
    webhook_secret: str | None


def seed(
    *,
    password: str | None,
    secret_key: str | None,
    webhook_secret: str | None,
    say: Callable[[str], None],
) -> Seeded:
    """Make the demo organization, or find it. Payments are made only the first time.

    `password`, `secret_key` and `webhook_secret` are those of an earlier run, where they are still known; without them
    new ones are made.
    """
    user = user_selectors.by_email(EMAIL)
    known_password, password = password, password or secrets.token_urlsafe(9)
    if user is None:
        user = users.create(email=EMAIL, password=password, name="Demo Developer", verified=True, staff=True)
    elif known_password is None:
        users.set_password(user.id, password)
    name, slug = ORGANIZATION
    known = organization_selectors.for_member(user.id, slug)
    if known is None:
        organizations.create(owner_id=user.id, name=name, slug=slug, tier="growth")
    for pending in environment_selectors.pending():
        environments.provision(pending)
    environment = environment_selectors.get(slug, "test")
    assert environment is not None, "an organization is made with its test environment"
    caller = Caller(environment, Actor("user", ids.encode("usr", user.id), user.email), scopes=frozenset({"*"}))
    if secret_key is None or credentials.resolve(secret_key) is None:
        _, secret_key = api_keys.create(caller, name="Demo key from make run", scopes=["*"])
    webhook_secret = _webhooks(caller, webhook_secret)
    if _is_empty(environment):
        say("making a customer and a few payments")
        _payments(environment)
    return Seeded(EMAIL, password, slug, secret_key, webhook_secret)


def _webhooks(caller: Caller, secret: str | None) -> str | None:
    """An endpoint that leads to the environment's own inbox; returns the secret that signs what arrives there.

    None where webhooks cannot reach this installation: its address is neither public nor allowed.
    """
    url = webhook_inbox.address(caller.environment)
    with use_environment(caller.environment), suppress(UrlInvalid):
        known = next((one for one in endpoint_selectors.every(caller) if one.url.endswith(urlsplit(url).path)), None)
        if known is None:
            made = webhook_endpoints.create(
                caller, url=url, enabled_events=["*"], description="The inbox, which shows what arrives"
            )
            return made.secret or None
        if known.url != url:  # the port or the host is another one than last time
            webhook_endpoints.update(caller, endpoint_id=known.id, url=url)
        if secret is None:
            return webhook_endpoints.rotate_secret(caller, endpoint_id=known.id).secret or None
        return secret
    return None


def _is_empty(environment: EnvironmentRef) -> bool:
    with use_environment(environment):
        found, _ = intents.page(Caller.system(environment, "demo.seed"), Page(limit=1))
    return not found


def _payments(environment: EnvironmentRef) -> None:
    caller = Caller.system(environment, "demo.seed")
    made = execution.local(
        caller,
        None,
        lambda caller: customers.create(
            caller, name="Ана Петровска", email="ana@example.com", metadata={"shop_id": "7"}
        ),
        renderers.render_bytes,
    )
    assert made.status == 200
    for payment in PAYMENTS:
        execution.external(
            caller,
            None,
            begin=partial(payment_intents.create_and_confirm, **payment),
            resume=payment_intents.resume,
            call=processor_calls.perform,
            record=payment_outcomes.record,
            render=renderers.render_bytes,
        )
    execution.local(
        caller,
        None,
        lambda caller: payment_intents.create(caller, amount=35_00, currency="eur", description="An unpaid order"),
        renderers.render_bytes,
    )
