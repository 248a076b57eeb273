"""Capture, cancel and refund from the dashboard: as through the API, once, and only what the payment allows."""

import html

import pytest
from django.urls import reverse

KEY = {"idempotency_key": "0123456789abcdef" * 2}
OTHER = {"idempotency_key": "fedcba9876543210" * 2}
PAID = {"amount": 2500, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}


def address(name, *arguments, mode="test"):
    return reverse(f"dashboard:{name}", args=["acme", mode, *arguments])


def text_of(answer):
    return html.unescape(answer.content.decode())


@pytest.fixture
def held(api):
    """25.00 EUR held on a card."""
    return api.post("/v1/payment_intents", {**PAID, "capture_method": "manual"}).json()["id"]


@pytest.fixture
def paid(api):
    """25.00 EUR taken from a card."""
    return api.post("/v1/payment_intents", PAID).json()["id"]


@pytest.fixture
def intent(api):
    return lambda identifier: api.get(f"/v1/payment_intents/{identifier}").json()


@pytest.fixture
def refunds(api):
    return lambda identifier: api.get("/v1/refunds", {"payment_intent": identifier}).json()["data"]


def offered(pages, identifier, **query):
    page = pages.get(address("payment", identifier), query).content.decode()
    return {name for name in ("capture", "cancel", "refund") if address(f"payment_{name}", identifier) in page}


def test_a_payment_offers_only_what_it_allows(pages, pages_as, api, held, paid):
    unpaid = api.post("/v1/payment_intents", {"amount": 2500, "currency": "eur"}).json()["id"]
    assert offered(pages, held) == {"capture", "cancel"}
    assert offered(pages, paid) == offered(pages, paid, tab="json") == {"refund"}
    assert offered(pages, unpaid) == {"cancel"}
    assert offered(pages_as("analyst"), paid) == set()


def test_a_capture_takes_what_is_held(pages, held, intent):
    assert "25.00\u00a0EUR" in text_of(pages.get(address("payment_capture", held)))
    done = pages.post(address("payment_capture", held), {**KEY, "amount": "25.00"}, follow=True)
    assert "is captured" in text_of(done)
    assert (intent(held)["status"], intent(held)["amount_received"]) == ("succeeded", 2500)


def test_a_part_can_be_captured_with_a_comma(pages, held, intent):
    pages.post(address("payment_capture", held), {**KEY, "amount": "10,50"})
    assert intent(held)["amount_received"] == 1050


def test_a_double_submit_captures_once(pages, held, intent, api):
    first, second = (pages.post(address("payment_capture", held), {**KEY, "amount": "10.00"}) for _ in range(2))
    assert (first.status_code, second.status_code) == (302, 302)
    assert intent(held)["amount_received"] == 1000
    assert len(api.get("/v1/balance_transactions").json()["data"]) == 1


@pytest.mark.parametrize("amount", ["", "0", "-5", "25.01", "1.005", "ten", "1e400", "NaN"])
def test_an_amount_that_cannot_be_is_refused_beside_the_field(pages, held, intent, amount):
    answer = pages.post(address("payment_capture", held), {**KEY, "amount": amount})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["amount"]
    assert intent(held)["status"] == "requires_capture"


def test_canceling_releases_the_hold_and_says_so_before(pages, held, intent):
    assert "held on the payer's card is released" in text_of(pages.get(address("payment_cancel", held)))
    assert intent(held)["status"] == "requires_capture"
    pages.post(address("payment_cancel", held), {**KEY, "reason": "duplicate"})
    assert (intent(held)["status"], intent(held)["cancellation_reason"]) == ("canceled", "duplicate")


def test_a_refund_gives_back_part_then_the_rest(pages, paid, refunds):
    pages.post(address("payment_refund", paid), {**KEY, "amount": "5.00", "reason": "requested_by_customer"})
    rest = pages.get(address("payment_refund", paid))
    assert rest.context["form"]["amount"].value() == "20.00"
    pages.post(address("payment_refund", paid), {**OTHER, "amount": "20.00"})
    assert sorted(refund["amount"] for refund in refunds(paid)) == [500, 2000]
    answer = pages.get(address("payment", paid))
    assert "Given back" in text_of(answer)
    assert offered(pages, paid) == set()
    (total,) = answer.context["sums"]
    assert total.debit_minor == total.credit_minor == 2500 + 2500
    assert [posting.kind for posting in answer.context["postings"]].count("charge.refund") == 2


def test_the_t_accounts_follow_a_refund(pages, paid):
    """After a whole refund nothing of the payment is left with the processor; the fee stays paid."""

    def balances():
        found = pages.get(address("payment", paid)).context["t_accounts"]
        return {each.path: -each.balance_minor if each.is_debit else each.balance_minor for each in found}

    before = balances()
    assert before["processor:sandbox:clearing:eur"] == -2500
    fee = before["fees:processor:eur"]
    pages.post(address("payment_refund", paid), {**KEY, "amount": "25.00"})
    after = balances()
    assert after["processor:sandbox:clearing:eur"] == 0
    assert after["fees:processor:eur"] == fee > 0
    assert after["platform:available:eur"] == -2500
    assert sum(after.values()) == sum(before.values()) == 0


def test_a_payment_says_how_much_of_it_went_back(pages, paid):
    path = address("payment", paid)
    assert pages.get(path).context["refunded"] == ""
    pages.post(address("payment_refund", paid), {**KEY, "amount": "5.00"})
    assert pages.get(path).context["refunded"] == "Refunded in part"
    pages.post(address("payment_refund", paid), {**OTHER, "amount": "20.00"})
    assert pages.get(path, {"tab": "json"}).context["refunded"] == "Refunded"


def test_a_double_submit_refunds_once_even_when_nothing_is_left(pages, paid, refunds):
    first, second = (pages.post(address("payment_refund", paid), {**KEY, "amount": "25.00"}) for _ in range(2))
    assert first["Location"] == second["Location"] == address("payment", paid)
    assert [refund["amount"] for refund in refunds(paid)] == [2500]


def test_more_than_is_left_is_refused_by_the_service(pages, paid, refunds):
    """The form cannot know what was refunded meanwhile; the service does, and the page tells what it said."""
    pages.post(address("payment_refund", paid), {**KEY, "amount": "20.00"})
    answer = pages.post(address("payment_refund", paid), {**OTHER, "amount": "20.00"})
    assert answer.status_code == 422
    assert "amount" in answer.context["form"].errors
    assert [refund["amount"] for refund in refunds(paid)] == [2000]


def test_what_can_no_longer_be_done_leads_back(pages, paid):
    for name in ("capture", "cancel"):
        answer = pages.get(address(f"payment_{name}", paid), follow=True)
        assert "has moved on" in text_of(answer)
        assert pages.post(address(f"payment_{name}", paid), {**KEY, "amount": "25.00"}).status_code == 422


def test_support_may_refund_and_an_analyst_may_not(pages_as, paid, refunds):
    path, form = address("payment_refund", paid), {**KEY, "amount": "1.00"}
    assert pages_as("analyst").post(path, form).status_code == 403
    assert refunds(paid) == []
    assert pages_as("support").post(path, form).status_code == 302
    assert len(refunds(paid)) == 1


def test_the_timeline_tells_of_charge_and_refund_too(pages, paid):
    pages.post(address("payment_refund", paid), {**KEY, "amount": "5.00"})
    told = [event.type for event in pages.get(address("payment", paid)).context["events"]]
    assert {"payment_intent.succeeded", "charge.succeeded", "charge.refunded", "refund.created"} <= set(told)
