"""Idempotency keys as the API keeps them: one effect, one answer, byte for byte."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection

from connect.domain import retention
from connect.kit.tenancy import use_environment
from connect.services.retention import prune
from payments import clients
from payments.clients.fake import FakeProcessor
from payments.services import payment_intents
from tests.payments.books import Books, bracketed, refused

PATH = "/v1/payment_intents"
BODY = {"amount": 1000, "currency": "eur"}
PAY = {**BODY, "payment_method": "pm_card_visa", "confirm": True}
KEYS = "connect_idempotency_key"


@pytest.fixture
def books(environment, caller):
    return Books(environment, caller)


@pytest.fixture
def processor():
    """A processor with books of its own in the place of the sandbox."""
    with clients.replaced("sandbox", FakeProcessor()) as fake:
        yield fake


def stored(books, key):
    """State, status and sealed bytes of a stored key."""
    with use_environment(books.environment), connection.cursor() as cursor:
        cursor.execute(f"SELECT state, status, reply FROM {KEYS} WHERE key = %s", [key])
        return cursor.fetchone()


@pytest.mark.parametrize("body", [BODY, PAY], ids=["local", "external"])
def test_the_same_request_again_is_answered_with_the_same_bytes(api, books, body):
    first = api.post(PATH, body, idempotency_key="k")
    assert first.status_code == 200
    assert "Idempotent-Replayed" not in first.headers
    with books.unchanged():
        again = api.post(PATH, body, idempotency_key="k")
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.headers["Idempotency-Key"] == again.headers["Idempotency-Key"] == "k"
    assert first.headers["Request-Id"] != again.headers["Request-Id"]


@pytest.mark.parametrize("body", [BODY, {**PAY, "payment_method_types": ["card"], "metadata": {"a": "ж"}}])
def test_forms_replay_too_and_the_order_of_names_is_nothing(api, body):
    first = api.post(PATH, form=bracketed(body), idempotency_key="k")
    assert first.status_code == 200
    again = api.post(PATH, form=bracketed(dict(reversed(body.items()))), idempotency_key="k")
    assert again.content == first.content


@pytest.mark.parametrize("body", [BODY, PAY], ids=["local", "external"])
def test_other_parameters_are_refused(api, books, body):
    api.post(PATH, body, idempotency_key="k'1")
    for changed in ({**body, "amount": 1001}, {**body, "description": "x"}, {**body, "expand": ["customer"]}):
        with books.unchanged():
            error = refused(api.post(PATH, changed, idempotency_key="k'1"), 400, "idempotency_error")
        assert error["type"] == "idempotency_error"
        assert error["message"] == (
            "Keys for idempotent requests can only be used with the same parameters they were first used with. Try"
            " using a key other than 'k'1' if you meant to execute a different request."
        )


def test_another_address_is_refused(api, books):
    found = api.post(PATH, PAY, idempotency_key="k").json()
    with books.unchanged():
        refused(api.post("/v1/customers", {}, idempotency_key="k"), 400, "idempotency_error")
        refused(api.post(f"{PATH}/{found['id']}/cancel", idempotency_key="k"), 400, "idempotency_error")


def test_an_error_that_begins_nothing_does_not_use_up_the_key(api, books):
    with books.unchanged():
        for wrong, code in (
            ({"amount": 1}, "parameter_missing"),
            ({**BODY, "amount": 1}, "amount_too_small"),
            ({**BODY, "confirm": True}, "payment_intent_unexpected_state"),
            ({**BODY, "customer": "cus_1"}, "resource_missing"),
            ({**BODY, "wrong": 1}, "parameter_unknown"),
        ):
            assert api.post(PATH, wrong, idempotency_key="k").json()["error"]["code"] == code
        refused(api.post(f"{PATH}/pi_1/confirm", idempotency_key="k"), 404, "resource_missing", "intent")
    assert api.post(PATH, PAY, idempotency_key="k").json()["status"] == "succeeded"


def test_a_key_belongs_to_its_environment(api_as):
    answers = {
        (slug, kind): api_as(slug, kind).post(PATH, {**BODY, "amount": 1000 + n}, idempotency_key="k").json()
        for n, (slug, kind) in enumerate([("acme", "test"), ("acme", "live"), ("other", "test"), ("other", "live")])
    }
    assert [answer["amount"] for answer in answers.values()] == [1000, 1001, 1002, 1003]


def test_a_key_has_at_most_255_characters(api, books):
    assert api.post(PATH, BODY, idempotency_key="k" * 255).status_code == 200
    with books.unchanged():
        error = refused(api.post(PATH, BODY, idempotency_key="k" * 256), 400, "idempotency_key_too_long")
    assert "256" in error["message"]


def test_reads_and_deletes_take_no_notice_of_a_key(api, books):
    customer = api.post("/v1/customers", {}).json()["id"]
    with books.unchanged():
        for _ in range(2):
            answer = api.get(f"/v1/customers/{customer}", idempotency_key="k")
            assert "Idempotent-Replayed" not in answer.headers
    api.delete(f"/v1/customers/{customer}", idempotency_key="k")
    assert api.post("/v1/customers", {}, idempotency_key="k").status_code == 200


def test_the_stored_answer_is_sealed(api, books):
    found = api.post(PATH, PAY, idempotency_key="k").json()
    state, status, sealed = stored(books, "k")
    assert (state, status) == ("done", 200)
    for readable in (found["client_secret"], found["id"], "client_secret", "succeeded"):
        assert readable.encode() not in bytes(sealed)


def test_an_answer_moved_to_another_row_does_not_open(api, books):
    """A sealed reply is bound to its row: whoever can write to the table still cannot show one caller another's."""
    api.post(PATH, PAY, idempotency_key="a")
    api.post(PATH, PAY, idempotency_key="b")
    with use_environment(books.environment), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {KEYS} SET reply = (SELECT reply FROM {KEYS} WHERE key = 'a') WHERE key = 'b'")
    assert api.post(PATH, PAY, idempotency_key="b").status_code == 500


