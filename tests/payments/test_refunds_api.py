"""Refunds through the API: whole and in parts, every refusal, every end, and to the cent."""

from __future__ import annotations

import pytest

from payments.clients.fake import FakeProcessor
from payments.clients.processor import Approved, Declined, Unknown
from payments.services import payment_attempts, refund_checks
from tests.paging import prove
from tests.payments.books import AVAILABLE, CLEARING, refused, types

PATH = "/v1/refunds"


@pytest.fixture
def paid(intent):
    """`paid(card)` is a payment of 10.00 EUR that was taken."""
    return lambda card="pm_card_visa", **given: intent(payment_method=card, confirm=True, **given)


@pytest.fixture
def refund(api):
    """`refund(intent, amount=…)` is the refund, which must be there."""

    def create(found, **given):
        answer = api.post(PATH, {"payment_intent": found["id"], **given})
        assert answer.status_code == 200, answer.content
        return answer.json()

    return create


@pytest.fixture
def charge_of(api):
    return lambda found: api.get(f"/v1/charges/{found['latest_charge']}").json()


def check_later(books):
    """One run of the job that asks about refunds, as if all of them were due."""
    from django.db import connection

    from connect.kit.tenancy import use_environment

    with use_environment(books.environment), connection.cursor() as cursor:
        cursor.execute("UPDATE payments_refund SET check_at = clock_timestamp() WHERE check_at IS NOT NULL")
    books.let_leases_run_out()
    return refund_checks.check_due(books.caller)


def test_a_refund_in_full(send, api, books, paid, charge_of):
    found = paid()
    with books.events() as events:
        answer = send(
            PATH, {"charge": found["latest_charge"], "reason": "duplicate", "metadata": {"order": "7"}}
        ).json()
    assert {name: answer[name] for name in ("object", "amount", "currency", "status", "reason", "metadata")} == {
        "object": "refund", "amount": 1000, "currency": "eur", "status": "succeeded", "reason": "duplicate",
        "metadata": {"order": "7"},
    }  # fmt: skip
    assert (answer["charge"], answer["payment_intent"]) == (found["latest_charge"], found["id"])
    assert answer["destination_details"]["card"]["reference_status"] == "available"
    charge = charge_of(found)
    assert (charge["amount_refunded"], charge["refunded"]) == (1000, True)
    assert types(events) == ["charge.refunded", "refund.created"]
    assert [event.payload for event in events] == [charge, answer]
    assert books.postings(answer["id"]) == [("charge.refund", {AVAILABLE: -1000, CLEARING: 1000})]
    line = api.get(f"/v1/balance_transactions/{answer['balance_transaction']}").json()
    assert (line["type"], line["amount"], line["fee"], line["net"], line["source"]) == (
        "refund", -1000, 0, -1000, answer["id"],
    )  # fmt: skip
    assert books.check_balance(api) == {"eur": (-1000, 986)}, "the fee is not given back; what is available may owe"
    assert api.get(f"{PATH}/{answer['id']}").json() == answer
    assert books.attempts(found["id"]) == [("authorize", "approved"), ("refund", "approved")]


def test_refunds_in_parts_until_nothing_is_left(send, api, books, paid, charge_of, refund):
    found = paid()
    parts = [refund(found, amount=300), refund(found, amount=300)]
    assert (charge_of(found)["amount_refunded"], charge_of(found)["refunded"]) == (600, False)
    with books.unchanged():
        error = refused(send(PATH, {"payment_intent": found["id"], "amount": 401}), 400, "amount_too_large", "amount")
    assert error["message"].startswith(
        "Refund amount (4.01 EUR) is greater than unrefunded amount on charge (4.00 EUR)"
    )
    parts.append(refund(found))
    assert parts[-1]["amount"] == 400
    assert charge_of(found)["refunded"] is True
    with books.unchanged():
        refused(send(PATH, {"charge": found["latest_charge"]}), 400, "charge_already_refunded")
    prove(api, PATH, [part["id"] for part in parts[::-1]], {"charge": found["latest_charge"]})
    prove(api, f"/v1/charges/{found['latest_charge']}/refunds", [part["id"] for part in parts[::-1]])
    assert [one["id"] for one in api.get(PATH, {"payment_intent": paid()["id"]}).json()["data"]] == []
    books.check_balance(api)


