"""A secret is shown once and is nowhere afterwards: not in a log, not in a dump, not in Valkey, not in a stored answer.

The test uses keys in every way that requests go right and wrong, and then searches everything that was left behind.
"""

from __future__ import annotations

import logging
import logging.config
import re
from collections.abc import Callable, Iterator
from functools import partial
from io import StringIO
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from connect.clients import postgres_dump
from connect.domain import oauth
from connect.domain.api_keys import generate
from connect.kit import logs, valkey
from connect.models import User
from connect.services import api_keys, request_log_drain, request_logs
from tests.conftest import Api
from tests.matrix import recipes

CARD = "4000056655665556"
PASSWORD = "correct horse battery staple"
IBAN = "MK07999000000012325"


@pytest.fixture
def written() -> Iterator[StringIO]:
    """Everything that is logged, as it leaves: through both formatters of the product."""
    stream = StringIO()
    root = logging.getLogger()
    handlers = []
    for human in (False, True):
        description = logs.formatter(human=human)
        handler = logging.StreamHandler(stream)
        handler.setFormatter(description.pop("()")(**description))
        root.addHandler(handler)
        handlers.append(handler)
    level = root.level
    root.setLevel(logging.DEBUG)
    yield stream
    root.setLevel(level)
    for handler in handlers:
        root.removeHandler(handler)


def in_valkey() -> str:
    """Every value that Valkey holds, as text."""
    client: Any = valkey.client()
    readers: dict[bytes, Callable[[bytes], Any]] = {
        b"stream": client.xrange,
        b"string": client.get,
        b"hash": client.hgetall,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"set": client.smembers,
        b"zset": lambda key: client.zrange(key, 0, -1, withscores=True),
        b"none": lambda key: None,  # it ran out between two looks
    }
    return "\n".join(f"{key!r} {readers[client.type(key)](key)!r}" for key in client.scan_iter())


def in_the_database() -> str:
    """A dump of the whole database: public, the template and every environment."""
    connections["default"].close()
    return postgres_dump.run(connections["owner"].settings_dict, "--no-owner", "--inserts")


def _use(api: Api, secret: str) -> None:
    """Good requests, refused ones, and ones that carry the secret where it does not belong."""
    made = recipes.created(api.post("/v1/customers", {"name": "Ana"}, **{"idempotency-key": "customer-1"}))
    api.get("/v1/payment_intents", {"limit": "1"})
    api.get("/v1/customers", {"api_key": secret})
    api.get("/v1/customers", {"limit": secret})
    api.get(f"/v1/customers/{secret}")
    api.get(f"/v1/{secret}")
    api.post("/v1/customers", {"api_key": secret, "secret": secret})
    api.post("/v1/customers", form=f"email=a%40example.com&key={secret}")
    api.post("/v1/customers", form=f"%%% {secret}")
    api.post(f"/v1/customers/{made['id']}", {"phone": secret})
    api.get("/v1/balance", **{"user-agent": f"app/1 ({secret})", "referer": f"https://shop.example/?key={secret}"})
    api.get("/v1/balance", **{"stripe-account": secret})
    api.get("/v1/balance", **{"facturino-version": secret})
    nobody = Api(secret[:-1] + ("0" if secret[-1] != "0" else "1"))
    nobody.get("/v1/balance", {"key": secret})
    Client(raise_request_exception=False).get(f"/nowhere/{secret}", headers=api.headers)


def _pay(api: Api) -> list[str]:
    """Payments, good and declined, whose answers hold client secrets; with the card's number typed in."""
    card = {"type": "card", "card": {"number": CARD, "exp_month": 12, "exp_year": 2040, "cvc": "737"}}
    method = recipes.created(api.post("/v1/payment_methods", card, **{"idempotency-key": "method-1"}))["id"]
    declined = {"amount": 2500, "currency": "eur", "payment_method": "pm_card_visa_chargeDeclined", "confirm": True}
    answers = [
        api.post("/v1/payment_intents", {"amount": 2500, "currency": "eur"}, **{"idempotency-key": "intent-1"}),
        api.post("/v1/payment_intents", {**declined, "payment_method": method}, **{"idempotency-key": "intent-2"}),
        api.post("/v1/payment_intents", declined, **{"idempotency-key": "intent-3"}),
    ]  # fmt: skip
    intents = [answers[0].json(), answers[1].json(), answers[2].json()["error"]["payment_intent"]]
    assert [answer.status_code for answer in answers] == [200, 200, 402]
    replay = api.post("/v1/payment_intents", {"amount": 2500, "currency": "eur"}, **{"idempotency-key": "intent-1"})
    assert replay["Idempotent-Replayed"] == "true"
    assert replay.json()["client_secret"] == intents[0]["client_secret"]
    return [intent["client_secret"] for intent in intents]


