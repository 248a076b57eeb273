"""Customers in the dashboard: found by address and id, made, changed and deleted as through the API, each once."""

import html

import pytest
from django.urls import reverse

KEY = "0123456789abcdef" * 2
ANA = {"idempotency_key": KEY, "name": "Ана Петровска", "email": "ana@example.com", "metadata": "shop: 7\nvip: yes"}


def address(name="customers", *arguments, mode="test"):
    return reverse(f"dashboard:{name}", args=["acme", mode, *arguments])


def text_of(answer):
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def listed(answer):
    return [customer.id for customer in answer.context["customers"]]


@pytest.fixture
def ana(api):
    """A customer with a card and a payment."""
    ana = api.post("/v1/customers", {"name": "Ana", "email": "ana@example.com", "metadata": {"shop": "7"}}).json()
    paid = {"amount": 2500, "currency": "eur", "customer": ana["id"], "confirm": True}
    method = api.post("/v1/payment_methods", {"type": "card", "card": {"token": "tok_visa"}}).json()
    api.post(f"/v1/payment_methods/{method['id']}/attach", {"customer": ana["id"]})
    api.post("/v1/payment_intents", {**paid, "payment_method": method["id"]})
    return ana


def test_an_empty_list_teaches_the_first_customer(pages):
    page = text_of(pages.get(address()))
    assert "No customer yet" in page
    assert "curl http://testserver/v1/customers" in page


def test_customers_are_found_by_address_and_by_id(pages, ana, api):
    other = api.post("/v1/customers", {"email": "bojan@example.com"}).json()
    assert listed(pages.get(address())) == [other["id"], ana["id"]]
    assert listed(pages.get(address(), {"q": " ana@example.com "})) == [ana["id"]]
    assert listed(pages.get(address(), {"q": other["id"]})) == [other["id"]]
    assert "Nobody found" in text_of(pages.get(address(), {"q": "cus_nonsense"}))
    assert pages.get(address("search"), {"q": "ana@example.com"})["Location"] == f"{address()}?q=ana%40example.com"
    assert pages.get(address("search"), {"q": ana["id"]})["Location"] == address("customer", ana["id"])


def test_paging_visits_every_customer_once(pages, api, monkeypatch):
    monkeypatch.setattr("dashboard.pages.lists.PAGE_SIZE", 2)
    made = [api.post("/v1/customers", {"name": f"Number {n}"}).json()["id"] for n in range(3)]
    first = pages.get(address())
    second = pages.get(f"{address()}?{first.context['pager'].older}")
    assert listed(first) + listed(second) == made[::-1]


def test_the_detail_shows_cards_payments_and_events(pages, ana):
    answer = pages.get(address("customer", ana["id"]))
    page = text_of(answer)
    assert "Visa •••• 4242" in page
    assert "25.00\u00a0EUR" in page
    assert "customer.created" in page
    assert "shop" in page


def test_a_customer_made_here_is_there_for_the_api(pages, api):
    made = pages.post(address("customer_new"), ANA)
    (found,) = api.get("/v1/customers").json()["data"]
    assert made["Location"] == address("customer", found["id"])
    assert (found["name"], found["email"]) == (ANA["name"], ANA["email"])
    assert found["metadata"] == {"shop": "7", "vip": "yes"}
    assert "The customer is kept." in text_of(pages.get(made["Location"]))


def test_the_same_form_sent_twice_makes_one_customer(pages, api):
    first, second = (pages.post(address("customer_new"), ANA) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert len(api.get("/v1/customers").json()["data"]) == 1


def test_a_sent_form_with_other_values_is_questioned(pages, api):
    pages.post(address("customer_new"), ANA)
    answer = pages.post(address("customer_new"), {**ANA, "name": "Bojan"})
    assert answer.status_code == 422
    assert "sent before with other values" in text_of_refusal(answer)
    assert KEY not in answer.content.decode()
    assert len(api.get("/v1/customers").json()["data"]) == 1


def text_of_refusal(answer):
    return html.unescape(answer.content.decode())


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "nowhere"}, "email"),
        ({"metadata": "no colon"}, "metadata"),
        ({"metadata": f"{'k' * 41}: v"}, "metadata"),
        ({"idempotency_key": "../x"}, "idempotency_key"),
        ({"phone": "1" * 41}, "phone"),
    ],
)
def test_a_refused_form_names_the_field_and_makes_nobody(pages, api, change, field):
    answer = pages.post(address("customer_new"), {**ANA, **change})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert api.get("/v1/customers").json()["data"] == []


def test_an_edit_changes_exactly_what_the_form_says(pages, ana, api):
    path = address("customer_edit", ana["id"])
    assert pages.get(path).context["form"].initial["metadata"] == "shop: 7"
    assert pages.post(path, {**ANA, "metadata": "city: Ohrid", "email": ""})["Location"] == address(
        "customer", ana["id"]
    )
    changed = api.get(f"/v1/customers/{ana['id']}").json()
    assert (changed["name"], changed["email"], changed["metadata"]) == (ANA["name"], None, {"city": "Ohrid"})


def test_asking_deletes_nobody_and_names_the_consequence(pages, ana, api):
    page = text_of(pages.get(address("customer_delete", ana["id"])))
    assert "Delete Ana?" in page
    assert "can no longer be charged" in page
    assert "deleted" not in api.get(f"/v1/customers/{ana['id']}").json()


def test_a_deleted_customer_keeps_what_they_paid(pages, ana, api):
    assert pages.post(address("customer_delete", ana["id"]), {"idempotency_key": KEY})["Location"] == address()
    assert api.get(f"/v1/customers/{ana['id']}").json()["deleted"] is True
    page = text_of(pages.get(address("customer", ana["id"])))
    assert "This customer was deleted" in page
    assert "25.00\u00a0EUR" in page
    assert pages.get(address("customer_edit", ana["id"])).status_code == 404
    assert listed(pages.get(address(), {"q": ana["id"]})) == []


def test_an_event_knows_the_request_of_the_page_that_caused_it(pages, api):
    """What a page does is an event like any other, with the request that caused it."""
    made = pages.post(address("customer_new"), ANA)
    customer_id = made["Location"].rpartition("/")[2]
    (event,) = pages.get(address("customer", customer_id)).context["events"]
    assert event.request_id == made["Request-Id"]
