"""Checkout sessions: create, update, expire."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog
from django.db.models import Exists, OuterRef, Q, QuerySet

from connect.kit import currencies, ids, secretbox
from connect.kit.caller import Caller
from connect.kit.errors import DomainError, MissingParameterTarget, ParameterInvalid, ParameterMissing
from connect.kit.metadata import merge
from connect.kit.money import Money
from connect.kit.tenancy import use_environment
from connect.services import audit, events, redirects
from connect.services.events import NewEvent
from payments import clients
from payments.domain import checkout_state, errors, method_types
from payments.domain.checkout_state import Mode, PaymentStatus, Status
from payments.domain.payment_intent_state import CancellationReason, CaptureMethod
from payments.domain.setup_intent_state import CancellationReason as SetupCancellationReason
from payments.models import CheckoutLineItem, CheckoutSession, PaymentIntent, Price, Product, SetupIntent
from payments.selectors import checkout_sessions as sessions
from payments.selectors import prices, products
from payments.services import (
    catalog,
    locks,
    pay_by_bank,
    payment_attempts,
    payment_intents,
    payment_outcomes,
    setup_outcomes,
)
from payments.shapes.checkout_sessions import CheckoutSessionOut

BATCH: Final = 100
_SECRET_LENGTH: Final = 33
"""Base62 characters of a page's secret: 24 random bytes."""
_WORDS: Final = ("client_reference_id", "locale", "submit_type", "billing_address_collection")
log = structlog.get_logger(__name__)
_ONLY_PAYING: Final = ("line_items", "payment_intent_data", "submit_type")


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it will be stored. `product` gives its words."""

    price: Price
    product: Product
    quantity: int

    @property
    def amount_minor(self) -> int:
        """What the line costs, in minor units of the price's currency."""
        return checkout_state.line_amount(self.price.unit_amount_decimal, self.quantity)


def create(
    caller: Caller,
    *,
    mode: str,
    line_items: list[dict[str, Any]] | None = None,
    customer: str | None = None,
    customer_email: str | None = None,
    customer_creation: str | None = None,
    success_url: str | None = None,
    cancel_url: str | None = None,
    expires_at: datetime | None = None,
    payment_intent_data: dict[str, Any] | None = None,
    setup_intent_data: dict[str, Any] | None = None,
    currency: str | None = None,
    phone_number_collection: dict[str, Any] | None = None,
    payment_method_types: list[str] | None = None,
    metadata: Any = None,
    **words: Any,
) -> CheckoutSessionOut:
    """Open a page for one payer. Nothing is charged, and no intent is made, before the payer pays.

    `words` may bring `client_reference_id`, `locale`, `submit_type` and `billing_address_collection`. Publishes only
    `product.created` and `price.created` for prices described on the spot. Raises `ParameterMissing`,
    `ParameterInvalid`, `MissingParameterTarget`, `PriceInactive`, `PriceRecurring`, `CurrenciesMixed`,
    `AmountTooSmall`, `AmountTooLarge`, `CheckoutExpiryInvalid`, `RedirectRefused`, and `SandboxInLive` where no
    processor takes cards; `PayByBankUnavailable` and the other refusals of pay by bank.
    """
    if customer and (customer_email or customer_creation):
        other = "customer_email" if customer_email else "customer_creation"
        raise ParameterInvalid(f"You may only specify one of these parameters: customer, {other}.", param=other)
    for name, url in (("success_url", success_url), ("cancel_url", cancel_url)):
        redirects.require_allowed(caller, name, url)
    owner = locks.customer(caller, customer, param="customer") if customer else None
    lines = _lines(caller, line_items or []) if mode == Mode.PAYMENT else []
    if mode == Mode.PAYMENT and not lines:
        raise ParameterMissing("Missing required param: line_items. A payment needs at least one.", param="line_items")
    if mode == Mode.SETUP:
        given = {"line_items": line_items, "payment_intent_data": payment_intent_data, **words}
        _refuse_in_setup({name for name in _ONLY_PAYING if given.get(name)})
    elif setup_intent_data:
        raise ParameterInvalid(
            "You cannot pass setup_intent_data in payment mode: send payment_intent_data.", param="setup_intent_data"
        )
    total = _total(lines)
    types = payment_method_types or [method_types.CARD]
    _require_payable(caller, types, total, mode=mode, intent_data=payment_intent_data or {})
    now = caller.clock.business()
    identifier, secret = ids.new(), ids.base62(int.from_bytes(secrets.token_bytes(24), "big"), _SECRET_LENGTH)
    session = CheckoutSession(
        id=identifier,
        account_id=caller.account,
        secret_hash=sessions.digest(secret),
        secret_sealed=secretbox.seal(secret.encode(), place=sessions.place(caller, identifier)),
        mode=mode,
        currency=currency if total is None else total.currency,
        amount_subtotal_minor=None if total is None else total.minor,
        amount_total_minor=None if total is None else total.minor,
        payment_status=_first_payment_status(total),
        customer_id=owner.id if owner else None,
        customer_email=customer_email or (owner.email if owner else None),
        customer_creation=None if owner else customer_creation or _creation_default(mode),
        success_url=success_url,
        cancel_url=cancel_url,
        phone_number_collection=bool((phone_number_collection or {}).get("enabled")),
        payment_method_types=types,
        intent_data=payment_intent_data or setup_intent_data or {},
        expires_at=checkout_state.expiry(now, expires_at),
        metadata=merge({}, metadata) if metadata else {},
        created_at=now,
        **{name: words.get(name) for name in _WORDS},
    )
    session.save(force_insert=True)
    _keep_lines(caller, session, lines)
    made = sessions.shape(caller, session)
    audit.record_person(
        caller, action="checkout_session.created", target=made.id, amount=made.amount_total, currency=made.currency
    )
    return made


