"""People who can really sign in: with a confirmed address and a password."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import struct
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

PASSWORD = "a long enough passphrase"


@pytest.fixture
def person(db: None) -> Callable[..., Any]:
    """`person("mira@shop.example")` can sign in; with a role they are a member of Acme."""

    def make(email: str = "mira@shop.example", role: str = "") -> Any:
        from connect.models import Membership, Organization
        from connect.services import users

        user = users.create(email=email, password=PASSWORD, verified=True)
        if role:
            Membership.objects.create(organization=Organization.objects.get(slug="acme"), user=user, role=role)
        return user

    return make


def sign_in(client: Client, email: str, password: str = PASSWORD, **extra: Any) -> Any:
    """The sign-in form, filled in and sent."""
    return client.post("/accounts/login/", {"login": email, "password": password}, **extra)


def is_signed_in(client: Client) -> bool:
    """Whether a page of the person's own opens."""
    return client.get("/account").status_code == 200


def links_in(body: str) -> list[str]:
    """The paths of the links in a mail."""
    return [re.sub(r"^https?://[^/]+", "", link) for link in re.findall(r"https?://\S+", body)]


def totp(secret: str, *, at: float | None = None) -> str:
    """The code that an authenticator app shows for a key (RFC 6238), reckoned apart from the product."""
    counter = int(time.time() if at is None else at) // 30
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", counter), hashlib.sha1).digest()
    start = digest[-1] & 0x0F
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def set_up_app(client: Client) -> tuple[str, list[str]]:
    """Switch an authenticator app on as a person does; returns its key and the recovery codes that are shown."""
    page = client.get("/accounts/2fa/totp/activate/")
    assert page.status_code == 200, page.headers
    secret = page.context["form"].secret
    answer = client.post("/accounts/2fa/totp/activate/", {"code": totp(secret)})
    assert answer.status_code == 302, answer.content.decode()[:2000]
    shown = client.get(answer["Location"]).content.decode()
    return secret, re.findall(r"<li><code>(\d{8})</code></li>", shown)
