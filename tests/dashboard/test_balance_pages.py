"""The balance in the dashboard: the figures of the API, and a file that a spreadsheet reads without harm."""

import csv
import html
import io
import re

import pytest
from django.urls import reverse

PAID = {"amount": 2500, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}


def address(name="balance", *arguments, mode="test"):
    return reverse(f"dashboard:{name}", args=["acme", mode, *arguments])


def text_of(answer):
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


@pytest.fixture
def paid(api):
    """Two payments in two currencies; the second one's description looks like a formula."""
    api.post("/v1/payment_intents", PAID)
    api.post("/v1/payment_intents", {**PAID, "currency": "mkd", "amount": 90000, "description": "=HYPERLINK(1)"})


def rows(answer):
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer["Content-Disposition"]
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def test_an_empty_balance_teaches_the_first_payment(pages):
    assert "No money yet" in text_of(pages.get(address()))


def test_the_figures_are_those_of_the_api(pages, paid, api):
    told = api.get("/v1/balance").json()
    shown = {figure.currency: figure for figure in pages.get(address()).context["balances"]}
    for kind in ("available", "pending"):
        assert {each["currency"]: each["amount"] for each in told[kind]} == {
            currency: getattr(figure, f"{kind}_minor") for currency, figure in shown.items()
        }


def test_transactions_are_narrowed_by_currency_and_type(pages, paid):
    def found(**given):
        return [each.currency for each in pages.get(address(), given).context["transactions"]]

    assert found() == ["mkd", "eur"]
    assert found(currency="EUR") == ["eur"]
    assert found(type="charge", currency="mkd") == ["mkd"]
    assert found(type="payout") == []


def test_what_changed_the_balance_is_said_in_words_and_chosen_from_a_list(pages, paid):
    page = text_of(pages.get(address(), {"type": "charge"}))
    assert '<option value="charge" selected>Payment</option>' in page
    assert re.findall(r'class="row-link"[^>]*>([^<]+)</a>', page) == ["Payment", "Payment"]


def test_the_file_holds_every_transaction_once(pages, paid, api, monkeypatch):
    monkeypatch.setattr("dashboard.pages.balance.BATCH", 1)
    told = {each["id"]: each for each in api.get("/v1/balance_transactions").json()["data"]}
    found = rows(pages.get(address("balance_export")))
    assert [row["id"] for row in found] == list(told)
    euro = found[1]
    assert (euro["amount"], euro["currency"], euro["source"]) == ("25.00", "EUR", told[euro["id"]]["source"])
    assert float(euro["amount"]) == pytest.approx(float(euro["net"]) + float(euro["fee"]))


def test_the_file_follows_the_filters(pages, paid):
    assert [row["currency"] for row in rows(pages.get(address("balance_export"), {"currency": "eur"}))] == ["EUR"]


def test_a_payers_text_is_no_formula(pages, paid):
    descriptions = [row["description"] for row in rows(pages.get(address("balance_export")))]
    assert not [text for text in descriptions if text.startswith(("=", "+", "-", "@"))]
