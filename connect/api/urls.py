"""Routes of the floor, one line per resource."""

from connect.api.routers import StripeRouter
from connect.api.test_clocks import TestClockViewSet

router = StripeRouter()
router.register("test_helpers/test_clocks", TestClockViewSet, basename="test_clocks")
urlpatterns = router.urls
