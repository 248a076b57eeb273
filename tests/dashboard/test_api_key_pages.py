"""API keys in the dashboard: a secret is seen once, and what the page says is what the API does."""

import html
import re

import pytest
from django.urls import reverse

from connect.selectors import api_keys
from connect.services import api_keys as services

KEY = re.compile(r"fc_(?:test|live)_[0-9A-Za-z]{36}")
FULL = {"name": "Shop", "access": "full", "expires": "0", "addresses": ""}


def address(name, *arguments, mode="test"):
    return reverse(f"dashboard:{name}", args=["acme", mode, *arguments])


def secret_in(answer):
    found = set(KEY.findall(answer.content.decode()))
    assert len(found) == 1
    return found.pop()


@pytest.fixture
def keys(environments):
    """The keys of one of Acme's environments by name, as they stand now."""
    return lambda mode="test": {key.name: key for key in api_keys.for_environment(environments[f"acme/{mode}"])}


@pytest.fixture
def key(caller):
    """A key of Acme's test environment and its secret."""
    return services.create(caller, name="Laptop", scopes=["payments:read"])


def works(client, secret):
    return client.get("/v1/payment_intents", headers={"authorization": f"Bearer {secret}"}).status_code == 200


def test_a_new_key_works_and_its_secret_is_never_shown_again(pages, keys):
    answer = pages.post(address("api_key_new"), FULL)
    secret = secret_in(answer)
    assert "only time you see it" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert works(pages, secret)
    again = pages.get(address("api_keys")).content.decode()
    assert secret not in again
    assert keys()["Shop"].redacted in again


def test_the_shown_command_is_the_one_that_works(pages):
    """The curl line carries the new secret and the address of this very installation."""
    answer = pages.post(address("api_key_new"), FULL)
    assert f'http://testserver/v1/payment_intents \\\n  -u "{secret_in(answer)}:"' in html.unescape(
        answer.content.decode()
    )


def test_a_restricted_key_may_do_what_was_ticked(pages, keys):
    pages.post(address("api_key_new"), {**FULL, "access": "restricted", "scopes": ["ledger:read", "payments:read"]})
    assert keys()["Shop"].scopes == ("ledger:read", "payments:read")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"access": "restricted"}, "scopes"),
        ({"access": "restricted", "scopes": ["moon:write"]}, "scopes"),
        ({"addresses": "203.0.113.7\nnowhere"}, "addresses"),
        ({"expires": "-1"}, "expires"),
        ({"access": "everything"}, "access"),
    ],
)
def test_a_refused_form_names_the_field_and_makes_no_key(pages, keys, change, field):
    before = keys()
    answer = pages.post(address("api_key_new"), {**FULL, **change})
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert keys() == before
    assert KEY.search(answer.content.decode()) is None


def test_expiry_and_addresses_are_kept(pages, keys):
    pages.post(address("api_key_new"), {**FULL, "expires": "30", "addresses": "203.0.113.7\n2001:db8::/32"})
    made = keys()["Shop"]
    assert made.ip_allowlist == ("203.0.113.7/32", "2001:db8::/32")
    assert (made.expires_at - made.created_at).days in (29, 30)


def test_the_author_is_the_person_who_was_signed_in(pages, keys):
    pages.post(address("api_key_new"), FULL)
    assert keys()["Shop"].created_by == "owner@people.example"


def test_rolling_keeps_the_old_secret_for_the_chosen_time(pages, key):
    info, old = key
    answer = pages.post(address("api_key_roll", info.id), {"overlap": "3600"})
    new = secret_in(answer)
    assert new != old
    assert works(pages, old)
    assert works(pages, new)
    assert "works until" in answer.content.decode()


def test_rolling_without_overlap_ends_the_old_secret(pages, key):
    info, old = key
    new = secret_in(pages.post(address("api_key_roll", info.id), {"overlap": "0"}))
    assert not works(pages, old)
    assert works(pages, new)


def test_an_overlap_nobody_offered_is_refused(pages, key, keys):
    info, _ = key
    before = keys()
    assert pages.post(address("api_key_roll", info.id), {"overlap": "99999999"}).status_code == 422
    assert keys() == before


def test_asking_revokes_nothing_and_names_the_key(pages, key):
    info, secret = key
    page = pages.get(address("api_key_revoke", info.id)).content.decode()
    assert "Laptop" in page
    assert info.redacted in page
    assert works(pages, secret)


def test_a_revoked_key_is_refused_and_a_receipt_says_so(pages, key):
    info, secret = key
    answer = pages.post(address("api_key_revoke", info.id), follow=True)
    assert not works(pages, secret)
    assert "is revoked" in answer.content.decode()
    assert pages.get(address("api_key_revoke", info.id)).status_code == 404
    assert pages.get(address("api_key_roll", info.id)).status_code == 404


def test_a_live_key_is_revoked_only_when_its_name_is_typed(pages, keys):
    live = keys("live")["Tests"]
    path = address("api_key_revoke", live.id, mode="live")
    assert pages.post(path, {"confirmation": "tests"}).status_code == 422
    assert keys("live")["Tests"].revoked_at is None
    assert pages.post(path, {"confirmation": "Tests"}).status_code == 302
    assert keys("live")["Tests"].revoked_at is not None


def test_a_key_of_the_other_mode_or_organization_does_not_exist_here(pages, keys, environments):
    live = keys("live")["Tests"]
    foreign = api_keys.for_environment(environments["other/test"])[0]
    for missing in (live, foreign):
        for name in ("api_key_roll", "api_key_revoke"):
            assert pages.post(address(name, missing.id), {"overlap": "0"}).status_code == 404
    assert keys("live")["Tests"].revoked_at is None
