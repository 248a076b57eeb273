"""Routes of banks, one line per resource."""

from banks.api.accounts import BankAccountViewSet
from banks.api.connections import ConnectionViewSet
from banks.api.institutions import InstitutionViewSet
from banks.api.link_sessions import LinkSessionViewSet
from banks.api.transactions import BankTransactionViewSet
from connect.api.routers import StripeRouter

router = StripeRouter()
router.register("banking/institutions", InstitutionViewSet, basename="banking.institutions")
router.register("banking/link_sessions", LinkSessionViewSet, basename="banking.link_sessions")
router.register("banking/connections", ConnectionViewSet, basename="banking.connections")
router.register("banking/accounts", BankAccountViewSet, basename="banking.accounts")
router.register("banking/transactions", BankTransactionViewSet, basename="banking.transactions")
urlpatterns = router.urls
