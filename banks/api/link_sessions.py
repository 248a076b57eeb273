"""`/v1/banking/link_sessions`."""

from __future__ import annotations

from django.http import HttpResponse
from rest_framework.decorators import action
from rest_framework.request import Request

from banks.domain import errors
from banks.domain.countries import COUNTRIES
from banks.domain.link_state import HISTORY_DAYS_MAX, PERMISSIONS, Mode, Status
from banks.selectors import link_sessions as selectors
from banks.services import link_sessions
from banks.shapes.link_sessions import LinkSessionOut
from connect.api.fields import (
    BooleanField,
    EnumField,
    IdField,
    IntegerField,
    MetadataField,
    TextField,
    TimeRangeField,
    UrlField,
)
from connect.api.openapi import operation
from connect.api.serializers import InputSerializer, ListField, ListFilters, NoInput
from connect.api.views import ApiViewSet
from connect.domain.errors import RedirectRefused
from connect.domain.locales import LOCALES
from connect.kit.errors import LockTimeout, MissingParameterTarget, ResourceMissing


class LinkSessionCreateIn(InputSerializer):
    """What a customer is asked for on the hosted page.

    `institution` is an id or a slug; without it the customer chooses among the banks of `countries`. In update mode
    only `connection`, `purpose`, `recurring`, `return_url`, `locale` and `metadata` can be given. The page returns to
    `return_url` with `link_session` and `status` in the query; without it the customer ends on a page of ours.
    """

    mode = EnumField([mode.value for mode in Mode], required=False)
    institution = TextField(max_length=100, required=False)
    connection = TextField(max_length=100, required=False)
    client_reference_id = TextField(max_length=200, required=False)
    permissions = ListField(child=EnumField(list(PERMISSIONS)), required=False, min_length=1)
    countries = ListField(child=EnumField(list(COUNTRIES)), required=False, min_length=1)
    history_days = IntegerField(required=False, min_value=1, max_value=HISTORY_DAYS_MAX)
    purpose = TextField(max_length=300, required=False)
    recurring = BooleanField(required=False)
    return_url = UrlField(required=False)
    locale = EnumField(LOCALES, required=False)
    metadata = MetadataField()


class LinkSessionFilters(ListFilters):
    """Which sessions to list."""

    connection = IdField("conn", required=False)
    status = EnumField([status.value for status in Status], required=False)
    client_reference_id = TextField(max_length=200, required=False)
    created = TimeRangeField(required=False)


class LinkSessionViewSet(ApiViewSet):
    scope_resource = "link_sessions"
    id_prefix = "lks"

    @operation(
        LinkSessionOut,
        input=LinkSessionCreateIn,
        errors=(
            MissingParameterTarget, errors.InstitutionUnavailable, errors.ConnectionNotRepairable, RedirectRefused,
        ),
    )  # fmt: skip
    def create(self, request: Request) -> HttpResponse:
        """Create a link session

        Send the customer to its `url`. Nothing is asked of a bank before they agree there.
        """
        given = self.input(LinkSessionCreateIn)
        return self.local(lambda caller: link_sessions.create(caller, **given))

    @operation(LinkSessionOut, lists=True, input=LinkSessionFilters)
    def list(self, request: Request) -> HttpResponse:
        """List link sessions, newest first"""
        page, filters = self.page(LinkSessionFilters)
        return self.list_of(lambda caller: selectors.page(caller, page, **filters), shape=LinkSessionOut)

    @operation(LinkSessionOut, errors=(ResourceMissing,))
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """Retrieve a link session"""
        self.input(NoInput)
        return self.read(lambda caller: selectors.get(caller, pk))

    @action(detail=True, methods=["post"])
    @operation(LinkSessionOut, errors=(ResourceMissing, errors.LinkSessionNotOpen, LockTimeout))
    def cancel(self, request: Request, pk: str) -> HttpResponse:
        """Cancel a link session

        The page does nothing any more. What the customer agreed to at their bank is given back.
        """
        self.input(NoInput)
        return self.local(lambda caller: link_sessions.cancel(caller, session_id=pk))
