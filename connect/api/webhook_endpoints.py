"""`/v1/webhook_endpoints`: where events go, and what was delivered there."""

from __future__ import annotations

from django.http import HttpResponse
from rest_framework.decorators import action
from rest_framework.request import Request

from connect.api.fields import (
    BooleanField,
    EnumField,
    IdField,
    IntegerField,
    MetadataField,
    TextField,
    TimeRangeField,
    UnixTimeField,
)
from connect.api.openapi import operation
from connect.api.serializers import InputSerializer, ListField, ListFilters, NoInput
from connect.api.views import ApiViewSet
from connect.domain import errors, versions
from connect.domain.webhook_endpoints import OVERLAP_SECONDS_MAX, URL_LENGTH_MAX
from connect.kit.errors import ParameterInvalid, ResourceMissing
from connect.selectors import webhook_deliveries
from connect.selectors import webhook_endpoints as selectors
from connect.services import webhook_endpoints, webhook_resends
from connect.shapes.webhook_endpoints import (
    DELIVERY_PREFIX,
    DeletedWebhookEndpointOut,
    WebhookDeliveryOut,
    WebhookEndpointOut,
    WebhookReplayOut,
)


class WebhookEndpointCreateIn(InputSerializer):
    """Where to send which events; `enabled_events` holds names from the catalogue, or only `*` for all."""

    url = TextField(max_length=URL_LENGTH_MAX)
    enabled_events = ListField(child=TextField(max_length=80), min_length=1)
    description = TextField(max_length=1000, required=False, allow_null=True)
    api_version = EnumField(list(versions.VERSIONS), required=False)
    metadata = MetadataField()


class WebhookEndpointUpdateIn(InputSerializer):
    """What to change; with `disabled` the endpoint stops or begins anew."""

    url = TextField(max_length=URL_LENGTH_MAX, required=False)
    enabled_events = ListField(child=TextField(max_length=80), required=False, min_length=1)
    description = TextField(max_length=1000, required=False, allow_null=True)
    disabled = BooleanField(required=False)
    metadata = MetadataField()


class WebhookEndpointRotateIn(InputSerializer):
    """How long the old secret goes on signing beside the new one, in seconds; 0 unless given."""

    overlap_seconds = IntegerField(required=False, min_value=0, max_value=OVERLAP_SECONDS_MAX)


class WebhookEndpointReplayIn(InputSerializer):
    """From when to before when events were recorded (until now, unless given), and whether only unconfirmed ones."""

    since = UnixTimeField()
    until = UnixTimeField(required=False)
    only_failed = BooleanField(required=False)


class WebhookEndpointTestIn(InputSerializer):
    """The type of the event to make up."""

    type = TextField(max_length=80)


class WebhookDeliveryFilters(ListFilters):
    """Which deliveries to list."""

    status = EnumField(["pending", "succeeded", "failed", "canceled"], required=False)
    event = IdField("evt", required=False)
    created = TimeRangeField(required=False)


class WebhookEndpointViewSet(ApiViewSet):
    scope_resource = "webhook_endpoints"
    id_prefix = "we"

    @operation(
        WebhookEndpointOut,
        input=WebhookEndpointCreateIn,
        errors=(errors.UrlInvalid, errors.EventTypeUnknown, errors.WebhookEndpointLimit),
    )
    def create(self, request: Request) -> HttpResponse:
        """Create a webhook endpoint

        The answer holds the secret that signs what is sent; it is shown this once. Addresses are public and https; test
        environments of a development installation also reach this machine.
        """
        given = self.input(WebhookEndpointCreateIn)
        return self.local(lambda caller: webhook_endpoints.create(caller, **given))

    @operation(WebhookEndpointOut, lists=True, input=ListFilters)
    def list(self, request: Request) -> HttpResponse:
        """List webhook endpoints, newest first"""
        page, _ = self.page(ListFilters)
        return self.list_of(lambda caller: selectors.page(caller, page), shape=WebhookEndpointOut)

    @operation(WebhookEndpointOut, errors=(ResourceMissing,))
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """Retrieve a webhook endpoint"""
        self.input(NoInput)
        return self.read(lambda caller: selectors.get(caller, pk))

    @operation(
        WebhookEndpointOut,
        input=WebhookEndpointUpdateIn,
        errors=(ResourceMissing, errors.UrlInvalid, errors.EventTypeUnknown),
    )
    def update(self, request: Request, pk: str) -> HttpResponse:
        """Update a webhook endpoint

        Disabling it cancels what was still to be delivered. What happens while it is disabled is not sent; replay it.
        """
        given = self.input(WebhookEndpointUpdateIn)
        return self.local(lambda caller: webhook_endpoints.update(caller, endpoint_id=pk, **given))

    @operation(DeletedWebhookEndpointOut, errors=(ResourceMissing,))
    def destroy(self, request: Request, pk: str) -> HttpResponse:
        """Delete a webhook endpoint"""
        self.input(NoInput)
        return self.local(lambda caller: webhook_endpoints.delete(caller, endpoint_id=pk))

    @action(detail=True, methods=["post"])
    @operation(WebhookEndpointOut, input=WebhookEndpointRotateIn, errors=(ResourceMissing, ParameterInvalid))
    def rotate_secret(self, request: Request, pk: str) -> HttpResponse:
        """Rotate the secret of a webhook endpoint

        The answer holds the new secret. While both are valid every request carries a signature by each.
        """
        given = self.input(WebhookEndpointRotateIn)
        return self.local(lambda caller: webhook_endpoints.rotate_secret(caller, endpoint_id=pk, **given))

    @action(detail=True, methods=["post"])
    @operation(
        WebhookReplayOut,
        input=WebhookEndpointReplayIn,
        errors=(ResourceMissing, ParameterInvalid, errors.WebhookEndpointDisabled),
    )
    def replay(self, request: Request, pk: str) -> HttpResponse:
        """Replay events to a webhook endpoint

        With `only_failed` (the default) those that it has not confirmed, including those of a time when it was disabled
        or did not exist; without, all of the range. At most 10,000 at once.
        """
        given = self.input(WebhookEndpointReplayIn)
        return self.local(lambda caller: webhook_resends.replay(caller, endpoint_id=pk, **given))

    @action(detail=True, methods=["post"])
    @operation(
        WebhookDeliveryOut,
        input=WebhookEndpointTestIn,
        errors=(ResourceMissing, errors.EventTypeUnknown, errors.WebhookEndpointDisabled),
    )
    def test(self, request: Request, pk: str) -> HttpResponse:
        """Send a test event to a webhook endpoint

        It carries an example, tells of nothing that happened, and is in no list of events.
        """
        given = self.input(WebhookEndpointTestIn)
        return self.local(lambda caller: webhook_resends.send_test(caller, endpoint_id=pk, **given))

    @action(detail=True, methods=["get"])
    @operation(WebhookDeliveryOut, lists=True, input=WebhookDeliveryFilters, errors=(ResourceMissing,))
    def deliveries(self, request: Request, pk: str) -> HttpResponse:
        """List what was delivered to a webhook endpoint, newest first"""
        page, filters = self.page(WebhookDeliveryFilters, prefix=DELIVERY_PREFIX)
        return self.list_of(
            lambda caller: webhook_deliveries.page(caller, page, endpoint_id=selectors.require(caller, pk), **filters),
            shape=WebhookDeliveryOut,
        )
