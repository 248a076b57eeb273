"""The ledger over HTTP: accounts, transactions, holds, balances and the drift report."""

from __future__ import annotations

import pytest
from django.urls import include, path

from connect.kit.tenancy import use_environment
from ledger.services import journal
from tests.ledger.conftest import WORLD, spec, transfer

urlpatterns = [path("v1/", include("ledger.api.urls"))]
pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


@pytest.fixture
def accounts(api):
    """An open wallet of the caller's with 10.00 EUR in it, from an unbounded debit-normal account."""
    ok(api.post("/v1/ledger/accounts", {"path": "cash", "currency": "eur", "normal_side": "debit"}))
    wallet = ok(api.post("/v1/ledger/accounts", {"path": "customers:1", "currency": "eur", "floor": 0, "name": "Ana"}))
    ok(api.post("/v1/ledger/accounts", {"path": "shops:1", "currency": "eur", "floor": 0}))
    move(api, "cash", "customers:1", 1000)
    return wallet


def ok(response):
    assert response.status_code == 200, response.content
    return response.json()


def refused(response, status, code):
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (status, code), error
    return error


def lines(source, destination, amount, currency="eur"):
    return [
        {"account": source, "amount": amount, "currency": currency, "direction": "debit"},
        {"account": destination, "amount": amount, "currency": currency, "direction": "credit"},
    ]


def move(api, source, destination, amount, **more):
    return ok(api.post("/v1/ledger/transactions", {"lines": lines(source, destination, amount), **more}))


def balance(api, path):
    return {row["path"]: row for row in ok(api.get("/v1/ledger/balances"))["data"]}[path]


def test_an_account(api, accounts):
    assert accounts.pop("id").startswith("lacct_")
    assert accounts.pop("created") > 0
    assert accounts == {
        "object": "ledger.account", "closed_at": None, "currency": "eur", "floor": 0, "livemode": False, "metadata": {},
        "name": "Ana", "normal_side": "credit", "path": "customers:1",
    }  # fmt: skip


def test_an_account_is_renamed_found_and_closed(api, accounts):
    address = f"/v1/ledger/accounts/{accounts['id']}"
    ok(api.post(address, {"name": "Ana P.", "metadata": {"a": "1", "b": "2"}}))
    assert ok(api.post(address, {"metadata": {"a": ""}}))["metadata"] == {"b": "2"}
    assert ok(api.get(address))["name"] == "Ana P."
    assert ok(api.post(address, {"metadata": ""}))["metadata"] == {}
    found = ok(api.get("/v1/ledger/accounts", {"path_prefix": "customers"}))["data"]
    assert [row["id"] for row in found] == [accounts["id"]]
    refused(api.post(f"{address}/close"), 409, "ledger_account_not_empty")
    move(api, "customers:1", "cash", 1000)
    assert ok(api.post(f"{address}/close"))["closed_at"] > 0
    refused(
        api.post("/v1/ledger/transactions", {"lines": lines("cash", "customers:1", 1)}), 400, "ledger_account_closed"
    )


def test_a_transaction_is_posted_read_and_reversed(api, accounts):
    made = move(api, "customers:1", "shops:1", 250, reference="order-7", description="Books", metadata={"k": "v"})
    assert (made["object"], made["reference"], made["kind"], made["metadata"]) == (
        "ledger.transaction",
        "order-7",
        "api",
        {"k": "v"},
    )
    assert [(line["path"], line["direction"], line["amount"]) for line in made["lines"]] == [
        ("customers:1", "debit", 250), ("shops:1", "credit", 250),
    ]  # fmt: skip
    assert ok(api.get(f"/v1/ledger/transactions/{made['id']}")) == made
    reversal = ok(api.post(f"/v1/ledger/transactions/{made['id']}/reverse", {"description": "Returned"}))
    assert (reversal["reverses"], reversal["kind"], reversal["reference"]) == (made["id"], "reversal", "order-7")
    refused(api.post(f"/v1/ledger/transactions/{made['id']}/reverse"), 409, "ledger_already_reversed")
    expanded = ok(api.get(f"/v1/ledger/transactions/{made['id']}", {"expand[]": "reversed_by"}))
    assert expanded["reversed_by"]["id"] == reversal["id"]
    found = ok(api.get("/v1/ledger/transactions", {"reference": "order-7"}))["data"]
    assert [row["id"] for row in found] == [reversal["id"], made["id"]]
    assert balance(api, "shops:1")["balance"] == 0


