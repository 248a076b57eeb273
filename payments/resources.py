"""What payments brings to the register of objects: expand, events and the search by id reach them through it."""

from __future__ import annotations

from connect.kit import registry
from connect.kit.registry import Resource


def register() -> None:
    """Fill the register; called once, when the apps are ready."""
    from payments.selectors import (
        balance_transactions,
        charges,
        customers,
        payment_intents,
        payment_methods,
        setup_intents,
    )
    from payments.shapes.balance_transactions import BalanceTransactionOut
    from payments.shapes.charges import ChargeOut
    from payments.shapes.customers import CustomerOut
    from payments.shapes.payment_intents import PaymentIntentOut
    from payments.shapes.payment_methods import PaymentMethodOut
    from payments.shapes.setup_intents import SetupIntentOut

    for resource in (
        Resource("pi", "payment_intent", PaymentIntentOut, payment_intents.load, "payments/{id}", "payments:read"),
        Resource("ch", "charge", ChargeOut, charges.load, None, "payments:read"),
        Resource("pm", "payment_method", PaymentMethodOut, payment_methods.load, None, "payments:read"),
        Resource("cus", "customer", CustomerOut, customers.load, None, "customers:read"),
        Resource("seti", "setup_intent", SetupIntentOut, setup_intents.load, None, "payments:read"),
        Resource("txn", "balance_transaction", BalanceTransactionOut, balance_transactions.load, None, "balance:read"),
    ):
        registry.register(resource)
