"""What payments brings to the register of objects: expand, events and the search by id reach them through it."""

from __future__ import annotations

from connect.kit import registry
from connect.kit.registry import Resource


def register() -> None:
    """Fill the register; called once, when the apps are ready."""
    from payments.selectors import (
        balance_transactions,
        charges,
        checkout_sessions,
        customers,
        payment_intents,
        payment_methods,
        prices,
        products,
    )
    from payments.shapes.balance_transactions import BalanceTransactionOut
    from payments.shapes.charges import ChargeOut
    from payments.shapes.checkout_sessions import CheckoutSessionOut
    from payments.shapes.customers import CustomerOut
    from payments.shapes.payment_intents import PaymentIntentOut
    from payments.shapes.payment_methods import PaymentMethodOut
    from payments.shapes.prices import PriceOut
    from payments.shapes.products import ProductOut

    for resource in (
        Resource("pi", "payment_intent", PaymentIntentOut, payment_intents.load, "payments/{id}", "payments:read"),
        Resource("ch", "charge", ChargeOut, charges.load, None, "payments:read"),
        Resource("pm", "payment_method", PaymentMethodOut, payment_methods.load, None, "payments:read"),
        Resource("cus", "customer", CustomerOut, customers.load, None, "customers:read"),
        Resource("txn", "balance_transaction", BalanceTransactionOut, balance_transactions.load, None, "balance:read"),
        Resource("prod", "product", ProductOut, products.load, None, "products:read"),
        Resource("price", "price", PriceOut, prices.load, None, "products:read"),
        Resource(
            "cs",
            "checkout.session",
            CheckoutSessionOut,
            checkout_sessions.load,
            None,
            "checkout:read",
            {"line_items": checkout_sessions.load_line_items},
        ),
    ):
        registry.register(resource)