def test_an_account_is_named_by_id_as_well(api, accounts):
    assert move(api, "cash", accounts["id"], 5)["lines"][1]["path"] == "customers:1"


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        ({"lines": lines("customers:1", "shops:1", 1001)}, 400, "balance_insufficient", None),
        ({"lines": lines("nobody", "shops:1", 1)}, 400, "resource_missing", "lines[0][account]"),
        ({"lines": lines("customers:1", "shops:1", 1, "rsd")}, 400, "ledger_currency_mismatch", None),
        ({"lines": lines("customers:1", "shops:1", 1)[:1]}, 400, "parameter_invalid", "lines"),
        ({"lines": lines("customers:1", "shops:1", 0)}, 400, "parameter_invalid_integer", "lines[0][amount]"),
        (
            {"lines": [*lines("customers:1", "shops:1", 1), *lines("cash", "shops:1", 2)[:1]]},
            400,
            "ledger_unbalanced",
            None,
        ),
        ({"lines": lines("customers:1", "shops:1", 1), "kind": "Ä"}, 400, "parameter_invalid", "kind"),
        ({"lines": lines("customers:1", "shops:1", 1), "descripton": "x"}, 400, "parameter_unknown", "descripton"),
        ({"lines": lines("customers:1", "shops:1", 1), "reference": "\0"}, 400, "body_invalid", None),
    ],
)
def test_what_is_refused_says_why(api, accounts, body, status, code, param):
    error = refused(api.post("/v1/ledger/transactions", body), status, code)
    assert error.get("param") == param
    assert balance(api, "customers:1")["balance"] == 1000


def test_the_accounts_of_payments_can_be_read_and_not_moved(api, accounts, caller, environment):
    kept = "platform:available:eur"
    with use_environment(environment):
        system = journal.post(caller, transfer(WORLD, spec(kept), 700))
        journal.post(caller, transfer(WORLD, spec("fees:eur", stripes=4), 1))
    assert balance(api, kept)["balance"] == 700
    from connect.kit import ids

    address = f"/v1/ledger/transactions/{ids.encode('ltxn', system.id)}"
    assert ok(api.get(address))["lines"][1]["path"] == kept
    refused(api.post("/v1/ledger/transactions", {"lines": lines(kept, "customers:1", 1)}), 403, "ledger_path_reserved")
    refused(api.post(f"{address}/reverse"), 403, "ledger_path_reserved")
    hold = {"source": kept, "destination": "customers:1", "amount": 1, "currency": "eur"}
    refused(api.post("/v1/ledger/holds", hold), 403, "ledger_path_reserved")
    account = balance(api, kept)["account"]
    for body in ({"path": "acct_1:available:eur", "currency": "eur"}, {"path": "processor:x", "currency": "eur"}):
        refused(api.post("/v1/ledger/accounts", body), 403, "ledger_path_reserved")
    refused(api.post(f"/v1/ledger/accounts/{account}", {"name": "x"}), 403, "ledger_path_reserved")
    refused(api.post(f"/v1/ledger/accounts/{account}/close"), 403, "ledger_path_reserved")


def test_a_hold_is_placed_captured_in_parts_and_voided(api, accounts):
    body = {"source": "customers:1", "destination": "shops:1", "amount": 400, "currency": "eur", "reference": "o-1"}
    hold = ok(api.post("/v1/ledger/holds", body))
    assert (hold["object"], hold["status"], hold["source"], hold["amount_remaining"]) == (
        "ledger.hold",
        "pending",
        accounts["id"],
        400,
    )
    assert balance(api, "customers:1")["available"] == 600
    address = f"/v1/ledger/holds/{hold['id']}"
    part = ok(api.post(f"{address}/capture", {"amount": 100, "final": False}))
    assert (part["status"], part["amount_captured"], part["amount_remaining"]) == ("pending", 100, 300)
    refused(api.post(f"{address}/capture", {"amount": 301}), 400, "ledger_hold_exceeded")
    voided = ok(api.post(f"{address}/void"))
    assert (voided["status"], voided["amount_released"], voided["void_reason"]) == ("posted", 300, "requested")
    assert ok(api.get(address)) == voided
    refused(api.post(f"{address}/void"), 409, "ledger_hold_not_pending")
    assert [row["id"] for row in ok(api.get("/v1/ledger/holds", {"status": "posted"}))["data"]] == [hold["id"]]
    captured = ok(api.get("/v1/ledger/transactions", {"reference": "o-1"}))["data"][0]
    assert (captured["hold"], captured["kind"]) == (hold["id"], "hold.post")
    refused(api.post("/v1/ledger/holds", {**body, "destination": "customers:1"}), 400, "parameter_invalid")
    refused(api.post("/v1/ledger/holds", {**body, "amount": 901}), 400, "balance_insufficient")


