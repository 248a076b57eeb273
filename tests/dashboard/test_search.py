"""Any id leads to its page: from the search, and for objects without a page of their own."""

import html

import pytest
from django.urls import reverse

PAID = {"amount": 2500, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}


def address(name="search", *arguments, mode="test"):
    return reverse(f"dashboard:{name}", args=["acme", mode, *arguments])


def search(client, query):
    return client.get(address(), {"q": query})


@pytest.fixture
def paid(api):
    return api.post("/v1/payment_intents", PAID).json()


def test_every_page_has_the_search(pages):
    assert f'action="{address()}"' in pages.get(address("home")).content.decode()


def test_an_object_with_a_page_is_opened_there(pages, paid):
    assert search(pages, f"  {paid['id']} ")["Location"] == address("payment", paid["id"])


def test_an_object_without_a_page_is_shown_whole(pages, paid):
    charge = paid["latest_charge"]
    assert search(pages, charge)["Location"] == address("object", charge)
    answer = pages.get(address("object", charge))
    page = html.unescape(answer.content.decode())
    assert '"amount": 2500' in page
    assert {related.id for related in answer.context["related"]} >= {paid["id"], paid["payment_method"]}
    assert "charge.succeeded" in page


def test_an_object_without_a_page_stands_under_its_list(pages, paid):
    charge, method = (pages.get(address("object", paid[name])) for name in ("latest_charge", "payment_method"))
    for answer in (charge, method):
        assert f'aria-label="Breadcrumb"><a href="{address("payments")}">Payments</a>' in answer.content.decode()


def test_secrets_of_an_object_are_not_shown(pages, paid):
    page = pages.get(address("object", paid["id"])).content.decode()
    assert paid["client_secret"] not in page


def test_a_request_id_opens_the_log(pages):
    request_id = "req_0000000000000000000000"
    assert search(pages, request_id)["Location"] == address("request_log", request_id)


@pytest.mark.parametrize("query", ["", "nonsense", "zz_0000000000000000000000", "pi_short", "<script>"])
def test_what_is_no_id_is_answered_with_what_can_be_found(pages, query):
    answer = search(pages, query)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "pi_…" in page
    assert "<script>" not in page.replace("<script src=", "")


def test_the_kinds_on_offer_are_those_of_the_role_each_once(pages_as):
    shown = {role: pages_as(role).get(address()).context["prefixes"] for role in ("developer", "analyst")}
    for kinds in shown.values():
        assert len(kinds) == len({prefix for prefix, _ in kinds})
    assert set(shown["developer"]) >= {("req", "request"), ("evt", "event"), ("we", "webhook endpoint")}
    assert {prefix for prefix, _ in shown["analyst"]}.isdisjoint({"req", "evt", "we", "whd"})


def test_what_a_role_may_not_see_is_not_found(pages_as, paid, api):
    support = pages_as("support")
    transaction = api.get(f"/v1/charges/{paid['latest_charge']}").json()["balance_transaction"]
    assert "Nothing here has this id" in search(support, transaction).content.decode()
    assert support.get(address("object", transaction)).status_code == 403


def test_an_object_of_the_other_mode_is_not_here(pages, paid):
    assert pages.get(address("object", paid["latest_charge"], mode="live")).status_code == 404
    assert pages.get(address("object", "zz_0000000000000000000000")).status_code == 404
