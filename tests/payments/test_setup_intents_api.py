"""Setup intents: every status, every refusal, what is kept, and that no money ever moves."""

from __future__ import annotations

import pytest

from connect.kit import ids
from payments import clients
from payments.clients.fake import FakeProcessor
from payments.clients.processor import ActionRequired, Unknown
from payments.domain import setup_intent_state
from payments.domain.setup_intent_state import Action, Status
from payments.services import payment_attempts
from tests.paging import prove
from tests.payments.books import refused, types
from tests.payments.payer import Payer, returned

PATH = "/v1/setup_intents"
ASKS = "pm_card_authenticationRequired"
SHOP = "https://shop.test/cards"
BECAUSE = "You cannot {} this SetupIntent because it has a status of {}."


@pytest.fixture
def customer(api) -> str:
    return api.post("/v1/customers", {"email": "ana@example.com"}).json()["id"]


@pytest.fixture
def setup(api):
    """`setup(confirm=True, …)` is a new setup intent."""

    def create(**given):
        answer = api.post(PATH, given)
        assert answer.status_code == 200, answer.content
        return answer.json()

    return create


@pytest.fixture
def act(api):
    return lambda found, name, **given: api.post(f"{PATH}/{found['id']}/{name}", given)


@pytest.fixture
def read(api):
    return lambda found: api.get(f"{PATH}/{found['id']}").json()


@pytest.fixture
def processor():
    with clients.replaced("sandbox", FakeProcessor()) as fake:
        yield fake


def test_what_a_new_one_answers(send, api, books, customer):
    given = {"customer": customer, "description": "for later", "metadata": {"order": "7"}, "usage": "on_session",
             "payment_method_types": ["card"], "payment_method": "pm_card_visa"}  # fmt: skip
    with books.events() as events:
        answer = send(PATH, given)
    found = answer.json()
    assert answer.status_code == 200, found
    known = {
        "object": "setup_intent", "application": None, "automatic_payment_methods": None, "cancellation_reason": None,
        "customer": customer, "description": "for later", "flow_directions": None, "last_setup_error": None,
        "latest_attempt": None, "livemode": False, "mandate": None, "metadata": {"order": "7"}, "next_action": None,
        "on_behalf_of": None, "payment_method_options": None, "payment_method_types": ["card"],
        "single_use_mandate": None, "status": "requires_confirmation", "usage": "on_session",
    }  # fmt: skip
    assert {name: found[name] for name in known} == known
    assert found["id"].startswith("seti_")
    assert found["client_secret"].startswith(f"{found['id']}_secret_")
    assert found["payment_method"].startswith("pm_")
    assert types(events) == ["setup_intent.created"]
    assert events[0].payload == {**found, "client_secret": None}
    assert api.get(f"{PATH}/{found['id']}").json() == found
    assert api.get(f"/v1/payment_methods/{found['payment_method']}").json()["customer"] is None


def test_one_without_anything_waits_for_a_payment_method(setup, act):
    found = setup()
    assert (found["status"], found["usage"], found["customer"]) == ("requires_payment_method", "off_session", None)
    error = refused(act(found, "confirm"), 400, "setup_intent_unexpected_state", "payment_method")
    assert "missing a payment method" in error["message"]


@pytest.mark.parametrize(
    ("given", "status", "code", "param"),
    [
        ({"usage": "sometimes"}, 400, "parameter_invalid", "usage"),
        ({"amount": 5}, 400, "parameter_unknown", "amount"),
        ({"return_url": SHOP}, 400, "parameter_requires_confirm", "return_url"),
        ({"confirm": True}, 400, "setup_intent_unexpected_state", "payment_method"),
        ({"customer": ids.encode("cus", ids.new())}, 400, "resource_missing", "customer"),
        ({"payment_method": ids.encode("pm", ids.new())}, 400, "resource_missing", "payment_method"),
        ({"return_url": "ftp://x", "confirm": True}, 400, "parameter_invalid", "return_url"),
        ({"payment_method_types": ["iou"]}, 400, "parameter_invalid", "payment_method_types[0]"),
    ],
)
def test_what_is_refused_changes_nothing(api, books, given, status, code, param):
    with books.unchanged():
        refused(api.post(PATH, given), status, code, param)


