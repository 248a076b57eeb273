"""Secrets are shown and made under a fresh proof; whoever is asked comes back to where they were."""

from __future__ import annotations

import time
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from connect.domain import proofs
from connect.kit import clock, ids, valkey
from connect.models import ApiKey, WebhookEndpoint
from tests.login.conftest import PASSWORD, set_up_app, sign_in, totp

NEW_KEY = reverse("dashboard:api_key_new", args=["acme", "test"])
KEY_FORM = {"name": "From a page", "access": "full", "expires": "0"}


@pytest.fixture
def pages(person):
    client = Client()
    sign_in(client, person(role="owner").email)
    return client


def grow_old(client, seconds):
    """As if the last proof had been given so long ago."""
    session = client.session
    session[proofs.KEY] = time.time() - seconds
    session["account_authentication_methods"] = []
    session.save()


def guarded(caller, person):
    """Every form that makes or ends a secret, or lets somebody else in, by name."""
    from connect.kit.tenancy import use_environment
    from connect.services import webhook_endpoints
    from tests.oauth.tokens import register

    key = ids.encode("key", ApiKey.objects.filter(environment__id=caller.environment.id).earliest("id").id)
    with use_environment(caller.environment):
        made = webhook_endpoints.create(caller, url="https://shop.example.com/hooks", enabled_events=["*"])
    at, app = ["acme", "test"], register(caller)
    member = ids.encode("mem", person("colleague@shop.example", "analyst").memberships.get().pk)
    asked = {
        "response_type": "code", "client_id": app.id, "redirect_uri": app.redirect_uris[0], "scope": "customers:read",
        "state": "s", "code_challenge": "c" * 43, "code_challenge_method": "S256",
    }  # fmt: skip
    return {
        "api_key_new": NEW_KEY,
        "api_key_roll": reverse("dashboard:api_key_roll", args=[*at, key]),
        "api_key_revoke": reverse("dashboard:api_key_revoke", args=[*at, key]),
        "webhook_endpoint_new": reverse("dashboard:webhook_endpoint_new", args=at),
        "webhook_endpoint_rotate": reverse("dashboard:webhook_endpoint_rotate", args=[*at, made.id]),
        "api_client_new": reverse("dashboard:api_client_new", args=at),
        "api_client_edit": reverse("dashboard:api_client_edit", args=[*at, app.id]),
        "api_client_roll": reverse("dashboard:api_client_roll", args=[*at, app.id]),
        "invitation_new": reverse("dashboard:invitation_new", args=at),
        "member_role": reverse("dashboard:member_role", args=[*at, member]),
        "ownership_transfer": reverse("dashboard:ownership_transfer", args=at),
        "settings_second_factor": reverse("dashboard:settings_second_factor", args=at),
        "authorize": "/oauth/authorize?" + urlencode(asked),
    }


def test_a_sign_in_is_a_proof_for_ten_minutes(pages):
    assert pages.get(NEW_KEY).status_code == 200
    grow_old(pages, proofs.FRESH_SECONDS - 5)
    assert pages.get(NEW_KEY).status_code == 200
    grow_old(pages, proofs.FRESH_SECONDS + 5)
    assert pages.get(NEW_KEY).status_code == 302


def test_every_form_with_a_secret_asks_first_and_leads_back(pages, caller, person):
    for name, form in guarded(caller, person).items():
        valkey.client().flushdb()  # so many proofs in one minute would be too many
        path = form + ("&" if "?" in form else "?") + "from=here"
        grow_old(pages, proofs.FRESH_SECONDS + 5)
        asked = pages.get(path)
        assert asked.status_code == 302, name
        assert parse_qs(urlsplit(asked["Location"]).query) == {"next": [path]}
        question = pages.get(asked["Location"]).content.decode()
        assert f'value="{escape(path)}"' in question
        answered = pages.post(asked["Location"], {"password": PASSWORD})
        assert (answered.status_code, answered["Location"]) == (302, path), name
        assert pages.get(path).status_code == 200, name
        grow_old(pages, proofs.SENDING_SECONDS + 5)
        late = pages.post(path, {"decision": "allow"})
        assert urlsplit(late["Location"]).path == "/accounts/reauthenticate/", name


def test_the_one_click_key_is_none_for_a_session_that_was_left_open(pages):
    before, path = ApiKey.objects.count(), reverse("dashboard:first_key", args=["acme", "test"])
    grow_old(pages, proofs.SENDING_SECONDS + 5)
    late = pages.post(path, {"idempotency_key": "0123456789abcdef" * 2})
    assert late["Location"] == NEW_KEY, "the form that asks who it is"
    assert ApiKey.objects.count() == before
    grow_old(pages, proofs.FRESH_SECONDS + 5)
    assert "fc_test_" in pages.post(path, {"idempotency_key": "0123456789abcdef" * 2}).content.decode()


