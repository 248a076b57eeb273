"""How the owner succeeds: for every operation of the API what has to be there, what is sent, and the scope it needs.

The routes come from the resolver; an operation without a recipe fails `test_every_operation_has_a_recipe`. The scope is
written down here a second time on purpose: it is what people were promised, not what the view happens to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from banks.domain import institution_ids
from connect.kit import ids
from connect.kit.caller import Caller, EnvironmentRef
from connect.kit.tenancy import use_environment
from connect.selectors import credentials
from tests.banks import rows as bank_rows

Make = Callable[[Any], str]
"""Makes an object through an API client and returns its id."""

_number = count(1)


@dataclass(frozen=True)
class Recipe:
    """`make` prepares the object in the path, fresh for each attempt. `body` is sent as body or query; a function in it
    is called with the client and gives an id. `names` are the parameters that name other objects, with their prefix.
    `shared` is what is everybody's, such as the catalogue of banks.
    """

    scope: str
    make: Make | None = None
    prefix: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, tuple[str, Make]] = field(default_factory=dict)
    shared: bool = False

    def parameters(self, api: Any) -> dict[str, Any]:
        return {name: value(api) if callable(value) else value for name, value in self.body.items()}


def created(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.content
    return answer.json()


# --- payments ---------------------------------------------------------------------------------------------------------


def customer(api: Any) -> str:
    return created(api.post("/v1/customers", {"email": "ana@example.com", "metadata": {"shop": "7"}}))["id"]


def method(api: Any) -> str:
    return created(api.post("/v1/payment_methods", {"type": "card", "card": {"token": "tok_visa"}}))["id"]


def kept_method(api: Any) -> str:
    identifier = method(api)
    return created(api.post(f"/v1/payment_methods/{identifier}/attach", {"customer": customer(api)}))["id"]


def _intent(api: Any, **more: Any) -> dict[str, Any]:
    return created(api.post("/v1/payment_intents", {"amount": 2500, "currency": "eur", **more}))


def intent(api: Any) -> str:
    return _intent(api, payment_method="pm_card_visa")["id"]


def held_intent(api: Any) -> str:
    return _intent(api, payment_method="pm_card_visa", confirm=True, capture_method="manual")["id"]


def charge(api: Any) -> str:
    return _intent(api, payment_method="pm_card_visa", confirm=True)["latest_charge"]


def setup_intent(api: Any) -> str:
    return created(api.post("/v1/setup_intents", {"payment_method": "pm_card_visa"}))["id"]


def refundable(api: Any) -> str:
    """A charge; the id of none in a live environment, which has no processor to make one."""
    answer = api.post(
        "/v1/payment_intents", {"amount": 2500, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}
    )
    return answer.json()["latest_charge"] if answer.status_code == 200 else ids.encode("ch", ids.new())


def refund(api: Any) -> str:
    return created(api.post("/v1/refunds", {"charge": charge(api), "amount": 100}))["id"]


def waiting_refund(api: Any) -> str:
    """One that can still be canceled."""
    paid = _intent(api, payment_method="pm_card_refundRequiresAction", confirm=True)
    return created(api.post("/v1/refunds", {"payment_intent": paid["id"]}))["id"]


def frozen_clock(api: Any) -> str:
    return created(api.post("/v1/test_helpers/test_clocks", {"frozen_time": 1_800_000_000}))["id"]


def balance_transaction(api: Any) -> str:
    return created(api.get(f"/v1/charges/{charge(api)}"))["balance_transaction"]


def product(api: Any) -> str:
    return created(api.post("/v1/products", {"name": "Coffee"}))["id"]


def price(api: Any) -> str:
    return created(api.post("/v1/prices", {"product": product(api), "currency": "eur", "unit_amount": 1250}))["id"]


def _line_items(api: Any) -> list[dict[str, Any]]:
    return [{"price": price(api), "quantity": 2}]


def checkout_session(api: Any) -> str:
    body = {"mode": "payment", "line_items": _line_items(api), "success_url": "https://shop.example/thanks"}
    return created(api.post("/v1/checkout/sessions", body))["id"]


PAYMENTS = {
    "GET /v1/balance": Recipe("balance:read"),
    "GET /v1/balance_transactions": Recipe("balance:read", names={"source": ("ch", charge)}),
    "GET /v1/balance_transactions/{pk}": Recipe("balance:read", balance_transaction, "txn"),
    "GET /v1/charges": Recipe("payments:read", names={"customer": ("cus", customer), "payment_intent": ("pi", intent)}),
    "GET /v1/charges/{pk}": Recipe("payments:read", charge, "ch"),
    "POST /v1/charges/{pk}": Recipe("payments:write", charge, "ch", {"description": "changed"}),
    "GET /v1/charges/{pk}/refunds": Recipe("payments:read", charge, "ch"),
    "GET /v1/refunds": Recipe("payments:read", names={"charge": ("ch", charge), "payment_intent": ("pi", intent)}),
    "POST /v1/refunds": Recipe("payments:write", body={"charge": refundable}, names={"charge": ("ch", charge)}),
    "GET /v1/refunds/{pk}": Recipe("payments:read", refund, "re"),
    "POST /v1/refunds/{pk}": Recipe("payments:write", refund, "re", {"metadata": {"a": "b"}}),
    "POST /v1/refunds/{pk}/cancel": Recipe("payments:write", waiting_refund, "re"),
    "GET /v1/customers": Recipe("customers:read", names={"test_clock": ("clock", frozen_clock)}),
    "POST /v1/customers": Recipe(
        "customers:write",
        body={"name": "Ana"},
        names={"payment_method": ("pm", method), "test_clock": ("clock", frozen_clock)},
    ),
    "GET /v1/customers/search": Recipe("customers:read", body={"query": "email~'example'"}),
    "GET /v1/customers/{pk}": Recipe("customers:read", customer, "cus"),
    "POST /v1/customers/{pk}": Recipe("customers:write", customer, "cus", {"name": "changed"}),
    "DELETE /v1/customers/{pk}": Recipe("customers:write", customer, "cus"),
    "GET /v1/customers/{pk}/payment_methods": Recipe("customers:read", customer, "cus"),
    "GET /v1/payment_intents": Recipe("payments:read", names={"customer": ("cus", customer)}),
    "POST /v1/payment_intents": Recipe(
        "payments:write",
        body={"amount": 2500, "currency": "eur"},
        names={"customer": ("cus", customer), "payment_method": ("pm", method)},
    ),
    "GET /v1/payment_intents/search": Recipe("payments:read", body={"query": "amount>0"}),
    "GET /v1/payment_intents/{pk}": Recipe("payments:read", intent, "pi"),
    "POST /v1/payment_intents/{pk}": Recipe(
        "payments:write",
        intent,
        "pi",
        {"amount": 2600},
        names={"customer": ("cus", customer), "payment_method": ("pm", method)},
    ),
    "POST /v1/payment_intents/{pk}/confirm": Recipe(
        "payments:write", intent, "pi", names={"payment_method": ("pm", method)}
    ),
    "POST /v1/payment_intents/{pk}/capture": Recipe("payments:write", held_intent, "pi", {"amount_to_capture": 2000}),
    "POST /v1/payment_intents/{pk}/increment_authorization": Recipe(
        "payments:write", held_intent, "pi", {"amount": 2600}
    ),
    "POST /v1/payment_intents/{pk}/cancel": Recipe("payments:write", held_intent, "pi"),
    "GET /v1/setup_intents": Recipe(
        "payments:read", names={"customer": ("cus", customer), "payment_method": ("pm", method)}
    ),
    "POST /v1/setup_intents": Recipe(
        "payments:write", names={"customer": ("cus", customer), "payment_method": ("pm", method)}
    ),
    "GET /v1/setup_intents/{pk}": Recipe("payments:read", setup_intent, "seti"),
    "POST /v1/setup_intents/{pk}": Recipe(
        "payments:write",
        setup_intent,
        "seti",
        {"description": "changed"},
        names={"customer": ("cus", customer), "payment_method": ("pm", method)},
    ),
    "POST /v1/setup_intents/{pk}/confirm": Recipe(
        "payments:write", setup_intent, "seti", names={"payment_method": ("pm", method)}
    ),
    "POST /v1/setup_intents/{pk}/cancel": Recipe("payments:write", setup_intent, "seti"),
    "GET /v1/payment_methods": Recipe("payments:read", names={"customer": ("cus", customer)}),
    "POST /v1/payment_methods": Recipe("payments:write", body={"type": "card", "card": {"token": "tok_visa"}}),
    "GET /v1/payment_methods/{pk}": Recipe("payments:read", method, "pm"),
    "POST /v1/payment_methods/{pk}": Recipe("payments:write", kept_method, "pm", {"metadata": {"a": "b"}}),
    "POST /v1/payment_methods/{pk}/attach": Recipe(
        "payments:write", method, "pm", {"customer": customer}, names={"customer": ("cus", customer)}
    ),
    "POST /v1/payment_methods/{pk}/detach": Recipe("payments:write", kept_method, "pm"),
    "GET /v1/products": Recipe("products:read"),
    "POST /v1/products": Recipe("products:write", body={"name": "Coffee"}),
    "GET /v1/products/{pk}": Recipe("products:read", product, "prod"),
    "POST /v1/products/{pk}": Recipe("products:write", product, "prod", {"name": "changed"}),
    "DELETE /v1/products/{pk}": Recipe("products:write", product, "prod"),
    "GET /v1/prices": Recipe("products:read", names={"product": ("prod", product)}),
    "POST /v1/prices": Recipe(
        "products:write",
        body={"product": product, "currency": "eur", "unit_amount": 1250},
        names={"product": ("prod", product)},
    ),
    "GET /v1/prices/{pk}": Recipe("products:read", price, "price"),
    "POST /v1/prices/{pk}": Recipe("products:write", price, "price", {"nickname": "changed"}),
    "GET /v1/checkout/sessions": Recipe(
        "checkout:read", names={"customer": ("cus", customer), "payment_intent": ("pi", intent)}
    ),
    "POST /v1/checkout/sessions": Recipe(
        "checkout:write",
        body={"mode": "payment", "line_items": _line_items},
        names={"customer": ("cus", customer)},
    ),
    "GET /v1/checkout/sessions/{pk}": Recipe("checkout:read", checkout_session, "cs"),
    "POST /v1/checkout/sessions/{pk}": Recipe("checkout:write", checkout_session, "cs", {"metadata": {"a": "b"}}),
    "POST /v1/checkout/sessions/{pk}/expire": Recipe("checkout:write", checkout_session, "cs"),
    "GET /v1/checkout/sessions/{pk}/line_items": Recipe("checkout:read", checkout_session, "cs"),
}

# --- ledger -----------------------------------------------------------------------------------------------------------


def account(api: Any) -> str:
    body = {"path": f"matrix:{next(_number)}", "currency": "eur"}
    return created(api.post("/v1/ledger/accounts", body))["id"]


def _lines(api: Any) -> list[dict[str, Any]]:
    return [
        {"account": account(api), "amount": 700, "currency": "eur", "direction": direction}
        for direction in ("debit", "credit")
    ]


def transaction(api: Any) -> str:
    return created(api.post("/v1/ledger/transactions", {"lines": _lines(api)}))["id"]


def hold(api: Any) -> str:
    body = {"source": account(api), "destination": account(api), "amount": 300, "currency": "eur"}
    return created(api.post("/v1/ledger/holds", body))["id"]


LEDGER = {
    "GET /v1/ledger/accounts": Recipe("ledger:read"),
    "POST /v1/ledger/accounts": Recipe(
        "ledger:write", body={"path": lambda api: f"matrix:{next(_number)}", "currency": "eur"}
    ),
    "GET /v1/ledger/accounts/{pk}": Recipe("ledger:read", account, "lacct"),
    "POST /v1/ledger/accounts/{pk}": Recipe("ledger:write", account, "lacct", {"name": "changed"}),
    "POST /v1/ledger/accounts/{pk}/close": Recipe("ledger:write", account, "lacct"),
    "GET /v1/ledger/transactions": Recipe("ledger:read", names={"account": ("lacct", account)}),
    "POST /v1/ledger/transactions": Recipe("ledger:write", body={"lines": _lines}),
    "GET /v1/ledger/transactions/{pk}": Recipe("ledger:read", transaction, "ltxn"),
    "POST /v1/ledger/transactions/{pk}/reverse": Recipe("ledger:write", transaction, "ltxn"),
    "GET /v1/ledger/holds": Recipe("ledger:read", names={"account": ("lacct", account)}),
    "POST /v1/ledger/holds": Recipe(
        "ledger:write",
        body={"source": account, "destination": account, "amount": 300, "currency": "eur"},
        names={"source": ("lacct", account), "destination": ("lacct", account)},
    ),
    "GET /v1/ledger/holds/{pk}": Recipe("ledger:read", hold, "lhold"),
    "POST /v1/ledger/holds/{pk}/capture": Recipe("ledger:write", hold, "lhold"),
    "POST /v1/ledger/holds/{pk}/void": Recipe("ledger:write", hold, "lhold"),
    "GET /v1/ledger/balances": Recipe("ledger:read"),
    "GET /v1/ledger/drift": Recipe("ledger:read"),
}

# --- bank data --------------------------------------------------------------------------------------------------------


@contextmanager
def opened(api: Any) -> Iterator[EnvironmentRef]:
    """The environment of the key that `api` sends: bank data comes from banks, so its rows are made here."""
    known = credentials.resolve(api.headers["authorization"].removeprefix("Bearer "))
    assert known is not None
    with use_environment(known.environment):
        yield known.environment


def connection(api: Any) -> str:
    with opened(api):
        return ids.encode("conn", bank_rows.connection().id)


def bank_account(api: Any) -> str:
    with opened(api):
        return ids.encode("bka", bank_rows.account(bank_rows.connection()).id)


def bank_transaction(api: Any) -> str:
    with opened(api):
        return ids.encode("btx", bank_rows.transaction(bank_rows.account(bank_rows.connection())).id)


def institution(_: Any) -> str:
    return ids.encode("inst", institution_ids.of_slug("stopanska-mk"))


def public_token(api: Any) -> str:
    with opened(api) as environment:
        return bank_rows.public_token(Caller.system(environment, "tests"))


def link_session(api: Any) -> str:
    return created(api.post("/v1/banking/link_sessions", {"client_reference_id": "user-7"}))["id"]


BANKING = {
    "GET /v1/banking/institutions": Recipe("institutions:read", shared=True),
    "GET /v1/banking/institutions/{pk}": Recipe("institutions:read", institution, "inst", shared=True),
    "GET /v1/banking/link_sessions": Recipe("link_sessions:read", names={"connection": ("conn", connection)}),
    "POST /v1/banking/link_sessions": Recipe("link_sessions:write", body={"client_reference_id": "user-7"}),
    "GET /v1/banking/link_sessions/{pk}": Recipe("link_sessions:read", link_session, "lks"),
    "POST /v1/banking/link_sessions/{pk}/cancel": Recipe("link_sessions:write", link_session, "lks"),
    "GET /v1/banking/connections": Recipe("connections:read"),
    "POST /v1/banking/connections": Recipe("connections:write", body={"public_token": public_token}),
    "GET /v1/banking/connections/{pk}": Recipe("connections:read", connection, "conn"),
    "POST /v1/banking/connections/{pk}": Recipe("connections:write", connection, "conn", {"metadata": {"a": "b"}}),
    "DELETE /v1/banking/connections/{pk}": Recipe("connections:write", connection, "conn"),
    "POST /v1/banking/connections/{pk}/refresh": Recipe("connections:write", connection, "conn"),
    "GET /v1/banking/accounts": Recipe("accounts:read", names={"connection": ("conn", connection)}),
    "GET /v1/banking/accounts/{pk}": Recipe("accounts:read", bank_account, "bka"),
    "POST /v1/banking/accounts/{pk}": Recipe("accounts:write", bank_account, "bka", {"metadata": {"a": "b"}}),
    "GET /v1/banking/transactions": Recipe(
        "transactions:read", names={"account": ("bka", bank_account), "connection": ("conn", connection)}
    ),
    "GET /v1/banking/transactions/sync": Recipe(
        "transactions:read", body={"connection": connection}, names={"connection": ("conn", connection)}
    ),
    "GET /v1/banking/transactions/{pk}": Recipe("transactions:read", bank_transaction, "btx"),
}

# --- events and webhooks ----------------------------------------------------------------------------------------------

HOOK = {"url": "https://shop.example.com/hooks", "enabled_events": ["*"]}


def endpoint(api: Any) -> str:
    return created(api.post("/v1/webhook_endpoints", HOOK))["id"]


def delivered_endpoint(api: Any) -> str:
    identifier = endpoint(api)
    created(api.post(f"/v1/webhook_endpoints/{identifier}/test", {"type": "charge.succeeded"}))
    return identifier


def event(api: Any) -> str:
    customer(api)
    return created(api.get("/v1/events", {"limit": 1}))["data"][0]["id"]


WEBHOOKS = {
    "GET /v1/events": Recipe("events:read"),
    "GET /v1/events/{pk}": Recipe("events:read", event, "evt"),
    "POST /v1/events/{pk}/resend": Recipe(
        "events:write", event, "evt", {"webhook_endpoint": endpoint}, names={"webhook_endpoint": ("we", endpoint)}
    ),
    "GET /v1/webhook_endpoints": Recipe("webhook_endpoints:read"),
    "POST /v1/webhook_endpoints": Recipe("webhook_endpoints:write", body=HOOK),
    "GET /v1/webhook_endpoints/{pk}": Recipe("webhook_endpoints:read", endpoint, "we"),
    "POST /v1/webhook_endpoints/{pk}": Recipe("webhook_endpoints:write", endpoint, "we", {"description": "changed"}),
    "DELETE /v1/webhook_endpoints/{pk}": Recipe("webhook_endpoints:write", endpoint, "we"),
    "POST /v1/webhook_endpoints/{pk}/rotate_secret": Recipe("webhook_endpoints:write", endpoint, "we"),
    "POST /v1/webhook_endpoints/{pk}/replay": Recipe("webhook_endpoints:write", endpoint, "we", {"since": 1}),
    "POST /v1/webhook_endpoints/{pk}/test": Recipe(
        "webhook_endpoints:write", endpoint, "we", {"type": "charge.succeeded"}
    ),
    "GET /v1/webhook_endpoints/{pk}/deliveries": Recipe(
        "webhook_endpoints:read", delivered_endpoint, "we", names={"event": ("evt", event)}
    ),
}

CLOCKS = {
    "GET /v1/test_helpers/test_clocks": Recipe("test_clocks:read"),
    "POST /v1/test_helpers/test_clocks": Recipe("test_clocks:write", body={"frozen_time": 1_800_000_000}),
    "GET /v1/test_helpers/test_clocks/{pk}": Recipe("test_clocks:read", frozen_clock, "clock"),
    "DELETE /v1/test_helpers/test_clocks/{pk}": Recipe("test_clocks:write", frozen_clock, "clock"),
    "POST /v1/test_helpers/test_clocks/{pk}/advance": Recipe(
        "test_clocks:write", frozen_clock, "clock", {"frozen_time": 1_800_000_060}
    ),
}

RECIPES: dict[str, Recipe] = {**PAYMENTS, **BANKING, **LEDGER, **WEBHOOKS, **CLOCKS}


def shapes(identifier: str, prefix: str) -> dict[str, str]:
    """Texts in the place of an id that name no object, by what they are."""
    body = identifier.rpartition("_")[2]
    uuid = ids.decode(prefix, identifier)
    return {
        "another prefix": f"zz_{body}",
        "no prefix": body,
        "a UUID": str(uuid),
        "too short": identifier[:-1],
        "too long": f"{identifier}0",
        "swapped case": f"{prefix}_{body.swapcase()}",
        "beyond 128 bits": f"{prefix}_{'z' * ids.BODY_LENGTH}",
        "SQL": f"{identifier}'--",
        "a NUL": f"{identifier}%00",
        "a homoglyph": identifier.replace("_", "%EF%BC%BF", 1),
        "a wildcard": "*",
        "a number": "1",
    }
