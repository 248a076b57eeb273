"""What a key may do: every operation with every scope but the needed one, with exactly that one, and without a key."""

from __future__ import annotations

import base64
import re
from datetime import timedelta

import pytest
from django.test import Client

from connect.domain import api_keys as key_form
from connect.domain import scopes
from connect.kit import clock, ids
from connect.models import ApiKey
from connect.services import api_keys
from tests.conftest import Api
from tests.matrix.conftest import send
from tests.matrix.recipes import RECIPES
from tests.matrix.routes import operations
from tests.oauth import tokens as oauth_tokens

OPERATIONS = operations()


@pytest.fixture
def with_scopes(caller):
    """`with_scopes("payments:read")` is the API under a new key of Acme's test environment that may do just that."""

    def issue(*wanted):
        _, secret = api_keys.create(caller, name="Restricted", scopes=wanted)
        return Api(secret)

    return issue


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_an_operation_needs_its_scope_and_nothing_else(operation, api, with_scopes, state, cell):
    recipe = RECIPES[str(operation)]
    insufficient = [scope for scope in scopes.SCOPES if not scopes.allows(frozenset({scope}), recipe.scope)]
    wanted = recipe.make(api) if recipe.make else ""
    parameters = recipe.parameters(api)
    restricted = with_scopes(*insufficient)
    exact = with_scopes(recipe.scope)
    before = state()
    for attempt in (wanted, ids.encode("zz", ids.new()) if wanted else ""):  # whether or not the object exists
        refused = send(restricted, operation, attempt, parameters)
        error = refused.json()["error"]
        assert (refused.status_code, error["code"]) == (403, "permission_missing")
        assert f"'{recipe.scope}'" in error["message"]
        cell("scopes refused")
    assert state() == before
    assert send(exact, operation, wanted, parameters).status_code == 200
    cell("scopes granted")


@pytest.fixture
def token_with(caller, django_user_model):
    """The same for an app's access token, that Acme's owner let the app get."""
    person, app = django_user_model.objects.get(email="owner@acme.example"), oauth_tokens.register(caller)
    return lambda *wanted: Api(oauth_tokens.issue(caller, person, *wanted, app=app).token)


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_an_operation_needs_the_same_scope_of_an_access_token(operation, api, token_with, state, cell):
    recipe = RECIPES[str(operation)]
    insufficient = [scope for scope in scopes.SCOPES if not scopes.allows(frozenset({scope}), recipe.scope)]
    wanted = recipe.make(api) if recipe.make else ""
    parameters = recipe.parameters(api)
    restricted, exact = token_with("openid", "email", *insufficient), token_with(recipe.scope)
    before = state()
    refused = send(restricted, operation, wanted, parameters)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "permission_missing")
    assert f'scope="{recipe.scope}"' in refused["WWW-Authenticate"]
    assert state() == before
    cell("token scopes refused")
    assert send(exact, operation, wanted, parameters).status_code == 200
    cell("token scopes granted")


def test_writing_includes_reading_and_never_the_other_way_round():
    resources = {scope.partition(":")[0] for scope in scopes.SCOPES}
    for resource in resources & {scope.partition(":")[0] for scope in scopes.SCOPES if scope.endswith(":write")}:
        assert scopes.allows(frozenset({f"{resource}:write"}), f"{resource}:read")
        assert not scopes.allows(frozenset({f"{resource}:read"}), f"{resource}:write")


def test_every_scope_opens_something():
    """A scope on the list that no operation needs would be a promise without content."""
    assert {recipe.scope for recipe in RECIPES.values()} == set(scopes.SCOPES)


