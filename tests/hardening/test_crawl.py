"""Every page in every language, full and empty, without a browser: what it says of itself, and where its links lead.

Pages come from the table of `tests/matrix/test_pages.py` and from the resolver, so that a new page is looked at without
anybody adding it here.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.conf import settings
from django.db import connection
from django.http import Http404
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import resolve, reverse

from connect.models import User
from connect.services import request_log_drain, request_logs
from dashboard import navigation
from tests.hardening import html
from tests.matrix import recipes
from tests.matrix.routes import Route, routes
from tests.matrix.test_pages import PAGES

LANGUAGES = [code for code, _ in settings.LANGUAGES]
QUERIES_MAX = 12
TRANSACTION = ("SAVEPOINT", "RELEASE", "SET LOCAL")
"""In production one `BEGIN` carries the path; inside of a test's transaction it is these."""
FOLLOWED_PER_ROUTE = 3
POLICY = {"default-src 'none'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"}
SCRIPTS = {"script-src 'self'", "script-src 'none'"}
"""Ours or, on hosted pages, none at all."""
TEST_ONLY = {f"dashboard:{name}" for name in navigation.TEST_ONLY}
"""What a live environment does not have."""
NOT_LINKED = {
    "dashboard:activation_details": "a live environment is open already",
    "dashboard:first_steps": "a part of home, which htmx asks for",
    "dashboard:palette": "a dialog, which opens by Ctrl-K",
    "dashboard:saved_filters": "no filter was saved",
    "dashboard:first_key": "a form of home's", "dashboard:first_endpoint": "a form of home's",
}  # fmt: skip
"""Pages that no link leads to in a full environment, and why."""
MACHINES = ("/v1", "/oauth/userinfo", "/healthz", "/readyz", "/metrics", "/webhook-inbox")
OTHER_LOOK = ("/admin",)
"""Not ours to draw: the admin's pages are looked at in tests/admin."""
NOTHING = "zz_nothing"
"""What stands in an address for what does not exist."""


def look(client: Client, path: str, language: str, *, status: int = 200, secret: bool = False) -> html.Page:
    """One page in one language, the browser's and the person's: status, headers and every rule of `html`. Gives the page
    for its links.
    """
    User.objects.update(locale=language)
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path, headers={"accept-language": language})
    assert answer.status_code == status, (path, answer.status_code, answer.content[:300])
    asked = [entry["sql"] for entry in captured if not entry["sql"].startswith(TRANSACTION)]
    assert len(asked) <= QUERIES_MAX, (path, len(asked), [query[:120] for query in asked])
    policy = {part.strip() for part in answer["Content-Security-Policy"].split(";")}
    assert policy >= POLICY, (path, policy)
    assert {part for part in policy if part.startswith("script-src")} <= SCRIPTS, (path, policy)
    assert "unsafe" not in answer["Content-Security-Policy"], path
    assert answer["X-Frame-Options"] == "DENY", path
    assert answer["Referrer-Policy"] in {"same-origin", "no-referrer"}, path
    assert answer["X-Content-Type-Options"] == "nosniff", path
    assert not secret or "no-store" in answer["Cache-Control"], path
    body = answer.content.decode()
    assert html.faults(body, language=language) == [], (path, language)
    return html.Page(body)


@pytest.fixture
def owner(db: None) -> Client:
    client = Client(raise_request_exception=True)
    client.force_login(User.objects.get(email="owner@acme.example"))
    return client


@pytest.fixture
def address(api: Any, caller: Any) -> Callable[..., str]:
    """The address of a page of Acme, with what it names made afresh."""

    def of(name: str, mode: str = "test") -> str:
        page = PAGES[name]
        more = page.arguments(api, caller) if page.arguments else {}
        return reverse(name, kwargs={"org_slug": "acme", "mode": mode, **more})

    return of


def _leads_somewhere(page: html.Page, path: str) -> None:
    for link in page.links:
        target = urlsplit(urljoin(path, link)).path
        if target != path and not target.startswith(settings.STATIC_URL):
            try:
                resolve(target)
            except Http404:
                pytest.fail(f"{path} links to {link}, which is no page")


