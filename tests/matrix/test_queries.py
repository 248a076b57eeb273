"""What a page asks of the database: twelve queries at most, with something on it, for whoever sees the most."""

from __future__ import annotations

from typing import Any, Final

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from connect.models import User
from tests.matrix.test_pages import PAGES, address  # noqa: F401  the fixture that makes what a page names

QUERIES_MAX: Final = 12
_NOT_THE_PAGES: Final = (
    "SAVEPOINT",
    "RELEASE SAVEPOINT",
    "ROLLBACK TO SAVEPOINT",
    "SET LOCAL",
    "SELECT max(frozen_time)",
)
"""What a test case sends besides: its savepoints, and one by one what travels in the same query as BEGIN otherwise."""


@pytest.mark.parametrize("name", sorted(name for name, page in PAGES.items() if "GET" in page.methods))
def test_a_page_asks_twelve_times_at_most(name: str, address: Any) -> None:  # noqa: F811
    path = address(name)
    owner = Client()
    owner.force_login(User.objects.get(email="owner@acme.example"))
    owner.get(path)  # what a process looks up once is known from here on
    with CaptureQueriesContext(connection) as captured:
        assert owner.get(path).status_code == 200
    asked = [query["sql"] for query in captured if not query["sql"].startswith(_NOT_THE_PAGES)]
    # BEGIN with the search path and the environment's clock is one query more.
    assert len(asked) + 1 <= QUERIES_MAX, "\n".join(sql[:160] for sql in asked)
