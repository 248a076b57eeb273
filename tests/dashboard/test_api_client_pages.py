"""Registering apps in the dashboard, and seeing and ending what was allowed, on both sides."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from django.utils import translation

from connect.domain import scopes
from connect.models import ApiClient, User, UserConsent
from dashboard.pages import scope_words
from tests.oauth.tokens import issue, register

SECRET = re.compile(r"fc_cs_[0-9A-Za-z]{36}")
APP = {
    "name": "Ledger Lens",
    "client_type": "confidential",
    "grant_types": ["authorization-code", "client-credentials"],
    "redirect_uris": "https://app.example.com/callback\nhttp://localhost:3000/cb",
    "scopes": ["customers:read"],
}


def address(name, *arguments, mode="test"):
    return reverse(f"dashboard:{name}", args=["acme", mode, *arguments])


def test_a_secret_is_shown_once(pages):
    answer = pages.post(address("api_client_new"), APP)
    secret = SECRET.search(answer.content.decode())[0]
    assert "no-store" in answer["Cache-Control"]
    app = ApiClient.objects.get()
    assert app.knows(secret, app.created)
    assert app.created_by.email == "owner@people.example"
    for name, *arguments in (("api_clients",), ("api_client", app.client_id), ("api_client_edit", app.client_id)):
        page = pages.get(address(name, *arguments)).content.decode()
        assert SECRET.search(page) is None
        assert "Ledger Lens" in page


def test_a_public_app_has_no_secret_and_none_to_roll(pages):
    answer = pages.post(
        address("api_client_new"), {**APP, "client_type": "public", "grant_types": ["authorization-code"]}
    )
    assert SECRET.search(answer.content.decode()) is None
    app = ApiClient.objects.get()
    assert app.client_secret == ""
    assert not app.knows("", app.created)
    assert pages.get(address("api_client_roll", app.client_id)).status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"redirect_uris": "http://app.example.com/cb"}, "redirect_uris"),
        ({"redirect_uris": ""}, "redirect_uris"),
        ({"redirect_uris": "\n".join(f"https://a.example/{n}" for n in range(11))}, "redirect_uris"),
        ({"grant_types": []}, "grant_types"),
        ({"grant_types": ["password"]}, "grant_types"),
        ({"client_type": "public"}, "grant_types"),
        ({"scopes": ["moon:write"]}, "scopes"),
        ({"homepage": "javascript:alert(1)"}, "homepage"),
    ],
)
def test_a_refused_form_names_the_field_and_registers_nothing(pages, change, field):
    answer = pages.post(address("api_client_new"), {**APP, **change})
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert ApiClient.objects.count() == 0


def test_a_live_app_takes_https_only(pages):
    answer = pages.post(address("api_client_new", mode="live"), APP)
    assert answer.status_code == 422
    assert "http://localhost:3000/cb" in str(answer.context["form"].errors["redirect_uris"])


def test_a_new_name_has_to_be_verified_again(pages, caller):
    app = register(caller)
    ApiClient.objects.update(verified_at=ApiClient.objects.get().created)
    form = {**APP, "name": app.name}
    pages.post(address("api_client_edit", app.id), form)
    assert ApiClient.objects.get().verified_at is not None
    pages.post(address("api_client_edit", app.id), {**form, "name": "Your Bank"})
    assert ApiClient.objects.get().verified_at is None


def test_deleting_says_whom_it_leaves_and_wants_the_name(pages, caller):
    app = issue(caller, User.objects.get(email="owner@acme.example"), "customers:read").app
    assert "1 person lets it in" in pages.get(address("api_client_delete", app.id)).content.decode()
    assert pages.post(address("api_client_delete", app.id), {"confirmation": "ledger lens"}).status_code == 422
    assert pages.post(address("api_client_delete", app.id), {"confirmation": "Ledger Lens"}).status_code == 302
    assert ApiClient.objects.count() == UserConsent.objects.count() == 0


def test_the_organization_sees_who_let_in_what_and_ends_it(pages, caller):
    issued = issue(caller, User.objects.get(email="owner@acme.example"), "customers:read")
    page = pages.get(address("consents")).content.decode()
    for text in ("Ledger Lens", "owner@acme.example", "See customers", "not verified"):
        assert text in page
    assert "owner@acme.example" in pages.get(address("consent_revoke", issued.consent_id)).content.decode()
    answer = pages.post(address("consent_revoke", issued.consent_id), follow=True)
    assert "None of its tokens works any more" in answer.content.decode()
    assert UserConsent.objects.get().revoked_at is not None
    assert pages.get(address("consent_revoke", issued.consent_id)).status_code == 404


def test_a_person_sees_and_ends_their_own_and_nobody_elses(client, pages, caller):
    person = User.objects.get(email="owner@acme.example")
    issued = issue(caller, person, "customers:read")
    path = reverse("dashboard:account_app_withdraw", args=[issued.consent_id])
    assert pages.get(path).status_code == pages.post(path).status_code == 404, "another member of the organization"
    client.force_login(person)
    page = client.get(reverse("dashboard:account_apps")).content.decode()
    assert "Ledger Lens" in page
    assert "See customers" in page
    assert "Ledger Lens" in client.get(path).content.decode()
    assert client.post(path).status_code == 302
    assert UserConsent.objects.get().revoked_at is not None
    assert "No app acts for you" in client.get(reverse("dashboard:account_apps")).content.decode()


def test_the_log_can_be_filtered_by_app(pages, caller):
    issued = issue(caller, User.objects.get(email="owner@acme.example"), "customers:read")
    page = pages.get(address("request_logs") + f"?key={issued.app.id}").content.decode()
    assert f'<option value="{issued.app.id}" selected>Ledger Lens</option>' in page


def test_pages_of_apps_take_few_queries(pages, caller, django_assert_max_num_queries):
    issued = issue(caller, User.objects.get(email="owner@acme.example"), "customers:read")
    for name, *arguments in (("api_clients",), ("api_client", issued.app.id), ("consents",)):
        with django_assert_max_num_queries(12):
            assert pages.get(address(name, *arguments)).status_code == 200


def test_every_scope_has_the_words_of_the_domain_where_translators_find_them():
    with translation.override("en"):
        words = {scope: str(text) for scope, text in scope_words.WORDS.items()}
    assert words == {**scopes.IDENTITY, **scopes.SCOPES}
    assert scope_words.sentences(["customers:read", "gone:read"]) == ["See customers"]