@pytest.mark.parametrize("name", sorted(name for name, page in PAGES.items() if "GET" in page.methods))
def test_a_page_is_right_in_every_language(name, owner, address):
    """With something on it; and where it names no object, in a live environment where nothing ever happened."""
    paths = [address(name)]
    if not PAGES[name].arguments and name not in TEST_ONLY:
        paths.append(address(name, mode="live"))
    for path in paths:
        first = owner.get(path)
        if first.status_code == 302 or "Content-Disposition" in first.headers:
            continue  # an id that leads to its object's page, or a download
        for language in LANGUAGES:
            _leads_somewhere(look(owner, path, language, secret=True), path)


def test_what_does_not_exist_says_so_in_every_language(owner):
    for path in ("/nothing-here", "/o/acme/test/nothing", "/o/nobody/test/", f"/c/{NOTHING}", f"/link/{NOTHING}"):
        for language in LANGUAGES:
            look(owner, path, language, status=404)


def _plain() -> Iterator[Route]:
    """Pages outside of an organization."""
    for route in routes():
        if not route.path.startswith((*MACHINES, *OTHER_LOOK, "/o/", settings.STATIC_URL)):
            yield route


def _address(path: str) -> str:
    """With the slash at its end that the route may have and its template has not."""
    try:
        resolve(path)
    except Http404:
        return f"{path}/"
    return path


@pytest.mark.parametrize("who", ["nobody", "owner"])
@pytest.mark.parametrize("route", [pytest.param(route, id=route.path) for route in _plain()])
def test_no_page_of_the_resolver_fails(route, who, owner):
    """Whatever stands in its address, whoever asks: an answer, and a right one in every language."""
    client = owner if who == "owner" else Client(raise_request_exception=True)
    path = _address(re.sub(r"{\w+}", NOTHING, route.path))
    for language in LANGUAGES:
        answer = client.get(path, headers={"accept-language": language})
        assert answer.status_code in {200, 302, 400, 401, 403, 404, 405}, (path, answer.status_code)
        if answer.status_code == 302:
            target = urlsplit(answer["Location"])
            assert (target.hostname or "") in html.OURS, (path, answer["Location"])
            resolve(target.path)
        elif "html" in answer.get("Content-Type", "") and answer.content and answer.status_code != 405:
            _leads_somewhere(look(client, path, language, status=answer.status_code), path)


def test_hosted_pages_are_right_in_every_language(api, settings):
    """What payers and customers of an app see: nobody is signed in, and the address alone opens the page."""
    settings.FC_SANDBOX_BANK_URL = "http://bank.test"
    asked = {"amount": 2500, "currency": "eur", "payment_method": "pm_card_authenticationRequired", "confirm": True}
    intent = api.post("/v1/payment_intents", {**asked, "return_url": "https://shop.example/back"}).json()
    opened = [
        api.get(f"/v1/checkout/sessions/{recipes.checkout_session(api)}").json()["url"],
        api.post("/v1/banking/link_sessions", {"client_reference_id": "user-7"}).json()["url"],
        intent["next_action"]["redirect_to_url"]["url"],
    ]
    for url in opened:
        for language in LANGUAGES:
            look(Client(), urlsplit(url).path, language, secret=True)


def test_every_page_is_found_by_following_links(owner, api, caller, environment):
    """From home, by links alone, as somebody does who does not know addresses; and no link on the way is broken."""
    for page in PAGES.values():
        if page.arguments:
            page.arguments(api, caller)
    recipes.waiting_refund(api)
    request_logs.buffer.flush()
    request_log_drain.drain()
    start = reverse("dashboard:home", args=["acme", "test"])
    waiting, seen, found = deque([start]), {start}, {name: 0 for name in PAGES if name != "dashboard:home"}
    came_from = {start: ""}
    while waiting:
        path = waiting.popleft()
        answer = owner.get(path, follow=True)
        assert answer.status_code == 200, (path, answer.status_code, came_from[path])
        if "text/html" not in answer["Content-Type"]:
            continue
        for link in html.Page(answer.content.decode()).links:
            target = urljoin(path, link).partition("#")[0]
            if target in seen or not target.startswith("/o/acme/test/"):
                continue
            seen.add(target)
            came_from[target] = path
            name = resolve(urlsplit(target).path).view_name
            found[name] = found.get(name, 0) + 1
            if found[name] <= FOLLOWED_PER_ROUTE:
                waiting.append(target)
    missed = {name for name, times in found.items() if not times}
    assert sorted(missed - NOT_LINKED.keys()) == []
