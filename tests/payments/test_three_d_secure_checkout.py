"""A payer of the hosted checkout who has to authenticate: to the issuer's page, back, and on to the shop."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest

ALWAYS = "4000 0027 6000 3184"
SHOP = "https://shop.example/ok"


@pytest.fixture
def session(api):
    line = {"price_data": {"currency": "eur", "unit_amount": 1250, "product_data": {"name": "Coffee"}}, "quantity": 2}

    def create(**given):
        answer = api.post("/v1/checkout/sessions", {"mode": "payment", "line_items": [line], **given})
        assert answer.status_code == 200, answer.content
        return answer.json()

    return create


@pytest.fixture
def pay(client):
    """`pay(session)` types a card that always asks, and gives the address of the issuer's page."""

    def submit(made, query=""):
        path = urlsplit(made["url"]).path
        key = re.search(r'name="key" value="([^"]+)"', client.get(path + query).content.decode())[1]
        typed = {"email": "ana@example.com", "name": "Ana", "number": ALWAYS, "expiry": "12 / 40", "cvc": "123"}
        answer = client.post(path + query, {**typed, "key": key})
        assert answer.status_code == 302
        return answer["Location"]

    return submit


def path_of(url):
    parts = urlsplit(url)
    assert parts.path.startswith("/3ds/")
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def test_after_authentication_the_payer_comes_to_the_shop(api, client, session, pay):
    made = session(success_url=SHOP)
    bank = path_of(pay(made))
    policy = client.get(bank)["Content-Security-Policy"]
    assert "https://shop.example" in policy.partition("form-action")[2].partition(";")[0]
    back = client.post(bank, {"answer": "complete"})
    returned = urlsplit(back["Location"])
    assert returned.path == f"{urlsplit(made['url']).path}/return"
    assert parse_qs(returned.query)["redirect_status"] == ["succeeded"]
    assert client.get(f"{returned.path}?{returned.query}")["Location"] == SHOP
    done = api.get(f"/v1/checkout/sessions/{made['id']}").json()
    assert (done["status"], done["payment_status"]) == ("complete", "paid")
    assert client.get(bank)["Location"] == back["Location"]


def test_after_a_failed_authentication_the_payer_can_try_again(api, client, session, pay):
    made = session()
    bank = path_of(pay(made))
    back = urlsplit(client.post(bank, {"answer": "fail"})["Location"])
    page = client.get(client.get(f"{back.path}?{back.query}")["Location"]).content.decode()
    assert "Your bank could not confirm that it is you. No money was taken." in page
    again = path_of(pay(made))
    assert again != bank
    assert client.post(again, {"answer": "complete"}).status_code == 303
    done = api.get(f"/v1/checkout/sessions/{made['id']}").json()
    assert (done["status"], done["payment_status"]) == ("complete", "paid")
    charges = api.get("/v1/charges", {"payment_intent": done["payment_intent"]}).json()["data"]
    assert [charge["paid"] for charge in charges] == [True]


def test_the_chosen_language_goes_along_to_the_bank_and_back(client, session, pay):
    bank = path_of(pay(session(), "?lang=sq"))
    assert "Konfirmoni këtë pagesë" in client.get(bank).content.decode()
    back = urlsplit(client.post(bank, {"answer": "fail"})["Location"])
    assert parse_qs(back.query)["lang"] == ["sq"]


def test_a_payer_who_left_for_the_bank_finds_the_way_there_again(client, session, pay):
    made = session()
    bank = pay(made)
    assert bank in client.get(urlsplit(made["url"]).path).content.decode()
