"""The catalogue's attacks on OAuth, one test a row: what must be refused is, and what must die does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey
from joserfc.jwt import JWTClaimsRegistry

from connect.domain import oauth
from tests.oauth.conftest import asked, exchange, pkce, refresh, told


def test_row_49_code_replay_and_parallel_exchange_leave_no_live_token(world, code_of):
    app = world.browser.register("Row 49")
    code, verifier = code_of(app)
    first = exchange(app, code, verifier)
    assert first.status_code == 200
    assert world.live_tokens(app) == 2
    again = exchange(app, code, verifier)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert world.live_tokens(app) == 0, "a replayed code revokes what it issued"
    assert refresh(app, first.json()["refresh_token"]).json()["error"] == "invalid_grant"

    code, verifier = code_of(app)
    fresh = exchange(app, code, verifier).json()
    fresh = refresh(app, fresh["refresh_token"]).json()
    assert exchange(app, code, verifier).status_code == 400
    assert world.live_tokens(app) == 0, "also what came after a refresh"
    assert refresh(app, fresh["refresh_token"]).status_code == 400

    for _ in range(5):
        code, verifier = code_of(app)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _, c=code, v=verifier: exchange(app, c, v).status_code, range(8)))
        assert answers.count(200) == 1, answers
        assert set(answers) == {200, 400}
        assert world.live_tokens(app) == 0


def test_row_50_without_a_right_verifier_there_is_no_token(world, app, code_of):
    _, challenge = pkce()
    wrong = {
        "no PKCE": {"code_challenge": None, "code_challenge_method": None},
        "plain": {"code_challenge_method": "plain"},
        "missing method": {"code_challenge_method": None},
        "unknown method": {"code_challenge_method": "S512"},
        "a challenge that is no SHA-256": {"code_challenge": "short"},
    }
    for what, changed in wrong.items():
        answer = world.browser.get(asked(app, challenge, **changed))
        found = told(answer)
        assert found["error"] == "invalid_request", what
        assert found["state"] == "st-1"
        assert found["iss"] == world.server.url
        assert "code" not in found
        # And whoever skips the page and posts the decision gets no further.
        posted = world.browser.post(asked(app, challenge, **changed), page=asked(app), decision="allow")
        assert told(posted)["error"] == "invalid_request", what
    before = world.live_tokens(app)
    for verifier in ("w" * 64, None, "", challenge):
        code, _ = code_of(app)
        refused = exchange(app, code, verifier)
        assert refused.status_code == 400, verifier
        assert refused.json()["error"] in ("invalid_grant", "invalid_request")
    assert world.live_tokens(app) == before


REGISTERED = "https://app.example.com/oauth/callback"
VARIANTS = [
    REGISTERED,
    "http://app.example.com/oauth/callback",
    "https://app.example.com/oauth/callback/",
    "https://app.example.com/oauth/callback?x=1",
    "https://app.example.com/oauth/callback?",
    "https://app.example.com/oauth/callback#",
    "https://app.example.com/oauth/callback#x",
    "https://app.example.com/oauth/callback;x",
    "https://app.example.com/oauth/callback%00",
    "https://app.example.com/oauth/callback%2F..",
    "https://app.example.com/oauth/../oauth/callback",
    "https://app.example.com/oauth/./callback",
    "https://app.example.com//oauth/callback",
    "https://app.example.com/oauth/Callback",
    "https://app.example.com/oauth/callbac%6B",
    "https://app.example.com/oauth/callback/../../evil",
    "https://app.example.com/oauth",
    "https://app.example.com:443/oauth/callback",
    "https://app.example.com:8443/oauth/callback",
    "https://APP.example.com/oauth/callback",
    "HTTPS://app.example.com/oauth/callback",
    "https://app.example.com./oauth/callback",
    "https://evil.example.com/oauth/callback",
    "https://app.example.com.evil.test/oauth/callback",
    "https://evil.test/https://app.example.com/oauth/callback",
    "https://user@app.example.com/oauth/callback",
    "https://app.example.com@evil.test/oauth/callback",
    "https://app.example.com\\@evil.test/oauth/callback",
    "//app.example.com/oauth/callback",
    "javascript:alert(1)//app.example.com/oauth/callback",
]


def test_row_51_of_thirty_redirect_uris_exactly_one_is_accepted(world):
    assert len(VARIANTS) == len(set(VARIANTS)) == 30
    app = world.browser.register("Row 51", redirect_uris=REGISTERED)
    accepted = []
    for uri in VARIANTS:
        answer = world.browser.get(asked(app, redirect_uri=uri))
        if answer.status_code == 200:
            accepted.append(uri)
        else:
            assert answer.status_code == 400, (uri, answer.status_code, answer.headers.get("Location"))
            assert "Location" not in answer.headers
            assert "This link does not work" in answer.text
    assert accepted == [REGISTERED]
    # A port may not vary either, not even on this machine.
    local = world.browser.register("Row 51 local", redirect_uris="http://127.0.0.1:7171/cb")
    assert world.browser.get(asked(local, redirect_uri="http://127.0.0.1:7172/cb")).status_code == 400
    assert world.browser.get(asked(local)).status_code == 200


def test_row_52_tokens_of_others_and_forged_ones_are_refused(world, app, tokens_of, code_of):
    server = world.server.url
    facts = httpx.get(f"{server}/.well-known/openid-configuration", trust_env=False).json()
    # Mix-up: every answer names its issuer exactly once, refusals too.
    allowed = world.browser.decide(asked(app))
    denied = world.browser.decide(asked(app), decision="deny")
    for answer in (allowed, denied):
        assert parse_qs(urlsplit(answer.headers["Location"]).query)["iss"] == [facts["issuer"]]
    assert told(denied)["error"] == "access_denied"
    # Swapped client: neither code nor refresh token nor revocation is another app's.
    other = world.browser.register("Row 52")
    code, verifier = code_of(app)
    assert exchange(other, code, verifier).json()["error"] == "invalid_grant"
    token = tokens_of(app, scope="openid customers:read")
    assert refresh(other, token["refresh_token"]).json()["error"] == "invalid_grant"
    assert other.form("/oauth/revoke", token=token["access_token"]).status_code == 200
    assert (
        httpx.get(f"{server}/v1/customers", headers=bearer(token["access_token"]), trust_env=False).status_code == 200
    )
    assert exchange(app, code, verifier).status_code == 200, "and the rightful one is not hurt by it"
    # Forged identity tokens: a client that follows discovery refuses them, and none of our own addresses takes any.
    public = KeySet.import_key_set(httpx.get(facts["jwks_uri"], trust_env=False).json())
    claims = jwt.decode(token["id_token"], public, algorithms=["RS256"]).claims
    foreign = RSAKey.generate_key(2048)
    pem = public.keys[0].as_pem(private=False)
    forged = {
        "alg=none": ".".join([segment({"alg": "none"}), segment(claims), ""]),
        "RS256 signed as HS256 with the public key": hs256(claims, pem),
        "another's key": jwt.encode({"alg": "RS256", "kid": public.keys[0].kid}, claims, foreign),
        "altered claims": ".".join(
            [token["id_token"].split(".")[0], segment({**claims, "sub": "usr_x"}), token["id_token"].split(".")[2]]
        ),
    }
    for what, text in forged.items():
        with pytest.raises((JoseError, ValueError)):
            jwt.decode(text, public, algorithms=facts["id_token_signing_alg_values_supported"])
            pytest.fail(what)
    registry = JWTClaimsRegistry(aud={"essential": True, "value": other.id})
    with pytest.raises(JoseError):
        registry.validate(claims)
    for text in (*forged.values(), token["id_token"]):
        assert httpx.get(f"{server}/v1/customers", headers=bearer(text), trust_env=False).status_code == 401
        assert httpx.get(f"{server}/oauth/userinfo", headers=bearer(text), trust_env=False).status_code == 401
        assert app.form("/oauth/introspect", token=text).json() == {"active": False}
    # A token for another resource is not made at all.
    code, verifier = code_of(app)
    elsewhere = exchange(app, code, verifier, resource="https://other.example.com/api")
    assert elsewhere.json()["error"] == "invalid_target"


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def hs256(claims, key):
    """Signed by hand: a decent library refuses to take a public key for a secret."""
    text = f"{segment({'alg': 'HS256', 'typ': 'JWT'})}.{segment(claims)}"
    signature = hmac.new(key, text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def segment(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_row_53_a_refresh_token_used_twice_or_too_long_ends_its_family(world, tokens_of):
    app = world.browser.register("Row 53")
    first = tokens_of(app)
    second = refresh(app, first["refresh_token"]).json()
    third = refresh(app, second["refresh_token"]).json()
    assert world.live_tokens(app) == 2
    assert refresh(app, first["refresh_token"]).json()["error"] == "invalid_grant", "the oldest comes again"
    assert world.live_tokens(app) == 0
    assert refresh(app, third["refresh_token"]).json()["error"] == "invalid_grant", "and the newest is dead with it"

    parallel = tokens_of(app)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: refresh(app, parallel["refresh_token"]), range(8)))
    assert [answer.status_code for answer in answers].count(200) == 1
    assert world.live_tokens(app) == 0

    old = tokens_of(app)
    family = family_of(world, old["refresh_token"])
    days = oauth.FAMILY_LIFE.days
    age(world, family, days=days - 1)
    young = refresh(app, old["refresh_token"])
    assert young.status_code == 200, "a day before its end"
    age(world, family, days=1)
    late = refresh(app, young.json()["refresh_token"])
    assert late.json()["error"] == "invalid_grant", "however lately it was refreshed"
    assert world.live_tokens(app) == 0


def family_of(world, token):
    digest = hashlib.sha256(token.encode()).hexdigest()
    ((family,),) = world.sql("SELECT token_family FROM connect_oauth_refresh_token WHERE token_checksum = %s", digest)
    return family


def age(world, family, days):
    world.sql(
        "UPDATE connect_oauth_refresh_token SET created = created - make_interval(days => %s) WHERE token_family = %s",
        days,
        family,
    )


def test_an_idle_refresh_token_dies(world, tokens_of):
    app = world.browser.register("Idle")

    def idle(age):
        token = tokens_of(app)["refresh_token"]
        world.sql(
            "UPDATE connect_oauth_access_token t SET expires = now() - make_interval(secs => %s)"
            " FROM connect_api_client c WHERE c.id = t.application_id AND c.client_id = %s",
            age,
            app.id,
        )
        return refresh(app, token).status_code

    life = oauth.REFRESH_TOKEN_IDLE.total_seconds()
    assert idle(life - 60) == 200
    assert idle(life) == 400


def test_a_code_lives_a_minute(world, app, code_of):
    code, verifier = code_of(app)
    world.sql("UPDATE connect_oauth_grant SET expires = now() WHERE code = %s", oauth.digest(code))
    assert exchange(app, code, verifier).json()["error"] == "invalid_grant"


def test_wrong_secrets_of_an_app_are_counted_by_address(world, app):
    answers = [
        httpx.post(
            f"{world.server.url}/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=(app.id, f"wrong-{number}"),
            trust_env=False,
        ).status_code
        for number in range(25)
    ]
    assert set(answers[:20]) == {401}
    assert 429 in answers


def test_a_request_may_not_ask_for_more_than_the_app_is_registered_for(world, app):
    for scope in ("ledger:read", "*", "customers:read ledger:read", "introspection", "nonsense"):
        assert told(world.browser.get(asked(app, scope=scope)))["error"] == "invalid_scope", scope
    for kind in ("token", "id_token", "code id_token", "id_token token"):
        found = world.browser.get(asked(app, response_type=kind))
        assert "code=" not in found.headers.get("Location", ""), kind
        assert found.status_code in (302, 400), kind
    assert world.browser.get(asked(app) + "&scope=" + quote("ledger:read")).status_code == 400, "named twice"