def test_a_method_of_another_customer_is_refused(api, setup, act, customer):
    other = api.post("/v1/customers", {"payment_method": "pm_card_visa"}).json()
    method = other["invoice_settings"]["default_payment_method"]
    body = {"customer": customer, "payment_method": method}
    refused(api.post(PATH, body), 400, "payment_method_customer_mismatch", "payment_method")
    found = setup(customer=customer)
    refused(act(found, "confirm", payment_method=method), 400, "payment_method_customer_mismatch", "payment_method")
    body = {"payment_method": method}
    refused(api.post(f"{PATH}/{found['id']}", body), 400, "payment_method_customer_mismatch", "payment_method")


@pytest.mark.parametrize("way", ["create", "confirm"])
def test_success_attaches_the_method(api, books, setup, act, customer, way):
    with books.events() as events:
        if way == "create":
            done = setup(customer=customer, payment_method="pm_card_visa", confirm=True)
        else:
            done = act(setup(customer=customer), "confirm", payment_method="pm_card_visa").json()
    assert (done["status"], done["next_action"], done["mandate"]) == ("succeeded", None, None)
    assert api.get(f"/v1/payment_methods/{done['payment_method']}").json()["customer"] == customer
    assert types(events) == ["setup_intent.created", "payment_method.attached", "setup_intent.succeeded"]
    assert events[-1].payload == {**done, "client_secret": None}
    assert api.get("/v1/charges").json()["data"] == []
    assert books.check_balance(api) == {}


def test_a_method_that_belongs_to_the_customer_already_stays_theirs(api, books, setup, customer):
    method = api.post("/v1/payment_methods/pm_card_visa/attach", {"customer": customer}).json()["id"]
    with books.events() as events:
        assert setup(customer=customer, payment_method=method, confirm=True)["status"] == "succeeded"
    assert types(events) == ["setup_intent.created", "setup_intent.succeeded"]


def test_without_a_customer_the_method_is_kept_unattached(api, setup, customer):
    done = setup(payment_method="pm_card_visa", confirm=True)
    method = done["payment_method"]
    assert (done["status"], api.get(f"/v1/payment_methods/{method}").json()["customer"]) == ("succeeded", None)
    assert api.post(f"/v1/payment_methods/{method}/attach", {"customer": customer}).json()["customer"] == customer


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [("chargeDeclined", "card_declined", "generic_decline"), ("chargeDeclinedExpiredCard", "expired_card", None)],
)
def test_a_card_that_cannot_be_kept_is_a_decline(api, books, setup, act, customer, card, code, decline_code):
    found = setup(customer=customer)
    with books.events() as events:
        answer = act(found, "confirm", payment_method=f"pm_card_{card}")
    error = refused(answer, 402, code)
    inside = error["setup_intent"]
    assert (error["decline_code"] if decline_code else None) == decline_code
    assert (inside["status"], inside["payment_method"]) == ("requires_payment_method", None)
    assert inside["last_setup_error"]["code"] == code
    assert inside["last_setup_error"]["payment_method"]["type"] == "card"
    assert "charge" not in inside["last_setup_error"]
    assert types(events) == ["setup_intent.setup_failed"]
    assert api.get(f"/v1/customers/{customer}/payment_methods").json()["data"] == []
    done = act(found, "confirm", payment_method="pm_card_visa").json()
    assert (done["status"], done["last_setup_error"]) == ("succeeded", None)


@pytest.mark.parametrize("card", ["authenticationRequired", "authenticationRequiredOnSetup",
                                  "authenticationRequiredSetupForOffSession", "threeDSecure2Required",
                                  "authenticationRequiredChargeDeclinedInsufficientFunds"])  # fmt: skip