def update(caller: Caller, *, session_id: str, metadata: Any = None) -> CheckoutSessionOut:
    """Change a session's metadata, also when it has ended. Raises `ResourceMissing`."""
    session, _ = locks.checkout_session(caller, session_id)
    session.metadata = merge(session.metadata, metadata)
    session.save(update_fields=["metadata"])
    return sessions.shape(caller, session)


def expire(caller: Caller, *, session_id: str) -> CheckoutSessionOut:
    """End an open session; its page takes no payment any more, and its intent is canceled.

    Publishes `checkout.session.expired`. Raises `ResourceMissing`, `CheckoutSessionNotOpen`, and `LockTimeout` while an
    attempt is with the processor, because nobody can know yet whether money moved or a card was kept.
    """
    session, intent = locks.checkout_session(caller, session_id)
    if session.status != Status.OPEN:
        raise errors.CheckoutSessionNotOpen(status=session.status)
    if intent is not None:
        payment_attempts.require_none_open(intent)
        _cancel(caller, intent)
    session.status = Status.EXPIRED.value
    session.save(update_fields=["status"])
    expired = sessions.shape(caller, session)
    events.publish(caller, NewEvent("checkout.session.expired", expired))
    audit.record_person(caller, action="checkout_session.expired", target=session_id)
    return expired


def _cancel(caller: Caller, intent: PaymentIntent | SetupIntent) -> None:
    if isinstance(intent, SetupIntent):
        setup_outcomes.cancel_now(caller, intent, reason=SetupCancellationReason.ABANDONED.value)
    else:
        payment_outcomes.cancel_now(caller, intent, reason=CancellationReason.AUTOMATIC.value)


def expire_due(caller: Caller, clock_id: UUID | None = None) -> int:
    """Expire what ran out by the caller's business clock, in the order in which it did, a transaction each.

    Sessions have no test clock of their own: they live by the environment's. By the machine's time at most `BATCH`, and
    the next run goes on; while a clock is moved, all. One whose attempt is with the processor is left out: it expires,
    or completes, once that is known. One that was paid in the meantime refuses and is left alone. Returns how many.
    """
    if clock_id is not None:
        return 0
    expired, after = 0, Q()
    while True:
        with use_environment(caller.environment):
            due = _idle().filter(after, expires_at__lte=caller.clock.business())
            found = list(due.order_by("expires_at", "id").values_list("expires_at", "account_id", "id")[:BATCH])
        for _, account, identifier in found:
            session_id = ids.encode(sessions.PREFIX, identifier)
            try:
                with use_environment(caller.environment):
                    expire(replace(caller, account=account), session_id=session_id)
                expired += 1
            except DomainError:
                continue
            except Exception:  # the others must not wait for this one; the next run finds it again
                log.exception("checkout_not_expired", session=session_id)
        if caller.clock.frozen_at is None or len(found) < BATCH:
            return expired
        moment, _, last = found[-1]
        after = Q(expires_at__gt=moment) | Q(expires_at=moment, id__gt=last)


def next_due_at(_: Caller, clock_id: UUID | None, after: datetime) -> datetime | None:
    """When the next session expires, later than `after`."""
    if clock_id is not None:
        return None
    coming = _idle().filter(expires_at__gt=after)
    return coming.order_by("expires_at").values_list("expires_at", flat=True).first()


def _idle() -> QuerySet[CheckoutSession]:
    """Open sessions, of all accounts, of which nothing is with the processor."""
    paying = PaymentIntent.objects.filter(pk=OuterRef("payment_intent_id"), open_attempt_id__isnull=False)
    keeping = SetupIntent.objects.filter(pk=OuterRef("setup_intent_id"), open_attempt_id__isnull=False)
    return CheckoutSession.objects.filter(~Exists(paying), ~Exists(keeping), status=Status.OPEN)


# --- lines ------------------------------------------------------------------------------------------------------------


def _lines(caller: Caller, given: list[dict[str, Any]]) -> list[Line]:
    return [_line(caller, item, f"line_items[{index}]") for index, item in enumerate(given)]


