"""`/v1/ledger/holds`."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from rest_framework.decorators import action
from rest_framework.request import Request

from connect.api.fields import (
    BooleanField,
    CurrencyField,
    EnumField,
    IdField,
    MetadataField,
    MinorUnitsField,
    TextField,
    UnixTimeField,
)
from connect.api.openapi import operation
from connect.api.serializers import InputSerializer, ListFilters, NoInput
from connect.api.views import ApiViewSet
from connect.kit.caller import Caller
from connect.kit.errors import MissingParameterTarget, ParameterInvalid, ResourceMissing
from connect.kit.pages import Page, require_cursor
from ledger.api.shared import account_name, identifier, owner_of, text
from ledger.domain import errors
from ledger.selectors import holds as selectors
from ledger.services import self_service
from ledger.shapes.holds import LedgerHoldOut, render

RESOURCE = "ledger.hold"


class HoldCreateIn(InputSerializer):
    """Money to set aside, debited from `source` and credited to `destination` when captured: paths or ids."""

    source = account_name()  # type: ignore[assignment]  # DRF collects declared fields before `source` means anything
    destination = account_name()
    amount = MinorUnitsField(min_value=1)
    currency = CurrencyField()
    expires_at = UnixTimeField(required=False)
    description = text(1000)
    reference = text(255)
    metadata = MetadataField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["source"] == attrs["destination"]:
            raise ParameterInvalid("A hold moves money between two different accounts.", param="destination")
        return attrs


class HoldCaptureIn(InputSerializer):
    """What to post of a hold: all that is left unless `amount` is given. `final` (true) releases the rest."""

    amount = MinorUnitsField(min_value=1, required=False)
    final = BooleanField(required=False)


class HoldFilters(ListFilters):
    """Which holds to list; `account` matches either side."""

    account = IdField("lacct", required=False, source="account_id")
    reference = TextField(max_length=255, required=False)
    status = EnumField(["pending", "posted", "voided"], required=False, source="state")


def _page(caller: Caller, page: Page, filters: dict[str, Any]) -> tuple[list[LedgerHoldOut], bool]:
    owner = owner_of(caller)
    require_cursor(page, "lhold", lambda cursor: selectors.get(cursor, owner=owner) is not None)
    rows, more = selectors.page(page, owner=owner, **filters)
    return [render(row, livemode=caller.livemode) for row in rows], more


def _get(caller: Caller, pk: str) -> LedgerHoldOut:
    found = selectors.get(identifier("lhold", RESOURCE, pk), owner=owner_of(caller))
    if found is None:
        raise ResourceMissing(resource=RESOURCE, id=pk)
    return render(found, livemode=caller.livemode)


class LedgerHoldViewSet(ApiViewSet):
    scope_resource = "ledger"
    id_prefix = "lhold"

    @operation(
        LedgerHoldOut,
        input=HoldCreateIn,
        errors=(
            errors.InsufficientFunds, errors.CurrencyMismatch, errors.AccountClosed, errors.PathReserved,
            errors.DuplicateTransaction, MissingParameterTarget,
        ),
    )  # fmt: skip
    def create(self, request: Request) -> HttpResponse:
        """Place a hold

        The amount counts against the source's floor at once; nothing is posted until the hold is captured.
        """
        given = self.input(HoldCreateIn)
        return self.local(lambda caller: render(self_service.place_hold(caller, **given), livemode=caller.livemode))

    @operation(LedgerHoldOut, lists=True, input=HoldFilters)
    def list(self, request: Request) -> HttpResponse:
        """List holds, newest first"""
        page, filters = self.page(HoldFilters)
        return self.list_of(lambda caller: _page(caller, page, filters), shape=LedgerHoldOut)

    @operation(LedgerHoldOut, errors=(ResourceMissing,))
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """Retrieve a hold"""
        self.input(NoInput)
        return self.read(lambda caller: _get(caller, pk))

    @action(detail=True, methods=["post"])
    @operation(
        LedgerHoldOut,
        input=HoldCaptureIn,
        errors=(
            ResourceMissing, errors.HoldNotPending, errors.HoldExceeded, errors.HoldExpired, errors.InsufficientFunds,
            errors.PathReserved,
        ),
    )  # fmt: skip
    def capture(self, request: Request, pk: str) -> HttpResponse:
        """Capture a hold, whole or in part"""
        given = self.input(HoldCaptureIn)
        hold_id = identifier("lhold", RESOURCE, pk)
        return self.local(
            lambda caller: render(self_service.capture_hold(caller, hold_id=hold_id, **given), livemode=caller.livemode)
        )

    @action(detail=True, methods=["post"])
    @operation(LedgerHoldOut, errors=(ResourceMissing, errors.HoldNotPending, errors.PathReserved))
    def void(self, request: Request, pk: str) -> HttpResponse:
        """Void a hold: release what is left of it"""
        self.input(NoInput)
        hold_id = identifier("lhold", RESOURCE, pk)
        return self.local(
            lambda caller: render(self_service.void_hold(caller, hold_id=hold_id), livemode=caller.livemode)
        )