def test_balances_as_of_a_moment(api, accounts):
    made = move(api, "customers:1", "shops:1", 300, effective_at=1_700_000_000)
    for query, expected in (
        ({"as_of": 1_699_999_999}, 0),
        ({"as_of": 1_700_000_000}, -300),
        ({"as_of": 1_700_000_000, "as_of_basis": "created"}, 0),
        ({"as_of": made["created"] + 1, "as_of_basis": "created"}, 700),
    ):
        rows = ok(api.get("/v1/ledger/balances", {"path_prefix": "customers", **query}))["data"]
        assert [(row["balance"], row["as_of"]) for row in rows] == [(expected, query["as_of"])]


def test_lists_walk_in_pages(api, accounts):
    for number in range(4):
        move(api, "cash", "customers:1", number + 1)
    for address in ("accounts", "transactions", "balances"):
        everything = [row["id"] for row in ok(api.get(f"/v1/ledger/{address}", {"limit": 100}))["data"]]
        walked, more, query = [], True, {"limit": 2}
        while more:
            page = ok(api.get(f"/v1/ledger/{address}", query))
            walked += [row["id"] for row in page["data"]]
            more, query = page["has_more"], {"limit": 2, "starting_after": walked[-1]}
        assert walked == everything
        assert everything == sorted(everything, reverse=True)
        refused(api.get(f"/v1/ledger/{address}", {"starting_after": "lacct_" + "0" * 22}), 400, "resource_missing")


def test_the_drift_report_is_empty(api, accounts):
    report = ok(api.get("/v1/ledger/drift"))
    assert (report["object"], report["ok"], report["faults"], report["rows"]) == ("ledger.drift", True, [], 5)


@pytest.mark.parametrize("address", ["accounts", "transactions", "holds"])
def test_ids_of_nothing_and_of_other_environments_do_not_exist(api, api_as, accounts, address):
    refused(api.get(f"/v1/ledger/{address}/nonsense"), 404, "resource_missing")
    refused(api_as("acme", "live").get(f"/v1/ledger/accounts/{accounts['id']}"), 404, "resource_missing")
    refused(api_as("other", "test").get(f"/v1/ledger/accounts/{accounts['id']}"), 404, "resource_missing")


@pytest.mark.django_db(transaction=True)
def test_a_request_repeated_under_its_key_is_posted_once(api):
    for name, side in (("cash", "debit"), ("customers:1", "credit")):
        ok(api.post("/v1/ledger/accounts", {"path": name, "currency": "eur", "normal_side": side}))
    body = {"lines": lines("cash", "customers:1", 5)}
    first, again = (api.post("/v1/ledger/transactions", body, idempotency_key="once") for _ in range(2))
    assert first.content == again.content
    assert again.headers["Idempotent-Replayed"] == "true"
    refused(
        api.post("/v1/ledger/transactions", {"lines": lines("cash", "customers:1", 6)}, idempotency_key="once"),
        400,
        "idempotency_error",
    )
    assert balance(api, "customers:1")["balance"] == 5


@pytest.mark.django_db(transaction=True)
def test_the_ledger_remembers_a_key_longer_than_its_answer_is_kept(api, environment):
    from connect.models import IdempotencyKey

    for name, side in (("cash", "debit"), ("customers:1", "credit")):
        ok(api.post("/v1/ledger/accounts", {"path": name, "currency": "eur", "normal_side": side}))
    body = {"lines": lines("cash", "customers:1", 5)}
    first = ok(api.post("/v1/ledger/transactions", body, idempotency_key="once"))
    with use_environment(environment):
        IdempotencyKey.objects.all().delete()
    assert ok(api.post("/v1/ledger/transactions", body, idempotency_key="once"))["id"] == first["id"]
    with use_environment(environment):
        IdempotencyKey.objects.all().delete()
    other = {"lines": lines("cash", "customers:1", 6)}
    refused(api.post("/v1/ledger/transactions", other, idempotency_key="once"), 409, "ledger_key_reused")
