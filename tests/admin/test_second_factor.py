"""In production staff come in with a second factor only; development says so in a banner."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from connect.models import User


@pytest.fixture
def as_in_production(settings: Any) -> None:
    settings.FC_STAFF_MFA_REQUIRED = True


def test_production_asks_for_it_and_development_does_not() -> None:
    from config.settings import base, dev

    assert base.FC_STAFF_MFA_REQUIRED is True
    assert dev.FC_STAFF_MFA_REQUIRED is False


@pytest.mark.usefixtures("as_in_production")
@pytest.mark.parametrize("page", ["/admin/", "/admin/connect/user/", "/admin/login/", "environment", "take-access"])
def test_staff_without_one_are_led_to_set_one_up(staff_client: Client, door: Any, page: str) -> None:
    path = page if page.startswith("/") else door("" if page == "environment" else page)
    answer = staff_client.get(path)
    if page == "take-access":
        answer = staff_client.post(path, {"reason": "An emergency that cannot wait"})
    assert answer.status_code == 403
    assert b'href="/accounts/2fa/totp/activate/"' in answer.content
    assert b"Facturino Connect staff" not in answer.content


@pytest.mark.usefixtures("as_in_production")
@pytest.mark.parametrize(
    ("kind", "status"),
    [(Authenticator.Type.TOTP, 200), (Authenticator.Type.WEBAUTHN, 200), (Authenticator.Type.RECOVERY_CODES, 403)],
)
def test_an_app_or_a_passkey_opens_the_pages_and_recovery_codes_alone_do_not(
    staff_client: Client, door: Any, kind: str, status: int
) -> None:
    person = User.objects.get(email="staff@platform.example")
    Authenticator.objects.create(user=person, type=kind, data={"secret": "sealed"})
    assert staff_client.get("/admin/").status_code == status
    assert staff_client.get(door()).status_code == status


@pytest.mark.usefixtures("db", "as_in_production")
def test_a_developer_is_still_told_that_this_is_for_staff(client: Client) -> None:
    client.force_login(User.objects.get(email="owner@acme.example"))
    assert b"Staff only" in client.get("/admin/").content


def test_without_the_rule_a_banner_says_what_is_missing(staff_client: Client) -> None:
    assert b'href="/accounts/2fa/totp/activate/"' in staff_client.get("/admin/").content
    person = User.objects.get(email="staff@platform.example")
    Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={"secret": "sealed"})
    assert b"/accounts/2fa/totp/activate/" not in staff_client.get("/admin/").content