@pytest.mark.django_db(transaction=True)
def test_row_33_secrets_are_left_nowhere(environment, caller, secrets, written, monkeypatch, capfd):
    info, issued = api_keys.create(caller, name="Shop", scopes=["*"])
    _, rolled = api_keys.roll(caller, key_id=info.id, overlap_seconds=3600)
    restricted = api_keys.create(caller, name="Read", scopes=["customers:read"])[1]
    browser = Client()
    browser.force_login(User.objects.get(email="owner@acme.example"))
    form = {"name": "Page", "access": "full", "expires": "0"}
    page = browser.post("/o/acme/test/developers/api-keys/new", form)
    shown = re.findall(r"fc_test_[0-9A-Za-z]{36}", page.content.decode())
    assert shown, "the page shows a new key once"
    assert Client().post("/accounts/login/", {"login": "owner@acme.example", "password": PASSWORD}).status_code < 500
    keys = [issued, rolled, restricted, shown[0], secrets["acme"]["test"]]
    for key in keys[:2] + keys[3:]:
        _use(Api(key), key)
    Api(restricted).post("/v1/customers", {"name": "no"})
    client_secrets = _pay(Api(issued))
    token = recipes.public_token(Api(issued))
    recipes.created(Api(issued).post("/v1/banking/connections", {"public_token": token}))
    Api(issued).post("/v1/banking/connections", {"metadata": {"lost": token}})
    linked = recipes.bank_account(Api(issued))
    recipes.created(Api(issued).get(f"/v1/banking/accounts/{linked}"))
    Api(issued).get("/v1/banking/institutions", {"iban": IBAN})

    def broken(*args: Any, **given: Any) -> None:
        raise RuntimeError(f"upstream said: Authorization: Bearer {issued}; key={rolled} secret={client_secrets[0]}")

    from payments.services import customers

    monkeypatch.setattr(customers, "create", broken)
    failed = Api(issued).post("/v1/customers", {"name": "x"}, **{"idempotency-key": "broken-1"})
    assert failed.status_code == 500
    Api(issued).post("/v1/customers", {"name": "x"}, **{"idempotency-key": "broken-1"})

    request_logs.buffer.flush()
    places = {"Valkey before the drain": in_valkey()}
    assert "/v1/customers" in places["Valkey before the drain"]
    assert request_log_drain.drain() > 20
    output = capfd.readouterr()
    places |= {
        "Valkey": in_valkey(),
        "the database": in_the_database(),
        "the log": written.getvalue(),
        "standard output": output.out + output.err,
        "the 500's answer": failed.content.decode(),
    }
    assert "request.failed" in places["the log"] or "internal_error" in places["the log"]
    assert "upstream said" in places["the log"], "the failure itself is logged, only without the secret"
    for schema in ("public", environment.schema_name):
        assert f"INSERT INTO {schema}." in places["the database"]
    assert "intent-3" in places["the database"], "the stored answers are among what is searched"

    hidden = {f"API key {number}": key for number, key in enumerate(keys)}
    hidden |= {f"random part of key {number}": key[8:38] for number, key in enumerate(keys)}
    hidden |= {f"client secret {number}": secret for number, secret in enumerate(client_secrets)}
    hidden |= {
        f"tail of client secret {number}": secret.rpartition("_")[2] for number, secret in enumerate(client_secrets)
    }
    hidden |= {"card number": CARD, "password": PASSWORD, "public token": token}
    found = [
        f"{what} in {where}: …{text[max(0, text.index(secret) - 160) : text.index(secret)]}"
        for what, secret in hidden.items()
        for where, text in places.items()
        if secret in text
    ]
    assert found == []
    logged = [where for where, text in places.items() if where != "the database" and IBAN in text]
    assert logged == [], "bank data is for the database; in logs an IBAN is masked"
    assert f"MK…{IBAN[-4:]}" in places["the database"], "the request log was searched"


def test_the_search_finds_what_is_there(db, written):
    """The same places, with a text that nobody hides because it has no form of a secret."""
    logging.getLogger("tests").warning("plain words %s", "in the open")
    valkey.client().set("tests", "in the open")
    assert "in the open" in written.getvalue()
    assert "in the open" in in_valkey()


@pytest.mark.parametrize("make", [lambda: generate("live"), *(partial(oauth.generate, kind) for kind in oauth.SECRETS)])
def test_a_key_in_a_log_line_is_hidden_by_its_form(written, make):
    secret = make()
    logging.getLogger("tests").error("failed with %s", secret, extra={"authorization": "Bearer x", "note": [secret]})
    logging.getLogger("tests").error("failed", exc_info=RuntimeError(f"key {secret}"))
    assert secret not in written.getvalue()
    assert "failed with" in written.getvalue()
