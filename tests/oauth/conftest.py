"""A browser with a session, apps that its person registered, and Authlib as those apps: all over HTTP to a real server."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets as random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import psycopg
import pytest
from authlib.integrations.requests_client import OAuth2Session
from django.contrib.sessions.backends.db import SessionStore

from connect.domain import oauth, proofs
from tests.live_server import LiveServer, live_server

CALLBACK = "http://localhost:7171/callback"
OPEN: list[OAuth2Session] = []
"""Clients that are closed after the test."""
SCOPES = ("customers:read", "payments:write")


@dataclass
class App:
    """A registered app; `secret` is empty for a public one."""

    id: str
    secret: str
    server: LiveServer
    redirect_uri: str = CALLBACK

    def client(self, **more: Any) -> OAuth2Session:
        """Authlib as this app."""
        client = OAuth2Session(
            self.id,
            self.secret or None,
            token_endpoint_auth_method="client_secret_basic" if self.secret else "none",
            token_endpoint=f"{self.server.url}/oauth/token",
            redirect_uri=self.redirect_uri,
            code_challenge_method="S256",
            **more,
        )
        client.trust_env = False
        OPEN.append(client)
        return client

    def form(self, path: str, **fields: str) -> httpx.Response:
        """A form to one of the endpoints with what the app authenticates with."""
        auth = (self.id, self.secret) if self.secret else None
        sent = fields if self.secret else {"client_id": self.id, **fields}
        return httpx.post(self.server.url + path, data=sent, auth=auth, trust_env=False)


@dataclass
class Browser:
    """Somebody who is signed in and decides on our pages."""

    server: LiveServer
    session: str
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.server.url, cookies={"sessionid": self.session}, trust_env=False)

    def get(self, path: str) -> httpx.Response:
        return self.http.get(path)

    def post(self, path: str, page: str | None = None, **fields: Any) -> httpx.Response:
        """Fill the form that `page` (or `path` itself) shows."""
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.http.get(page or path).text)
        assert token, "the page has no form"
        return self.http.post(path, data={"csrfmiddlewaretoken": token[1], **fields})

    def register(self, name: str = "Ledger Lens", *, mode: str = "test", **given: Any) -> App:
        """Register an app by the dashboard's form."""
        fields = {
            "name": name,
            "client_type": "confidential",
            "grant_types": list(oauth.GRANT_TYPES),
            "redirect_uris": CALLBACK,
            "scopes": list(SCOPES),
            **given,
        }
        page = self.post(f"/o/acme/{mode}/developers/apps/new", **fields)
        assert page.status_code == 200, page.text
        secret = re.search(r"fc_cs_\w{36}", page.text)
        uri = str(fields["redirect_uris"]).split()
        return App(
            re.search(r"app_\w{22}", page.text)[0], secret[0] if secret else "", self.server, uri[0] if uri else ""
        )

    def decide(self, address: str, *, decision: str = "allow", mode: str = "test", pick: int = 0) -> httpx.Response:
        """Open the consent page and decide; with `allow`, for the `pick`th environment offered in that mode."""
        page = self.http.get(address)
        assert page.status_code == 200, page.text
        found = re.findall(r'value="([0-9a-f-]{36})"[^>]*><label[^>]*>([^<]*(?:<strong>[^<]*)?)', page.text)
        offered = [value for value, label in found if ("Live" in label) == (mode == "live")]
        return self.post(address, decision=decision, environment=offered[pick] if offered else "")


