"""A session's last use is noted once a minute, and a change of place or browser at once."""

from __future__ import annotations

import pytest
from allauth.usersessions.models import UserSession
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from connect.models import User
from dashboard import session_activity

PAGE = "/organizations/new"


@pytest.fixture
def client(db):
    session_activity.forget()
    client = Client(headers={"user-agent": "One"})
    client.force_login(User.objects.get(email="owner@acme.example"))
    return client


def notes(client, **headers):
    """How many statements about sessions of people a page costs."""
    with CaptureQueriesContext(connection) as asked:
        assert client.get(PAGE, headers=headers).status_code == 200
    return sum("usersessions_usersession" in entry["sql"] for entry in asked)


def test_one_note_a_minute(client, monkeypatch):
    assert notes(client) > 0
    assert notes(client) == 0
    now = session_activity.time.monotonic()
    monkeypatch.setattr(session_activity.time, "monotonic", lambda: now + session_activity.EVERY_SECONDS)
    assert notes(client) > 0


def test_another_browser_is_noted_at_once(client):
    notes(client)
    assert notes(client, **{"user-agent": "Two"}) > 0
    assert UserSession.objects.get().user_agent == "Two"


def test_memory_is_bounded(client, monkeypatch):
    monkeypatch.setattr(session_activity, "_ENTRIES_MAX", 3)
    for number in range(10):
        notes(client, **{"user-agent": str(number)})
    assert len(session_activity._noted) <= 3


def test_nobody_is_noted(db):
    session_activity.forget()
    Client().get("/accounts/login/")
    assert not UserSession.objects.exists()
