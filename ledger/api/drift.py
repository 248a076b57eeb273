"""`/v1/ledger/drift`."""

from __future__ import annotations

from django.http import HttpResponse
from rest_framework.request import Request

from connect.api.openapi import operation
from connect.api.serializers import NoInput
from connect.api.views import ApiViewSet
from ledger.selectors import drift
from ledger.shapes.drift import LedgerDriftOut, render


class LedgerDriftViewSet(ApiViewSet):
    scope_resource = "ledger"

    @operation(LedgerDriftOut)
    def retrieve(self, request: Request) -> HttpResponse:
        """Compare the ledger with itself

        Every balance against the sum of its entries, held amounts against open holds, every sum against zero. It reads
        all rows of the environment.
        """
        self.input(NoInput)
        return self.read(lambda caller: render(drift.report(), livemode=caller.livemode, at=caller.clock.wall()))
