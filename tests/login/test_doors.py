"""Row 55: where a sign-in leads, whose name a mail's link bears, and who may frame a page; for every route there is."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.test import Client

from connect.api.middleware import MACHINE_PATHS
from tests.login.conftest import PASSWORD, sign_in
from tests.matrix.routes import routes

ELSEWHERE = [
    "https://evil.example/",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "http://testserver@evil.example/",
    "http://testserver.evil.example/",
    "http://evil.example#testserver",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "%2f%2fevil.example",
    " https://evil.example",
    "https://evil.example\t",
    "http:///evil.example",
    "/%5cevil.example",
    "\x00//evil.example",
    "ftp://testserver/",
]
SAMPLE = {
    "org_slug": "acme", "mode": "test", "environment": "acme", "name": "none", "token": "none", "key": "none",
    "uidb36": "1", "pk": "1", "session_id": "1",
}  # fmt: skip
EVIL = "evil.example"


def leads_away(location):
    """As a browser reads it: backslashes are slashes, and white space at the ends is nothing."""
    read = re.sub(r"[\t\r\n]", "", location.strip(" \x00")).replace("\\", "/")
    return re.match(r"(?i)(https?:)?//(?!testserver(?:[:/]|$))", read) or re.match(r"(?i)(javascript|data|ftp):", read)


def is_for_machines(route):
    """The addresses that go past sessions and cookies, straight to their views."""
    return route.path.startswith("/v1/") or route.path in MACHINE_PATHS


def addresses():
    """Every route of the product with something in the place of each parameter."""
    for route in routes():
        path = re.sub(r"\{(\w+)\}", lambda found: SAMPLE.get(found[1], "x"), route.path)
        # A template ends without the slash that the addresses of these two libraries have.
        yield route, path + ("/" if path.startswith(("/accounts", "/admin/")) else "")


@pytest.mark.parametrize("target", ELSEWHERE)
def test_row_55_next_leads_nowhere_else(person, target):
    mira = person(role="owner")
    client = Client()
    ways = [
        sign_in(client, mira.email, query_params={"next": target}),
        client.post("/accounts/reauthenticate/", {"password": PASSWORD}, query_params={"next": target}),
        client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": target}),
        client.post("/theme", {"theme": "dark", "next": target}),
        client.get("/accounts/login/", {"next": target}),
        client.post("/accounts/logout/", {"next": target}),
    ]
    for answer in ways:
        if "\x00" in target and answer.status_code == 400:
            continue  # an address with a NUL is refused before anybody reads it
        assert answer.status_code == 302
        assert not leads_away(answer["Location"]), answer["Location"]


def test_row_55_a_way_within_the_site_is_kept(person):
    """So that the test above is no test of a door that leads nowhere at all."""
    answer = sign_in(Client(), person(role="owner").email, query_params={"next": "/o/acme/test/payments?status=failed"})
    assert answer["Location"] == "/o/acme/test/payments?status=failed"


def test_row_55_a_poisoned_host_is_in_no_answer_and_no_mail(person):
    mira = person(role="owner")
    client = Client(raise_request_exception=False)
    sign_in(client, mira.email)
    asked = 0
    for route, path in addresses():
        answer = client.get(path, headers={"host": EVIL})
        # What needs no name of its own may answer; it must not repeat the name it was given.
        assert answer.status_code in {400, 401, 403, 404, 405, 200, 301, 302, 410, 503}, (route, answer.status_code)
        assert EVIL not in str(answer.headers), route
        if not answer.streaming:
            assert EVIL.encode() not in answer.content, route
        forwarded = client.get(path, headers={"x-forwarded-host": EVIL, "forwarded": f"host={EVIL}"})
        assert EVIL not in str(forwarded.headers), route
        if not forwarded.streaming:
            assert EVIL.encode() not in forwarded.content, route
        asked += 1
    assert asked > 100
    for door, form in (
        ("/accounts/password/reset/", {"email": mira.email}),
        ("/accounts/signup/", {"email": "new@shop.example", "password1": PASSWORD, "password2": PASSWORD}),
    ):
        assert Client(raise_request_exception=False).post(door, form, headers={"host": EVIL}).status_code == 400
        assert mail.outbox == []
        Client().post(door, form, headers={"x-forwarded-host": EVIL, "x-host": EVIL, "forwarded": f"host={EVIL}"})
        assert EVIL not in mail.outbox[-1].body
        mail.outbox.clear()


def test_row_55_no_page_lets_itself_be_framed(person):
    """Every route answers with the headers, whatever it answers; what is for machines is at least no page."""
    client = Client(raise_request_exception=False)
    sign_in(client, person(role="owner").email)
    seen = 0
    for route, path in addresses():
        for who in (client, Client(raise_request_exception=False)):
            answer = who.get(path)
            assert answer.status_code < 500 or route.name == "readyz", (route, answer.status_code)
            assert answer["X-Content-Type-Options"] == "nosniff", route
            if is_for_machines(route):
                assert answer["Content-Type"].partition(";")[0] in {"application/json", "text/plain"}, route
                continue
            assert answer["X-Frame-Options"] == "DENY", route
            policy = answer["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in policy, route
            assert "base-uri 'none'" in policy, route
            assert answer["Referrer-Policy"] == "same-origin", route
            assert answer["Cross-Origin-Opener-Policy"] == "same-origin", route
            if not path.startswith("/admin"):
                assert "unsafe" not in policy, route
            seen += 1
    assert seen > 150
