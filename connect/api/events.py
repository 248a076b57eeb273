"""`/v1/events`: what happened, and sending it again."""

from __future__ import annotations

from django.http import HttpResponse
from rest_framework.decorators import action
from rest_framework.request import Request

from connect.api.fields import BooleanField, TextField, TimeRangeField
from connect.api.openapi import operation
from connect.api.serializers import InputSerializer, ListField, ListFilters, NoInput
from connect.api.views import ApiViewSet
from connect.domain.errors import WebhookEndpointDisabled
from connect.kit.errors import MissingParameterTarget, ParameterInvalid, ResourceMissing
from connect.selectors import events as selectors
from connect.services import webhook_resends
from connect.shapes.events import EventOut
from connect.shapes.webhook_endpoints import WebhookDeliveryOut

_TYPE = r"[a-z0-9_]+(\.[a-z0-9_]+)*(\.\*)?|\*"


class EventFilters(ListFilters):
    """Which events to list: of one `type` (which may end in `.*`) or of several `types`, about one object."""

    type = TextField(max_length=80, pattern=_TYPE, required=False)
    types = ListField(child=TextField(max_length=80), required=False, min_length=1, max_length=20)
    created = TimeRangeField(required=False)
    delivery_success = BooleanField(required=False)
    object_id = TextField(max_length=64, required=False)


class EventResendIn(InputSerializer):
    """Where to."""

    webhook_endpoint = TextField(max_length=100)


class EventViewSet(ApiViewSet):
    scope_resource = "events"
    id_prefix = "evt"

    @operation(EventOut, lists=True, input=EventFilters)
    def list(self, request: Request) -> HttpResponse:
        """List events, newest first"""
        page, filters = self.page(EventFilters)
        if "type" in filters and "types" in filters:
            raise ParameterInvalid("Send either type or types, not both.", param="types")
        return self.list_of(lambda caller: selectors.page(caller, page, **filters), shape=EventOut)

    @operation(EventOut, errors=(ResourceMissing,))
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """Retrieve an event"""
        self.input(NoInput)
        return self.read(lambda caller: selectors.get(caller, pk))

    @action(detail=True, methods=["post"])
    @operation(
        WebhookDeliveryOut,
        input=EventResendIn,
        errors=(ResourceMissing, MissingParameterTarget, WebhookEndpointDisabled),
    )
    def resend(self, request: Request, pk: str) -> HttpResponse:
        """Send an event to a webhook endpoint again

        It is sent at once, whatever became of it before, and retried like a new one.
        """
        given = self.input(EventResendIn)
        return self.local(
            lambda caller: webhook_resends.resend_event(caller, event_id=pk, endpoint_id=given["webhook_endpoint"])
        )
