"""Light or dark is the person's choice, drawn by the server, without any script."""

import pytest
from django.test import Client
from django.urls import reverse

from dashboard.pages.theme import COOKIE

LOGIN = "/accounts/login/"


@pytest.fixture
def client(db):
    return Client()


@pytest.mark.parametrize("choice", ["light", "dark"])
def test_a_choice_is_drawn_into_the_page(client, choice):
    answer = client.post(reverse("dashboard:theme"), {"theme": choice, "next": LOGIN})
    assert (answer.status_code, answer["Location"]) == (302, LOGIN)
    assert f'data-theme="{choice}"' in client.get(LOGIN).content.decode()


def test_following_the_system_forgets_the_choice(client):
    client.post(reverse("dashboard:theme"), {"theme": "dark", "next": LOGIN})
    client.post(reverse("dashboard:theme"), {"theme": "system", "next": LOGIN})
    assert "data-theme" not in client.get(LOGIN).content.decode()


def test_a_foreign_cookie_value_is_not_drawn(client):
    client.cookies[COOKIE] = '"><script>'
    assert "data-theme" not in client.get(LOGIN).content.decode()


def test_an_unknown_theme_is_refused(client):
    assert client.post(reverse("dashboard:theme"), {"theme": "pink"}).status_code == 400


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_it_never_leads_to_another_site(client, target):
    answer = client.post(reverse("dashboard:theme"), {"theme": "dark", "next": target})
    assert answer["Location"] == "/"


def test_reading_changes_nothing(client):
    assert client.get(reverse("dashboard:theme")).status_code == 405


def test_another_sites_form_cannot_change_it(db):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(reverse("dashboard:theme"), {"theme": "dark"}).status_code == 403
