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

import msgspec
from django.conf import settings

from banks.domain.psu import Psu
from banks.selectors import accounts as bank_accounts
from banks.selectors import bank_payments as bank_payment_selectors
from banks.selectors import connections, institutions, link_visits
from banks.selectors import link_sessions as link_session_selectors
from banks.services import bank_payments, link_sessions, link_tokens, syncs
from banks.services import link_visits as visits
from connect.api import execution, renderers
from connect.domain.errors import UrlInvalid
from connect.kit import ids
from connect.kit.caller import Actor, Caller, EnvironmentRef
from connect.kit.pages import Page
from connect.kit.tenancy import use_environment
from connect.selectors import credentials
from connect.selectors import environments as environment_selectors
from connect.selectors import organizations as organization_selectors
from connect.selectors import support_grants as grant_selectors
from connect.selectors import users as user_selectors
from connect.selectors import webhook_endpoints as endpoint_selectors
from connect.services import (
    api_keys,
    environments,
    organizations,
    support_grants,
    users,
    webhook_endpoints,
    webhook_inbox,
)
from demo import sandbox_bank
from payments.selectors import payment_intents as intents
from payments.services import bank_settlements, customers, payment_attempts, payment_intents, processor_calls

EMAIL: Final = "demo@facturino.example"
ORGANIZATION: Final = ("Demo Shop", "demo")
BANK: Final = "sandbox-bank"
ANA: Final = Psu(present=True, ip_address="127.0.0.1", user_agent="Demo")

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
    if grant_selectors.in_force(environment.id, user.id) is None:
        support_grants.give(caller, hours=24, reason="The demo's staff may look at the demo's shop")
    webhook_secret = _webhooks(caller, webhook_secret)
    if _is_empty(environment):
        say("making a customer and a few payments")
        _payments(environment)
    if settings.FC_SANDBOX_BANK_URL and not _is_linked(environment):
        say("linking the customer's bank")
        _link(environment, settings.FC_SANDBOX_BANK_URL)
        _pay_by_bank(environment, settings.FC_SANDBOX_BANK_URL)
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
        _external(caller, partial(payment_intents.create_and_confirm, **payment))
    execution.local(
        caller,
        None,
        lambda caller: payment_intents.create(caller, amount=35_00, currency="eur", description="An unpaid order"),
        renderers.render_bytes,
    )


def _external(caller: Caller, begin: Callable[[Caller], Any]) -> execution.Reply:
    """A payment's request, as the API makes it: claim, call, record."""
    return execution.external(
        caller,
        None,
        begin=begin,
        resume=payment_intents.resume,
        call=processor_calls.perform,
        record=payment_attempts.record,
        render=renderers.render_bytes,
    )


def _is_linked(environment: EnvironmentRef) -> bool:
    with use_environment(environment):
        found, _ = connections.page(Caller.system(environment, "demo.seed"), Page(limit=1))
    return bool(found)


def _link(environment: EnvironmentRef, bank_url: str) -> None:
    """The customer's visit at our page and at their bank, the app's exchange, and the first reading of the bank."""
    caller = Caller.system(environment, "demo.seed")
    home = settings.FC_PUBLIC_URL.rstrip("/")
    with use_environment(environment):
        session = link_sessions.create(
            caller, institution=BANK, purpose="To show you your accounts in the shop", client_reference_id="ana"
        )
    assert session.url is not None, "a session that is open has a page"
    secret = session.url.rpartition(".")[2]
    back = f"{home}/link/back/{environment.short_id}.{link_sessions.state_of(secret)}"
    visits.send_to_bank(
        caller, session_id=session.id, institution=BANK, ways=visits.WaysBack(back=back, refused=back), psu=ANA
    )
    sandbox_bank.agree(bank_url, consent=True)
    visits.came_back(caller, session_id=session.id, psu=ANA)
    with use_environment(environment):
        now = caller.clock
        visit = link_visits.get(environment, secret, now=now.wall(), business=now.business())
        assert visit is not None, "sessions are never deleted"
        visits.choose(caller, session_id=session.id, chosen=[offer.resource_id for offer in visit.offers])
        done = link_session_selectors.get(caller, session.id)
        assert done.public_token is not None, "the bank said yes"
        connection = link_tokens.exchange(caller, public_token=done.public_token)
    identifier = ids.decode("conn", connection.id)
    assert identifier is not None
    syncs.run(environment, identifier, psu=ANA)


def _pay_by_bank(environment: EnvironmentRef, bank_url: str) -> None:
    """The customer pays from a linked account: our page, their bank, and the word of the bank in the books."""
    caller = Caller.system(environment, "demo.seed")
    with use_environment(environment):
        linked, _ = bank_accounts.page(caller, Page(limit=100), currency="eur")
    order = {
        "amount": 18_50, "currency": "eur", "description": "Кафе за дома, 1 кг",
        "payment_method_data": {"type": "pay_by_bank", "pay_by_bank": {"account": linked[0].id}},
        "return_url": settings.FC_PUBLIC_URL,
    }  # fmt: skip
    begun = msgspec.json.decode(_external(caller, partial(payment_intents.create_and_confirm, **order)).body)
    secret = begun["next_action"]["redirect_to_url"]["url"].rpartition(".")[2]
    with use_environment(environment):
        payment = bank_payment_selectors.by_secret(secret, now=caller.clock.wall())
        bank = institutions.find(BANK, livemode=False)
        assert payment is not None, "the intent leads to it"
        assert bank is not None, "the catalogue has it"
        claimed = bank_payments.claim(caller, payment_id=payment.id, institution=bank, address=ANA.ip_address)
    assert claimed is not None, "nobody else is at it"
    answer = bank_payments.send(claimed, ANA)
    with use_environment(environment):
        bank_payments.sent(caller, claimed, answer)
    sandbox_bank.agree(bank_url, consent=False)
    bank_payments.look(caller, payment.id, psu=ANA)
    _external(caller, partial(bank_settlements.begin, attempt_id=payment.attempt))
