"""Sealed handles open only where they belong."""

from __future__ import annotations

import pytest

from banks.services import handles
from connect.kit import ids, secretbox
from connect.kit.caller import Caller

HANDLE = {"consent_id": "c-1", "authorisation": "/v1/x"}
TABLE, COLUMN = "banks_connection", "handle_sealed"


def test_a_handle_opens_for_its_row_alone(caller, environments):
    row = ids.new()
    sealed = handles.seal(caller, TABLE, COLUMN, row, HANDLE)
    assert b"c-1" not in sealed
    assert handles.open(caller, TABLE, COLUMN, row, sealed) == HANDLE
    other = Caller.system(environments["other/test"], "tests")
    for place in ((caller, TABLE, COLUMN, ids.new()), (caller, "banks_payment", COLUMN, row),
                  (caller, TABLE, "other", row), (other, TABLE, COLUMN, row)):  # fmt: skip
        with pytest.raises(secretbox.SealBroken):
            handles.open(*place, sealed)
