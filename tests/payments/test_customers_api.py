"""Customers: create, change, delete; and what is left of a deleted one."""

from __future__ import annotations

import pytest

from tests.payments.books import refused, types

PATH = "/v1/customers"
ANA = {
    "email": "ana@example.com", "name": "Ana Ilić", "phone": "+38160", "description": "regular",
    "address": {"line1": "Knez Mihailova 1", "city": "Beograd", "postal_code": "11000", "country": "RS"},
    "shipping": {"name": "Ana", "address": {"city": "Niš"}},
    "preferred_locales": ["sr-Latn", "en"], "metadata": {"crm": "17"},
}  # fmt: skip


def test_create_keeps_everything(send, api, books):
    with books.events() as events, books.unchanged("payments_customer", "connect_event"):
        created = send(PATH, ANA).json()
    for name in ("email", "name", "phone", "description", "preferred_locales", "metadata"):
        assert created[name] == ANA[name]
    assert created["address"] == {"line2": None, "state": None, **ANA["address"]}
    assert created["shipping"]["address"]["city"] == "Niš"
    assert (created["object"], created["livemode"], created["balance"], created["delinquent"]) == (
        "customer",
        False,
        0,
        False,
    )
    assert types(events) == ["customer.created"]
    assert events[0].payload == created
    assert api.get(f"{PATH}/{created['id']}").json() == created


def test_update_changes_what_is_given_and_empties_what_is_empty(send, api, books):
    created = api.post(PATH, ANA).json()
    with books.events() as events:
        changed = send(
            f"{PATH}/{created['id']}", {"name": "Ana Savić", "phone": "", "metadata": {"crm": "", "vip": "1"}}
        ).json()
    assert changed == {**created, "name": "Ana Savić", "phone": None, "metadata": {"vip": "1"}}
    assert types(events) == ["customer.updated"]
    assert events[0].payload == changed


def test_a_payment_method_given_at_birth_is_attached_and_the_default(send, api, books):
    with books.events() as events:
        created = send(PATH, {"payment_method": "pm_card_visa"}).json()
    default = created["invoice_settings"]["default_payment_method"]
    assert types(events) == ["payment_method.attached", "customer.created"]
    methods = api.get(f"{PATH}/{created['id']}/payment_methods").json()["data"]
    assert [(method["id"], method["customer"]) for method in methods] == [(default, created["id"])]
    expanded = api.get(f"{PATH}/{created['id']}", {"expand[]": "invoice_settings.default_payment_method"}).json()
    assert expanded["invoice_settings"]["default_payment_method"]["card"]["last4"] == "4242"


def test_the_default_can_be_changed_and_removed(send, api):
    created = api.post(PATH, {"payment_method": "pm_card_visa"}).json()
    other = api.post("/v1/payment_methods/pm_card_mastercard/attach", {"customer": created["id"]}).json()["id"]
    path = f"{PATH}/{created['id']}"
    changed = send(path, {"invoice_settings": {"default_payment_method": other}}).json()
    assert changed["invoice_settings"]["default_payment_method"] == other
    removed = send(path, {"invoice_settings": {"default_payment_method": ""}}).json()
    assert removed["invoice_settings"]["default_payment_method"] is None


def test_only_ones_own_method_can_be_the_default(api, books):
    first, second = (api.post(PATH, {"payment_method": "pm_card_visa"}).json() for _ in range(2))
    theirs = second["invoice_settings"]["default_payment_method"]
    with books.unchanged():
        answer = api.post(f"{PATH}/{first['id']}", {"invoice_settings": {"default_payment_method": theirs}})
        refused(answer, 400, "resource_missing", "invoice_settings[default_payment_method]")


@pytest.mark.parametrize(
    ("given", "code", "param"),
    [
        ({"payment_method": "pm_nothing"}, "resource_missing", "payment_method"),
        ({"emial": "a@example.com"}, "parameter_unknown", "emial"),
        ({"email": "a" * 513}, "parameter_invalid", "email"),
        ({"address": "Skopje"}, "parameter_invalid", "address"),
        ({"address": {"town": "Skopje"}}, "parameter_unknown", "address[town]"),
        ({"shipping": {"name": "Ana"}}, "parameter_missing", "shipping[address]"),
        ({"metadata": {f"k{n}": "v" for n in range(51)}}, "parameter_invalid", "metadata"),
    ],
)
def test_a_refused_creation_leaves_nothing(send, books, given, code, param):
    with books.unchanged():
        refused(send(PATH, given), 400, code, param)


def test_deleting_detaches_and_leaves_what_was_paid(api, books, intent):
    created = api.post(PATH, {**ANA, "payment_method": "pm_card_visa"}).json()
    method = created["invoice_settings"]["default_payment_method"]
    paid = intent(customer=created["id"], payment_method=method, confirm=True)
    path = f"{PATH}/{created['id']}"
    with books.events() as events:
        gone = api.delete(path)
    assert gone.json() == {"id": created["id"], "object": "customer", "deleted": True}
    assert types(events) == ["customer.deleted"]
    assert events[0].payload == created
    assert api.get(path).json() == gone.json()
    assert api.get(PATH).json()["data"] == []
    assert api.get(f"/v1/charges/{paid['latest_charge']}").json()["customer"] == created["id"]
    with books.unchanged():
        refused(api.delete(path), 404, "resource_missing", "customer")
        refused(api.post(path, {"name": "x"}), 404, "resource_missing", "customer")
        refused(api.get(f"{path}/payment_methods"), 404, "resource_missing", "customer")
        answer = api.post("/v1/payment_intents", {"amount": 1000, "currency": "eur", "customer": created["id"]})
        refused(answer, 400, "resource_missing", "customer")
        answer = api.post("/v1/payment_intents", {"amount": 1000, "currency": "eur", "payment_method": method})
        refused(answer, 400, "payment_method_used_up", "payment_method")


def test_unknown_and_foreign_customers_are_missing(api, api_as):
    created = api.post(PATH, ANA).json()
    for client, identifier in (
        (api, "cus_1"),
        (api_as("other", "test"), created["id"]),
        (api_as("acme", "live"), created["id"]),
    ):
        refused(client.get(f"{PATH}/{identifier}"), 404, "resource_missing", "id")
        refused(client.post(f"{PATH}/{identifier}", {"name": "x"}), 404, "resource_missing", "customer")
        refused(client.delete(f"{PATH}/{identifier}"), 404, "resource_missing", "customer")
