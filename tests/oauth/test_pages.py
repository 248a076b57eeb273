"""The edges of the pages and endpoints: who is asked to sign in, what a form may do, what is counted."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client

from connect.domain import oauth, proofs, tiers
from connect.kit.caller import Actor
from connect.models import OAuthDeviceGrant, OAuthGrant, User, UserConsent
from connect.services import api_clients, app_reviews
from tests.oauth.tokens import register

URI = "https://app.example.com/callback"


@pytest.fixture
def app(caller):
    return register(caller)


@pytest.fixture
def person(db):
    return User.objects.get(email="owner@acme.example")


@pytest.fixture
def browser(client, person):
    client.force_login(person)
    return client


def address(app, **changed):
    fields = {
        "response_type": "code", "client_id": app.id, "redirect_uri": URI, "scope": "openid customers:read",
        "state": "s", "code_challenge": "c" * 43, "code_challenge_method": "S256", **changed,
    }  # fmt: skip
    return "/oauth/authorize?" + urlencode(fields)


def told(answer):
    assert answer.status_code == 302, answer.content
    return {name: values[0] for name, values in parse_qs(urlsplit(answer["Location"]).query).items()}


def test_nobody_decides_without_signing_in(client, app):
    answer = client.get(address(app))
    assert answer["Location"].startswith("/accounts/login/?next=/oauth/authorize")
    assert client.post(address(app), {"decision": "allow"})["Location"].startswith("/accounts/login/")
    assert client.get("/oauth/device")["Location"].startswith("/accounts/login/")


def test_prompt_says_what_the_app_wants_of_the_person(client, app, person):
    silent = told(client.get(address(app, prompt="none")))
    assert (silent["error"], silent["state"]) == ("login_required", "s")
    assert silent["iss"] == "http://127.0.0.1:8000"
    client.force_login(person)
    assert told(client.get(address(app, prompt="none")))["error"] == "consent_required"
    again = client.get(address(app, prompt="login"))
    assert again["Location"].startswith("/accounts/reauthenticate/?next=%2Foauth%2Fauthorize")
    assert "prompt" not in again["Location"]


def test_max_age_and_auth_time_tell_of_this_browser(browser, person, caller, environment):
    """A person who signs in elsewhere makes a session that was left open no fresher."""
    app, verifier = register(caller, is_public=True, grant_types=[oauth.CODE]), "v" * 43
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    asked = {"scope": "openid", "code_challenge": challenge}
    session, proved_at = browser.session, int(time.time()) - 3600
    session[proofs.KEY] = proved_at
    session.save()
    Client().force_login(person)
    for wrong in ("3000", "0"):
        answer = browser.get(address(app, max_age=wrong, **asked))
        assert answer["Location"].startswith("/accounts/reauthenticate/?next=%2Foauth%2Fauthorize")
        assert f"max_age%3D{wrong}" in answer["Location"]
    assert browser.get(address(app, max_age="4000", **asked)).status_code == 200
    assert told(browser.get(address(app, max_age="soon", **asked)))["error"] == "invalid_request"

    form = {"decision": "allow", "environment": str(environment.id)}
    code = told(browser.post(address(app, auth_time=str(int(time.time())), **asked), form))["code"]
    sent = urlencode({
        "grant_type": "authorization_code", "client_id": app.id, "code": code, "code_verifier": verifier, "redirect_uri": URI,
    })  # fmt: skip
    answer = browser.post("/oauth/token", sent, content_type="application/x-www-form-urlencoded").json()
    body = answer["id_token"].split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(body + "=="))["auth_time"] == proved_at


def test_the_page_names_everything_that_is_decided(browser, app):
    page = browser.get(address(app, scope="openid customers:read payments:write"))
    text = page.content.decode()
    for words in ("Ledger Lens", "Not verified", "An app by Acme", "Acme · Test", "Know that it is you", "See customers",
                  "Create, confirm, capture and cancel payments", "you go back to app.example.com"):  # fmt: skip
        assert words in text.replace("\n", " "), words
    policy = page["Content-Security-Policy"]
    assert "form-action 'self' https://app.example.com;" in policy + ";"
    assert "frame-ancestors 'none'" in policy
    assert "no-store" in page["Cache-Control"]


def test_a_forged_decision_is_refused(person, app, environment):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(person)
    form = {"decision": "allow", "environment": str(environment.id)}
    assert browser.post(address(app), form).status_code == 403
    assert UserConsent.objects.count() == OAuthGrant.objects.count() == 0


def test_a_decision_for_no_environment_or_anothers_asks_again(browser, app, environments):
    for chosen in ("", "nonsense", str(environments["other/test"].id), str(environments["acme/live"].id)):
        answer = browser.post(address(app), {"decision": "allow", "environment": chosen})
        assert answer.status_code == 422
        assert "Choose one of the environments" in answer.content.decode()
    assert UserConsent.objects.count() == OAuthGrant.objects.count() == 0


def test_the_form_cannot_widen_what_the_address_asks_for(browser, app, environment):
    form = {"decision": "allow", "environment": str(environment.id), "standing": "x", "consent": "x"}
    told(browser.post(address(app, scope="customers:read"), form))
    assert OAuthGrant.objects.get().scope == "customers:read"
    assert UserConsent.objects.get().scopes == ["customers:read"]


def test_a_refusal_leaves_nothing(browser, app):
    assert told(browser.post(address(app), {"decision": "deny"}))["error"] == "access_denied"
    assert told(browser.post(address(app), {}))["error"] == "access_denied"
    assert UserConsent.objects.count() == OAuthGrant.objects.count() == 0


def test_nobody_can_let_a_suspended_app_in(browser, app):
    app_reviews.suspend(client_id=app.id, actor=Actor("user", "usr_staff"), reason="Complaints.")
    assert browser.get(address(app)).status_code == 400


def test_an_analyst_is_told_why_nothing_is_offered(browser, person, app):
    person.memberships.update(role="analyst")
    page = browser.get(address(app)).content.decode()
    assert "your role lets no app into one" in page.replace("\n", " ")
    assert 'value="allow"' not in page


def test_codes_of_devices_cannot_be_guessed_for_long(browser, db):
    answers = [browser.get("/oauth/device", {"user_code": "BCDFGHJK"}).status_code for _ in range(15)]
    assert answers[:10] == [404] * 10
    assert 429 in answers


def test_devices_are_not_begun_without_end(client, caller, monkeypatch):
    monkeypatch.setattr(tiers, "DEVICES", tiers.Rate(1 / 60, 3))
    public = register(caller, is_public=True, grant_types=[oauth.DEVICE])
    sent, form = f"client_id={public.id}", "application/x-www-form-urlencoded"
    answers = [client.post("/oauth/device_authorization", sent, content_type=form) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].json()["error"] == "temporarily_unavailable"
    assert int(answers[-1]["Retry-After"]) > 0
    assert OAuthDeviceGrant.objects.count() == 3


def test_a_devices_code_is_read_as_people_type_it(browser, app, environment):
    from datetime import timedelta

    from connect.kit import clock

    OAuthDeviceGrant.objects.create(
        client_id=app.id, device_code="d", user_code="BCDFGHJK", scope="customers:read",
        expires=clock.wall() + timedelta(minutes=5),
    )  # fmt: skip
    assert "BCDF-GHJK" in browser.get("/oauth/device", {"user_code": " bcdf ghjk "}).content.decode()
    form = {"user_code": "BCDF-GHJK", "decision": "allow", "environment": str(environment.id)}
    assert browser.post("/oauth/device", form)["Location"] == "/account/apps"
    row = OAuthDeviceGrant.objects.get()
    assert (row.status, row.environment_id) == ("authorized", environment.id)
    assert browser.post("/oauth/device", form).status_code == 404, "a code is decided once"


def test_endpoints_take_forms_by_post_only(client, app):
    for path in ("/oauth/token", "/oauth/revoke", "/oauth/introspect", "/oauth/device_authorization"):
        assert client.get(path).status_code == 405, path
    body = client.post("/oauth/token", {"grant_type": "client_credentials"}, content_type="application/json")
    assert body.status_code == 400
    assert client.post("/oauth/token", {}).json()["error"] == "unsupported_grant_type"
    assert client.post("/oauth/token", {"grant_type": "password", "client_id": app.id}).status_code in (400, 401)


def test_an_app_gets_in_only_by_the_ways_it_registered(client, caller):
    app, secret = api_clients.create(
        caller, name="Code only", redirect_uris=[URI], grant_types=[oauth.CODE], scopes=["customers:read"]
    )
    auth = {"client_id": app.id, "client_secret": secret}
    refused = client.post("/oauth/token", {"grant_type": "client_credentials", **auth}).json()
    assert refused["error"] == "unauthorized_client"
    device = client.post(
        "/oauth/device_authorization", urlencode(auth), content_type="application/x-www-form-urlencoded"
    )
    assert (device.status_code, device.json()["error"]) == (400, "unauthorized_client")
