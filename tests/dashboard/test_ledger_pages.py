"""The ledger in the dashboard: accounts, T-accounts and transactions that balance, and a proof on demand."""

import html

import pytest
from django.urls import reverse

PAID = {"amount": 2500, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}


def address(name="ledger_accounts", *arguments, mode="test"):
    return reverse(f"dashboard:{name}", args=["acme", mode, *arguments])


def text_of(answer):
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


@pytest.fixture
def paid(api):
    return api.post("/v1/payment_intents", PAID).json()


def accounts(client, **given):
    return {line.path: line for line in client.get(address(), given).context["lines"]}


def test_an_empty_ledger_says_how_it_fills(pages):
    assert "No account yet" in text_of(pages.get(address()))
    assert "Nothing posted yet" in text_of(pages.get(address("ledger_transactions")))
    assert "Everything agrees" in text_of(pages.get(address("ledger_drift")))


def test_accounts_carry_the_balances_of_the_api(pages, paid, api):
    told = api.get("/v1/ledger/balances", {"limit": 100}).json()["data"]
    assert told
    assert {each["path"]: (each["balance"], each["available"]) for each in told} == {
        path: (line.balance_minor, line.available_minor) for path, line in accounts(pages).items()
    }


def test_accounts_are_narrowed_by_path_and_currency(pages, paid):
    everything = accounts(pages)
    path = next(iter(everything))
    assert set(accounts(pages, path=path)) == {found for found in everything if found.startswith(path)}
    assert accounts(pages, currency="eur").keys() == everything.keys()
    assert accounts(pages, currency="mkd") == {}


def test_a_t_account_adds_up_to_its_balance(pages, paid, api):
    api.post("/v1/payment_intents", {**PAID, "amount": 4100})
    for line in accounts(pages).values():
        answer = pages.get(address("ledger_account", line.id))
        entries = [entry for posting in answer.context["postings"] for entry in posting.lines]
        assert entries
        assert {entry.path for entry in entries} == {line.path}
        credited = sum(entry.credit_minor or 0 for entry in entries)
        debited = sum(entry.debit_minor or 0 for entry in entries)
        assert line.balance_minor == (credited - debited if line.normal_side == "credit" else debited - credited)


def test_paging_through_an_account_meets_every_transaction_once(pages, api, monkeypatch):
    for amount in (1100, 1200, 1300):
        api.post("/v1/payment_intents", {**PAID, "amount": amount})
    line = next(iter(accounts(pages).values()))
    path = address("ledger_account", line.id)
    whole = [posting.id for posting in pages.get(path).context["postings"]]
    monkeypatch.setattr("dashboard.pages.lists.PAGE_SIZE", 2)
    first = pages.get(path)
    second = pages.get(f"{path}?{first.context['pager'].older}")
    assert [p.id for answer in (first, second) for p in answer.context["postings"]] == whole


def test_every_transaction_balances_and_leads_to_its_payment(pages, paid):
    found = pages.get(address("ledger_transactions")).context["postings"]
    assert found
    for posting in found:
        answer = pages.get(address("ledger_transaction", posting.id))
        assert all(total.debit_minor == total.credit_minor > 0 for total in answer.context["sums"])
    charge = paid["latest_charge"]
    narrowed = pages.get(address("ledger_transactions"), {"reference": charge})
    assert narrowed.context["postings"]
    assert address("object", charge) in text_of(narrowed)


def test_an_id_of_the_ledger_opens_its_page(pages, paid):
    line = next(iter(accounts(pages).values()))
    assert pages.get(address("search"), {"q": line.id})["Location"] == address("ledger_account", line.id)
    (posting, *_) = pages.get(address("ledger_transactions")).context["postings"]
    assert pages.get(address("search"), {"q": posting.id})["Location"] == address("ledger_transaction", posting.id)


@pytest.mark.parametrize(("name", "prefix"), [("ledger_account", "lacct"), ("ledger_transaction", "ltxn")])
def test_what_is_not_there_is_not_found(pages, name, prefix):
    assert pages.get(address(name, f"{prefix}_0000000000000000000000")).status_code == 404
    assert pages.get(address(name, "nonsense")).status_code == 404
