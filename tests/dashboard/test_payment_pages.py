"""Payments in the dashboard: what the API made is what the pages show, to the cent."""

import html
import json
import re

import pytest
from django.urls import reverse

NBSP = "\u00a0"
PAID = {"amount": 2500, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}


def address(name="payments", *arguments, mode="test"):
    return reverse(f"dashboard:{name}", args=["acme", mode, *arguments])


def text_of(answer):
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def listed(answer):
    return [payment.id for payment in answer.context["payments"]]


@pytest.fixture
def paid(api):
    """A succeeded payment of 25.00 EUR."""
    return api.post("/v1/payment_intents", {**PAID, "description": "Two <coffees>", "metadata": {"order": "7"}}).json()


@pytest.fixture
def unpaid(api):
    """Three payments that wait for a payment method, oldest first."""
    return [api.post("/v1/payment_intents", {"amount": 5000 + n, "currency": "mkd"}).json()["id"] for n in range(3)]


def test_an_empty_list_teaches_the_first_request(pages):
    page = text_of(pages.get(address()))
    assert "No payment yet" in page
    assert "curl http://testserver/v1/payment_intents" in page
    assert "pm_card_visa" in page


def test_live_mode_never_offers_a_test_card(pages):
    for name in ("home", "payments", "api_keys"):
        assert "pm_card" not in text_of(pages.get(address(name, mode="live")))


def test_the_list_shows_amount_status_and_id(pages, paid):
    page = text_of(pages.get(address()))
    assert f"25.00{NBSP}EUR" in page
    assert "Succeeded" in page
    assert paid["id"] in page
    assert "<coffees>" not in pages.get(address()).content.decode()


def test_filters_are_part_of_the_address(pages, paid, unpaid):
    assert listed(pages.get(address(), {"status": "succeeded"})) == [paid["id"]]
    assert listed(pages.get(address(), {"status": "requires_payment_method"})) == unpaid[::-1]
    assert listed(pages.get(address(), {"q": unpaid[0]})) == [unpaid[0]]
    assert listed(pages.get(address(), {"q": unpaid[0], "status": "succeeded"})) == []
    assert "Nothing matches" in text_of(pages.get(address(), {"q": "pi_nonsense"}))


def test_an_unknown_filter_value_is_no_filter(pages, paid):
    assert listed(pages.get(address(), {"status": "lost", "after": "x", "before": "y"})) == [paid["id"]]


def test_paging_visits_every_payment_once_and_comes_back(pages, unpaid, monkeypatch):
    monkeypatch.setattr("dashboard.pages.lists.PAGE_SIZE", 2)
    first = pages.get(address(), {"status": "requires_payment_method"})
    assert (listed(first), first.context["pager"].newer) == (unpaid[:0:-1], None)
    second = pages.get(f"{address()}?{first.context['pager'].older}")
    assert (listed(second), second.context["pager"].older) == ([unpaid[0]], None)
    back = pages.get(f"{address()}?{second.context['pager'].newer}")
    assert (listed(back), back.context["pager"].newer) == (unpaid[:0:-1], None)
    assert back.context["filters"]["status"] == "requires_payment_method"


def test_htmx_gets_the_results_alone(pages, paid):
    part = text_of(pages.get(address(), headers={"HX-Request": "true", "HX-Target": "results"}))
    assert paid["id"] in part
    assert part.count('id="results"') == 1
    assert "<html" not in part
    assert "HX-Request" in pages.get(address())["Vary"]


def test_the_detail_shows_the_money_and_proves_it(pages, paid):
    """The ledger lines of the payment balance, and the page shows both sums."""
    answer = pages.get(address("payment", paid["id"]))
    page = text_of(answer)
    assert f"25.00{NBSP}EUR" in page
    assert "payment_intent.succeeded" in page
    assert paid["latest_charge"] in page
    assert "order" in page
    (total,) = answer.context["sums"]
    assert total.debit_minor == total.credit_minor >= 2500
    assert all(
        (line.debit_minor is None) != (line.credit_minor is None)
        for p in answer.context["postings"]
        for line in p.lines
    )


def test_the_json_tab_is_the_object_without_its_secret(pages, paid):
    page = text_of(pages.get(address("payment", paid["id"]), {"tab": "json"}))
    shown = json.loads(re.search(r"<pre[^>]*><code>(.*?)</code></pre>", page, re.DOTALL).group(1))
    assert shown["client_secret"] is None
    assert {**shown, "client_secret": paid["client_secret"]} == paid


def test_a_decline_is_told_in_words(pages, api):
    declined = api.post("/v1/payment_intents", {**PAID, "payment_method": "pm_card_chargeDeclinedInsufficientFunds"})
    intent = declined.json()["error"]["payment_intent"]
    page = text_of(pages.get(address("payment", intent["id"])))
    assert intent["last_payment_error"]["message"] in page
    assert "insufficient_funds" in page
    assert "ledger holds nothing" in page


def test_support_sees_payments_but_not_the_ledger(pages_as, paid):
    answer = pages_as("support").get(address("payment", paid["id"]))
    assert answer.context["postings"] == []
    assert "Ledger" not in text_of(answer)


@pytest.mark.parametrize("identifier", ["pi_nonsense", "pi_0351ruBHStJ901tBKgdyKB", "ch_0000000000000000000000"])
def test_what_does_not_exist_is_not_found(pages, identifier):
    assert pages.get(address("payment", identifier)).status_code == 404


def test_a_payment_exists_in_its_mode_only(pages, paid):
    assert pages.get(address("payment", paid["id"], mode="live")).status_code == 404
