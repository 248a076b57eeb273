"""Authentication of the payer: asked for, passed, failed, forced, refused, and what the books say afterwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connect.kit.money import Money
from connect.kit.tenancy import use_environment
from payments import clients
from payments.clients.fake import FakeProcessor
from payments.clients.processor import ActionRequired, Unknown
from payments.domain import three_d_secure
from payments.domain.test_instruments import AUTHENTICATION, Authorization, ThreeDSecure
from payments.models import Authentication
from payments.services import payment_attempts
from tests.payments.books import refused, types
from tests.payments.payer import Payer, returned

PATH = "/v1/payment_intents"
ASKS = "pm_card_authenticationRequired"
SHOP = "https://shop.test/thanks?order=7"
ASKING = [instrument for instrument in AUTHENTICATION if instrument.three_d_secure is not ThreeDSecure.NEVER]
PAID = [card for card in ASKING if card.authorization is Authorization.APPROVED]
DECLINED = [card for card in ASKING if card.authorization is Authorization.DECLINED]


@pytest.fixture
def payer() -> Payer:
    return Payer()


@pytest.fixture
def waiting(intent):
    """`waiting(card)` is an intent whose payer has to authenticate."""

    def make(card: str = ASKS, **given):
        found = intent(payment_method=card, confirm=True, return_url=SHOP, **given)
        assert found["status"] == "requires_action"
        return found

    return make


@pytest.fixture
def read(api):
    return lambda found: api.get(f"{PATH}/{found['id']}").json()


# --- the rules ---


def test_the_code_belongs_to_page_amount_and_payee():
    code = three_d_secure.code_for("secret", amount=Money(1000, "eur"), payee="Acme")
    assert len(code) == 6
    assert code.isdigit()
    assert code == three_d_secure.code_for("secret", amount=Money(1000, "eur"), payee="Acme")
    others = [("other", Money(1000, "eur"), "Acme"), ("secret", Money(1001, "eur"), "Acme"),
              ("secret", Money(1000, "mkd"), "Acme"), ("secret", Money(1000, "eur"), "Acma"),
              ("secret", None, "Acme")]  # fmt: skip
    assert code not in [three_d_secure.code_for(secret, amount=amount, payee=payee) for secret, amount, payee in others]
    assert three_d_secure.is_code(f" {code[:3]}-{code[3:]}", code)
    assert not three_d_secure.is_code("ш23456", code)
    assert not three_d_secure.is_code("", code)


@pytest.mark.parametrize(
    ("opened", "seen", "late"),
    [
        (0, None, False),
        (3599, None, False),
        (3600, None, True),
        (600, 301, False),
        (600, 300, True),
        (3600, 3500, True),
    ],
)
def test_a_page_lives_an_hour_and_waits_five_minutes(opened, seen, late):
    start = datetime(2026, 11, 22, tzinfo=UTC)
    seen_at = None if seen is None else start + timedelta(seconds=seen)
    now = start + timedelta(seconds=opened)
    assert three_d_secure.is_timed_out(expires_at=start + timedelta(hours=1), seen_at=seen_at, now=now) is late


@pytest.mark.parametrize(
    ("url", "back"),
    [
        ("https://shop.test", "https://shop.test/?a=b%26c"),
        ("https://shop.test/x?y=1#top", "https://shop.test/x?y=1&a=b%26c#top"),
        ("http://localhost:3000/", "http://localhost:3000/?a=b%26c"),
    ],
)
def test_the_way_back_keeps_what_the_merchant_wrote(url, back):
    assert three_d_secure.way_back(url, {"a": "b&c"}) == back


# --- passed and failed ---


@pytest.mark.parametrize("card", PAID, ids=lambda card: card.key)
@pytest.mark.parametrize("by", ["complete", "code"])
def test_after_authentication_the_payment_goes_on_by_itself(api, books, waiting, payer, read, card, by):
    found = waiting(card.payment_method)
    code = payer.code(found) if by == "code" else ""
    with books.events() as events:
        back, query = returned(payer.answer(found, by, code))
    assert back == "https://shop.test/thanks"
    assert query == {
        "order": "7", "payment_intent": found["id"], "payment_intent_client_secret": found["client_secret"],
        "redirect_status": "succeeded",
    }  # fmt: skip
    paid = read(found)
    assert (paid["status"], paid["amount_received"], paid["next_action"]) == ("succeeded", 1000, None)
    charge = api.get(f"/v1/charges/{paid['latest_charge']}").json()
    assert charge["payment_method_details"]["card"]["three_d_secure"]["result"] == "authenticated"
    assert types(events) == ["charge.succeeded", "payment_intent.succeeded"]
    assert books.attempts(found["id"]) == [("authorize", "action_required"), ("authorize", "approved")]
    assert len(books.postings(charge["id"])) == 1
    books.check_balance(api)


@pytest.mark.parametrize("card", DECLINED, ids=lambda card: card.key)
def test_an_authenticated_payment_can_still_be_declined(books, waiting, payer, read, card):
    found = waiting(card.payment_method)
    _, query = returned(payer.answer(found, "complete"))
    assert query["redirect_status"] == "failed"
    after = read(found)
    assert (after["status"], after["payment_method"]) == ("requires_payment_method", None)
    error = after["last_payment_error"]
    assert (error["code"], error["decline_code"]) == (card.code, card.decline_code)
    assert error["charge"] == after["latest_charge"] is not None
    books.check()


@pytest.mark.parametrize("by", ["fail", "leave"])
def test_a_failed_authentication_charges_nothing(api, books, waiting, payer, read, by):
    found = waiting()
    with books.events() as events:
        _, query = returned(payer.answer(found, by))
    assert query["redirect_status"] == "failed"
    after = read(found)
    assert (after["status"], after["latest_charge"], after["payment_method"]) == ("requires_payment_method", None, None)
    error = after["last_payment_error"]
    assert (error["type"], error["code"]) == ("card_error", "payment_intent_authentication_failure")
    assert (error["charge"], error["payment_method"]["id"]) == (None, found["payment_method"])
    assert types(events) == ["payment_intent.payment_failed"]
    assert events[0].payload == {**after, "client_secret": None}
    assert api.get("/v1/charges", {"payment_intent": found["id"]}).json()["data"] == []
    paid = api.post(f"{PATH}/{found['id']}/confirm", {"payment_method": "pm_card_visa"}).json()
    assert (paid["status"], paid["last_payment_error"]) == ("succeeded", None)


def test_an_authenticated_hold_is_held(books, waiting, payer, read):
    found = waiting(capture_method="manual")
    _, query = returned(payer.answer(found, "complete"))
    held = read(found)
    assert (query["redirect_status"], held["status"], held["amount_capturable"]) == (
        "succeeded", "requires_capture", 1000,
    )  # fmt: skip
    assert books.hold(held["latest_charge"]) == ("pending", 1000, 0, 0)


def test_confirming_by_hand_waits_for_the_confirmation(api, books, waiting, payer, read, act):
    found = waiting(confirmation_method="manual")
    with books.events() as events:
        _, query = returned(payer.answer(found, "complete"))
    assert (query["redirect_status"], types(events)) == ("succeeded", [])
    agreed = read(found)
    assert (agreed["status"], agreed["next_action"], agreed["latest_charge"]) == ("requires_confirmation", None, None)
    paid = act(found, "confirm").json()
    assert (paid["status"], paid["amount_received"]) == ("succeeded", 1000)
    assert returned(payer.open(found))[1]["redirect_status"] == "succeeded"
    books.check_balance(api)


@pytest.mark.parametrize(
    "change", [{"amount": 1001}, {"currency": "mkd", "amount": 60000}, {"payment_method": ASKS}], ids=str
)
def test_what_the_payer_agreed_to_cannot_be_changed_afterwards(api, waiting, payer, act, change):
    """Dynamic linking: another amount, currency or card has to be agreed to again."""
    found = waiting(confirmation_method="manual")
    payer.answer(found, "complete")
    assert api.post(f"{PATH}/{found['id']}", change).status_code == 200
    again = act(found, "confirm", return_url=SHOP).json()
    assert again["status"] == "requires_action"
    assert again["next_action"] != found["next_action"]


def test_another_card_at_the_confirmation_has_to_be_agreed_to_again(waiting, payer, act):
    found = waiting(confirmation_method="manual")
    payer.answer(found, "complete")
    assert act(found, "confirm", payment_method=ASKS).json()["status"] == "requires_action"


# --- who may not redirect, and who wants to ---


@pytest.mark.parametrize("way", ["create", "confirm"])
def test_error_on_requires_action_is_a_decline(api, books, intent, act, read, way):
    if way == "create":
        given = {"amount": 1000, "currency": "eur", "payment_method": ASKS, "confirm": True,
                 "error_on_requires_action": True}  # fmt: skip
        answer = api.post(PATH, given)
    else:
        answer = act(intent(), "confirm", payment_method=ASKS, error_on_requires_action=True)
    error = refused(answer, 402, "authentication_required")
    assert (error["decline_code"], error["payment_intent"]["status"]) == (
        "authentication_required", "requires_payment_method",
    )  # fmt: skip
    assert error["payment_intent"]["next_action"] is None
    assert api.post(
        f"{PATH}/{error['payment_intent']['id']}/confirm",
        {"payment_method": "pm_card_visa", "error_on_requires_action": True},
    ).json()["status"] == "succeeded"  # fmt: skip
    books.check_balance(api)


def test_error_on_requires_action_belongs_to_a_confirmation(api):
    body = {"amount": 1000, "currency": "eur", "error_on_requires_action": True}
    refused(api.post(PATH, body), 400, "parameter_requires_confirm", "error_on_requires_action")


@pytest.mark.parametrize("asked", ["any", "challenge"])
def test_a_merchant_can_ask_for_authentication_in_any_case(send, payer, read, asked):
    options = {"card": {"request_three_d_secure": asked}}
    found = send(
        PATH,
        {"amount": 1000, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True, "return_url": SHOP,
         "payment_method_options": options},
    ).json()  # fmt: skip
    assert found["status"] == "requires_action"
    assert found["payment_method_options"]["card"]["request_three_d_secure"] == asked
    payer.answer(found, "complete")
    assert read(found)["status"] == "succeeded"


def test_asking_can_also_be_left_to_the_issuer(intent, act, api):
    found = intent(payment_method_options={"card": {"request_three_d_secure": "any"}})
    automatic = {"card": {"request_three_d_secure": "automatic"}}
    api.post(f"{PATH}/{found['id']}", {"payment_method_options": automatic})
    assert act(found, "confirm", payment_method="pm_card_visa").json()["status"] == "succeeded"
    options = {"card": {"request_three_d_secure": "always"}}
    answer = api.post(PATH, {"amount": 1000, "currency": "eur", "payment_method_options": options})
    refused(answer, 400, "parameter_invalid", "payment_method_options[card][request_three_d_secure]")


# --- twice, late, and with lost answers ---


def test_coming_back_changes_nothing_and_leads_to_the_merchant(books, waiting, payer, read):
    """Refresh, back button, a second tab afterwards, a late click on the other button: one charge, the same way back."""
    found = waiting()
    first = payer.answer(found, "complete")
    paid = read(found)
    with books.unchanged():
        for again in (payer.answer(found, "complete"), payer.answer(found, "fail"), payer.open(found),
                      payer.answer(found, "code", "000000")):  # fmt: skip
            assert again["Location"] == first["Location"]
    assert read(found) == paid


def test_a_canceled_intent_is_not_paid_by_a_late_payer(books, waiting, payer, read, act):
    found = waiting()
    canceled = act(found, "cancel").json()
    with books.unchanged():
        page = payer.answer(found, "complete")
    assert "nothing to confirm here" in page.content.decode()
    assert read(found) == canceled


def test_a_newer_page_replaces_the_older_one(books, waiting, payer, read, act):
    found = waiting()
    newer = act(found, "confirm", return_url=SHOP).json()
    assert newer["next_action"] != found["next_action"]
    with books.unchanged():
        assert "nothing to confirm here" in payer.answer(found, "complete").content.decode()
    assert returned(payer.answer(newer, "complete"))[1]["redirect_status"] == "succeeded"


def test_a_changed_amount_makes_the_page_void(books, api, waiting, payer):
    found = waiting()
    assert api.post(f"{PATH}/{found['id']}", {"amount": 2000}).json()["status"] == "requires_confirmation"
    with books.unchanged():
        assert "nothing to confirm here" in payer.answer(found, "complete").content.decode()


def test_five_wrong_codes_are_the_end(books, waiting, payer, read):
    found = waiting()
    wrong = f"{(int(payer.code(found)) + 1) % 10**6:06}"
    for left in (4, 3, 2):
        assert f"Tries left: {left}." in payer.answer(found, "code", wrong).content.decode()
    assert "One try is left" in payer.answer(found, "code", wrong).content.decode()
    assert read(found)["status"] == "requires_action"
    assert returned(payer.answer(found, "code", wrong))[1]["redirect_status"] == "failed"
    assert read(found)["last_payment_error"]["code"] == "payment_intent_authentication_failure"
    with books.unchanged():
        assert returned(payer.answer(found, "complete"))[1]["redirect_status"] == "failed"


@pytest.mark.parametrize("how", ["idle", "never opened"])
def test_after_the_time_is_over_only_the_way_back_is_left(books, environment, waiting, payer, read, how):
    found = waiting()
    payer.open(found)
    with use_environment(environment):
        row = Authentication.objects.get()
        row.seen_at, row.expires_at = (
            (row.seen_at - three_d_secure.IDLE, row.expires_at)
            if how == "idle"
            else (None, row.expires_at - three_d_secure.LIFETIME)
        )
        row.save()
    with books.unchanged():
        assert "This took too long" in payer.open(found).content.decode()
    assert returned(payer.answer(found, "complete"))[1]["redirect_status"] == "failed"
    assert read(found)["last_payment_error"]["code"] == "payment_intent_authentication_failure"


def test_a_card_detached_while_its_payer_authenticates_is_not_charged(api, waiting, payer, read):
    customer = api.post("/v1/customers", {}).json()["id"]
    method = api.post(f"/v1/payment_methods/{ASKS}/attach", {"customer": customer}).json()["id"]
    found = waiting(method, customer=customer)
    api.post(f"/v1/payment_methods/{method}/detach")
    assert returned(payer.answer(found, "complete"))[1]["redirect_status"] == "failed"
    assert read(found)["status"] == "requires_payment_method"


@pytest.fixture
def processor():
    with clients.replaced("sandbox", FakeProcessor()) as fake:
        fake.will("authorize", ActionRequired(authentication_id="a", redirect_url=None))
        yield fake


def test_an_unreachable_processor_keeps_the_agreement(books, api, processor, waiting, payer, read):
    """Nothing was sent, so the payer presses once more, and is charged once."""
    found = waiting("pm_card_visa")
    processor.will("authorize", "fail_before")
    page = payer.answer(found, "complete").content.decode()
    assert "could not be sent" in page
    assert read(found)["status"] == "requires_action"
    assert "could not be sent" in payer.open(found).content.decode()
    assert returned(payer.answer(found, "complete"))[1]["redirect_status"] == "succeeded"
    assert read(found)["status"] == "succeeded"
    assert processor.balance_minor == 1000
    books.check_balance(api)


def test_what_the_payer_agreed_to_holds_for_no_other_card(intent, act, payer, read, processor):
    """They were asked about one card, then another was named and did not reach the processor: its page is void."""
    processor.plans.clear()
    processor.will("authorize", ActionRequired(authentication_id="a", redirect_url=None), "fail_before")
    found = intent(payment_method="pm_card_visa", confirm=True, return_url=SHOP)
    refused(act(found, "confirm", payment_method="pm_card_mastercard"), 503, "processor_unavailable")
    left = read(found)
    assert (left["status"], left["next_action"]) == ("requires_confirmation", None)
    assert left["payment_method"] != found["payment_method"]
    assert payer.answer(found, "complete").status_code == 200
    assert read(found) == left
    assert processor.balance_minor == 0


def test_an_agreed_payment_can_be_given_up_while_the_processor_is_away(processor, waiting, payer, read):
    found = waiting("pm_card_visa")
    processor.will("authorize", "fail_before")
    payer.answer(found, "complete")
    assert returned(payer.answer(found, "leave"))[1]["redirect_status"] == "failed"
    assert (read(found)["status"], processor.balance_minor) == ("requires_payment_method", 0)


def test_a_lost_answer_after_authentication_is_settled_by_the_sweeper(books, api, processor, waiting, payer, read):
    found = waiting("pm_card_visa")
    processor.will("authorize", "fail_after")
    assert returned(payer.answer(found, "complete"))[1]["redirect_status"] == "pending"
    assert read(found)["status"] == "processing"
    with books.unchanged():
        assert returned(payer.answer(found, "complete"))[1]["redirect_status"] == "pending"
    books.let_leases_run_out()
    assert payment_attempts.settle_open(books.caller) == 1
    assert returned(payer.open(found))[1]["redirect_status"] == "succeeded"
    assert processor.balance_minor == 1000
    books.check_balance(api)


def test_a_question_that_was_never_answered_is_asked_by_the_sweeper(books, processor, intent, payer, read):
    """The process died before it could record that the payer has to authenticate."""
    processor.plans.clear()
    processor.will("authorize", Unknown(reason="lost"))
    found = intent(payment_method="pm_card_visa", confirm=True, return_url=SHOP)
    (attempt,) = processor.books
    processor.books[attempt] = ActionRequired(authentication_id="a", redirect_url=None)
    books.let_leases_run_out()
    payment_attempts.settle_open(books.caller)
    waiting = read(found)
    assert waiting["status"] == "requires_action"
    assert returned(payer.answer(waiting, "complete"))[1]["redirect_status"] == "succeeded"


# --- secrets ---


def test_the_address_is_told_to_the_merchant_and_kept_nowhere(books, environment, waiting, payer):
    with books.events() as events:
        found = waiting()
    asked = events[-1]
    assert asked.type == "payment_intent.requires_action"
    assert asked.payload["next_action"]["redirect_to_url"] == {"url": None, "return_url": SHOP}
    secret = payer.path(found).rpartition(".")[2]
    assert len(secret) == 22
    from django.db import connection

    with use_environment(environment), connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [environment.schema_name])
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT count(*) FROM {table} t WHERE t::text LIKE %s", [f"%{secret}%"])
            assert cursor.fetchone() == (0,), table
