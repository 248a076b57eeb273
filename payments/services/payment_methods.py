"""Payment methods: collect, attach, detach. A card number lives only while its request runs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings

from banks.services import bank_payments
from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.errors import MissingParameterTarget, ParameterInvalid, ParameterMissing
from connect.kit.metadata import merge
from connect.services import events
from connect.services.events import NewEvent
from payments import clients
from payments.domain import cards, decline_codes, errors, method_types, test_instruments
from payments.domain.cards import CardDetails
from payments.models import Charge, Customer, PaymentMethod
from payments.services import locks
from payments.shapes import payment_methods as shapes
from payments.shapes.payment_methods import PaymentMethodOut


def create(caller: Caller, **given: Any) -> PaymentMethodOut:
    """Collect a payment method. Takes what `build` takes; raises the card refusals (402) for a bad card."""
    return shape(caller, build(caller, **given))


def build(
    caller: Caller,
    *,
    type: str,  # noqa: A002 - Stripe's name
    card: dict[str, Any] | None = None,
    pay_by_bank: dict[str, Any] | None = None,
    billing_details: dict[str, Any] | None = None,
    metadata: Any = None,
) -> PaymentMethod:
    """The row of a new payment method. `card` holds `number`, `exp_month`, `exp_year`, `cvc`, or a test `token`;
    `pay_by_bank` the `institution` or linked `account` to pay with, if the payer is not to choose.

    Raises `RawCardsRefused` in a live environment: card data must not pass through here there.
    """
    if type == method_types.PAY_BY_BANK:
        return _of_bank(caller, pay_by_bank or {}, billing_details, metadata)
    if caller.livemode:
        raise errors.RawCardsRefused
    if card is None:
        raise ParameterMissing(param="card")
    details = _details(caller, card)
    return _insert(
        caller, details, billing_details=billing_details or {}, metadata=merge({}, metadata) if metadata else {}
    )


def usable(caller: Caller, method_id: str) -> PaymentMethod:
    """The payment method a request names: one of the caller's, or a test instrument such as `pm_card_visa`.

    Raises `MissingParameterTarget` or `PaymentMethodUsedUp`.
    """
    if not caller.livemode and (instrument := test_instruments.by_name(method_id)):
        at = caller.clock.business()
        return _insert(caller, test_instruments.card_from_name(instrument, at=at, secret=_secret()))
    method = PaymentMethod.objects.one(account_id=caller.account, id=ids.lookup("pm", method_id))
    if method is None:
        raise MissingParameterTarget(resource="payment_method", id=method_id, param="payment_method")
    require_usable(method)
    return method


def chosen(caller: Caller, given: dict[str, Any], *, customer_id: UUID | None) -> PaymentMethod | None:
    """The payment method that a confirmation names (`payment_method`) or describes (`payment_method_data`), if any.

    Raises what `usable` and `build` raise, and `CustomerMismatch` for one of another customer than the intent's.
    """
    if data := given.get("payment_method_data"):
        return build(caller, **data)
    if not given.get("payment_method"):
        return None
    method = usable(caller, given["payment_method"])
    _require_owner(method, customer_id)
    return method


def kept(method_id: UUID | None, *, customer_id: UUID | None) -> PaymentMethod | None:
    """An intent's own payment method, if it can still be used: it may have been detached or attached since."""
    if method_id is None:
        return None
    method = load(method_id)
    require_usable(method)
    _require_owner(method, customer_id)
    return method


def load(method_id: UUID | None) -> PaymentMethod:
    """The row an intent or a charge names. It exists: payment methods are never deleted."""
    method = PaymentMethod.objects.one(id=method_id)
    assert method is not None
    return method


def instrument(method: PaymentMethod) -> str:
    """The processor's handle for what the payer pays with: a card's test token, a linked account, a bank or nothing."""
    named = method.pay_by_bank or {}
    return (method.card or {}).get("test_token") or named.get("account") or named.get("institution") or ""