@dataclass
class World:
    """All of it: Acme's owner, who registers apps, and lets them in."""

    server: LiveServer
    browser: Browser

    def sql(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """A statement past the product, in the public schema."""
        with psycopg.connect(self.server.database_url) as connection:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    def live_tokens(self, app: App) -> int:
        """Tokens of the app that could still be used for anything."""
        ((found,),) = self.sql(
            "SELECT (SELECT count(*) FROM connect_oauth_access_token t JOIN connect_api_client c ON c.id = t.application_id"
            " WHERE c.client_id = %s AND t.expires > now())"
            " + (SELECT count(*) FROM connect_oauth_refresh_token r JOIN connect_api_client c ON c.id = r.application_id"
            " WHERE c.client_id = %s AND r.revoked IS NULL)",
            app.id,
            app.id,
        )
        return found

    def signed_in(self, email: str) -> Browser:
        """A browser in which this person has signed in."""
        from connect.models import User

        ((identifier, password),) = self.sql("SELECT id, password FROM connect_user WHERE email = %s", email)
        key = "".join(random.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(32))
        data = SessionStore().encode(
            {
                "_auth_user_id": str(identifier),
                "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
                "_auth_user_hash": User(password=password).get_session_auth_hash(),
                proofs.KEY: time.time(),
            }
        )
        self.sql(
            "INSERT INTO django_session (session_key, session_data, expire_date) VALUES (%s, %s, now() + interval '1 day')",
            key,
            data,
        )
        return Browser(self.server, key)

    def member(self, email: str, role: str) -> None:
        """A person with this role in Acme."""
        from connect.kit import ids

        self.sql(
            "INSERT INTO connect_user (id, email, password, name, locale, time_zone, is_staff, is_active, is_superuser,"
            " date_joined) VALUES (%s, %s, '!', 'Mira', 'en', 'UTC', false, true, false, now())",
            ids.new(),
            email,
        )
        self.sql(
            "INSERT INTO connect_membership (id, created_at, organization_id, user_id, role) SELECT %s, now(), o.id, u.id, %s"
            " FROM connect_organization o, connect_user u WHERE o.slug = 'acme' AND u.email = %s",
            ids.new(),
            role,
            email,
        )


def pkce() -> tuple[str, str]:
    """A verifier and its S256 challenge."""
    verifier = random.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    return verifier, base64.urlsafe_b64encode(digest).decode().rstrip("=")


def asked(app: App, challenge: str | None = None, **changed: str | None) -> str:
    """An authorization address; a parameter that is None is left out."""
    fields = {
        "response_type": "code",
        "client_id": app.id,
        "redirect_uri": app.redirect_uri,
        "scope": " ".join(SCOPES),
        "state": "st-1",
        "code_challenge": challenge or pkce()[1],
        "code_challenge_method": "S256",
        **changed,
    }
    return "/oauth/authorize?" + urlencode({name: value for name, value in fields.items() if value is not None})


def told(answer: httpx.Response) -> dict[str, str]:
    """The parameters with which a person is sent back."""
    assert answer.status_code == 302, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


@pytest.fixture(scope="session")
def server() -> Iterator[LiveServer]:
    with live_server(workers=2, threads=4) as running:
        yield running


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


@pytest.fixture(scope="session")
def world(server: LiveServer) -> Iterator[World]:
    made = World(server, None)  # type: ignore[arg-type]
    made.browser = made.signed_in("owner@acme.example")
    yield made
    made.browser.http.close()


@pytest.fixture(scope="session")
def app(world: World) -> App:
    """A confidential app with every way in."""
    return world.browser.register()


@pytest.fixture(scope="session")
def public_app(world: World) -> App:
    """One on people's devices."""
    return world.browser.register(
        "Terminal", client_type="public", grant_types=[oauth.CODE, oauth.DEVICE], scopes=["customers:read"]
    )


@pytest.fixture
def code_of(world: World) -> Callable[..., tuple[str, str]]:
    """A fresh code and its verifier: the person has just said yes."""

    def get(app: App, **changed: Any) -> tuple[str, str]:
        verifier, challenge = pkce()
        mode = changed.pop("mode", "test")
        return told(world.browser.decide(asked(app, challenge, **changed), mode=mode))["code"], verifier

    return get


@pytest.fixture
def tokens_of(code_of: Callable[..., tuple[str, str]]) -> Callable[..., dict[str, Any]]:
    """Tokens after the whole way."""

    def get(app: App, **changed: Any) -> dict[str, Any]:
        code, verifier = code_of(app, **changed)
        answer = exchange(app, code, verifier)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return get


def exchange(app: App, code: str, verifier: str | None, **more: str) -> httpx.Response:
    """A code against tokens."""
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": app.redirect_uri, **more}
    return app.form("/oauth/token", **fields, **({} if verifier is None else {"code_verifier": verifier}))


def refresh(app: App, token: str, **more: str) -> httpx.Response:
    """A refresh token against the next pair."""
    return app.form("/oauth/token", grant_type="refresh_token", refresh_token=token, **more)