def test_what_was_captured_in_part_can_be_refunded_to_that(api, books, held, act, refund, send):
    found = held()
    with books.unchanged():
        error = refused(send(PATH, {"payment_intent": found["id"]}), 400, "charge_not_refundable", "charge")
    assert "cancel its PaymentIntent" in error["message"]
    act(found, "capture", amount_to_capture=400, final_capture=False)
    with books.unchanged():
        refused(send(PATH, {"payment_intent": found["id"], "amount": 401}), 400, "amount_too_large", "amount")
    assert refund(found)["amount"] == 400
    charge = api.get(f"/v1/charges/{found['latest_charge']}").json()
    assert (charge["amount_refunded"], charge["refunded"]) == (400, False), "more can be captured yet"
    act(found, "capture", amount_to_capture=100)
    assert refund(found)["amount"] == 100
    assert api.get(f"/v1/charges/{found['latest_charge']}").json()["refunded"] is True
    books.check_balance(api)


@pytest.mark.parametrize(
    ("given", "code", "param"),
    [
        ({}, "parameter_missing", "payment_intent"),
        ({"charge": "ch_nothing"}, "resource_missing", "charge"),
        ({"payment_intent": "pi_nothing"}, "resource_missing", "payment_intent"),
        ({"charge": "mine", "amount": 0}, "parameter_invalid_integer", "amount"),
        ({"charge": "mine", "amount": -5}, "parameter_invalid_integer", "amount"),
        ({"charge": "mine", "reason": "because"}, "parameter_invalid", "reason"),
        ({"charge": "mine", "reverse_transfer": True}, "parameter_unknown", "reverse_transfer"),
        ({"charge": "mine", "refund_application_fee": True}, "parameter_unknown", "refund_application_fee"),
        ({"charge": "mine", "payment_intent": "other"}, "parameter_invalid", "charge"),
    ],
)
def test_a_refused_refund_changes_nothing(send, books, paid, given, code, param):
    found, other = paid(), paid()
    known = {"mine": found["latest_charge"], "other": other["id"]}
    body = {name: known.get(value, value) for name, value in given.items()}
    with books.unchanged():
        refused(send(PATH, body), 400, code, param)


def test_an_intent_without_a_charge_has_nothing_to_refund(api, books, intent):
    for found in (intent(), intent(payment_method="pm_card_visa")):
        with books.unchanged():
            error = refused(
                api.post(PATH, {"payment_intent": found["id"]}),
                400,
                "payment_intent_unexpected_state",
                "payment_intent",
            )
        assert error["payment_intent"] == found


def test_metadata_changes_and_nothing_else(send, books, paid, refund):
    found = refund(paid(), metadata={"a": "1", "b": "2"})
    with books.events() as events:
        changed = send(f"{PATH}/{found['id']}", {"metadata": {"a": "", "c": "3"}}).json()
    assert changed == {**found, "metadata": {"b": "2", "c": "3"}}
    assert types(events) == ["charge.refund.updated", "refund.updated"]
    with books.unchanged():
        refused(send(f"{PATH}/{found['id']}", {"amount": 5}), 400, "parameter_unknown", "amount")


def test_a_charge_shows_its_refunds_when_asked(api, paid, refund):
    found = paid()
    ours = [refund(found, amount=100)["id"] for _ in range(3)][::-1]
    charge = api.get(f"/v1/charges/{found['latest_charge']}", {"expand[]": "refunds"}).json()
    assert [one["id"] for one in charge["refunds"]["data"]] == ours
    assert (charge["refunds"]["has_more"], charge["refunds"]["url"]) == (
        False, f"/v1/charges/{found['latest_charge']}/refunds",
    )  # fmt: skip
    answer = api.get(f"{PATH}/{ours[0]}", {"expand[0]": "charge", "expand[1]": "balance_transaction.source"}).json()
    assert answer["charge"]["id"] == found["latest_charge"]
    assert answer["balance_transaction"]["source"]["id"] == ours[0]


# --- the ends of a refund ---


def test_a_pending_refund_reserves_its_amount_and_succeeds_later(api, books, paid, refund, charge_of, send):
    found = paid("pm_card_pendingRefund")
    with books.events() as events:
        pending = refund(found, amount=700)
    assert (pending["status"], pending["pending_reason"]) == ("pending", "processing")
    assert types(events) == ["charge.refunded", "refund.created"]
    assert charge_of(found)["amount_refunded"] == 700
    refused(send(PATH, {"payment_intent": found["id"], "amount": 301}), 400, "amount_too_large", "amount")
    assert books.check_balance(api) == {"eur": (-700, 986)}
    with books.events() as events:
        assert check_later(books) == 1
    done = api.get(f"{PATH}/{pending['id']}").json()
    assert (done["status"], done["pending_reason"]) == ("succeeded", None)
    assert types(events) == ["charge.refund.updated", "refund.updated"]
    with books.unchanged():
        assert check_later(books) == 0
    assert books.check_balance(api) == {"eur": (-700, 986)}


