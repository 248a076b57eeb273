"""A page that fails: 503 while a server is away, 500 for a fault of ours; both drawn without database or Valkey."""

from __future__ import annotations

import pytest
from django.db import InterfaceError, OperationalError
from django.test import RequestFactory

from connect.kit.valkey import ValkeyError
from dashboard.pages import failures
from tests.hardening import html


def answer(error):
    try:
        raise error
    except Exception:
        return failures.failed(RequestFactory().get("/"))


@pytest.mark.parametrize("error", [ValkeyError("away"), OperationalError("away"), InterfaceError("closed")])
def test_a_server_that_is_away_is_no_fault_of_the_page(error):
    told = answer(error)
    assert (told.status_code, told["Retry-After"]) == (503, "5")
    assert html.faults(told.content.decode(), language="en") == []
    assert "away" not in told.content.decode()


def test_a_fault_of_ours_is_one():
    told = answer(ZeroDivisionError("secret words"))
    assert told.status_code == 500
    assert html.faults(told.content.decode(), language="en") == []
    assert "secret words" not in told.content.decode()