def test_a_decline_is_kept_and_replayed(api, books):
    body = {**PAY, "payment_method": "pm_card_chargeDeclined"}
    first = api.post(PATH, body, idempotency_key="k")
    assert first.status_code == 402
    with books.unchanged():
        again = api.post(PATH, body, idempotency_key="k")
    assert (again.status_code, again.content) == (402, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    ("service", "body"), [("create", BODY), ("create_and_confirm", PAY)], ids=["local", "external"]
)
def test_a_failure_of_ours_is_kept_and_replayed(api, books, monkeypatch, service, body):
    """The request had begun: what it did is rolled back, and the same key never tries again."""

    def breaks(caller, **given):
        payment_intents._build(caller, **{name: given[name] for name in ("amount", "currency")})[0].save(
            force_insert=True
        )
        raise ZeroDivisionError

    with monkeypatch.context() as broken, books.unchanged(KEYS):
        broken.setattr(payment_intents, service, breaks)
        first = api.post(PATH, body, idempotency_key="k")
        error = refused(first, 500, "internal_error")
    assert "ZeroDivisionError" not in json.dumps(error)
    with books.unchanged():
        again = api.post(PATH, body, idempotency_key="k")
    assert (again.status_code, again.content) == (500, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert api.post(PATH, body, idempotency_key="other").status_code == 200


def test_an_unreachable_processor_is_not_kept_and_the_key_goes_on_with_the_same_intent(api, books, processor):
    processor.will("authorize", "fail_before")
    first = api.post(PATH, PAY, idempotency_key="k")
    refused(first, 503, "processor_unavailable")
    assert first.headers["Stripe-Should-Retry"] == "true"
    (waiting,) = api.get(PATH).json()["data"]
    assert (waiting["status"], waiting["latest_charge"]) == ("requires_confirmation", None)
    again = api.post(PATH, PAY, idempotency_key="k")
    assert (again.json()["id"], again.json()["status"]) == (waiting["id"], "succeeded")
    assert "Idempotent-Replayed" not in again.headers
    assert api.get(PATH).json()["data"] == [again.json()]
    assert books.attempts(waiting["id"]) == [("authorize", "abandoned"), ("authorize", "approved")]
    assert processor.balance_minor == 1000
    assert api.post(PATH, PAY, idempotency_key="k").content == again.content
    assert books.check_balance(api) == {"eur": (0, 986)}


def test_what_was_not_carried_out_follows_the_intent_as_it_is_now(api, books, processor):
    """Between the failure and the retry the amount was changed: the new amount is what is taken, shown and posted."""
    found = api.post(PATH, {**BODY, "payment_method": "pm_card_visa"}).json()
    processor.will("authorize", "fail_before")
    confirm = f"{PATH}/{found['id']}/confirm"
    refused(api.post(confirm, idempotency_key="k"), 503, "processor_unavailable")
    assert api.post(f"{PATH}/{found['id']}", {"amount": 2000}).status_code == 200
    paid = api.post(confirm, idempotency_key="k").json()
    assert (paid["status"], paid["amount"], paid["amount_received"]) == ("succeeded", 2000, 2000)
    assert processor.balance_minor == 2000
    assert api.get(f"/v1/charges/{paid['latest_charge']}").json()["amount_captured"] == 2000
    books.check_balance(api)


@pytest.mark.parametrize("name", ["capture", "cancel"])
def test_capture_and_cancel_go_on_after_an_unreachable_processor(api, books, processor, name):
    held = api.post(PATH, {**PAY, "capture_method": "manual"}).json()
    processor.will("capture" if name == "capture" else "void", "fail_before")
    given = {"amount_to_capture": 400} if name == "capture" else {"cancellation_reason": "duplicate"}
    path = f"{PATH}/{held['id']}/{name}"
    refused(api.post(path, given, idempotency_key="k"), 503, "processor_unavailable")
    assert api.get(f"{PATH}/{held['id']}").json() == held
    done = api.post(path, given, idempotency_key="k").json()
    assert done["status"] == {"capture": "succeeded", "cancel": "canceled"}[name]
    assert (done["amount_received"], done["cancellation_reason"]) == (
        (400, None) if name == "capture" else (0, "duplicate")
    )
    assert processor.balance_minor == done["amount_received"]
    books.check_balance(api)


# --- interrupted: the process died between the claim and the record ---


@pytest.fixture
def died(api, books, monkeypatch):
    """`died("before")`: a request whose process ended before, or `"after"`, the processor had been asked."""

    def die(when, path=PATH, body=PAY):
        from payments.services import processor_calls

        class Killed(BaseException):
            pass

        def killed(name, _kind):
            if name == {"before": "payments.attempt.claimed", "after": "payments.attempt.called"}[when]:
                raise Killed

        with monkeypatch.context() as context:
            context.setattr(processor_calls, "failpoint", killed)
            with pytest.raises(Killed):
                api.post(path, body, idempotency_key="k")

    return die


@pytest.mark.parametrize("when", ["before", "after"])
def test_while_a_request_runs_its_key_is_in_use(api, books, died, when):
    died(when)
    with books.unchanged():
        answer = api.post(PATH, PAY, idempotency_key="k")
        error = refused(answer, 409, "idempotency_key_in_use")
        assert error["type"] == "idempotency_error"
        assert answer.headers["Stripe-Should-Retry"] == "true"
        refused(api.post(PATH, {**PAY, "amount": 1001}, idempotency_key="k"), 400, "idempotency_error")
    assert api.get(PATH).json()["data"][0]["status"] == "processing"


@pytest.mark.parametrize("when", ["before", "after"])
def test_once_the_lease_is_over_the_key_settles_what_was_begun_once(api, books, processor, died, when):
    died(when)
    books.let_leases_run_out()
    done = api.post(PATH, PAY, idempotency_key="k")
    assert (done.status_code, done.json()["status"]) == (200, "succeeded")
    assert [found["id"] for found in api.get(PATH).json()["data"]] == [done.json()["id"]]
    assert books.attempts(done.json()["id"]) == [("authorize", "approved")]
    assert len(books.postings(done.json()["latest_charge"])) == 1
    assert processor.balance_minor == 1000
    assert len(processor.calls) == 1, "asked first: what the processor had done is not sent again"
    again = api.post(PATH, PAY, idempotency_key="k")
    assert (again.content, again.headers["Idempotent-Replayed"]) == (done.content, "true")
    books.check_balance(api)


def test_a_decline_that_was_never_told_is_told_to_the_same_key(api, books, died):
    body = {**PAY, "payment_method": "pm_card_chargeDeclinedInsufficientFunds"}
    died("after", body=body)
    books.let_leases_run_out()
    error = refused(api.post(PATH, body, idempotency_key="k"), 402, "card_declined")
    assert error["decline_code"] == "insufficient_funds"


@pytest.mark.parametrize("card", ["visa", "chargeDeclined", "captureExpired"])
def test_what_the_sweeper_settled_first_is_what_the_key_answers(api, books, died, card):
    from payments.services import payment_attempts

    body, path = {**PAY, "payment_method": f"pm_card_{card}"}, PATH
    if card == "captureExpired":
        held = api.post(PATH, {**body, "capture_method": "manual"}).json()
        path, body = f"{PATH}/{held['id']}/capture", {}
    died("after", path, body)
    books.let_leases_run_out()
    assert payment_attempts.settle_open(books.caller) == 1
    books.let_leases_run_out()
    with books.unchanged(KEYS):
        answer = api.post(path, body, idempotency_key="k")
    assert (answer.status_code, answer.json().get("error", {}).get("code")) == {
        "visa": (200, None),
        "chargeDeclined": (402, "card_declined"),
        "captureExpired": (400, "charge_expired_for_capture"),
    }[card]
    books.check_balance(api)


def test_while_the_sweeper_asks_the_key_says_processing_and_touches_nothing(api, books, died):
    """The sweeper holds the attempt's lease: two who act on one attempt could each believe the other's answer."""
    died("before")
    with use_environment(books.environment), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {KEYS} SET lease_until = clock_timestamp()")
    with books.unchanged(KEYS):
        assert api.post(PATH, PAY, idempotency_key="k").json()["status"] == "processing"


# --- the end of a key ---


def test_a_key_is_kept_for_a_day_at_least_and_then_begins_anew(api, books, died):
    rule = retention.IDEMPOTENCY_KEYS
    assert rule.kept >= timedelta(hours=24)
    hours = rule.kept // timedelta(hours=1)
    first = api.post(PATH, BODY, idempotency_key="old")
    died("before")  # leaves a claim that was never finished
    age(books, hours - 1)
    assert prune(books.environment, rule) == 0
    assert api.post(PATH, BODY, idempotency_key="old").content == first.content
    age(books, 2)
    assert prune(books.environment, rule) == 1
    assert stored(books, "k")[0] == "claimed", "it still has to be settled"
    again = api.post(PATH, {**BODY, "amount": 2000}, idempotency_key="old")
    assert (again.status_code, again.json()["amount"]) == (200, 2000)


def age(books, hours):
    """As if every key had been sent `hours` earlier."""
    with use_environment(books.environment), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {KEYS} SET created_at = created_at - make_interval(hours => %s)", [hours])