def require_usable(method: PaymentMethod) -> None:
    """Raise `PaymentMethodUsedUp` for one that was detached, or charged without belonging to a customer and without
    having been set up for more.
    """
    if method.used_up or (method.customer_id is None and not method.set_up_for and _was_charged(method)):
        raise errors.PaymentMethodUsedUp(param="payment_method")


def require_keepable(method: PaymentMethod) -> None:
    """Raise `PayByBankNotKept` for one that is for a single payment."""
    if method.type == method_types.PAY_BY_BANK:
        raise errors.PayByBankNotKept(param="payment_method")


def require_type(method: PaymentMethod, allowed: Sequence[str]) -> None:
    """Raise `PaymentMethodTypeUnavailable` when an intent does not take this type."""
    if method.type not in allowed:
        raise errors.PaymentMethodTypeUnavailable(type=method.type, allowed=", ".join(allowed), param="payment_method")


def update(caller: Caller, *, method_id: str, **given: Any) -> PaymentMethodOut:
    """Change billing details, expiry or metadata. Publishes `payment_method.updated`. Raises `ResourceMissing`."""
    method = locks.payment_method(caller, method_id)
    before = shape(caller, method)
    if given.get("billing_details"):
        method.billing_details = {**method.billing_details, **given["billing_details"]}
    if (card := given.get("card")) and method.card is None:
        raise ParameterInvalid("You cannot pass card: this PaymentMethod is not a card.", param="card")
    if card:
        month, year = cards.check_expiry(
            card.get("exp_month", method.card["exp_month"]),
            card.get("exp_year", method.card["exp_year"]),
            at=caller.clock.business(),
        )
        method.card = {**method.card, "exp_month": month, "exp_year": year}
    if "metadata" in given:
        method.metadata = merge(method.metadata, given["metadata"])
    method.save()
    after = shape(caller, method)
    events.publish(caller, events.updated("payment_method.updated", before=before, after=after))
    return after


def attach(caller: Caller, *, method_id: str, customer: str, param: str | None = None) -> PaymentMethodOut:
    """Keep a payment method for a customer. Publishes `payment_method.attached`. `param` names where `method_id` stood,
    when it was not in the path.

    Raises `PaymentMethodAlreadyAttached`, `PaymentMethodUsedUp`, `ResourceMissing`, `MissingParameterTarget`, and the
    decline of a card whose issuer refuses to have it kept.
    """
    owner = locks.customer(caller, customer, param="customer")
    if not caller.livemode and test_instruments.by_name(method_id):
        method = usable(caller, method_id)
    else:
        method = locks.payment_method(caller, method_id, param=param)
    if method.customer_id == owner.id:
        return shape(caller, method)
    if method.customer_id is not None:
        raise errors.PaymentMethodAlreadyAttached
    require_usable(method)
    require_keepable(method)
    _require_attachable(method)
    method.customer_id = owner.id
    method.save(update_fields=["customer_id"])
    events.publish(caller, NewEvent("payment_method.attached", shape(caller, method)))
    return shape(caller, method)


def keep(caller: Caller, method_id: UUID, *, owner: Customer | None, usage: str) -> None:
    """Remember that the payer agreed to later payments (`usage`), and attach the method to `owner`, locked already.

    Publishes `payment_method.attached`. One that was detached or attached elsewhere meanwhile stays as it is: the
    payment or setup that brought it here has happened all the same.
    """
    method = PaymentMethod.objects.one(id=method_id, lock=True)
    if method is None or method.used_up:
        return
    if method.set_up_for != "off_session":  # whoever may charge an absent payer may charge a present one
        method.set_up_for = usage
    attached = owner is not None and owner.deleted_at is None and method.customer_id is None
    if attached and owner is not None:
        method.customer_id = owner.id
    method.save(update_fields=["set_up_for", "customer_id"])
    if attached:
        events.publish(caller, NewEvent("payment_method.attached", shape(caller, method)))


