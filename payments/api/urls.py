"""Routes of payments, one line per resource."""

from django.urls import path

from connect.api.routers import StripeRouter
from payments.api.balance import BalanceTransactionViewSet, BalanceViewSet
from payments.api.charges import ChargeViewSet
from payments.api.checkout_sessions import CheckoutSessionViewSet
from payments.api.customers import CustomerViewSet
from payments.api.payment_intents import PaymentIntentViewSet
from payments.api.payment_methods import PaymentMethodViewSet
from payments.api.prices import PriceViewSet
from payments.api.products import ProductViewSet
from payments.api.refunds import RefundViewSet
from payments.api.setup_intents import SetupIntentViewSet

router = StripeRouter()
router.register("payment_intents", PaymentIntentViewSet, basename="payment_intents")
router.register("charges", ChargeViewSet, basename="charges")
router.register("refunds", RefundViewSet, basename="refunds")
router.register("customers", CustomerViewSet, basename="customers")
router.register("payment_methods", PaymentMethodViewSet, basename="payment_methods")
router.register("setup_intents", SetupIntentViewSet, basename="setup_intents")
router.register("balance_transactions", BalanceTransactionViewSet, basename="balance_transactions")
router.register("products", ProductViewSet, basename="products")
router.register("prices", PriceViewSet, basename="prices")
router.register("checkout/sessions", CheckoutSessionViewSet, basename="checkout.sessions")
urlpatterns = [path("balance", BalanceViewSet.as_view({"get": "retrieve"}), name="balance"), *router.urls]
