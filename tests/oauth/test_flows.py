"""Every flow with Authlib as the app, against a running server: what a developer's library does works."""

from __future__ import annotations

import importlib
import time
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from connect.domain import oauth
from connect.kit import ids
from tests.oauth.conftest import CALLBACK, asked, exchange, pkce, refresh, told

PROMISED_SECONDS = 5.0


def seconds_until_refused(server, token):
    """How long until twenty requests in a row, each on a connection of its own, are refused by whichever process."""
    began, refused = time.monotonic(), 0
    while refused < 20 and time.monotonic() < began + 4 * PROMISED_SECONDS:
        if refused == 0:
            first = time.monotonic()
        answer = server.request("GET", "/v1/customers", key=token)
        refused = refused + 1 if answer.status == 401 else 0
    assert refused == 20
    assert answer.json()["error"]["code"] == "access_token_invalid"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    return first - began


def warm(server, token):
    """Every process has seen the token and remembers it."""
    assert {server.request("GET", "/v1/customers", key=token).status for _ in range(20)} == {200}


def test_what_ends_is_dead_in_every_process_within_five_seconds(world, tokens_of, capsys):
    """Consent withdrawn, member removed: measured with two processes."""
    measured = {}
    app = world.browser.register("Ends")
    token = tokens_of(app)["access_token"]
    warm(world.server, token)
    page = world.browser.get("/account/apps").text
    ((consent,),) = world.sql(
        "SELECT s.id::text FROM connect_user_consent s JOIN connect_api_client c ON c.id = s.client_id"
        " WHERE c.client_id = %s AND s.revoked_at IS NULL", app.id
    )  # fmt: skip
    path = f"/account/apps/{ids.encode('cons', UUID(consent))}/withdraw"
    assert path in page
    assert world.browser.post(path).status_code == 302
    measured["consent withdrawn"] = seconds_until_refused(world.server, token)

    world.member("mira@people.example", "developer")
    member = world.signed_in("mira@people.example")
    verifier, challenge = pkce()
    code = told(member.decide(asked(app, challenge)))["code"]
    member.http.close()
    token = exchange(app, code, verifier).json()["access_token"]
    warm(world.server, token)
    world.sql(
        "DELETE FROM connect_membership m USING connect_user u WHERE u.id = m.user_id AND u.email = 'mira@people.example'"
    )
    measured["member removed"] = seconds_until_refused(world.server, token)
    with capsys.disabled():
        print("\n" + "; ".join(f"{what}: {seconds:.1f} s" for what, seconds in measured.items()))
    assert max(measured.values()) < PROMISED_SECONDS


def discovered(server, name="openid-configuration"):
    return httpx.get(f"{server.url}/.well-known/{name}", trust_env=False).json()


def test_the_app_of_the_guide_is_let_in_and_stays(world, app, monkeypatch):
    """docs/guides/oauth.md shows its code; here it meets a person who says yes, one who says no, and an old token."""
    for name, value in {
        "API": world.server.url,
        "CLIENT_ID": app.id,
        "CLIENT_SECRET": app.secret,
        "NO_PROXY": "*",
    }.items():
        monkeypatch.setenv(name, value)
    shown = importlib.import_module("tests.oauth.app_of_the_guide")
    session = {}
    there = urlsplit(shown.begin(session))
    back = told(world.browser.decide(f"{there.path}?{there.query}"))
    with pytest.raises(PermissionError):
        shown.come_back({**session, "state": "another browser's"}, back)
    kept = shown.come_back(session, back)
    assert kept["scope"] == "customers:read payments:write"
    assert shown.customers(kept)["object"] == "list"
    first = kept["refresh_token"]
    kept["access_token"] += "x"  # as if its time were over
    assert shown.customers(kept)["object"] == "list"
    assert kept["refresh_token"] != first
    there = urlsplit(shown.begin(session))
    assert shown.come_back(session, told(world.browser.decide(f"{there.path}?{there.query}", decision="deny"))) is None


