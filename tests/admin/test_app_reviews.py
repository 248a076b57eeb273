"""Other companies' apps: verified, suspended and back again, each time with a reason in the organization's log."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from connect.domain.errors import AppNotVerifiable
from connect.kit import ids
from connect.kit.caller import Actor
from connect.kit.errors import ParameterInvalid, ResourceMissing
from connect.models import ApiClient, Organization, OrganizationAuditEntry
from connect.services import app_reviews

WHO = Actor("system", "tests")


@pytest.fixture
def app(db: None) -> ApiClient:
    """An app of Other."""
    return ApiClient.objects.create(
        name="Bookkeeper",
        organization=Organization.objects.get(slug="other"),
        client_type=ApiClient.CLIENT_CONFIDENTIAL,
        authorization_grant_type=ApiClient.GRANT_AUTHORIZATION_CODE,
        redirect_uris="https://books.example/back",
        client_secret="a secret that is hashed",
        scopes=["payments:read"],
    )


def page(app: ApiClient, action: str = "change") -> str:
    return f"/admin/connect/apiclient/{app.pk}/{action}/"


def standing(client: Client, app: ApiClient) -> tuple[str, set[str]]:
    """What the page says, and which decisions it offers."""
    text = client.get(page(app)).content.decode()
    offered = {name for name in ("verify", "withdraw", "suspend", "reinstate") if f'href="{page(app, name)}"' in text}
    app.refresh_from_db()
    state = "suspended" if app.suspended_at else "verified" if app.verified_at else "not verified"
    assert re.search(rf">\s*{state}\s*<", text)
    return state, offered


def test_an_app_is_verified_suspended_and_comes_back_verified(staff_client: Client, app: ApiClient) -> None:
    assert standing(staff_client, app) == ("not verified", {"verify", "suspend"})
    assert b"what you checked" in staff_client.get(page(app, "verify")).content
    for action, state, offered in (
        ("verify", "verified", {"withdraw", "suspend"}),
        ("suspend", "suspended", {"withdraw", "reinstate"}),
        ("reinstate", "verified", {"withdraw", "suspend"}),
        ("withdraw", "not verified", {"verify", "suspend"}),
    ):
        answer = staff_client.post(page(app, action), {"reason": f"{action}: looked at it"})
        assert answer["Location"] == page(app), action
        assert standing(staff_client, app) == (state, offered)
    noted = OrganizationAuditEntry.objects.filter(action__startswith="api_client.").order_by("id")
    assert [entry.action.partition(".")[2] for entry in noted] == [
        "verified", "suspended", "reinstated", "verification_withdrawn",
    ]  # fmt: skip
    for entry in noted:
        assert (entry.organization_id, entry.target) == (app.organization_id, app.client_id[:64])
        assert entry.data["name"] == "Bookkeeper"
        assert "looked at it" in entry.data["reason"]
        assert entry.actor_id.startswith("usr_")


@pytest.mark.parametrize("action", ["verify", "suspend"])
def test_no_decision_without_a_reason(staff_client: Client, app: ApiClient, action: str) -> None:
    assert staff_client.post(page(app, action), {"reason": " "}).status_code == 422
    app.refresh_from_db()
    assert (app.verified_at, app.suspended_at) == (None, None)
    with pytest.raises(ParameterInvalid, match="Say why"):
        app_reviews.suspend(client_id=app.client_id, actor=WHO, reason="x" * 301)


def test_decisions_need_their_permission(staff: Any, client: Client, app: ApiClient) -> None:
    client.force_login(staff("connect.view_apiclient"))
    assert standing(client, app) == ("not verified", set())
    for action in ("verify", "suspend", "withdraw", "reinstate"):
        assert client.post(page(app, action), {"reason": "I say so"}).status_code == 403
    app.refresh_from_db()
    assert (app.verified_at, app.suspended_at) == (None, None)


def test_a_suspended_app_is_not_verified_and_suspending_twice_is_once(app: ApiClient) -> None:
    app_reviews.suspend(client_id=app.client_id, actor=WHO, reason="Fraud")
    app.refresh_from_db()
    since = app.suspended_at
    app_reviews.suspend(client_id=app.client_id, actor=WHO, reason="Fraud")
    app.refresh_from_db()
    assert app.suspended_at == since
    with pytest.raises(AppNotVerifiable):
        app_reviews.verify(client_id=app.client_id, actor=WHO, reason="Known")
    with pytest.raises(ResourceMissing):
        app_reviews.verify(client_id="nobody", actor=WHO, reason="Known")
    assert OrganizationAuditEntry.objects.filter(action__startswith="api_client.").count() == 1


def test_apps_are_filtered_by_standing_and_found_by_organization(staff_client: Client, app: ApiClient) -> None:
    def found(**query: str) -> list[Any]:
        return list(staff_client.get("/admin/connect/apiclient/", query).context["cl"].result_list)

    assert found(standing="unverified") == [app]
    assert found(standing="verified") == found(standing="suspended") == []
    app_reviews.verify(client_id=app.client_id, actor=WHO, reason="Known")
    assert found(standing="verified") == [app]
    app_reviews.suspend(client_id=app.client_id, actor=WHO, reason="Fraud")
    assert found(standing="suspended") == [app]
    assert found(q=ids.encode("org", app.organization_id)) == [app]


def test_neither_hash_of_a_secret_is_shown(staff_client: Client, app: ApiClient) -> None:
    ApiClient.objects.filter(pk=app.pk).update(previous_secret="argon2$the-former-hash")
    app.refresh_from_db()
    for where in (page(app), "/admin/connect/apiclient/"):
        text = staff_client.get(where).content.decode()
        assert app.client_secret not in text
        assert "the-former-hash" not in text
        assert "a secret that is hashed" not in text


@pytest.mark.parametrize("address", ["nothing/change/", "nothing/verify/", "999999/suspend/"])
def test_an_address_of_nothing_is_no_fault(staff_client: Client, address: str) -> None:
    assert staff_client.get(f"/admin/connect/apiclient/{address}").status_code in {302, 403, 404}
