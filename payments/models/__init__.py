"""Every model of payments, one file per resource."""

from payments.models.authentications import Authentication
from payments.models.balance_transactions import BalanceTransaction
from payments.models.charges import Charge
from payments.models.checkout_sessions import CheckoutLineItem, CheckoutSession
from payments.models.customers import Customer
from payments.models.payment_attempts import PaymentAttempt
from payments.models.payment_intents import PaymentIntent
from payments.models.payment_methods import PaymentMethod
from payments.models.prices import Price
from payments.models.products import Product
from payments.models.refunds import Refund
from payments.models.setup_intents import SetupIntent

__all__ = [
    "Authentication",
    "BalanceTransaction",
    "Charge",
    "CheckoutLineItem",
    "CheckoutSession",
    "Customer",
    "PaymentAttempt",
    "PaymentIntent",
    "PaymentMethod",
    "Price",
    "Product",
    "Refund",
    "SetupIntent",
]