def test_authentication_on_the_same_page_as_payments(api, books, setup, read, customer, card):
    """What a card does to a charge later is not known when it is saved: it is saved all the same."""
    body = {"customer": customer, "payment_method": f"pm_card_{card}", "confirm": True, "return_url": SHOP}
    with books.events() as events:
        found = setup(**body)
    assert (found["status"], found["next_action"]["redirect_to_url"]["return_url"]) == ("requires_action", SHOP)
    assert types(events)[-1] == "setup_intent.requires_action"
    assert events[-1].payload["next_action"]["redirect_to_url"]["url"] is None
    back, query = returned(Payer().answer(found, "complete"))
    assert (back, query) == (SHOP, {
        "setup_intent": found["id"], "setup_intent_client_secret": found["client_secret"],
        "redirect_status": "succeeded",
    })  # fmt: skip
    done = read(found)
    assert (done["status"], done["next_action"]) == ("succeeded", None)
    assert api.get(f"/v1/payment_methods/{done['payment_method']}").json()["customer"] == customer
    assert books.check_balance(api) == {}


def test_a_failed_authentication_keeps_nothing(api, books, setup, read, customer):
    found = setup(customer=customer, payment_method=ASKS, confirm=True, return_url=SHOP)
    with books.events() as events:
        _, query = returned(Payer().answer(found, "fail"))
    assert query["redirect_status"] == "failed"
    after = read(found)
    assert (after["status"], after["payment_method"]) == ("requires_payment_method", None)
    assert after["last_setup_error"]["code"] == "setup_intent_authentication_failure"
    assert after["last_setup_error"]["payment_method"]["id"] == found["payment_method"]
    assert types(events) == ["setup_intent.setup_failed"]
    assert api.get(f"/v1/customers/{customer}/payment_methods").json()["data"] == []


def test_coming_back_to_the_page_changes_nothing(books, setup, read):
    found = setup(payment_method=ASKS, confirm=True, return_url=SHOP)
    first = Payer().answer(found, "complete")
    with books.unchanged():
        for again in (Payer().answer(found, "complete"), Payer().answer(found, "fail"), Payer().open(found)):
            assert again["Location"] == first["Location"]


def test_authentication_can_be_asked_for(setup, read):
    options = {"card": {"request_three_d_secure": "any"}}
    found = setup(payment_method="pm_card_visa", confirm=True, payment_method_options=options)
    assert (found["status"], found["payment_method_options"]["card"]["request_three_d_secure"]) == (
        "requires_action", "any",
    )  # fmt: skip
    Payer().answer(found, "complete")
    assert read(found)["status"] == "succeeded"


def test_update_changes_words_and_what_is_kept(api, setup, customer):
    found = setup(metadata={"a": "1", "b": "2"})
    changed = api.post(
        f"{PATH}/{found['id']}",
        {"description": "new", "metadata": {"a": "", "c": "3"}, "customer": customer, "payment_method": "pm_card_visa"},
    ).json()
    assert (changed["description"], changed["metadata"]) == ("new", {"b": "2", "c": "3"})
    assert (changed["customer"], changed["status"]) == (customer, "requires_confirmation")
    unset = api.post(f"{PATH}/{found['id']}", form="payment_method=&description=&metadata=").json()
    assert (unset["payment_method"], unset["description"], unset["metadata"]) == (None, None, {})
    assert unset["status"] == "requires_payment_method"


def test_another_method_makes_the_page_void(api, books, setup):
    found = setup(payment_method=ASKS, confirm=True, return_url=SHOP)
    assert api.post(f"{PATH}/{found['id']}", {"payment_method": ASKS}).json()["status"] == "requires_confirmation"
    with books.unchanged():
        assert "nothing to confirm here" in Payer().answer(found, "complete").content.decode()


