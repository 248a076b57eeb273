"""Ctrl-K: from letters to pages, customers, objects and their chain, among what a role may see."""

import html
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from connect.domain.permissions import Role

PAID = {"amount": 2500, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True, "description": "Cups"}
QUERIES_MAX = 12


def address(name="palette", *arguments):
    return reverse(f"dashboard:{name}", args=["acme", "test", *arguments])


def found(client, query=""):
    """Title → lines of each section of the palette."""
    answer = client.get(address(), {"q": query}, headers={"HX-Request": "true", "HX-Target": "palette-results"})
    assert answer.status_code == 200
    return {section.title: section.items for section in answer.context["sections"]}


@pytest.fixture
def customer(api):
    return api.post("/v1/customers", {"name": "Ана Петровска", "email": "ana@example.com"}).json()


@pytest.fixture
def paid(api):
    return api.post("/v1/payment_intents", PAID).json()


def test_an_empty_query_gives_the_newest_and_every_page_of_the_role(pages, customer, paid):
    sections = found(pages)
    assert [item.title for item in sections["Customers"]] == ["Ана Петровска"]
    assert [(item.title, item.detail) for item in sections["Payments"]] == [("25.00\N{NO-BREAK SPACE}EUR", "Cups")]
    assert {item.url for item in sections["Pages"]} >= {address("payments"), address("api_keys"), address("events")}
    assert "Docs" not in sections


def test_a_whole_id_opens_the_object_and_its_chain(pages, paid):
    lines = found(pages, f" {paid['id']} ")["By id"]
    assert [line.url for line in lines] == [
        address("payment", paid["id"]),
        f"{address('request_logs')}?object={paid['id']}",
        f"{address('events')}?object={paid['id']}",
    ]
    charge = found(pages, paid["latest_charge"])["By id"]
    assert charge[0].url == address("object", paid["latest_charge"])


def test_an_id_that_is_not_there_opens_nothing(pages, api_as):
    theirs = api_as("other", "test").post("/v1/customers", {"name": "Theirs"}).json()["id"]
    for query in ("pi_0000000000000000000000", theirs, "pi_short", "'; --", "%"):
        assert "By id" not in found(pages, query)
    assert found(pages, "req_0000000000000000000000")["By id"][0].url == address(
        "request_log", "req_0000000000000000000000"
    )


@pytest.mark.parametrize("query", ["ана", "Петров", "ANA@exa", "example.com"])
def test_customers_are_found_by_a_part_of_name_or_address(pages, customer, query):
    (line,) = found(pages, query)["Customers"]
    assert (line.url, line.detail) == (address("customer", customer["id"]), "ana@example.com")


def test_two_letters_are_too_few_to_look_through_customers(pages, customer):
    assert "Customers" not in found(pages, "an")


@pytest.mark.parametrize(
    ("query", "view"),
    [("ledger", "ledger_accounts"), ("request log", "request_logs"), ("API", "api_keys"), ("log dev", "request_logs")],
)
def test_pages_are_found_by_all_words(pages, query, view):
    assert address(view) in {line.url for line in found(pages, query)["Pages"]}


def test_what_begins_and_what_explains_is_found_too(pages):
    sections = found(pages, "webhook")
    assert address("webhook_endpoint_new") in {line.url for line in sections["Make"]}
    assert [line.url for line in sections["Docs"]] == ["/docs/webhooks", "/docs/search?q=webhook"]


@pytest.mark.parametrize("role", sorted(Role))
def test_every_line_opens_for_the_role_that_sees_it(pages_as, role, customer, paid):
    client = pages_as(role)
    lines = [
        line
        for query in ("", "new", "key", paid["id"])
        for items in found(client, query).values()
        for line in items
        if not line.url.startswith("/docs")
    ]
    assert lines
    for url in {line.url for line in lines}:
        assert client.get(url).status_code == 200, url


def test_an_analyst_is_shown_neither_logs_nor_what_they_may_not_make(pages_as, paid):
    client = pages_as("analyst")
    assert [line.url for line in found(client, paid["id"])["By id"]] == [address("payment", paid["id"])]
    assert "Make" not in found(client, "new")


@pytest.mark.parametrize("query", ["", "ana", "webhook"])
def test_the_palette_asks_the_database_little(pages, customer, paid, query):
    """The session, the person and the door take seven of these; savepoints are what the test makes of transactions."""
    found(pages)
    with CaptureQueriesContext(connection) as captured:
        found(pages, query)
    asked = [each["sql"] for each in captured if not re.match(r"(RELEASE )?SAVEPOINT|SET LOCAL", each["sql"])]
    assert len(asked) <= QUERIES_MAX, asked


def test_the_answer_is_a_fragment_and_escapes_what_was_typed(pages):
    typed = {"q": "<script>alert(1)</script>"}
    page = pages.get(address(), typed, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in page
    assert "<script" not in page
    assert "Search the docs for “<script>alert(1)</script>”" in html.unescape(page)


def test_whoever_opens_the_address_itself_gets_a_whole_page(pages):
    assert "<h1>Search</h1>" in pages.get(address(), {"q": "ledger"}).content.decode()


def test_without_scripts_the_search_page_shows_the_same(pages, customer):
    page = html.unescape(pages.get(address("search"), {"q": "petr"}).content.decode())
    assert "Nothing here has this id" in page
    page = html.unescape(pages.get(address("search"), {"q": "петр"}).content.decode())
    assert f'href="{address("customer", customer["id"])}"' in page
    assert "Nothing here has this id" not in page