def test_code_with_pkce_refresh_and_revocation(world, app):
    """Authorization code + PKCE, a call, the next pair, and giving it back."""
    facts = discovered(world.server)
    client = app.client(scope="customers:read payments:write")
    verifier = "v" * 64
    address, state = client.create_authorization_url(facts["authorization_endpoint"], code_verifier=verifier)
    back = world.browser.decide(address)
    assert back.headers["Location"].startswith(CALLBACK)
    assert told(back)["iss"] == facts["issuer"]
    token = client.fetch_token(
        facts["token_endpoint"], authorization_response=back.headers["Location"], state=state, code_verifier=verifier
    )
    assert token["token_type"] == "Bearer"
    assert token["livemode"] is False
    assert token["scope"].split() == ["customers:read", "payments:write"]
    assert client.get(f"{world.server.url}/v1/customers").status_code == 200
    assert client.get(f"{world.server.url}/v1/balance").json()["error"]["code"] == "permission_missing"
    fresh = client.refresh_token(facts["token_endpoint"], token["refresh_token"])
    assert fresh["access_token"] != token["access_token"]
    assert client.get(f"{world.server.url}/v1/customers").status_code == 200
    assert client.revoke_token(facts["revocation_endpoint"], fresh["refresh_token"]).status_code == 200
    assert seconds_until_refused(world.server, fresh["access_token"]) < PROMISED_SECONDS


def test_a_public_app_needs_no_secret_but_its_verifier(world, public_app):
    client = public_app.client(scope="customers:read")
    facts = discovered(world.server)
    address, state = client.create_authorization_url(facts["authorization_endpoint"], code_verifier="p" * 50)
    back = world.browser.decide(address).headers["Location"]
    client.fetch_token(facts["token_endpoint"], authorization_response=back, state=state, code_verifier="p" * 50)
    assert client.get(f"{world.server.url}/v1/customers").status_code == 200
    client.refresh_token(facts["token_endpoint"])
    assert client.get(f"{world.server.url}/v1/customers").status_code == 200


def test_client_credentials_reach_the_apps_own_environment(world, app):
    client = app.client(scope="payments:write")
    token = client.fetch_token(f"{world.server.url}/oauth/token", grant_type="client_credentials")
    assert "refresh_token" not in token
    made = client.post(f"{world.server.url}/v1/payment_intents", data={"amount": "2500", "currency": "eur"})
    assert made.status_code == 200, made.text
    own = world.server.request("GET", f"/v1/payment_intents/{made.json()['id']}")
    assert own.status == 200, "the key of the app's environment sees what the app made"
    assert client.get(f"{world.server.url}/v1/customers").status_code == 403, "a scope that was not asked for"


def test_introspection_tells_an_app_of_its_own_tokens_only(world, app, public_app, tokens_of):
    token = tokens_of(app)
    client = app.client()
    known = client.introspect_token(f"{world.server.url}/oauth/introspect", token["access_token"]).json()
    assert known["active"] is True
    assert known["client_id"] == app.id
    assert known["scope"] == "customers:read payments:write"
    assert known["sub"].startswith("usr_")
    assert 0 < known["exp"] - time.time() <= oauth.ACCESS_TOKEN_LIFE.total_seconds()
    assert client.introspect_token(f"{world.server.url}/oauth/introspect", token["refresh_token"]).json()["active"]
    other = world.browser.register("Other")
    for text in (token["access_token"], token["refresh_token"], "nonsense"):
        assert other.form("/oauth/introspect", token=text).json() == {"active": False}
    assert public_app.form("/oauth/introspect", token=token["access_token"]).status_code == 401
    assert httpx.post(f"{world.server.url}/oauth/introspect", data={"token": "x"}, trust_env=False).status_code == 401


def test_a_device_is_let_in_from_a_browser(world, public_app):
    began = public_app.form("/oauth/device_authorization", scope="customers:read").json()
    assert began["verification_uri"] == f"{world.server.url}/oauth/device"
    assert began["user_code"][4] == "-"
    waits = public_app.form("/oauth/token", grant_type=oauth.DEVICE, device_code=began["device_code"])
    assert waits.json()["error"] in ("authorization_pending", "slow_down")
    assert public_app.form("/oauth/token", grant_type=oauth.DEVICE, device_code=began["device_code"]).json()[
        "error"
    ] == "slow_down"  # fmt: skip
    page = world.browser.get(began["verification_uri_complete"])
    assert began["user_code"] in page.text
    assert "Terminal" in page.text
    answer = world.browser.decide(began["verification_uri_complete"])
    assert answer.headers["Location"] == "/account/apps"
    client = public_app.client()
    token = client.fetch_token(
        f"{world.server.url}/oauth/token", grant_type=oauth.DEVICE, device_code=began["device_code"]
    )
    assert client.get(f"{world.server.url}/v1/customers").status_code == 200
    assert refresh(public_app, token["refresh_token"]).status_code == 200
    again = public_app.form("/oauth/token", grant_type=oauth.DEVICE, device_code=began["device_code"])
    assert again.json()["error"] == "invalid_grant", "a device's code is good for one answer"


