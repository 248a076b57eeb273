"""Row locks of payments, in the one order that everything takes them: customer, intent, then what hangs below.

A checkout session hangs below its intent, which does not exist before the payer submits the page. So whoever
works on a session takes its advisory lock before anything else, and only such a one makes the intent.

Lock first, then read the state: whatever was read before the lock may be old.
"""

from __future__ import annotations

from uuid import UUID

from django.db import connection

from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.errors import MissingParameterTarget, ResourceMissing
from payments.models import (
    Authentication,
    Charge,
    CheckoutSession,
    Customer,
    PaymentAttempt,
    PaymentIntent,
    PaymentMethod,
    Price,
    Product,
    Refund,
    SetupIntent,
)


def payment_intent(caller: Caller, intent_id: str) -> PaymentIntent:
    """The caller's intent, locked until the transaction ends. Raises `ResourceMissing`."""
    row = PaymentIntent.objects.one(account_id=caller.account, id=ids.lookup("pi", intent_id), lock=True)
    if row is None:
        raise ResourceMissing(resource="payment_intent", id=intent_id, param="intent")
    return row


def attempt(caller: Caller, attempt_id: UUID, *, intent_id: UUID | None = None) -> tuple[PaymentIntent, PaymentAttempt]:
    """An attempt and its intent, the intent locked first. Both exist: attempts are never deleted.

    Whoever knows the intent's id says it, which saves looking it up.
    """
    if intent_id is None:
        intent_id = PaymentAttempt.objects.values_list("payment_intent_id", flat=True).get(pk=attempt_id)
    intent = PaymentIntent.objects.one(account_id=caller.account, id=intent_id, lock=True)
    found = PaymentAttempt.objects.one(id=attempt_id, lock=True)
    assert intent is not None
    assert found is not None
    return intent, found


def setup_intent(caller: Caller, intent_id: str) -> SetupIntent:
    """The caller's setup intent, locked. Raises `ResourceMissing`."""
    row = SetupIntent.objects.one(account_id=caller.account, id=ids.lookup("seti", intent_id), lock=True)
    if row is None:
        raise ResourceMissing(resource="setup_intent", id=intent_id, param="intent")
    return row


def setup_attempt(caller: Caller, attempt_id: UUID) -> tuple[SetupIntent, PaymentAttempt]:
    """An attempt to set something up and its intent, the intent locked first. Both exist: they are never deleted."""
    intent_id = PaymentAttempt.objects.values_list("setup_intent_id", flat=True).get(pk=attempt_id)
    intent = SetupIntent.objects.one(account_id=caller.account, id=intent_id, lock=True)
    found = PaymentAttempt.objects.one(id=attempt_id, lock=True)
    assert intent is not None
    assert found is not None
    return intent, found


def authentication(caller: Caller, secret_hash: bytes) -> tuple[PaymentIntent | SetupIntent, Authentication]:
    """The payer's authentication behind a page's secret and its intent, the intent locked first. Both exist."""
    row = Authentication.objects.one(account_id=caller.account, secret_hash=secret_hash)
    assert row is not None
    intent: PaymentIntent | SetupIntent | None
    if row.payment_intent_id:
        intent = PaymentIntent.objects.one(account_id=caller.account, id=row.payment_intent_id, lock=True)
    else:
        intent = SetupIntent.objects.one(account_id=caller.account, id=row.setup_intent_id, lock=True)
    assert intent is not None
    row = Authentication.objects.one(id=row.id, lock=True)
    assert row is not None
    return intent, row


def owner(customer_id: UUID | None) -> Customer | None:
    """The customer who is going to be given a payment method, locked before the intent; None when there is none."""
    return Customer.objects.one(id=customer_id, lock=True) if customer_id else None


def charge(charge_id: UUID | None) -> Charge:
    """The charge of an intent that is locked already, locked too. It exists: charges are never deleted."""
    found = Charge.objects.one(id=charge_id, lock=True)
    assert found is not None
    return found


def refund(caller: Caller, refund_id: UUID) -> Refund | None:
    """A refund of an intent that is locked already, locked too; None while its attempt has not been recorded."""
    return Refund.objects.one(account_id=caller.account, id=refund_id, lock=True)


def customer(caller: Caller, customer_id: str, *, param: str | None = None) -> Customer:
    """The caller's customer, locked. `param` says that it was named in a parameter, not in the path."""
    row = (
        Customer.objects.select_for_update()
        .filter(account_id=caller.account, pk=ids.lookup("cus", customer_id), deleted_at=None)
        .first()
    )
    if row is None:
        raise _missing("customer", customer_id, param)
    return row


def payment_method(caller: Caller, method_id: str, *, param: str | None = None) -> PaymentMethod:
    """The caller's payment method, locked."""
    row = PaymentMethod.objects.one(account_id=caller.account, id=ids.lookup("pm", method_id), lock=True)
    if row is None:
        raise _missing("payment_method", method_id, param)
    return row


def product(caller: Caller, product_id: str, *, param: str | None = None) -> Product:
    """The caller's product, locked; a deleted one is missing."""
    row = Product.objects.one(account_id=caller.account, id=ids.lookup("prod", product_id), lock=True)
    if row is None or row.deleted_at:
        raise _missing("product", product_id, param)
    return row


def price(caller: Caller, price_id: str) -> Price:
    """The caller's price, locked. Take its product's lock first where both are needed."""
    row = Price.objects.one(account_id=caller.account, id=ids.lookup("price", price_id), lock=True)
    if row is None:
        raise _missing("price", price_id, None)
    return row


def checkout_session(caller: Caller, session_id: str) -> tuple[CheckoutSession, PaymentIntent | SetupIntent | None]:
    """The caller's session and its intent, if it has one by now, both locked, and its customer before them.

    Raises `ResourceMissing`.
    """
    identifier = ids.lookup("cs", session_id)
    with connection.cursor() as cursor:
        key = int.from_bytes(identifier.bytes[8:], "big", signed=True)  # the random half of a UUIDv7
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])
    known = CheckoutSession.objects.one(account_id=caller.account, id=identifier)
    if known is None:
        raise ResourceMissing(resource="checkout.session", id=session_id, param="session")
    if known.customer_id is not None:
        Customer.objects.one(id=known.customer_id, lock=True)
    intent: PaymentIntent | SetupIntent | None = None
    if known.payment_intent_id is not None:
        intent = PaymentIntent.objects.one(account_id=caller.account, id=known.payment_intent_id, lock=True)
    elif known.setup_intent_id is not None:
        intent = SetupIntent.objects.one(account_id=caller.account, id=known.setup_intent_id, lock=True)
    session = CheckoutSession.objects.one(id=identifier, lock=True)
    assert session is not None
    return session, intent


def _missing(resource: str, identifier: str, param: str | None) -> ResourceMissing:
    if param is None:
        return ResourceMissing(resource=resource, id=identifier, param=resource)
    return MissingParameterTarget(resource=resource, id=identifier, param=param)