@pytest.fixture
def bad_credentials(caller, secrets):
    """Headers that must not open anything, by what is wrong with them, with the code of the refusal."""

    def key(**changes):
        info, secret = api_keys.create(caller, name="Soon gone", scopes=["*"])
        ApiKey.objects.filter(pk=ids.decode("key", info.id)).update(**changes)
        return f"Bearer {secret}"

    good = secrets["acme"]["test"]
    past = clock.wall() - timedelta(seconds=1)
    return {
        "no key": (None, "api_key_missing"),
        "an empty key": ("Bearer ", "api_key_missing"),
        "another scheme": (f"Token {good}", "api_key_missing"),
        "no scheme": (good, "api_key_missing"),
        "Basic with the key as password": (_basic("", good), "api_key_missing"),
        "a key never issued": (f"Bearer {key_form.generate('test')}", "api_key_invalid"),
        "a key with a wrong checksum": (f"Bearer {good[:-1]}{'0' if good[-1] != '0' else '1'}", "api_key_invalid"),
        "a test key written as live": (f"Bearer {good.replace('fc_test_', 'fc_live_')}", "api_key_invalid"),
        "a part of a key": (f"Bearer {good[:-6]}", "api_key_invalid"),
        "two keys": (f"Bearer {good},{good}", "api_key_invalid"),
        "a revoked key": (key(revoked_at=past), "api_key_invalid"),
        "an expired key": (key(expires_at=past), "api_key_expired"),
    }


def _basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_nothing_opens_without_a_valid_key(operation, api, bad_credentials, state, cell):
    recipe = RECIPES[str(operation)]
    wanted = recipe.make(api) if recipe.make else ""
    parameters = recipe.parameters(api)
    before = state()
    for number, (what, (header, code)) in enumerate(bad_credentials.items()):
        nobody = Api("")
        nobody.headers = {} if header is None else {"authorization": header}
        nobody.client.defaults["REMOTE_ADDR"] = f"198.51.100.{number}"  # wrong keys are counted by address
        refused = send(nobody, operation, wanted, parameters)
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, code), (what, refused.content)
        assert refused["WWW-Authenticate"].startswith("Bearer"), what
        cell("credentials refused")
    assert state() == before
    assert send(api, operation, wanted, parameters).status_code == 200


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_a_signed_in_browser_is_nobody_to_the_api(operation, api, state, cell, django_user_model):
    """A session must never authenticate the API, or any page of the web could call it in a member's name."""
    recipe = RECIPES[str(operation)]
    wanted = recipe.make(api) if recipe.make else ""
    parameters = recipe.parameters(api)
    browser = Api("")
    browser.client, browser.headers = Client(raise_request_exception=False), {}
    browser.client.force_login(django_user_model.objects.get(email="owner@acme.example"))
    before = state()
    refused = send(browser, operation, wanted, parameters)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "api_key_missing")
    cell("credentials refused")
    assert state() == before


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_a_key_bound_to_addresses_opens_from_there_only(operation, api, caller, state, cell):
    recipe = RECIPES[str(operation)]
    wanted = recipe.make(api) if recipe.make else ""
    parameters = recipe.parameters(api)
    _, secret = api_keys.create(caller, name="Office", scopes=["*"], ip_allowlist=["203.0.113.0/28"])
    bound = Api(secret)
    before = state()
    for address in ("203.0.113.16", "198.51.100.1", "2001:db8::1"):
        bound.client.defaults["REMOTE_ADDR"] = address
        # What a caller claims about where it comes from counts for nothing without a proxy of ours.
        refused = send(bound, operation, wanted, parameters, **{"x-forwarded-for": "203.0.113.1"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "address_not_allowed")
        cell("addresses refused")
    assert state() == before
    bound.client.defaults["REMOTE_ADDR"] = "203.0.113.15"
    assert send(bound, operation, wanted, parameters).status_code == 200


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_a_connected_account_that_is_not_ours_is_refused(operation, api, state, cell):
    recipe = RECIPES[str(operation)]
    wanted = recipe.make(api) if recipe.make else ""
    parameters = recipe.parameters(api)
    before = state()
    for account in (ids.encode("acct", ids.new()), "acct_1", "*"):
        refused = send(api, operation, wanted, parameters, **{"stripe-account": account})
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "account_invalid")
        cell("accounts refused")
    assert state() == before


def test_a_refused_key_is_never_repeated_whole(api, bad_credentials):
    """The text of a refusal helps to find the key, and is not one."""
    for header, _ in bad_credentials.values():
        nobody = Api("")
        nobody.headers = {} if header is None else {"authorization": header}
        text = nobody.get("/v1/balance").content.decode()
        assert not re.search(r"fc_(test|live)_[0-9A-Za-z]{8,}", text)
