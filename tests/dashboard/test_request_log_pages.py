"""The request log in the dashboard: what the API was asked, found by every filter, and linked to what it led to."""

import html
import threading

import pytest
from django.urls import reverse

from connect.services import request_log_drain, request_logs

PAID = {"amount": 2500, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}


@pytest.fixture(autouse=True)
def buffer(monkeypatch):
    """A buffer without its thread: the log is written when the test says so."""
    fresh = request_logs.Buffer()
    fresh._thread = threading.current_thread()
    monkeypatch.setattr(request_logs, "buffer", fresh)


@pytest.fixture
def logged(api):
    """Three requests, as the log has them: a payment, a refused one, and a read of the payment."""
    paid = api.post("/v1/payment_intents", PAID, Idempotency_Key="order-7")
    refused = api.post("/v1/payment_intents", {"amount": 2500})
    read = api.get(f"/v1/payment_intents/{paid.json()['id']}", {"expand[]": "customer"})
    request_logs.buffer.flush()
    assert request_log_drain.drain() == 3
    return {"paid": paid, "refused": refused, "read": read}


def address(name="request_logs", *arguments, mode="test"):
    return reverse(f"dashboard:{name}", args=["acme", mode, *arguments])


def text_of(answer):
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def listed(answer):
    return [line.id for line in answer.context["lines"]]


def test_an_empty_log_teaches_the_first_request(pages):
    page = text_of(pages.get(address()))
    assert "No request yet" in page
    assert "curl http://testserver/v1/payment_intents" in page


def test_the_log_shows_the_newest_first(pages, logged):
    answer = pages.get(address())
    assert listed(answer) == [logged[name]["Request-Id"] for name in ("read", "refused", "paid")]
    assert "parameter_missing" in text_of(answer)


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"status": "2"}, ["read", "paid"]),
        ({"status": "4"}, ["refused"]),
        ({"status": "failed"}, ["refused"]),
        ({"status": "5"}, []),
        ({"method": "GET"}, ["read"]),
        ({"path": "/v1/payment_intents/"}, ["read"]),
        ({"path": "/v1/customers"}, []),
        ({"key": "key_0000000000000000000000"}, []),
        ({"since": "2020-01-01T00:00"}, ["read", "refused", "paid"]),
        ({"until": "2020-01-01T00:00"}, []),
        ({"status": "9", "method": "BREW", "since": "2020-99-99T00:00", "after": "x"}, ["read", "refused", "paid"]),
    ],
)
def test_every_filter_is_part_of_the_address(pages, logged, given, names):
    assert listed(pages.get(address(), given)) == [logged[name]["Request-Id"] for name in names]


def test_requests_are_found_by_key_object_and_id(pages, logged):
    everything = pages.get(address())
    (key,) = (identifier for identifier, name in everything.context["keys"] if name == "Tests")
    assert listed(pages.get(address(), {"key": key})) == listed(everything)
    intent = logged["paid"].json()["id"]
    assert listed(pages.get(address(), {"object": intent})) == [logged[n]["Request-Id"] for n in ("read", "paid")]
    request_id = logged["refused"]["Request-Id"]
    assert pages.get(address(), {"q": request_id})["Location"] == address("request_log", request_id)


def test_paging_visits_every_request_once(pages, logged, monkeypatch):
    monkeypatch.setattr("dashboard.pages.lists.PAGE_SIZE", 2)
    first = pages.get(address(), {"path": "/v1"})
    second = pages.get(f"{address()}?{first.context['pager'].older}")
    assert listed(first) + listed(second) == [logged[name]["Request-Id"] for name in ("read", "refused", "paid")]
    assert second.context["filters"]["path"] == "/v1"


def test_the_detail_shows_request_response_and_what_followed(pages, logged):
    paid = logged["paid"]
    answer = pages.get(address("request_log", paid["Request-Id"]))
    page = text_of(answer)
    assert '"amount": 2500' in page
    assert "order-7" in page
    assert paid.json()["id"] in page
    assert [event.type for event in answer.context["events"]] == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]
    assert address("payment", paid.json()["id"]) in page


def test_what_was_secret_is_on_no_page(pages, logged, secrets):
    paid = logged["paid"]
    page = text_of(pages.get(address("request_log", paid["Request-Id"])))
    assert paid.json()["client_secret"] not in page
    assert secrets["acme"]["test"] not in page
    assert "[redacted]" in page


def test_a_request_can_be_sent_again_from_the_shown_command(pages, logged):
    shown = pages.get(address("request_log", logged["paid"]["Request-Id"])).context["curl"]
    assert shown.startswith("curl http://testserver/v1/payment_intents \\\n")
    assert '-u "$FC_SECRET_KEY:"' in shown
    assert '"amount":2500' in shown
    read = pages.get(address("request_log", logged["read"]["Request-Id"])).context["curl"]
    assert f"'http://testserver/v1/payment_intents/{logged['paid'].json()['id']}?expand[]=customer'" in read


def test_a_logged_form_is_sent_again_as_a_form(pages, api):
    made = api.post("/v1/customers", form="name=Ana%27s+shop&metadata[shop]=7")
    request_logs.buffer.flush()
    request_log_drain.drain()
    shown = pages.get(address("request_log", made["Request-Id"])).context["curl"]
    assert "--data-urlencode 'metadata[shop]=7'" in shown
    assert """--data-urlencode 'name=Ana'"'"'s shop'""" in shown


def test_a_request_is_known_in_its_mode_only(pages, logged):
    assert pages.get(address("request_log", logged["paid"]["Request-Id"], mode="live")).status_code == 404
    assert pages.get(address("request_log", "req_nonsense")).status_code == 404


def test_a_cursor_that_names_nothing_is_answered(pages, logged):
    """Whatever stands in the address, the page does not fail."""
    missing = "req_0000000000000000000000"
    assert pages.get(address(), {"before": missing}).status_code == 200
    assert pages.get(address("payments"), {"after": "pi_0000000000000000000000"}).status_code == 404
