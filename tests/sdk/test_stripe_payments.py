"""Payments by the official SDK, in both of its styles."""

from __future__ import annotations

import asyncio

import pytest
import stripe

PAYMENT = {"amount": 1999, "currency": "eur"}


@pytest.mark.sdk(
    "payment_intents.create", "payment_intents.update", "payment_intents.confirm", "payment_intents.retrieve"
)
def test_create_update_confirm_and_read_back(v1):
    intent = v1.payment_intents.create({**PAYMENT, "metadata": {"order": "7"}, "description": "two"})
    assert isinstance(intent, stripe.PaymentIntent)
    assert (intent.status, intent.metadata["order"], intent.livemode) == ("requires_payment_method", "7", False)
    updated = v1.payment_intents.update(intent.id, {"amount": 2099, "metadata": {"order": "", "gift": "yes"}})
    assert (updated.amount, dict(updated.metadata.to_dict())) == (2099, {"gift": "yes"})
    paid = v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa", "return_url": "https://shop.test/"})
    assert (paid.status, paid.amount_received) == ("succeeded", 2099)
    assert v1.payment_intents.retrieve(intent.id).to_dict() == paid.to_dict()
    assert paid.last_response.request_id.startswith("req_")


@pytest.mark.sdk("payment_intents.capture", "payment_intents.cancel")
def test_hold_capture_in_part_and_cancel(v1):
    held = {**PAYMENT, "capture_method": "manual", "payment_method": "pm_card_visa", "confirm": True}
    first, second = (v1.payment_intents.create(held) for _ in range(2))
    assert first.amount_capturable == 1999
    part = v1.payment_intents.capture(first.id, {"amount_to_capture": 500, "final_capture": False})
    assert (part.status, part.amount_received, part.amount_capturable) == ("requires_capture", 500, 1499)
    last = v1.payment_intents.capture(first.id, {"amount_to_capture": 400})
    assert (last.status, last.amount_received, last.amount_capturable) == ("succeeded", 900, 0)
    canceled = v1.payment_intents.cancel(second.id, {"cancellation_reason": "abandoned"})
    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")


@pytest.mark.sdk("payment_intents.list", "auto_paging_iter")
def test_lists_page_by_themselves_both_ways(v1):
    customer = v1.customers.create({"email": "pages@example.com"})
    made = [v1.payment_intents.create({**PAYMENT, "customer": customer.id}).id for _ in range(7)][::-1]
    forwards = v1.payment_intents.list({"customer": customer.id, "limit": 2})
    assert [found.id for found in forwards.auto_paging_iter()] == made
    backwards = v1.payment_intents.list({"customer": customer.id, "limit": 3, "ending_before": made[-1]})
    assert [found.id for found in backwards.auto_paging_iter()] == made[:-1][::-1]
    assert [found.id for found in forwards.next_page()] == made[2:4]
    created = {"gte": forwards.data[0].created - 100, "lt": forwards.data[0].created + 100}
    assert len(v1.payment_intents.list({"customer": customer.id, "created": created}).data) == 7


@pytest.mark.sdk("expand")
def test_expand_hydrates_objects(v1):
    customer = v1.customers.create({"payment_method": "pm_card_visa", "name": "Ana"})
    method = customer.invoice_settings.default_payment_method
    paid = v1.payment_intents.create(
        {**PAYMENT, "customer": customer.id, "payment_method": method, "confirm": True,
         "expand": ["latest_charge.balance_transaction", "customer", "payment_method"]}
    )  # fmt: skip
    assert isinstance(paid.latest_charge, stripe.Charge)
    assert isinstance(paid.latest_charge.balance_transaction, stripe.BalanceTransaction)
    assert paid.latest_charge.balance_transaction.net == 1999 - 28
    assert (paid.customer.name, paid.payment_method.card.last4) == ("Ana", "4242")
    (listed,) = v1.payment_intents.list({"customer": customer.id, "expand": ["data.latest_charge"]}).data
    assert listed.latest_charge.paid is True


@pytest.mark.sdk(
    "customers.create",
    "customers.retrieve",
    "customers.update",
    "customers.delete",
    "customers.list",
    "customers.payment_methods.list",
    "payment_methods.create",
    "payment_methods.attach",
    "payment_methods.update",
    "payment_methods.detach",
    "payment_methods.list",
)
def test_customers_and_their_payment_methods(v1):
    customer = v1.customers.create({"email": "ana@example.com", "address": {"city": "Skopje"}, "metadata": {"a": "1"}})
    assert customer.address.city == "Skopje"
    assert v1.customers.update(customer.id, {"name": "Ana", "metadata": ""}).metadata.to_dict() == {}
    method = v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    assert v1.payment_methods.attach(method.id, {"customer": customer.id}).customer == customer.id
    assert [found.id for found in v1.customers.payment_methods.list(customer.id)] == [method.id]
    assert [found.id for found in v1.payment_methods.list({"customer": customer.id, "type": "card"})] == [method.id]
    changed = v1.payment_methods.update(method.id, {"billing_details": {"name": "Ana"}, "metadata": {"k": "v"}})
    assert (changed.billing_details.name, changed.metadata["k"]) == ("Ana", "v")
    assert v1.payment_methods.detach(method.id).customer is None
    assert "ana@example.com" in [found.email for found in v1.customers.list({"email": "ana@example.com"})]
    assert v1.customers.delete(customer.id).deleted is True
    assert v1.customers.retrieve(customer.id).deleted is True