@pytest.mark.parametrize("reason", [None, "abandoned", "duplicate", "requested_by_customer"])
def test_cancel_says_why(books, setup, act, reason):
    found = setup(payment_method=ASKS, confirm=True)
    with books.events() as events:
        done = act(found, "cancel", **({"cancellation_reason": reason} if reason else {})).json()
    assert (done["status"], done["cancellation_reason"], done["next_action"]) == ("canceled", reason, None)
    assert types(events) == ["setup_intent.canceled"]
    with books.unchanged():
        assert "nothing to confirm here" in Payer().answer(found, "complete").content.decode()


def test_what_has_ended_cannot_change(api, books, setup, act):
    done = setup(payment_method="pm_card_visa", confirm=True)
    canceled = act(setup(), "cancel").json()
    allowed = "requires_payment_method, requires_confirmation, requires_action."
    only = "Only a SetupIntent with one of the following statuses may be"
    cases = [
        (done, "confirm", "You cannot confirm this SetupIntent because it has already succeeded."),
        (done, "cancel", f"{BECAUSE.format('cancel', 'succeeded')} {only} canceled: {allowed}"),
        (canceled, "confirm", f"{BECAUSE.format('confirm', 'canceled')} {only} confirmed: {allowed}"),
    ]
    with books.unchanged():
        for found, name, text in cases:
            error = refused(act(found, name), 400, "setup_intent_unexpected_state")
            assert (error["message"], error["setup_intent"]) == (text, found)
        error = refused(api.post(f"{PATH}/{done['id']}", {"description": "x"}), 400, "setup_intent_unexpected_state")
        assert error["message"] == "You cannot update this SetupIntent because it has already succeeded."


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("status", list(Status))
def test_every_move_is_in_the_table(action, status):
    may = setup_intent_state.may(status, action)
    assert may == (status in setup_intent_state.TRANSITIONS[action])
    for target in Status:
        if may and target in setup_intent_state.TRANSITIONS[action][status]:
            assert setup_intent_state.move(status, action, target) is target
        else:
            with pytest.raises(ValueError, match="does not lead"):
                setup_intent_state.move(status, action, target)


def test_lists_page_and_filter(api, setup, customer):
    mine = [setup(customer=customer)["id"] for _ in range(4)][::-1]
    other = setup(payment_method="pm_card_visa")
    prove(api, PATH, [other["id"], *mine])
    assert [found["id"] for found in api.get(PATH, {"customer": customer}).json()["data"]] == mine
    found = api.get(PATH, {"payment_method": other["payment_method"], "expand[]": "data.payment_method"}).json()["data"]
    assert [one["id"] for one in found] == [other["id"]]
    assert found[0]["payment_method"]["card"]["last4"] == "4242"


def test_a_key_replays_the_same_bytes(api):
    body = {"payment_method": "pm_card_visa", "confirm": True}
    first, again = (api.post(PATH, body, idempotency_key="setup-1") for _ in range(2))
    assert (first.content, again.headers["Idempotent-Replayed"]) == (again.content, "true")


# --- answers that never came ---


@pytest.mark.parametrize("card", ["timeoutApproved", "pendingApproved"])
def test_a_setup_agreed_to_in_silence_is_recorded_once(api, books, setup, read, act, customer, card):
    found = setup(customer=customer, payment_method=f"pm_card_{card}", confirm=True)
    assert found["status"] == "processing"
    error = refused(act(found, "cancel"), 400, "setup_intent_unexpected_state")
    assert "status of processing" in error["message"]
    books.let_leases_run_out()
    with books.events() as events:
        assert payment_attempts.settle_open(books.caller) == 1
    assert read(found)["status"] == "succeeded"
    assert types(events) == ["payment_method.attached", "setup_intent.succeeded"]
    with books.unchanged():
        assert payment_attempts.settle_open(books.caller) == 0