def test_a_refund_that_fails_later_brings_its_money_back_once(api, books, paid, refund, charge_of):
    found = paid("pm_card_refundFail")
    done = refund(found)
    assert done["status"] == "succeeded"
    with books.events() as events:
        assert check_later(books) == 1
    failed = api.get(f"{PATH}/{done['id']}").json()
    assert (failed["status"], failed["failure_reason"]) == ("failed", "expired_or_canceled_card")
    assert types(events) == ["charge.refund.updated", "refund.updated", "refund.failed"]
    line = api.get(f"/v1/balance_transactions/{failed['failure_balance_transaction']}").json()
    assert (line["type"], line["net"], line["source"]) == ("refund_failure", 1000, done["id"])
    assert books.postings(done["id"]) == [
        ("charge.refund", {AVAILABLE: -1000, CLEARING: 1000}),
        ("charge.refund.return", {AVAILABLE: 1000, CLEARING: -1000}),
    ]
    assert (charge_of(found)["amount_refunded"], charge_of(found)["refunded"]) == (0, False)
    with books.unchanged():
        assert check_later(books) == 0
    assert books.check_balance(api) == {"eur": (0, 986)}
    assert refund(found)["amount"] == 1000, "it can be tried again"


def test_a_refund_that_is_refused_at_once_is_kept_and_costs_nothing(api, books, paid, refund, charge_of):
    found = paid("pm_card_refundDeclined")
    with books.events() as events:
        failed = refund(found)
    assert (failed["status"], failed["failure_reason"]) == ("failed", "declined")
    assert (failed["balance_transaction"], failed["failure_balance_transaction"]) == (None, None)
    assert types(events) == ["refund.created", "refund.failed"]
    assert charge_of(found)["amount_refunded"] == 0
    assert books.postings(failed["id"]) == []
    assert books.check_balance(api) == {"eur": (0, 986)}


def test_a_refund_that_waits_for_the_payer_can_be_canceled(send, api, books, paid, refund, charge_of):
    found = paid("pm_card_refundRequiresAction")
    waiting = refund(found, amount=600)
    assert (waiting["status"], waiting["next_action"]) == ("requires_action", {"type": "display_details"})
    assert check_later(books) == 1
    assert api.get(f"{PATH}/{waiting['id']}").json() == waiting
    with books.events() as events:
        canceled = send(f"{PATH}/{waiting['id']}/cancel", {}).json()
    assert (canceled["status"], canceled["next_action"]) == ("canceled", None)
    assert types(events) == ["charge.refund.updated", "refund.updated"]
    assert charge_of(found)["amount_refunded"] == 0
    assert books.check_balance(api) == {"eur": (0, 986)}
    with books.unchanged():
        error = refused(send(f"{PATH}/{waiting['id']}/cancel", {}), 400, "refund_not_cancelable")
        assert check_later(books) == 0
    assert error["message"] == (
        "You cannot cancel this refund because it has a status of canceled. Only a refund with one of the following"
        " statuses may be canceled: pending, requires_action."
    )
    assert books.attempts(found["id"])[1:] == [("refund", "canceled"), ("cancel_refund", "approved")]


def test_what_the_processor_cannot_stop_goes_on(send, api, books, paid, refund):
    pending = refund(paid("pm_card_pendingRefund"))
    refused(send(f"{PATH}/{pending['id']}/cancel", {}), 400, "refund_not_cancelable")
    assert api.get(f"{PATH}/{pending['id']}").json() == pending
    assert check_later(books) == 1
    assert api.get(f"{PATH}/{pending['id']}").json()["status"] == "succeeded"
    refused(send(f"{PATH}/{pending['id']}/cancel", {}), 400, "refund_not_cancelable")
    books.check_balance(api)


# --- answers that never came ---


def sweep(books):
    books.let_leases_run_out()
    return payment_attempts.settle_open(books.caller)


def test_a_refund_that_happened_in_silence_is_booked_once(api, books, paid, refund):
    found = paid("pm_card_refundTimeout")
    pending = refund(found)
    assert pending["status"] == "pending"
    assert sweep(books) == 1
    assert api.get(f"{PATH}/{pending['id']}").json()["status"] == "succeeded"
    assert len(books.postings(pending["id"])) == 1
    with books.unchanged():
        assert sweep(books) == 0
    assert books.check_balance(api) == {"eur": (-1000, 986)}


