"""The demo's customer links their bank and pays from it, at the real sandbox bank."""

from __future__ import annotations

from connect.kit.pages import Page
from connect.kit.tenancy import use_environment
from demo import seed


def test_the_customer_is_linked_and_has_paid_by_bank(caller, environment, sandbox_bank, api):
    assert not seed._is_linked(environment)
    seed._link(environment, sandbox_bank.url)
    assert seed._is_linked(environment)
    with use_environment(environment):
        (connection,), _ = seed.connections.page(caller, Page(limit=10))
        linked, _ = seed.bank_accounts.page(caller, Page(limit=100))
    assert (connection.status, connection.stale, connection.client_reference_id) == ("active", False, "ana")
    assert connection.as_of is not None, "the bank was read"
    assert {account.iban for account in linked} == {account["iban"] for account in sandbox_bank.accounts()}
    assert api.get("/v1/banking/transactions").json()["data"]

    seed._pay_by_bank(environment, sandbox_bank.url)
    (paid,) = api.get("/v1/payment_intents").json()["data"]
    assert (paid["status"], paid["amount_received"]) == ("succeeded", 1850)
    (order,) = sandbox_bank.state()["payments"]
    assert (order["amount"], order["currency"]) == ("18.50", "EUR")
    assert api.get("/v1/ledger/drift").json()["ok"]