@pytest.mark.parametrize(
    ("card", "code"), [("timeoutDeclined", "card_declined"), ("timeoutNotReceived", "processing_error")]
)
def test_a_setup_that_failed_in_silence_fails_visibly(books, setup, read, card, code):
    found = setup(payment_method=f"pm_card_{card}", confirm=True)
    assert found["status"] == "processing"
    books.let_leases_run_out()
    with books.events() as events:
        payment_attempts.settle_open(books.caller)
    after = read(found)
    assert (after["status"], after["last_setup_error"]["code"]) == ("requires_payment_method", code)
    assert types(events) == ["setup_intent.setup_failed"]


def test_an_unreachable_processor_leaves_the_intent_to_be_confirmed_again(setup, act, read):
    found = setup()
    answer = act(found, "confirm", payment_method="pm_card_processorUnavailable")
    refused(answer, 503, "processor_unavailable")
    assert read(found)["status"] == "requires_confirmation"
    assert act(found, "confirm", payment_method="pm_card_visa").json()["status"] == "succeeded"


def test_a_key_takes_up_what_was_interrupted(api, books, processor):
    processor.will("set_up", "fail_before")
    body = {"payment_method": "pm_card_visa", "confirm": True}
    refused(api.post(PATH, body, idempotency_key="again"), 503, "processor_unavailable")
    done = api.post(PATH, body, idempotency_key="again").json()
    assert done["status"] == "succeeded"
    assert len(api.get(PATH).json()["data"]) == 1


def test_the_same_key_asks_again_when_the_lease_ran_out(api, books, processor):
    processor.will("set_up", Unknown(reason="lost"))
    body = {"payment_method": "pm_card_visa", "confirm": True}
    first = api.post(PATH, body, idempotency_key="k1").json()
    assert first["status"] == "processing"
    processor.books.clear()
    books.let_leases_run_out()
    assert api.post(PATH, body, idempotency_key="k1").json() == first, "the answer that was given is kept"
    payment_attempts.settle_open(books.caller)
    found = api.get(f"{PATH}/{first['id']}").json()
    assert (found["status"], found["last_setup_error"]["code"]) == ("requires_payment_method", "processing_error")


def test_a_lost_answer_after_authentication_is_settled_by_the_sweeper(books, setup, read, customer, processor, api):
    processor.will("set_up", ActionRequired(authentication_id="a", redirect_url=None), "fail_after")
    found = setup(customer=customer, payment_method="pm_card_visa", confirm=True, return_url=SHOP)
    assert returned(Payer().answer(found, "complete"))[1]["redirect_status"] == "pending"
    books.let_leases_run_out()
    payment_attempts.settle_open(books.caller)
    done = read(found)
    assert done["status"] == "succeeded"
    assert returned(Payer().open(found))[1]["redirect_status"] == "succeeded"
    assert api.get(f"/v1/payment_methods/{done['payment_method']}").json()["customer"] == customer
    assert processor.balance_minor == 0


def test_what_the_payer_agreed_to_holds_for_no_other_card(setup, read, act, processor):
    processor.will("set_up", ActionRequired(authentication_id="a", redirect_url=None), "fail_before")
    found = setup(payment_method="pm_card_visa", confirm=True, return_url=SHOP)
    refused(act(found, "confirm", payment_method="pm_card_mastercard"), 503, "processor_unavailable")
    left = read(found)
    assert (left["status"], left["next_action"]) == ("requires_confirmation", None)
    assert Payer().answer(found, "complete").status_code == 200
    assert read(found) == left


def test_a_processors_own_page_is_shown_as_it_is(setup, processor):
    processor.will("set_up", ActionRequired(authentication_id="a", redirect_url="https://issuer.test/3ds/a"))
    found = setup(payment_method="pm_card_visa", confirm=True, return_url=SHOP)
    assert found["next_action"]["redirect_to_url"] == {"url": "https://issuer.test/3ds/a", "return_url": SHOP}
