"""Routes of the floor: events, webhook endpoints, test clocks, and the inbox beside the API."""

from django.urls import include, path

from connect.api import webhook_inbox
from connect.api.events import EventViewSet
from connect.api.routers import StripeRouter
from connect.api.test_clocks import TestClockViewSet
from connect.api.webhook_endpoints import WebhookEndpointViewSet

router = StripeRouter()
router.register("events", EventViewSet, basename="events")
router.register("webhook_endpoints", WebhookEndpointViewSet, basename="webhook_endpoints")
router.register("test_helpers/test_clocks", TestClockViewSet, basename="test_clocks")
urlpatterns = [
    path("v1/", include(router.urls)),
    path("webhook-inbox/<str:token>", webhook_inbox.receive, name="webhook_inbox"),
]
