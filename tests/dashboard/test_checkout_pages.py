"""Checkout links in the dashboard: made once, copied while open, ended, and the same to the payer and the API."""

import html

import pytest
from django.urls import reverse

KEY = {"idempotency_key": "0123456789abcdef" * 2}
OTHER = {"idempotency_key": "fedcba9876543210" * 2}
NEW = {**KEY, "name": "Cups & saucers", "amount": "25,50", "currency": "eur", "life": "60", "customer_email": ""}


def address(name="checkout_sessions", *arguments, mode="test"):
    return reverse(f"dashboard:{name}", args=["acme", mode, *arguments])


def text_of(answer, status=200):
    assert answer.status_code == status
    return html.unescape(answer.content.decode())


@pytest.fixture
def made(pages, api):
    """A link for 25.50 EUR, as the API shows it."""
    pages.post(address("checkout_session_new"), NEW)
    (session,) = api.get("/v1/checkout/sessions").json()["data"]
    return session


def test_an_empty_list_teaches_the_first_link(pages):
    page = text_of(pages.get(address()))
    assert "No checkout link yet" in page
    assert "/v1/checkout/sessions" in page


def test_a_link_leads_the_payer_to_the_page(pages, made):
    assert (made["amount_total"], made["currency"], made["status"]) == (2550, "eur", "open")
    page = text_of(pages.get(address("checkout_session", made["id"])))
    assert made["url"] in page
    assert "Cups & saucers" in page
    assert "25.50" in text_of(pages.get("/" + made["url"].split("/", 3)[3]))


def test_the_same_form_sent_twice_makes_one_link(pages, api):
    first, second = (pages.post(address("checkout_session_new"), NEW) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert len(api.get("/v1/checkout/sessions").json()["data"]) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": "0"}, "amount"),
        ({"amount": "0.01"}, "amount"),
        ({"amount": "1.001"}, "amount"),
        ({"amount": "much"}, "amount"),
        ({"amount": "1000000000"}, "amount"),
        ({"currency": "xxx"}, "currency"),
        ({"name": " "}, "name"),
        ({"customer_email": "nobody"}, "customer_email"),
        ({"life": "999999"}, "life"),
    ],
)
def test_a_refused_link_names_the_field(pages, api, change, field):
    answer = pages.post(address("checkout_session_new"), {**NEW, **change})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert api.get("/v1/checkout/sessions").json()["data"] == []


def test_links_are_narrowed_by_status(pages, made):
    def found(status):
        return [session.id for session in pages.get(address(), {"status": status}).context["sessions"]]

    assert found("open") == found("") == found("lost") == [made["id"]]
    assert found("expired") == []


def test_an_ended_link_takes_no_payment(pages, made, api):
    path = address("checkout_session_expire", made["id"])
    assert "nobody can pay through it" in text_of(pages.get(path))
    for _ in range(2):
        assert pages.post(path, OTHER)["Location"] == address("checkout_session", made["id"])
    assert api.get(f"/v1/checkout/sessions/{made['id']}").json()["status"] == "expired"
    page = text_of(pages.get(address("checkout_session", made["id"])))
    assert made["url"] not in page
    assert "checkout.session.expired" in page
    assert "has ended already" in text_of(pages.get(path, follow=True))


def test_an_analyst_reads_links_and_makes_none(pages_as, made):
    analyst = pages_as("analyst")
    assert address("checkout_session_expire", made["id"]) not in text_of(
        analyst.get(address("checkout_session", made["id"]))
    )
    assert analyst.post(address("checkout_session_new"), {**NEW, **OTHER}).status_code == 403


def test_live_mode_refuses_what_nobody_could_pay(pages):
    answer = pages.post(address("checkout_session_new", mode="live"), NEW)
    assert answer.status_code == 422
    assert answer.context["form"].non_field_errors()


def test_an_id_opens_the_link(pages, made):
    assert pages.get(address("search"), {"q": made["id"]})["Location"] == address("checkout_session", made["id"])
