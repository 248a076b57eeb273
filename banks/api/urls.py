"""Routes of banks, one line per resource."""

from banks.api.link_sessions import LinkSessionViewSet
from connect.api.routers import StripeRouter

router = StripeRouter()
router.register("banking/link_sessions", LinkSessionViewSet, basename="banking.link_sessions")
urlpatterns = [*router.urls]