def detach(caller: Caller, *, method_id: str) -> PaymentMethodOut:
    """Take a payment method from its customer, for good. Publishes `payment_method.detached`.

    Raises `PaymentMethodNotAttached` and `ResourceMissing`.
    """
    owners = PaymentMethod.objects.filter(account_id=caller.account, pk=ids.lookup("pm", method_id))
    list(Customer.objects.select_for_update().filter(pk__in=owners.values("customer_id")))  # the customer's lock first
    method = locks.payment_method(caller, method_id)
    if method.customer_id is None:
        raise errors.PaymentMethodNotAttached
    Customer.objects.filter(pk=method.customer_id, default_payment_method_id=method.id).update(
        default_payment_method_id=None
    )
    method.customer_id, method.used_up = None, True
    method.save(update_fields=["customer_id", "used_up"])
    events.publish(caller, NewEvent("payment_method.detached", shape(caller, method)))
    return shape(caller, method)


def as_data(caller: Caller, method_id: UUID | None) -> dict[str, Any]:
    """A payment method as plain data, for the error that remembers it."""
    return msgspec.to_builtins(shape(caller, load(method_id)))


def shape(caller: Caller, method: PaymentMethod) -> PaymentMethodOut:
    """The payment method on the wire."""
    return shapes.render(method, livemode=caller.livemode)


def _require_owner(method: PaymentMethod, customer_id: UUID | None) -> None:
    if not method.customer_id or method.customer_id == customer_id:
        return
    known = {"payment_method_id": ids.encode("pm", method.id), "param": "payment_method"}
    if customer_id is None:
        raise errors.CustomerParameterMissing(customer=ids.encode("cus", method.customer_id), **known)
    raise errors.CustomerMismatch(customer=ids.encode("cus", customer_id), **known)


def _require_attachable(method: PaymentMethod) -> None:
    """An issuer is asked before a card is kept: one that declines for good declines that too."""
    instrument = test_instruments.by_key((method.card or {}).get("test_token") or "")
    if instrument is None or instrument.attaches:
        return
    code = instrument.code or "card_declined"
    decline = decline_codes.lookup(instrument.decline_code or code)
    raise errors.card_error(
        code, decline_code=instrument.decline_code, advice_code=decline.advice, message=decline.message
    )


def _was_charged(method: PaymentMethod) -> bool:
    return Charge.objects.filter(payment_method_id=method.id, paid=True).exists()


def _of_bank(
    caller: Caller, wanted: dict[str, Any], billing_details: dict[str, Any] | None, metadata: Any
) -> PaymentMethod:
    clients.name_for(method_types.PAY_BY_BANK, livemode=caller.livemode)  # is there an account to collect to?
    institution, account = wanted.get("institution"), wanted.get("account")
    bank_payments.require_payable(caller, institution=institution, account=account)
    return PaymentMethod.objects.create(
        account_id=caller.account,
        type=method_types.PAY_BY_BANK,
        pay_by_bank={"institution": institution, "account": account},
        billing_details=billing_details or {},
        metadata=merge({}, metadata) if metadata else {},
        created_at=caller.clock.business(),
    )


def _details(caller: Caller, card: dict[str, Any]) -> CardDetails:
    at, secret = caller.clock.business(), _secret()
    if token := card.get("token"):
        instrument = test_instruments.by_name(token)
        if instrument is None:
            raise MissingParameterTarget(resource="token", id=token, param="card[token]")
        return test_instruments.card_from_name(instrument, at=at, secret=secret)
    for name in ("number", "exp_month", "exp_year"):
        if name not in card:
            raise ParameterMissing(param=f"card[{name}]")
    return test_instruments.card_from_number(
        card["number"],
        exp_month=card["exp_month"],
        exp_year=card["exp_year"],
        cvc=card.get("cvc"),
        at=at,
        secret=secret,
    )


def _insert(
    caller: Caller,
    details: CardDetails,
    *,
    billing_details: dict[str, Any] | None = None,
    metadata: dict[str, str] | None = None,
) -> PaymentMethod:
    return PaymentMethod.objects.create(
        account_id=caller.account,
        type="card",
        card=details.stored(),
        billing_details=billing_details or {},
        metadata=metadata or {},
        created_at=caller.clock.business(),
    )


def _secret() -> bytes:
    """The key of card fingerprints: one per installation."""
    return hashlib.sha256(b"card fingerprint:" + settings.SECRET_KEY.encode()).digest()
