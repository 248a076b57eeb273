"""Paying by bank through the API and its pages, at a bank in memory: states, money, refusals."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from banks import clients as connectors
from banks.clients.connector import InstitutionDown
from banks.clients.fake import LOST, FakeConnector
from banks.models import BankPayment, Institution
from banks.services import bank_payments
from connect.kit import clock
from connect.kit.tenancy import use_environment
from payments import tasks
from tests.payments.bank_payer import DATA, SANDBOX, BankPayer
from tests.payments.books import refused, types

SHOP = "https://shop.test/thanks?order=7"
CLEARING, PENDING, AVAILABLE = (
    "processor:pay_by_bank:clearing:eur", "platform:pending:eur", "platform:available:eur",
)  # fmt: skip


@pytest.fixture
def bank(settings):
    settings.FC_SANDBOX_BANK_URL = "https://bank.test"
    with connectors.replaced("berlin_group", FakeConnector()) as fake:
        yield fake


@pytest.fixture
def payer(bank) -> BankPayer:
    return BankPayer(bank)


@pytest.fixture
def waiting(bank, intent):
    """An intent whose payer is to choose a bank."""

    def make(data=DATA, **given):
        found = intent(payment_method_data=data, confirm=True, **{"return_url": SHOP, **given})
        assert found["status"] == "requires_action", found
        return found

    return make


@pytest.fixture
def read(api):
    return lambda found: api.get(f"/v1/payment_intents/{found['id']}").json()


def told(answer) -> dict[str, str]:
    """What the merchant reads when the payer comes back."""
    url = urlsplit(answer["Location"])
    assert (url.scheme, url.netloc, url.path) == ("https", "shop.test", "/thanks")
    return {name: values[0] for name, values in parse_qs(url.query).items()}


def make_due(environment) -> None:
    """As if the time to look again had come."""
    from django.db import connection

    with use_environment(environment), connection.cursor() as cursor:
        cursor.execute("UPDATE banks_payment SET check_at = clock_timestamp() WHERE check_at IS NOT NULL")


# --- the way of the money ---------------------------------------------------------------------------------------------


def test_a_confirmation_leads_to_our_page_and_takes_nothing(send, bank, books):
    given = {"amount": 1000, "currency": "eur", "confirm": True, "payment_method_data": DATA, "return_url": SHOP}
    with books.events() as published:
        found = send("/v1/payment_intents", given).json()
    assert (found["status"], found["latest_charge"]) == ("requires_action", None)
    action = found["next_action"]
    assert set(action) == {"type", "redirect_to_url"}
    assert action["redirect_to_url"]["return_url"] == SHOP
    assert "/pay/" in action["redirect_to_url"]["url"]
    assert types(published) == ["payment_intent.created", "payment_intent.requires_action"]
    # An event is kept and sent on: who reads it must not be able to pay.
    assert published[-1].payload["next_action"]["redirect_to_url"]["url"] is None
    assert bank.calls == []
    assert books.attempts(found["id"]) == [("authorize", "action_required")]


def test_a_settled_payment_is_one_charge_without_a_fee_and_available_at_once(waiting, payer, bank, read, books, api):
    found = waiting()
    sent = payer.choose(found)
    assert (sent.status_code, sent["Location"][:26]) == (303, "https://bank.test/payments")
    bank.settle("ACSC")
    with books.events() as published:
        back = payer.come_back()
    assert told(back) == {
        "order": "7", "payment_intent": found["id"], "redirect_status": "succeeded",
        "payment_intent_client_secret": read(found)["client_secret"],
    }  # fmt: skip
    assert types(published) == ["charge.succeeded", "payment_intent.succeeded"]
    paid = read(found)
    assert (paid["status"], paid["amount_received"], paid["next_action"]) == ("succeeded", 1000, None)
    charge = api.get(f"/v1/charges/{paid['latest_charge']}").json()
    assert (charge["paid"], charge["captured"], charge["amount_captured"]) == (True, True, 1000)
    assert charge["payment_method_details"] == {
        "type": "pay_by_bank", "pay_by_bank": {"bank_name": "Sandbox Bank", "last4": None},
    }  # fmt: skip
    entry = api.get(f"/v1/balance_transactions/{charge['balance_transaction']}").json()
    assert (entry["fee"], entry["net"], entry["status"], entry["fee_details"]) == (0, 1000, "available", [])
    assert books.postings(charge["id"]) == [
        ("charge.capture", {CLEARING: -1000, PENDING: 1000}),
        ("charge.settlement", {PENDING: -1000, AVAILABLE: 1000}),
    ]
    books.check_balance(api)
    order = bank.payments[bank.newest_payment()].order
    assert (order.amount_minor, order.currency, order.creditor_iban) == (1000, "eur", "MK07999000000090022")


@pytest.mark.parametrize(
    ("word", "status", "redirected", "published_types", "code"),
    [
        ("ACSC", "succeeded", "succeeded", ["charge.succeeded", "payment_intent.succeeded"], None),
        ("ACCC", "succeeded", "succeeded", ["charge.succeeded", "payment_intent.succeeded"], None),
        ("ACTC", "processing", "pending", ["payment_intent.processing"], None),
        ("ACCP", "processing", "pending", ["payment_intent.processing"], None),
        ("ACSP", "processing", "pending", ["payment_intent.processing"], None),
        ("PDNG", "processing", "pending", ["payment_intent.processing"], None),
        ("RJCT", "requires_payment_method", "failed", ["charge.failed", "payment_intent.payment_failed"],
         "payment_method_provider_decline"),
        ("CANC", "requires_payment_method", "failed", ["charge.failed", "payment_intent.payment_failed"],
         "payment_method_customer_decline"),
    ],
)  # fmt: skip
def test_every_word_of_a_bank_has_its_status_event_and_way_back(
    waiting, payer, bank, read, books, word, status, redirected, published_types, code
):
    found = waiting()
    payer.choose(found)
    bank.settle(word, reason="AM04" if word == "RJCT" else None)
    with books.events() as published:
        back = payer.come_back()
        if status == "processing":  # the payer waits for a moment, and is then sent on
            assert "/pay/back/" in back["Refresh"]
            back = payer.follow(bank.payments[bank.newest_payment()].order.redirect_uri + "?look=3")
    assert told(back)["redirect_status"] == redirected
    after = read(found)
    assert (after["status"], (after["last_payment_error"] or {}).get("code")) == (status, code)
    assert types(published) == published_types
    assert (after["amount_received"] == 1000) == (status == "succeeded")
    books.check()


@pytest.mark.parametrize("word", ["RCVD", "PATC"])
def test_who_comes_back_without_having_agreed_is_led_to_the_bank_again(waiting, payer, bank, read, word):
    found = waiting()
    payer.choose(found)
    bank.settle(word)
    page = payer.come_back(refused=True).content.decode()
    assert "You did not confirm the payment at your bank" in page
    assert f"https://bank.test/payments/{bank.newest_payment()}" in page
    assert read(found)["status"] == "requires_action"
    assert len(bank.payments) == 1


def test_a_late_settlement_is_found_by_the_job_and_posted_once(waiting, payer, bank, read, books, environment):
    found = waiting()
    payer.choose(found)
    bank.settle("ACSP")
    make_due(environment)
    tasks.follow_bank_payments(str(environment.id))  # the payer never came back
    assert read(found)["status"] == "processing"
    bank.settle("ACCC")
    for _ in range(3):
        books.let_leases_run_out()
        tasks.settle_attempts(str(environment.id))
        make_due(environment)
        tasks.follow_bank_payments(str(environment.id))
    paid = read(found)
    assert paid["status"] == "succeeded"
    assert len(books.postings(paid["latest_charge"])) == 2
    assert not any(call.present for call in bank.calls if call.method == "payment_state")
    books.check()


def test_a_refusal_after_processing_fails_the_intent_and_another_try_can_succeed(
    waiting, payer, bank, read, books, environment, act
):
    found = waiting()
    payer.choose(found)
    bank.settle("ACSP")
    payer.follow(bank.payments[bank.newest_payment()].order.redirect_uri + "?look=3")
    bank.settle("RJCT")
    books.let_leases_run_out()
    tasks.settle_attempts(str(environment.id))
    assert read(found)["status"] == "requires_payment_method"
    again = act(found, "confirm", payment_method_data=DATA, return_url=SHOP).json()
    assert again["status"] == "requires_action"
    payer.choose(again)
    bank.settle("ACSC")
    assert told(payer.come_back())["redirect_status"] == "succeeded"
    assert [order.bank_status for order in bank.payments.values()] == ["RJCT", "ACSC"]


@pytest.fixture
def given_up(waiting, payer, bank, read, environment):
    """An intent whose payer chose a bank a day ago and never agreed there."""
    found = waiting()
    payer.choose(found)
    with use_environment(environment):
        BankPayment.objects.update(begun_at=clock.wall() - bank_payments.AT_BANK)
    look_again(environment)
    after = read(found)
    assert (after["status"], after["last_payment_error"]["code"]) == (
        "requires_payment_method", "payment_method_provider_timeout",
    )  # fmt: skip
    return found


def look_again(environment) -> None:
    make_due(environment)
    tasks.follow_bank_payments(str(environment.id))


def test_an_order_that_was_given_up_and_is_settled_after_all_pays_the_intent_once(
    given_up, bank, read, books, environment
):
    look_again(environment)
    with use_environment(environment):
        assert BankPayment.objects.get().check_at > clock.wall() + timedelta(hours=5), "it is not asked about often"
    bank.settle("ACSP")
    look_again(environment)
    assert read(given_up)["status"] == "requires_payment_method", "a promise is no money"
    bank.settle("ACSC")
    for _ in range(2):
        look_again(environment)
    paid = read(given_up)
    assert (paid["status"], paid["amount_received"]) == ("succeeded", paid["amount"])
    assert len(books.postings(paid["latest_charge"])) == 2
    assert tasks.find_bank_payments() == 0
    books.check()


@pytest.mark.parametrize("meanwhile", ["paid by another order", "canceled", "another amount"])
def test_an_order_that_is_settled_when_nobody_waits_for_it_is_told_to_a_person(
    given_up, payer, bank, read, books, environment, api, caplog, meanwhile
):
    here, first = f"/v1/payment_intents/{given_up['id']}", bank.newest_payment()
    if meanwhile == "paid by another order":
        answer = api.post(f"{here}/confirm", {"payment_method_data": DATA, "return_url": SHOP})
        payer.choose(answer.json())
        bank.settle("ACSC")
        payer.come_back()
        assert read(given_up)["status"] == "succeeded"
    elif meanwhile == "canceled":
        answer = api.post(f"{here}/cancel", {})
    else:
        answer = api.post(here, {"amount": given_up["amount"] + 1})
    assert answer.status_code == 200, answer.content
    before = read(given_up)
    bank.settle("ACSC", payment_id=first)
    for _ in range(2):
        look_again(environment)
    assert read(given_up) == before
    assert caplog.text.count("bank_payment_unclaimed") == 1
    books.check()


@pytest.mark.parametrize("word", ["RJCT", "CANC"])
def test_an_order_that_was_given_up_is_looked_after_until_the_bank_ends_it(given_up, bank, environment, word):
    bank.settle(word)
    look_again(environment)
    asked = bank.count("payment_state")
    look_again(environment)
    assert bank.count("payment_state") == asked


def test_an_order_that_was_given_up_is_not_looked_after_for_ever(given_up, bank, environment):
    with use_environment(environment):
        BankPayment.objects.update(begun_at=clock.wall() - bank_payments.WATCHED)
    look_again(environment)
    asked = bank.count("payment_state")
    look_again(environment)
    assert bank.count("payment_state") == asked


def test_nobody_who_chose_no_bank_in_time_can_pay_any_more(waiting, payer, bank, read, environment):
    found = waiting()
    with use_environment(environment):
        BankPayment.objects.update(expires_at="2020-01-01T00:00Z")
    page = payer.open(found).content.decode()
    assert "The time for this payment is over" in page
    assert payer.choose(found).status_code == 303
    assert bank.payments == {}
    make_due(environment)
    assert tasks.follow_bank_payments(str(environment.id)) == 1
    after = read(found)
    assert (after["status"], after["last_payment_error"]["code"]) == (
        "requires_payment_method", "payment_method_provider_timeout",
    )  # fmt: skip
    assert tasks.find_bank_payments() == 0  # nothing is left to look at


def test_who_gives_up_on_our_page_fails_the_payment_without_asking_a_bank(waiting, payer, bank, read):
    found = waiting()
    assert payer.cancel(found).status_code == 303
    page = payer.open(found).content.decode()
    assert "The payment was canceled" in page
    back = payer.follow(payer.url(found).replace("/pay/", "/pbb/return/"))
    assert told(back)["redirect_status"] == "failed"
    assert read(found)["last_payment_error"]["code"] == "payment_method_customer_decline"
    assert bank.calls == []


# --- banks that do not answer -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("plan", [InstitutionDown(), LOST])
def test_a_bank_that_does_not_answer_lets_the_payer_begin_again(waiting, payer, bank, read, plan):
    found = waiting()
    bank.will("begin_payment", plan)
    assert payer.choose(found).status_code == 303
    assert "The bank does not answer at the moment" in payer.open(found).content.decode()
    lost = set(bank.payments)  # an order whose answer was lost: its payer was never sent there
    assert payer.choose(found)["Location"].startswith("https://bank.test/")
    bank.settle("ACSC")
    assert told(payer.come_back())["redirect_status"] == "succeeded"
    assert len(set(bank.payments) - lost) == 1
    assert read(found)["amount_received"] == 1000


def test_a_bank_that_is_silent_when_the_payer_comes_back_changes_nothing(waiting, payer, bank, read):
    found = waiting()
    payer.choose(found)
    bank.settle("ACSC")
    bank.will("payment_state", InstitutionDown(), InstitutionDown())
    assert "waits for you to confirm" in payer.come_back().content.decode()
    assert read(found)["status"] == "requires_action"
    assert told(payer.come_back())["redirect_status"] == "succeeded"


# --- refresh, back button, two tabs -----------------------------------------------------------------------------------


def test_pressing_twice_and_coming_back_twice_is_one_order_and_one_charge(waiting, payer, bank, read, api, books):
    found = waiting()
    payer.choose(found)
    assert payer.choose(found).status_code == 303
    assert "waits for you to confirm" in payer.open(found).content.decode()
    bank.settle("ACSC")
    first, second = payer.come_back(), payer.come_back()
    assert told(first) == told(second)
    assert "Your bank has made the payment" in payer.open(found).content.decode()
    assert bank.count("begin_payment") == 1
    charges = api.get("/v1/charges", {"payment_intent": found["id"]}).json()["data"]
    assert len(charges) == 1


def test_without_a_return_url_the_page_says_how_it_ended(bank, intent, payer, read):
    found = intent(payment_method_data=DATA, confirm=True)
    payer.choose(found)
    bank.settle("ACSC")
    page = payer.come_back()
    assert page.status_code == 200
    assert "You can close this page" in page.content.decode()
    assert read(found)["status"] == "succeeded"


def test_a_bank_named_before_is_the_only_one_offered(waiting, payer):
    page = payer.open(waiting({**DATA, "pay_by_bank": {"institution": SANDBOX}})).content.decode()
    assert "Pay at Sandbox Bank" in page
    assert "Name of the bank" not in page
    assert "Choose another bank" not in page, "there is no other that can make this payment"


@pytest.fixture
def second_bank():
    """A bank beside the sandbox that can pay, until the test is over."""
    rows = Institution.objects.filter(slug="stopanska-mk")
    before = rows.get().interface
    rows.update(
        interface={
            "base_url": "https://stopanska.test",
            "capabilities": {"payments": True},
            "payment_products": {"eur": "sepa-credit-transfers"},
        }
    )
    yield
    rows.update(interface=before)


def test_a_payer_takes_another_bank_than_the_one_named_and_another_language(waiting, payer, second_bank):
    found = waiting({**DATA, "pay_by_bank": {"institution": SANDBOX}})
    assert 'href="?choose=1' in payer.open(found).content.decode()
    page = payer.open(found, "?choose=1&lang=en").content.decode()
    assert page.count('name="institution"') == 2
    assert "Choose another bank" not in page
    assert '"?choose=1&amp;q=&amp;lang=mk"' in page, "the other language shows the same page"
    one = payer.open(found, "?choose=1&q=sandbox").content.decode()
    assert one.count('name="institution"') == 1
    assert "Choose another bank" not in one
    assert 'value="sandbox"' in one, "a search can be changed"


def test_a_way_back_counts_no_further_than_it_looks(waiting, payer, bank, read):
    found = waiting()
    payer.choose(found)
    order = bank.payments[bank.newest_payment()].order
    assert payer.follow(order.redirect_uri + "?look=" + "9" * 5000).status_code == 200


def test_the_page_needs_no_script_and_its_forms_lead_to_the_banks_only(waiting, payer):
    answer = payer.open(waiting())
    page = answer.content.decode()
    assert "<script" not in page
    assert len(page) < 100_000
    policy = dict(part.strip().partition(" ")[::2] for part in answer["Content-Security-Policy"].split(";"))
    assert (policy["form-action"], policy["script-src"]) == ("'self' https://bank.test", "'none'")
    assert answer["Cache-Control"] == "no-store"
    for shown in ("Acme", "10.00", "Sandbox Merchant", "Sandbox Bank"):
        assert shown in page, shown


def test_a_page_nobody_has_is_not_there(bank, waiting, payer):
    url = payer.url(waiting())
    for path in ("/pay/nonsense", url[:-1] + ("a" if url[-1] != "a" else "b"), "/pay/back/x", "/pbb/return/x"):
        assert Client().get(path).status_code == 404, path


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "code", "param"),
    [
        ({"capture_method": "manual"}, "pay_by_bank_captures_at_once", "capture_method"),
        ({"off_session": True}, "pay_by_bank_needs_payer", "off_session"),
        ({"error_on_requires_action": True}, "pay_by_bank_needs_payer", "error_on_requires_action"),
        ({"setup_future_usage": "off_session"}, "pay_by_bank_needs_payer", "setup_future_usage"),
        ({"currency": "usd"}, "pay_by_bank_unavailable", "currency"),
        ({"payment_method_types": ["card"]}, "payment_method_unactivated", "payment_method"),
        ({"payment_method_data": {**DATA, "pay_by_bank": {"institution": "inst_nobody"}}}, "resource_missing",
         "pay_by_bank[institution]"),
        ({"payment_method_data": {**DATA, "pay_by_bank": {"account": "bka_nobody"}}}, "resource_missing",
         "pay_by_bank[account]"),
    ],
)  # fmt: skip
def test_what_no_bank_can_do_is_refused_before_anything_happens(bank, api, books, given, code, param):
    body = {"amount": 1000, "currency": "eur", "confirm": True, "payment_method_data": DATA, **given}
    with books.unchanged():
        refused(api.post("/v1/payment_intents", body), 400, code, param)


def test_live_without_an_account_to_collect_to_is_refused(bank, api_as, settings):
    live = api_as("acme", "live")
    body = {"amount": 1000, "currency": "eur", "confirm": True, "payment_method_data": DATA}
    settings.FC_COLLECTION_ACCOUNT = ""
    refused(live.post("/v1/payment_intents", body), 400, "pay_by_bank_unavailable", "payment_method")
    settings.FC_COLLECTION_ACCOUNT = "Acme;MK07210501596102457"
    refused(live.post("/v1/payment_intents", body), 400, "pay_by_bank_unavailable", "currency")  # no live bank yet


def test_a_refund_says_to_send_a_bank_transfer(waiting, payer, bank, api, read, books):
    found = waiting()
    payer.choose(found)
    bank.settle("ACSC")
    payer.come_back()
    with books.unchanged("connect_idempotency_key"):
        error = refused(
            api.post("/v1/refunds", {"payment_intent": found["id"]}), 400, "refund_by_bank_transfer", "charge"
        )
    assert "bank transfer" in error["message"]


def test_a_method_for_one_payment_is_not_kept(bank, api):
    method = api.post("/v1/payment_methods", DATA).json()
    assert method["pay_by_bank"] == {"institution": None, "account": None}
    customer = api.post("/v1/customers", {}).json()
    refused(
        api.post(f"/v1/payment_methods/{method['id']}/attach", {"customer": customer["id"]}),
        400, "pay_by_bank_not_kept", "payment_method",
    )  # fmt: skip
    refused(
        api.post("/v1/setup_intents", {"payment_method": method["id"], "confirm": True}),
        400, "payment_method_unactivated", "payment_method",
    )  # fmt: skip


def test_what_the_bank_has_cannot_be_changed_and_what_it_has_not_is_void(waiting, payer, bank, act, read, api):
    found = waiting()
    assert act(found, "cancel").json()["status"] == "canceled"
    assert payer.choose(found).status_code == 303  # the page that is still open somewhere
    assert bank.payments == {}
    assert "The payment was canceled" in payer.open(found).content.decode()

    found = waiting()
    payer.choose(found)
    for name, given in (("cancel", {}), ("confirm", {"payment_method": "pm_card_visa"})):
        refused(act(found, name, **given), 400, "payment_intent_unexpected_state")
    refused(api.post(f"/v1/payment_intents/{found['id']}", {"amount": 1}), 400, "payment_intent_unexpected_state")
    bank.settle("ACSC")
    payer.come_back()
    assert read(found)["amount_received"] == 1000


def test_another_confirmation_voids_the_page_of_the_first(waiting, payer, bank, act, read):
    first = waiting()
    second = act(first, "confirm", payment_method_data=DATA, return_url=SHOP).json()
    assert payer.url(first) != payer.url(second)
    payer.choose(first)
    assert bank.payments == {}
    payer.choose(second)
    bank.settle("ACSC")
    payer.come_back()
    assert read(first)["status"] == "succeeded"