def _line(caller: Caller, item: dict[str, Any], param: str) -> Line:
    if ("price" in item) == ("price_data" in item):
        if "price" in item:
            raise ParameterInvalid(
                f"You may only specify one of these parameters: {param}[price], {param}[price_data].", param=param
            )
        raise ParameterMissing(f"You must pass either {param}[price] or {param}[price_data].", param=f"{param}[price]")
    if "price" in item:
        price, product = _known_price(caller, item["price"], f"{param}[price]")
    else:
        price, product = _new_price(caller, item["price_data"], f"{param}[price_data]")
    public_id = ids.encode(prices.PREFIX, price.id)
    if price.recurring:
        raise errors.PriceRecurring(price=public_id, param=param)
    return Line(price, product, item.get("quantity", 1))


def _known_price(caller: Caller, price_id: str, param: str) -> tuple[Price, Product]:
    price = Price.objects.one(account_id=caller.account, id=ids.lookup(prices.PREFIX, price_id))
    if price is None:
        raise MissingParameterTarget(resource="price", id=price_id, param=param)
    product = Product.objects.one(id=price.product_id)
    assert product is not None
    if not (price.active and product.active):
        raise errors.PriceInactive(price=price_id, param=param)
    return price, product


def _new_price(caller: Caller, data: dict[str, Any], param: str) -> tuple[Price, Product]:
    """A price described on the spot. It is archived from the start: it belongs to this session only."""
    given = dict(data)
    product_id, product_data = given.pop("product", None), given.pop("product_data", None)
    if (product_id is None) == (product_data is None):
        raise ParameterMissing(
            f"You must pass either {param}[product] or {param}[product_data], and not both.", param=f"{param}[product]"
        )
    if product_id is not None:
        product = locks.product(caller, product_id, param=f"{param}[product]")
    else:
        product = catalog.new_product(caller, active=False, **product_data)
        events.publish(caller, NewEvent("product.created", products.shape(caller, product)))
    price = catalog.new_price(caller, product=product, active=False, **given)
    events.publish(caller, NewEvent("price.created", prices.shape(caller, price)))
    return price, product


def _total(lines: list[Line]) -> Money | None:
    """The sum of the lines, checked to be something a payment can be about; None without lines."""
    if not lines:
        return None
    currency = lines[0].price.currency
    for index, line in enumerate(lines):
        if line.price.currency != currency:
            param = f"line_items[{index}]"
            raise errors.CurrenciesMixed(currency=line.price.currency, first=currency, param=param)
    minor = sum(line.amount_minor for line in lines)
    if minor > currencies.MAXIMUM_MINOR:
        raise errors.AmountTooLarge(maximum=Money(99_999_999, currency), param="line_items")
    total = Money(minor, currency)
    if total:  # nothing to pay is allowed, something that no processor would take is not
        payment_intents.check_amount(total, param="line_items")
    return total


def _keep_lines(caller: Caller, session: CheckoutSession, lines: list[Line]) -> None:
    # Lists are newest first: with the ids turned round, that is the order in which the app gave the lines.
    identifiers = sorted((ids.new() for _ in lines), reverse=True)
    CheckoutLineItem.objects.bulk_create(
        CheckoutLineItem(
            id=identifier,
            account_id=caller.account,
            session_id=session.id,
            price_id=line.price.id,
            position=position,
            description=line.product.name,
            quantity=line.quantity,
            amount_total_minor=line.amount_minor,
            currency=line.price.currency,
            created_at=session.created_at,
        )
        for position, (identifier, line) in enumerate(zip(identifiers, lines, strict=True))
    )


# --- rules ------------------------------------------------------------------------------------------------------------


def _require_payable(
    caller: Caller, types: list[str], total: Money | None, *, mode: str, intent_data: dict[str, Any]
) -> None:
    """A page on which nobody could pay is of no use."""
    for method_type in types:
        clients.name_for(method_type, livemode=caller.livemode)
    if method_types.PAY_BY_BANK not in types:
        return
    if mode == Mode.SETUP:
        raise errors.PayByBankNotKept(param="payment_method_types")
    if intent_data.get("capture_method") == CaptureMethod.MANUAL:
        raise errors.PayByBankCapturesAtOnce(param="payment_intent_data[capture_method]")
    if intent_data.get("setup_future_usage"):
        raise errors.PayByBankNeedsPayer(param="payment_intent_data[setup_future_usage]")
    if total:
        pay_by_bank.require_bank(total.currency, livemode=caller.livemode)


def _first_payment_status(total: Money | None) -> str:
    return (PaymentStatus.UNPAID if total else PaymentStatus.NO_PAYMENT_REQUIRED).value


def _creation_default(mode: str) -> str:
    return "always" if mode == Mode.SETUP else "if_required"


def _refuse_in_setup(given: set[str]) -> None:
    for name in sorted(given):
        raise ParameterInvalid(f"You cannot pass {name} in setup mode: nothing is paid.", param=name)