def test_an_app_gets_no_data_from_a_session_that_was_left_open(pages, caller, person, environment):
    """What an app may do a key may do, so it takes the same proof; saying who one is, or refusing, takes none."""
    from connect.models import OAuthDeviceGrant, UserConsent

    address = guarded(caller, person)["authorize"]
    device = OAuthDeviceGrant.objects.create(
        client_id=parse_qs(urlsplit(address).query)["client_id"][0], device_code="d", user_code="BCDFGHJK",
        scope="customers:read", expires=clock.wall() + timedelta(minutes=5),
    )  # fmt: skip
    allow = {"decision": "allow", "environment": str(environment.id), "user_code": "BCDFGHJK"}
    grow_old(pages, proofs.SENDING_SECONDS + 5)
    late = pages.post(address, allow, follow=True)
    assert "Nothing was changed" in late.content.decode()
    typed = "/oauth/device?user_code=BCDF-GHJK"
    for answer in (pages.get(typed), pages.post("/oauth/device", allow)):
        assert parse_qs(urlsplit(answer["Location"]).query) == {"next": [typed]}
    device.refresh_from_db()
    assert device.status == OAuthDeviceGrant.AUTHORIZATION_PENDING
    assert not UserConsent.objects.exists()

    assert "error=access_denied" in pages.post(address, {"decision": "deny"})["Location"]
    identity = address.replace("customers%3Aread", "openid")
    assert pages.get(identity).status_code == 200
    assert "code=" in pages.post(identity, allow)["Location"]


def test_a_form_opened_in_time_may_be_sent_later_and_a_very_late_one_changes_nothing(pages):
    before = ApiKey.objects.count()
    grow_old(pages, proofs.FRESH_SECONDS + 60)
    assert pages.post(NEW_KEY, KEY_FORM).status_code == 200  # what was typed is not lost
    assert ApiKey.objects.count() == before + 1
    grow_old(pages, proofs.SENDING_SECONDS + 5)
    late = pages.post(NEW_KEY, KEY_FORM, follow=True)
    assert late.redirect_chain[0][0] == f"/accounts/reauthenticate/?next={NEW_KEY.replace('/', '%2F')}"
    assert "Nothing was changed" in late.content.decode()
    assert ApiKey.objects.count() == before + 1


def test_a_partial_request_is_led_as_a_whole(pages):
    grow_old(pages, proofs.FRESH_SECONDS + 5)
    answer = pages.get(NEW_KEY, headers={"HX-Request": "true"})
    assert answer["HX-Redirect"].startswith("/accounts/reauthenticate/")


def test_a_wrong_password_is_no_proof(pages):
    grow_old(pages, proofs.FRESH_SECONDS + 5)
    assert pages.post(f"/accounts/reauthenticate/?next={NEW_KEY}", {"password": "wrong wrong"}).status_code == 200
    assert pages.get(NEW_KEY).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_a_code_is_a_proof_once(pages, monkeypatch):
    secret, _ = set_up_app(pages)
    later = time.time() + 90
    monkeypatch.setattr("allauth.mfa.totp.internal.auth.time.time", lambda: later)
    code = totp(secret, at=later)
    grow_old(pages, proofs.SENDING_SECONDS)
    assert pages.post(f"/accounts/2fa/reauthenticate/?next={NEW_KEY}", {"code": code}).status_code == 302
    assert pages.post(f"/accounts/2fa/reauthenticate/?next={NEW_KEY}", {"code": code}).status_code == 200


def test_the_proof_of_the_future_is_none(pages):
    grow_old(pages, -60)
    assert pages.get(NEW_KEY).status_code == 302


def test_only_who_may_come_in_is_asked(person):
    analyst = Client()
    sign_in(analyst, person("analyst@shop.example", "analyst").email)
    grow_old(analyst, proofs.FRESH_SECONDS + 5)
    assert analyst.get(NEW_KEY).status_code == 403
    stranger = Client()
    sign_in(stranger, person("stranger@shop.example").email)
    grow_old(stranger, proofs.FRESH_SECONDS + 5)
    assert stranger.get(NEW_KEY).status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/accounts/2fa/totp/activate/", "/accounts/2fa/webauthn/add/", "/accounts/2fa/recovery-codes/generate/"],
)
def test_second_factors_ask_by_the_same_clock(pages, path):
    assert pages.get(path).status_code == 200
    grow_old(pages, proofs.FRESH_SECONDS + 5)
    answer = pages.get(path)
    assert (answer.status_code, urlsplit(answer["Location"]).path) == (302, "/accounts/reauthenticate/")


def test_a_new_address_waits_for_the_proof_and_is_not_typed_twice(pages):
    grow_old(pages, proofs.SENDING_SECONDS + 5)
    asked = pages.post("/accounts/email/", {"email": "new@shop.example", "action_add": "1"})
    assert urlsplit(asked["Location"]).path == "/accounts/reauthenticate/"
    assert "new@shop.example" not in pages.get("/accounts/email/").content.decode()
    pages.post(asked["Location"], {"password": PASSWORD})
    assert "new@shop.example" in pages.get("/accounts/email/").content.decode()


def test_webhook_secrets_are_untouched_by_a_late_form(pages, caller, opened):
    from connect.services import webhook_endpoints

    made = webhook_endpoints.create(caller, url="https://shop.example.com/hooks", enabled_events=["*"])
    row = WebhookEndpoint.objects.get()
    before = bytes(row.secret)
    grow_old(pages, proofs.SENDING_SECONDS + 5)
    path = reverse("dashboard:webhook_endpoint_rotate", args=["acme", "test", made.id])
    assert pages.post(path, {"overlap": "3600", "idempotency_key": "0123456789abcdef" * 2}).status_code == 302
    row.refresh_from_db()
    assert bytes(row.secret) == before
