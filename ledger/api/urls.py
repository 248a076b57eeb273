"""Routes of the ledger, one line per resource."""

from django.urls import path

from connect.api.routers import StripeRouter
from ledger.api.accounts import LedgerAccountViewSet
from ledger.api.balances import LedgerBalanceViewSet
from ledger.api.drift import LedgerDriftViewSet
from ledger.api.holds import LedgerHoldViewSet
from ledger.api.transactions import LedgerTransactionViewSet

router = StripeRouter()
router.register("ledger/accounts", LedgerAccountViewSet, basename="ledger_accounts")
router.register("ledger/transactions", LedgerTransactionViewSet, basename="ledger_transactions")
router.register("ledger/holds", LedgerHoldViewSet, basename="ledger_holds")
router.register("ledger/balances", LedgerBalanceViewSet, basename="ledger_balances")
urlpatterns = [path("ledger/drift", LedgerDriftViewSet.as_view({"get": "retrieve"}), name="ledger_drift"), *router.urls]
