"""A small API of the tests' own: shapes, inputs and a viewset that use every convention without a database."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

import msgspec
from django.urls import include, path
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.viewsets import GenericViewSet

from connect.api import expand, fields
from connect.api.openapi import operation
from connect.api.pagination import CursorPage
from connect.api.parsers import parameters
from connect.api.renderers import JsonOnly
from connect.api.serializers import InputSerializer, ListField, ListFilters
from connect.kit import ids
from connect.kit.errors import DomainError
from connect.kit.pages import ListObject


class Owner(msgspec.Struct, kw_only=True):
    """Who owns boxes."""

    expandable: ClassVar = {"favourite": "tbox"}
    id: str
    object: str = "test_owner"
    favourite: str | None = None


class Thing(msgspec.Struct, kw_only=True):
    expandable: ClassVar = {"owner": "town"}
    id: str
    owner: str | None = None


class Box(msgspec.Struct, kw_only=True):
    """A box with things in it."""

    expandable: ClassVar = {"owner": "town", "source": ("town", "tbox")}
    id: str
    object: str = "test_box"
    amount: int = 0
    owner: str | None = None
    source: str | None = None
    things: ListObject[Thing]
    parts: ListObject[Thing] | msgspec.UnsetType = msgspec.UNSET
    metadata: dict[str, str] = {}


class BoxLost(DomainError):
    """The box is lost; look for it, then send the request again."""

    code = "test_box_lost"
    status = 402
    message = "This box is lost."


class Lid(InputSerializer):
    color = fields.EnumField(["red", "blue"])
    price = fields.MinorUnitsField(required=False)


class BoxCreate(InputSerializer):
    ACCEPTED_WITHOUT_EFFECT = {"automatic_payment_methods": "Boxes always take every method."}
    amount = fields.MinorUnitsField(min_value=1)
    currency = fields.CurrencyField()
    owner = fields.IdField("town", required=False, source="owner_id")
    description = fields.TextField(required=False, allow_null=True, max_length=20)
    sealed = fields.BooleanField(required=False, default=False)
    opens_at = fields.UnixTimeField(required=False)
    metadata = fields.MetadataField()
    lid = Lid(required=False)
    lids = ListField(child=Lid(), required=False, max_length=3)
    return_url = fields.UrlField(required=False)


class BoxList(ListFilters):
    created = fields.TimeRangeField(required=False)
    owner = fields.IdField("town", required=False)


def box(identifier: UUID | None = None, **values: Any) -> Box:
    things = values.pop("things", [])
    envelope = ListObject(url="/v1/things", has_more=False, data=things)
    return Box(id=ids.encode("tbox", identifier or ids.new()), things=envelope, **values)


class BoxViewSet(GenericViewSet):
    """Boxes."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []
    throttle_classes: list[Any] = []
    content_negotiation_class = JsonOnly
    lookup_value_regex = "[^/]+"

    @operation(Box, input=BoxCreate, errors=[BoxLost])
    def create(self, request: Request) -> Response:
        """Make a box.

        It is empty at first.
        """
        _, tree = expand.split(parameters(request))
        values = BoxCreate.check(tree)
        values.pop("owner_id", None)
        return Response({"read": values})

    @operation(Box, input=BoxList, lists=True)
    def list(self, request: Request) -> Response:
        """List boxes."""
        query = parameters(request)
        page = CursorPage.parse(query, "tbox")
        BoxList.check(query)
        return Response(CursorPage.envelope(request.path, [box(amount=page.limit)], has_more=False))

    @operation(Box)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Read a box."""
        failures: dict[str, type[Exception]] = {"lost": BoxLost, "broken": ZeroDivisionError}
        raise failures[pk]

    @action(detail=True, methods=["post"])
    @operation(Box)
    def seal(self, request: Request, pk: str) -> Response:
        """Seal a box."""
        return Response(parameters(request))

    @action(detail=True, methods=["get"])
    @operation(Thing, lists=True)
    def things(self, request: Request, pk: str) -> Response:
        """List the things in a box."""
        return Response(CursorPage.envelope(request.path, [], False))


router = SimpleRouter(trailing_slash=False)
router.register("boxes", BoxViewSet, basename="boxes")
urlpatterns = [path("v1/", include(router.urls)), path("elsewhere", BoxViewSet.as_view({"get": "list"}))]