def test_a_refund_that_never_arrived_fails_and_its_money_is_back(api, books, paid, refund):
    found = paid("pm_card_refundNotReceived")
    pending = refund(found)
    assert sweep(books) == 1
    failed = api.get(f"{PATH}/{pending['id']}").json()
    assert (failed["status"], failed["failure_reason"]) == ("failed", "unknown")
    assert books.check_balance(api) == {"eur": (0, 986)}


def test_an_unreachable_processor_leaves_no_refund_and_the_same_key_tries_again(api, books, paid, charge_of):
    found = paid("pm_card_refundUnavailable")
    body = {"payment_intent": found["id"], "metadata": {"a": "1"}}
    with books.events() as events:
        for _ in range(2):
            refused(api.post(PATH, body, idempotency_key="once"), 503, "processor_unavailable")
    assert events == []
    assert api.get(PATH).json()["data"] == []
    assert books.attempts(found["id"])[1:] == [("refund", "abandoned"), ("refund", "abandoned")]
    assert charge_of(found)["amount_refunded"] == 0
    assert books.check_balance(api) == {"eur": (0, 986)}


def test_what_nobody_knows_stays_pending_and_reserved(send, api, books, paid, refund):
    found = paid("pm_card_refundUnknown")
    pending = refund(found)
    for _ in range(3):
        assert sweep(books) == 1
    assert api.get(f"{PATH}/{pending['id']}").json() == pending
    refused(send(PATH, {"payment_intent": found["id"]}), 400, "charge_already_refunded")
    assert books.check_balance(api) == {"eur": (-1000, 986)}


def test_the_same_key_gives_the_same_refund(api, books, paid):
    found = paid()
    first, again = (
        api.post(PATH, {"payment_intent": found["id"], "amount": 400}, idempotency_key="twice") for _ in range(2)
    )
    assert first.content == again.content
    assert again["Idempotent-Replayed"] == "true"
    assert len(api.get(PATH).json()["data"]) == 1


def test_a_stop_that_was_done_in_silence_is_recorded_by_the_sweeper(api, books, paid, refund):
    from payments import clients
    from payments.clients.processor import Pending

    with clients.replaced("sandbox", FakeProcessor()) as fake:
        found = paid()
        fake.will("refund", Pending(reference="r1"))
        pending = refund(found)
        fake.will("cancel_refund", "fail_after")
        assert api.post(f"{PATH}/{pending['id']}/cancel").json()["status"] == "pending"
        refused(api.post(f"{PATH}/{pending['id']}/cancel"), 429, "lock_timeout")
        assert sweep(books) == 1
        assert api.get(f"{PATH}/{pending['id']}").json()["status"] == "canceled"
        assert fake.balance_minor == 1000
    assert books.check_balance(api) == {"eur": (0, 986)}


def test_a_check_without_an_answer_asks_again(api, books, paid, refund):
    from payments import clients

    with clients.replaced("sandbox", FakeProcessor()) as fake:
        found = paid()
        fake.will("refund", Unknown(reason="no answer"))
        pending = refund(found)
        assert sweep(books) == 1
        (attempt,) = [name for operation, name in fake.calls if operation == "refund"]
        fake.resolve(attempt, Declined(code="refund_failed", message="no", decline_code="lost_or_stolen_card"))
        assert sweep(books) == 1
    failed = api.get(f"{PATH}/{pending['id']}").json()
    assert (failed["status"], failed["failure_reason"]) == ("failed", "lost_or_stolen_card")
    assert books.check_balance(api) == {"eur": (0, 986)}


@pytest.mark.parametrize("silence", ["fail_before", "fail_after"])
def test_a_check_that_nobody_answers_leaves_the_refund_as_it_is(api, books, paid, refund, silence):
    """It waits for the payer, whatever the line to the processor is like: nothing changed, and nothing is told."""
    from payments import clients
    from payments.clients.processor import ActionRequired

    with clients.replaced("sandbox", FakeProcessor()) as fake:
        found = paid()
        fake.will("refund", ActionRequired(authentication_id="a", redirect_url=None))
        waiting = refund(found)
        assert waiting["status"] == "requires_action"
        fake.will("status", silence)
        with books.events() as events:
            check_later(books)
        assert events == []
        assert api.get(f"{PATH}/{waiting['id']}").json() == waiting
        (attempt,) = [name for operation, name in fake.calls if operation == "refund"]
        fake.resolve(attempt, Approved(reference="r", amount_minor=1000))
        check_later(books)
        assert api.get(f"{PATH}/{waiting['id']}").json()["status"] == "succeeded"
        assert fake.balance_minor == 0
    books.check_balance(api)