@pytest.mark.sdk(
    "charges.retrieve",
    "charges.update",
    "charges.list",
    "balance.retrieve",
    "balance_transactions.retrieve",
    "balance_transactions.list",
)
def test_charges_and_the_balance_is_the_sum_of_its_transactions(v1):
    for currency in ("eur", "mkd"):
        paid = v1.payment_intents.create(
            {"amount": 7777, "currency": currency, "payment_method": "pm_card_bypassPending", "confirm": True}
        )
        charge = v1.charges.retrieve(paid.latest_charge)
        assert (charge.amount_captured, charge.payment_intent) == (7777, paid.id)
        assert v1.charges.update(charge.id, {"metadata": {"seen": "yes"}}).metadata["seen"] == "yes"
        assert [found.id for found in v1.charges.list({"payment_intent": paid.id})] == [charge.id]
        line = v1.balance_transactions.retrieve(charge.balance_transaction)
        assert (line.amount, line.fee, line.net) == (7777, 109, 7668)
    sums: dict[tuple[str, str], int] = {}
    for line in v1.balance_transactions.list({"limit": 5}).auto_paging_iter():
        sums[line.currency, line.status] = sums.get((line.currency, line.status), 0) + line.net
    balance = v1.balance.retrieve()
    shown = {(part.currency, "available"): part.amount for part in balance.available}
    shown |= {(part.currency, "pending"): part.amount for part in balance.pending}
    assert {place: amount for place, amount in shown.items() if amount} == {
        place: amount for place, amount in sums.items() if amount
    }
    assert shown["mkd", "available"] == 7668


@pytest.mark.sdk("module_style")
def test_the_module_style_does_the_same(module):
    intent = module.PaymentIntent.create(**PAYMENT, capture_method="manual")
    intent = module.PaymentIntent.confirm(intent.id, payment_method="pm_card_mastercard")
    intent.capture(amount_to_capture=999)
    assert (intent.status, intent.amount_received) == ("succeeded", 999)
    intent = module.PaymentIntent.modify(intent.id, description="done")
    assert module.PaymentIntent.retrieve(intent.id, expand=["latest_charge"]).latest_charge.amount_captured == 999
    customer = module.Customer.create(email="m@example.com")
    customer = module.Customer.modify(customer.id, name="M")
    assert customer.name == "M"
    assert customer.delete().deleted is True
    assert intent.id in [found.id for found in module.PaymentIntent.list(limit=3).auto_paging_iter()]
    assert module.Balance.retrieve().object == "balance"


@pytest.mark.sdk("idempotency")
@pytest.mark.parametrize("style", ["client", "module"])
def test_an_idempotency_key_replays(v1, module, style):
    key = f"sdk-{style}"
    if style == "client":
        answers = [v1.payment_intents.create(PAYMENT, {"idempotency_key": key}) for _ in range(2)]
    else:
        answers = [module.PaymentIntent.create(**PAYMENT, idempotency_key=key) for _ in range(2)]
    first, again = answers
    assert first.id == again.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert again.last_response.idempotency_key == key


@pytest.mark.sdk("raw_request", "basic_auth")
def test_raw_requests_and_http_basic(server, client_of):
    client = client_of(server.secrets["acme"]["test"])
    raw = client.raw_request("get", "/v1/balance")
    assert client.deserialize(raw, api_mode="V1").object == "balance"
    import base64

    basic = base64.b64encode(f"{server.secrets['acme']['test']}:".encode()).decode()
    assert server.request("GET", "/v1/balance", Authorization=f"Basic {basic}").status == 200


@pytest.mark.sdk("async")
def test_the_async_twins_do_the_same(server, client_of):
    async def pay() -> tuple[stripe.PaymentIntent, list[str]]:
        http = stripe.AIOHTTPClient()
        try:
            secret = server.secrets["acme"]["test"]
            v1 = stripe.StripeClient(secret, base_addresses={"api": server.url}, http_client=http).v1
            intent = await v1.payment_intents.create_async({**PAYMENT, "description": "async"})
            paid = await v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_visa"})
            page = await v1.payment_intents.list_async({"limit": 2})
            return paid, [found.id async for found in page.auto_paging_iter()]
        finally:
            await http.close_async()

    paid, listed = asyncio.run(pay())
    assert (paid.status, paid.description) == ("succeeded", "async")
    assert paid.id in listed


@pytest.mark.sdk("payment_intents.create", "payment_intents.confirm", "payment_intents.cancel")
def test_pay_by_bank_by_its_own_name(v1):
    intent = v1.payment_intents.create({**PAYMENT, "payment_method_types": ["card", "pay_by_bank"]})
    given = {"payment_method_data": {"type": "pay_by_bank"}, "return_url": "https://shop.test/"}
    waiting = v1.payment_intents.confirm(intent.id, given)
    assert (waiting.status, waiting.next_action.type) == ("requires_action", "redirect_to_url")
    assert "/pay/" in waiting.next_action.redirect_to_url.url
    assert waiting.next_action.redirect_to_url.return_url == "https://shop.test/"
    assert v1.payment_intents.cancel(intent.id).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError, match="off_session"):
        v1.payment_intents.create({**PAYMENT, **given, "confirm": True, "off_session": True})