def test_a_device_that_is_refused_learns_it(world, public_app):
    began = public_app.form("/oauth/device_authorization", scope="customers:read").json()
    world.browser.decide(began["verification_uri_complete"], decision="deny")
    polled = public_app.form("/oauth/token", grant_type=oauth.DEVICE, device_code=began["device_code"])
    assert polled.json()["error"] == "access_denied"
    missing = world.browser.get("/oauth/device?user_code=BCDF-BCDF")
    assert missing.status_code == 404
    assert "no device with this code" in missing.text


def test_an_identity_token_is_signed_by_a_published_key(world, app):
    """OpenID Connect: the token verifies by JWKS, and userinfo tells the same person what the scopes allow."""
    facts = discovered(world.server)
    assert facts["id_token_signing_alg_values_supported"] == ["RS256"]
    client = app.client(scope="openid email")
    address, state = client.create_authorization_url(
        facts["authorization_endpoint"], code_verifier="o" * 64, nonce="n-42"
    )
    back = world.browser.decide(address).headers["Location"]
    token = client.fetch_token(
        facts["token_endpoint"], authorization_response=back, state=state, code_verifier="o" * 64
    )
    keys = KeySet.import_key_set(httpx.get(facts["jwks_uri"], trust_env=False).json())
    claims = jwt.decode(token["id_token"], keys, algorithms=["RS256"]).claims
    JWTClaimsRegistry(
        iss={"essential": True, "value": facts["issuer"]},
        aud={"essential": True, "value": app.id},
        nonce={"essential": True, "value": "n-42"},
        exp={"essential": True},
        auth_time={"essential": False},
    ).validate(claims)
    assert claims["email"] == "owner@acme.example"
    assert "name" not in claims, "profile was not asked for"
    who = client.get(facts["userinfo_endpoint"]).json()
    assert who["sub"] == claims["sub"]
    assert who["sub"].startswith("usr_")
    assert set(who) == {"sub", "email", "email_verified"}
    assert client.get(f"{world.server.url}/v1/customers").status_code == 403, "who somebody is opens nothing"


def test_discovery_names_what_there_is_and_nothing_else(server):
    facts = discovered(server)
    assert facts == discovered(server, "oauth-authorization-server")
    assert facts["issuer"] == server.url
    assert facts["code_challenge_methods_supported"] == ["S256"]
    assert facts["response_types_supported"] == ["code"]
    assert not {"implicit", "password"} & set(facts["grant_types_supported"])
    for name, address in facts.items():
        if name.endswith(("_endpoint", "_uri")):
            assert httpx.get(address, trust_env=False).status_code in (200, 302, 400, 401, 405), name
    resource = discovered(server, "oauth-protected-resource")
    assert resource["authorization_servers"] == [server.url]
    assert not {"openid", "email"} & set(resource["scopes_supported"])


def test_tokens_codes_and_secrets_are_stored_as_hashes_only(world, app, code_of, tokens_of):
    code, _ = code_of(app)
    device = app.form("/oauth/device_authorization", scope="customers:read").json()["device_code"]
    token = tokens_of(app)
    tables = (
        "api_client",
        "oauth_grant",
        "oauth_device_grant",
        "oauth_access_token",
        "oauth_refresh_token",
        "oauth_id_token",
    )
    stored = " ".join(str(world.sql(f"SELECT * FROM connect_{table}")) for table in tables)
    for secret in (code, device, app.secret, token["access_token"], token["refresh_token"]):
        assert secret not in stored
    for secret in (code, device, app.secret, token["access_token"], token["refresh_token"]):
        assert oauth.digest(secret) in stored, "and each can be found by its hash"
