"""Authentications: send a payer to the issuer's page, and know whether what they did there still holds."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from connect.kit import clock, ids
from connect.kit.caller import Caller
from payments.domain import three_d_secure
from payments.domain.three_d_secure import State
from payments.models import Authentication, PaymentIntent, PaymentMethod, SetupIntent
from payments.selectors import authentications as selectors


def ask(caller: Caller, intent: PaymentIntent | SetupIntent, *, return_url: str | None) -> dict[str, Any]:
    """Open a page for the payer of `intent`, locked already. Returns what the intent keeps as its next action.

    It replaces the page asked for before: the intent knows one only.
    """
    identifier = ids.new()
    of_payment = isinstance(intent, PaymentIntent)
    assert intent.payment_method_id is not None
    Authentication.objects.create(
        id=identifier,
        account_id=intent.account_id,
        payment_intent_id=intent.id if of_payment else None,
        setup_intent_id=None if of_payment else intent.id,
        payment_method_id=intent.payment_method_id,
        amount_minor=intent.amount_minor if isinstance(intent, PaymentIntent) else None,
        currency=intent.currency if isinstance(intent, PaymentIntent) else None,
        return_url=return_url,
        secret_hash=selectors.hash_of(selectors.secret(caller.environment, identifier)),
        expires_at=clock.wall() + three_d_secure.LIFETIME,
        created_at=caller.clock.business(),
    )
    return {"authentication": str(identifier), "return_url": return_url}


def passed(intent: PaymentIntent, method: PaymentMethod) -> bool:
    """Whether the payer has authenticated exactly this: the intent's page, with its amount and this payment method.

    An intent that is confirmed by hand waits for its confirmation then; anything that changes what was agreed to makes
    the agreement void.
    """
    named = (intent.next_action or {}).get("authentication")
    row = Authentication.objects.one(account_id=intent.account_id, id=UUID(named)) if named else None
    return (
        row is not None
        and row.state == State.AUTHENTICATED
        and row.payment_method_id == method.id
        and (row.amount_minor, row.currency) == (intent.amount_minor, intent.currency)
    )
