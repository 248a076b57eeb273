"""What payments brings to the registers of objects and of event types: expand, events and the search by id use them."""

from __future__ import annotations

import msgspec

from connect.kit import event_types, registry, timed_work
from connect.kit.event_types import EventType
from connect.kit.registry import Resource
from connect.kit.timed_work import TimedWork


def register() -> None:
    """Fill the registers; called once, when the apps are ready."""
    from payments.domain.events import EVENT_TYPES
    from payments.selectors import (
        balance_transactions,
        charges,
        checkout_sessions,
        customers,
        payment_intents,
        payment_methods,
        prices,
        products,
        refunds,
        setup_intents,
    )
    from payments.shapes.balance import BalanceOut
    from payments.shapes.balance_transactions import BalanceTransactionOut
    from payments.shapes.charges import ChargeOut
    from payments.shapes.checkout_sessions import CheckoutSessionOut
    from payments.shapes.customers import CustomerOut
    from payments.shapes.payment_intents import PaymentIntentOut
    from payments.shapes.payment_methods import PaymentMethodOut
    from payments.shapes.prices import PriceOut
    from payments.shapes.products import ProductOut
    from payments.shapes.refunds import RefundOut
    from payments.shapes.setup_intents import SetupIntentOut

    resources = (
        Resource("pi", "payment_intent", PaymentIntentOut, payment_intents.load, "payments/{id}", "payments:read"),
        Resource(
            "ch",
            "charge",
            ChargeOut,
            charges.load,
            None,
            "payments:read",
            includes={"refunds": refunds.load_for_charges},
        ),
        Resource("re", "refund", RefundOut, refunds.load, None, "payments:read"),
        Resource("pm", "payment_method", PaymentMethodOut, payment_methods.load, None, "payments:read"),
        Resource("cus", "customer", CustomerOut, customers.load, "customers/{id}", "customers:read"),
        Resource("seti", "setup_intent", SetupIntentOut, setup_intents.load, None, "payments:read"),
        Resource("txn", "balance_transaction", BalanceTransactionOut, balance_transactions.load, None, "balance:read"),
        Resource("prod", "product", ProductOut, products.load, None, "products:read"),
        Resource("price", "price", PriceOut, prices.load, None, "products:read"),
        Resource(
            "cs",
            "checkout.session",
            CheckoutSessionOut,
            checkout_sessions.load,
            "checkout/{id}",
            "checkout:read",
            includes={"line_items": checkout_sessions.load_line_items},
        ),
    )
    shapes: dict[str, type[msgspec.Struct]] = {"balance": BalanceOut}
    for resource in resources:
        registry.register(resource)
        shapes[resource.object] = resource.shape
    event_types.register(
        EventType(known.name, known.object, shapes[known.object], known.description) for known in EVENT_TYPES.values()
    )


def register_timed_work() -> None:
    """Say what time does to payments; called once, when the apps are ready."""
    from payments.services import balance_transactions, checkout_sessions, customers, holds, refund_checks

    for work in (
        TimedWork("payments.holds", holds.next_due_at, holds.expire_due, customers.delete_of_clock),
        TimedWork("payments.balance", balance_transactions.next_due_at, balance_transactions.settle_all_due),
        TimedWork("payments.refunds", refund_checks.next_due_at, refund_checks.check_due),
        TimedWork("payments.checkouts", checkout_sessions.next_due_at, checkout_sessions.expire_due),
    ):
        timed_work.register(work)
