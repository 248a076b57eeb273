"""When a browser was last seen is noted once a minute, and at once when it comes from elsewhere."""

import pytest
from allauth.usersessions.models import UserSession
from django.urls import reverse

from connect.kit import valkey

HOME = "/o/acme/test/"


@pytest.fixture
def seen(pages):
    """`seen()` opens a page and answers how often the session was noted meanwhile."""

    def visit(**headers):
        before = {row.pk: row.last_seen_at for row in UserSession.objects.all()}
        assert pages.get(HOME, headers=headers).status_code == 200
        return sum(before.get(row.pk) != row.last_seen_at for row in UserSession.objects.all())

    return visit


def test_a_session_is_noted_at_first_and_not_again_within_the_minute(seen):
    assert [seen(), seen(), seen()] == [1, 0, 0]
    valkey.client().flushdb()  # as if the minute were over
    assert seen() == 1


def test_another_browser_is_noted_at_once(seen):
    assert [seen(user_agent="One"), seen(user_agent="One"), seen(user_agent="Two")] == [1, 0, 1]
    assert UserSession.objects.get().user_agent == "Two"


def test_without_valkey_every_page_is_noted(seen, monkeypatch):
    def away():
        raise valkey.ValkeyError

    seen()
    monkeypatch.setattr("connect.pages.session_activity.valkey.client", away)
    assert [seen(), seen()] == [1, 1]


def test_nobody_is_not_noted(client, db):
    assert client.get(reverse("account_login")).status_code == 200
    assert UserSession.objects.count() == 0
