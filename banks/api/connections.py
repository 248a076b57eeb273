"""`/v1/banking/connections`: customers' consents, from the exchange of the public token to their end."""

from __future__ import annotations

from django.http import HttpResponse
from rest_framework.decorators import action
from rest_framework.request import Request

from banks.domain import errors
from banks.domain.connection_state import VISIBLE
from banks.selectors import connections as selectors
from banks.services import connections, link_tokens, syncs
from banks.shapes.connections import ConnectionOut, DeletedConnectionOut
from connect.api.fields import EnumField, MetadataField, TextField, TimeRangeField
from connect.api.openapi import operation
from connect.api.serializers import InputSerializer, ListFilters, NoInput
from connect.api.views import ApiViewSet
from connect.kit.errors import MissingParameterTarget, ResourceMissing


class ConnectionCreateIn(InputSerializer):
    """`public_token` is that of a completed link session. It can be exchanged once, within 30 minutes."""

    public_token = TextField(max_length=200)


class ConnectionUpdateIn(InputSerializer):
    """What an app notes at a connection."""

    client_reference_id = TextField(max_length=200, required=False, allow_null=True)
    metadata = MetadataField()


class ConnectionFilters(ListFilters):
    """Which connections to list. `institution` is an id or a slug; `client_reference_id` is compared exactly."""

    institution = TextField(max_length=100, required=False)
    status = EnumField([status.value for status in VISIBLE], required=False)
    client_reference_id = TextField(max_length=200, required=False)
    created = TimeRangeField(required=False)


class ConnectionViewSet(ApiViewSet):
    scope_resource = "connections"
    id_prefix = "conn"

    @operation(ConnectionOut, input=ConnectionCreateIn, errors=(errors.PublicTokenInvalid, errors.PublicTokenExchanged))
    def create(self, request: Request) -> HttpResponse:
        """Exchange a public token for a connection

        The bank is being read since the customer came back from it: `as_of` is set once that is done.
        """
        given = self.input(ConnectionCreateIn)
        return self.local(lambda caller: link_tokens.exchange(caller, **given))

    @operation(ConnectionOut, lists=True, input=ConnectionFilters, errors=(MissingParameterTarget,))
    def list(self, request: Request) -> HttpResponse:
        """List connections, newest first

        Removed ones are left out.
        """
        page, filters = self.page(ConnectionFilters)
        return self.list_of(lambda caller: selectors.page(caller, page, **filters), shape=ConnectionOut)

    @operation(ConnectionOut | DeletedConnectionOut, errors=(ResourceMissing,))
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """Retrieve a connection"""
        self.input(NoInput)
        return self.read(lambda caller: selectors.get(caller, pk))

    @operation(ConnectionOut, input=ConnectionUpdateIn, errors=(ResourceMissing,))
    def update(self, request: Request, pk: str) -> HttpResponse:
        """Update a connection"""
        given = self.input(ConnectionUpdateIn)
        return self.local(lambda caller: connections.update(caller, pk, **given))

    @operation(DeletedConnectionOut, errors=(ResourceMissing,))
    def destroy(self, request: Request, pk: str) -> HttpResponse:
        """Remove a connection

        The consent is given back to the bank, and its accounts and transactions are no longer answered.
        """
        self.input(NoInput)
        return self.local(lambda caller: connections.remove(caller, pk))

    @action(detail=True, methods=["post"])
    @operation(ConnectionOut, errors=(ResourceMissing,))
    def refresh(self, request: Request, pk: str) -> HttpResponse:
        """Ask for a connection to be read again soon

        The answer is the connection as it is now: the bank is read afterwards, when its daily limit allows. What came
        of it is told by `banking.connection.transactions_updated`, or by the connection's own `as_of` and `error`. One
        that needs its customer is not read before they were sent a link session in update mode.
        """
        self.input(NoInput)
        return self.local(lambda caller: syncs.request(caller, pk))
