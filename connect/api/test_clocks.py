"""`/v1/test_helpers/test_clocks`: time under control, in test environments."""

from __future__ import annotations

from django.http import HttpResponse
from rest_framework.decorators import action
from rest_framework.request import Request

from connect.api.fields import EnumField, TextField, UnixTimeField
from connect.api.openapi import operation
from connect.api.serializers import InputSerializer, NoInput
from connect.api.views import ApiViewSet
from connect.domain import errors
from connect.kit.errors import LockTimeout, ResourceMissing
from connect.selectors import test_clocks as selectors
from connect.services import test_clocks
from connect.shapes.test_clocks import PREFIX, DeletedTestClockOut, TestClockOut


class TestClockCreateIn(InputSerializer):
    """`frozen_time` in unix seconds. `applies_to=environment` is for everything that has no clock of its own."""

    __test__ = False

    frozen_time = UnixTimeField()
    name = TextField(max_length=300, required=False, allow_null=True)
    applies_to = EnumField(["customers", "environment"], required=False)


class TestClockAdvanceIn(InputSerializer):
    """Where to, in unix seconds."""

    __test__ = False

    frozen_time = UnixTimeField()


class TestClockViewSet(ApiViewSet):
    __test__ = False
    scope_resource = "test_clocks"
    id_prefix = PREFIX

    @operation(TestClockOut, input=TestClockCreateIn, errors=(errors.ClocksInLive, errors.EnvironmentClockExists))
    def create(self, request: Request) -> HttpResponse:
        """Create a test clock

        Customers made with it live by its time, and so does everything that is theirs.
        """
        given = self.input(TestClockCreateIn)
        return self.local(lambda caller: test_clocks.create(caller, **given))

    @operation(TestClockOut, lists=True)
    def list(self, request: Request) -> HttpResponse:
        """List test clocks, newest first"""
        page, _ = self.page()
        return self.list_of(lambda caller: selectors.page(caller, page), shape=TestClockOut)

    @operation(TestClockOut, errors=(ResourceMissing,))
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """Retrieve a test clock"""
        self.input(NoInput)
        return self.read(lambda caller: selectors.get(caller, pk))

    @operation(DeletedTestClockOut, errors=(ResourceMissing,))
    def destroy(self, request: Request, pk: str) -> HttpResponse:
        """Delete a test clock

        Its customers are deleted with it; what they paid stays.
        """
        self.input(NoInput)
        return self.local(lambda caller: test_clocks.delete(caller, clock_id=pk))

    @action(detail=True, methods=["post"])
    @operation(TestClockOut, input=TestClockAdvanceIn, errors=(ResourceMissing, LockTimeout))
    def advance(self, request: Request, pk: str) -> HttpResponse:
        """Advance a test clock

        What becomes due on the way happens in order, each thing at its own moment. The answer comes when that is done;
        if it takes long the clock is still `advancing`, and goes on in the background.
        """
        given = self.input(TestClockAdvanceIn)
        return self.external(
            begin=lambda caller: test_clocks.begin_advance(caller, clock_id=pk, **given),
            resume=test_clocks.resume,
            call=test_clocks.advance,
            record=test_clocks.shown,
        )
