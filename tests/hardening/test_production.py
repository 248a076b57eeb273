"""What production's settings mean for a browser: TLS everywhere, cookies that no script and no other site can use."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from django.test import Client

from tests.architecture.test_checks import PRODUCTION, ROOT

NAMES = ("SECURE_", "SESSION_COOKIE_", "CSRF_COOKIE_", "LANGUAGE_COOKIE_")
TLS = {"HTTP_X_FORWARDED_PROTO": "https"}


def production(**changed: str) -> dict[str, Any]:
    """The settings about safety as a production process has them."""
    program = (
        "import json, django; django.setup(); from django.conf import settings;"
        f" print(json.dumps({{n: getattr(settings, n) for n in dir(settings) if n.startswith({NAMES!r})}}, default=str))"
    )
    environment = {"PATH": "/usr/bin", **PRODUCTION, **changed}
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, check=True)
    return json.loads(ran.stdout)


@pytest.fixture(scope="module")
def kept() -> dict[str, Any]:
    return production()


@pytest.fixture
def client(kept, settings, db) -> Client:
    """A browser before a product with these settings."""
    for name, value in kept.items():
        setattr(settings, name, tuple(value) if isinstance(value, list) and name.endswith("_HEADER") else value)
    return Client()


def test_what_comes_without_tls_is_sent_there(client):
    answer = client.get("/accounts/login/")
    assert (answer.status_code, answer["Location"]) == (301, "https://testserver/accounts/login/")
    assert client.get("/healthz").status_code == 200, "probes come from inside"


def test_every_answer_keeps_browsers_on_tls(client):
    for path in ("/accounts/login/", "/v1/balance", "/nothing-here"):
        policy = client.get(path, **TLS)["Strict-Transport-Security"]
        assert "max-age=31536000" in policy
        assert "includeSubDomains" in policy


def test_cookies_are_for_this_site_over_tls_and_for_no_script(client):
    client.get("/accounts/login/", **TLS)
    login = {"login": "owner@acme.example", "password": "correct horse battery staple"}
    client.post("/accounts/login/", login, **TLS)
    client.post("/theme", {"theme": "dark", "next": "/"}, **TLS)
    assert {"csrftoken", "sessionid"} < set(client.cookies), client.cookies
    for name, cookie in client.cookies.items():
        if cookie.value:
            assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax"), name


def test_a_header_of_a_proxy_is_believed_only_where_one_stands():
    assert production()["SECURE_PROXY_SSL_HEADER"] == ["HTTP_X_FORWARDED_PROTO", "https"]
    assert production(FC_TRUSTED_PROXIES="0")["SECURE_PROXY_SSL_HEADER"] is None
