"""Refunds, increments and test clocks by the official SDK."""

from __future__ import annotations

import pytest
import stripe

PAYMENT = {"amount": 1999, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}


@pytest.mark.sdk("refunds.create", "refunds.retrieve", "refunds.update", "refunds.list")
def test_create_retrieve_update_and_list(v1):
    paid = v1.payment_intents.create(PAYMENT)
    refund = v1.refunds.create({"payment_intent": paid.id, "amount": 500, "reason": "requested_by_customer"})
    assert isinstance(refund, stripe.Refund)
    assert (refund.status, refund.amount, refund.charge) == ("succeeded", 500, paid.latest_charge)
    again = v1.refunds.retrieve(refund.id, {"expand": ["charge", "balance_transaction"]})
    assert (again.charge.amount_refunded, again.balance_transaction.net) == (500, -500)
    assert v1.refunds.update(refund.id, {"metadata": {"order": "7"}}).metadata["order"] == "7"
    more = [v1.refunds.create({"charge": paid.latest_charge, "amount": 100}).id for _ in range(4)]
    listed = v1.refunds.list({"charge": paid.latest_charge, "limit": 2})
    assert [found.id for found in listed.auto_paging_iter()] == [*more[::-1], refund.id]
    charge = v1.charges.retrieve(paid.latest_charge, {"expand": ["refunds"]})
    assert isinstance(charge.refunds, stripe.ListObject)
    assert [found.id for found in charge.refunds.auto_paging_iter()] == [*more[::-1], refund.id]
    assert v1.refunds.create({"payment_intent": paid.id}).amount == 1999 - 900
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.refunds.create({"payment_intent": paid.id})
    assert refused.value.code == "charge_already_refunded"
    assert v1.charges.retrieve(paid.latest_charge).refunded is True


def test_a_charge_with_many_refunds_pages_through_its_own_list(v1):
    paid = v1.payment_intents.create(PAYMENT)
    made = [v1.refunds.create({"charge": paid.latest_charge, "amount": 10}).id for _ in range(12)][::-1]
    charge = v1.charges.retrieve(paid.latest_charge, {"expand": ["refunds"]})
    assert (len(charge.refunds.data), charge.refunds.has_more) == (10, True)
    assert [found.id for found in charge.refunds.auto_paging_iter()] == made


@pytest.mark.sdk("refunds.cancel")
def test_cancel(v1):
    paid = v1.payment_intents.create({**PAYMENT, "payment_method": "pm_card_refundRequiresAction"})
    waiting = v1.refunds.create({"payment_intent": paid.id})
    assert (waiting.status, waiting.next_action.type) == ("requires_action", "display_details")
    assert v1.refunds.cancel(waiting.id).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.refunds.cancel(waiting.id)
    assert refused.value.code == "refund_not_cancelable"


@pytest.mark.sdk("payment_intents.increment_authorization")
def test_increment_authorization(v1):
    held = v1.payment_intents.create({**PAYMENT, "capture_method": "manual"})
    raised = v1.payment_intents.increment_authorization(held.id, {"amount": 2500, "metadata": {"tip": "yes"}})
    assert (raised.amount, raised.amount_capturable, raised.metadata["tip"]) == (2500, 2500, "yes")
    assert v1.payment_intents.capture(held.id).amount_received == 2500
    held = v1.payment_intents.create(
        {**PAYMENT, "capture_method": "manual", "payment_method": "pm_card_incrementDeclined"}
    )
    with pytest.raises(stripe.CardError) as declined:
        v1.payment_intents.increment_authorization(held.id, {"amount": 2500})
    assert declined.value.code == "card_declined"
    assert v1.payment_intents.retrieve(held.id).amount_capturable == 1999


@pytest.mark.sdk("test_helpers.test_clocks.create", "test_helpers.test_clocks.advance")
def test_a_test_clock_drives_a_hold_to_its_end(v1):
    clocks = v1.test_helpers.test_clocks
    clock = clocks.create({"frozen_time": 1_800_014_400, "name": "A week"})
    assert (clock.status, clock.frozen_time) == ("ready", 1_800_014_400)
    customer = v1.customers.create({"test_clock": clock.id})
    held = v1.payment_intents.create({**PAYMENT, "customer": customer.id, "capture_method": "manual"})
    assert held.created == clock.frozen_time
    moved = clocks.advance(clock.id, {"frozen_time": clock.frozen_time + 8 * 86400})
    assert (moved.status, clocks.retrieve(clock.id).frozen_time) == ("ready", clock.frozen_time + 8 * 86400)
    ended = v1.payment_intents.retrieve(held.id)
    assert (ended.status, ended.cancellation_reason) == ("canceled", "automatic")
    assert clock.id in [found.id for found in clocks.list().auto_paging_iter()]
    assert [found.id for found in v1.customers.list({"test_clock": clock.id})] == [customer.id]
    assert clocks.delete(clock.id).deleted is True
    assert v1.customers.retrieve(customer.id).deleted is True


def test_the_module_style_does_the_same(module):
    paid = module.PaymentIntent.create(**PAYMENT)
    refund = module.Refund.create(payment_intent=paid.id, amount=5)
    assert module.Refund.modify(refund.id, metadata={"a": "b"}).metadata["a"] == "b"
    assert module.Refund.list(payment_intent=paid.id).data[0].id == refund.id
    clock = module.test_helpers.TestClock.create(frozen_time=1_800_000_000)
    assert clock.advance(frozen_time=1_800_000_001).frozen_time == 1_800_000_001
    clock.delete()
