"""What the control makes the bank do and be, and who may use it."""

from __future__ import annotations

import httpx
import pytest

from tests.sandbox_bank.live import running_bank
from tests.sandbox_bank.third_party import PAYMENTS, order


def test_a_reset_bank_is_the_same_bank(tpp, sandbox_bank):
    before = sandbox_bank.state()
    sandbox_bank.control("transactions", {"account": sandbox_bank.iban(), "amount": "-12.30"})
    sandbox_bank.control("misbehave", {"kind": "slow", "ms": 1})
    sandbox_bank.control("switches", {"page_size": 7})
    tpp.agreed()
    sandbox_bank.reset()
    after = sandbox_bank.state()
    assert {**after, "now": ""} == {**before, "now": ""}
    assert sandbox_bank.log() == []


def test_balances_are_the_sum_of_what_is_booked(sandbox_bank):
    for user in ("user_good", "user_many"):
        for account in sandbox_bank.accounts(user):
            rows = sandbox_bank.control("transactions/list", {"account": account["iban"]})["transactions"]
            cents = [(one["pending"], round(float(one["transactionAmount"]["amount"]) * 100)) for one in rows]
            booked = sum(amount for pending, amount in cents if not pending)
            assert booked == round(float(account["booked"]) * 100) > 0
            assert booked + sum(amount for pending, amount in cents if pending) == round(
                float(account["available"]) * 100
            )


def test_a_line_of_any_kind_is_added(tpp, sandbox_bank):
    path = tpp.agreed().account()
    given = {"account": sandbox_bank.iban(), "amount": "-1.00", "remittance": "Кафе", "counterparty": "Бистро",
             "shown": {"transactionId": "", "entryReference": "NOTPROVIDED", "valueDate": "2020-02-02"}, "copies": 2}  # fmt: skip
    sandbox_bank.control("transactions", given)
    newest = tpp.entries(path)["transactions"]["booked"][:2]
    assert newest[0] == newest[1]
    assert newest[0]["transactionId"] == ""
    assert (newest[0]["entryReference"], newest[0]["valueDate"]) == ("NOTPROVIDED", "2020-02-02")
    assert (newest[0]["creditorName"], newest[0]["remittanceInformationUnstructured"]) == ("Бистро", "Кафе")


def test_a_pending_line_is_booked_under_another_id_and_date(tpp, sandbox_bank):
    path = tpp.agreed().account()
    added = sandbox_bank.control("transactions", {"account": sandbox_bank.iban(), "amount": "-7.00", "pending": True})
    waiting = added["transaction"]["transactionId"]
    assert waiting in {one["transactionId"] for one in tpp.entries(path)["transactions"]["pending"]}
    sandbox_bank.control("clock", {"offset_seconds": 2 * 86_400})
    booked = sandbox_bank.control(f"transactions/{waiting}/book", {"amount": "-7.50"})["transaction"]
    found = tpp.entries(path)["transactions"]
    assert waiting not in {one["transactionId"] for one in found["pending"]}
    assert found["booked"][0]["transactionId"] == booked["transactionId"] != waiting
    assert found["booked"][0]["transactionAmount"]["amount"] == "-7.50"


def test_a_line_is_changed_and_removed(tpp, sandbox_bank):
    path = tpp.agreed().account("EUR")
    newest = tpp.entries(path)["transactions"]["booked"][0]["transactionId"]
    sandbox_bank.control(f"transactions/{newest}/change", {"remittance": "Corrected"})
    assert tpp.entries(path)["transactions"]["booked"][0]["remittanceInformationUnstructured"] == "Corrected"
    sandbox_bank.control(f"transactions/{newest}/remove")
    assert newest not in {one["transactionId"] for one in tpp.entries(path)["transactions"]["booked"]}


def test_the_clock_stands_still_and_runs_ahead(sandbox_bank):
    answered = sandbox_bank.control("clock", {"frozen_at": "2027-03-01T10:00:00Z"})
    assert answered["now"] == sandbox_bank.state()["now"] == "2027-03-01T10:00:00+00:00"
    first = sandbox_bank.control("clock", {"offset_seconds": 3600})["now"]
    assert sandbox_bank.state()["now"] > first


def test_calls_are_written_down(tpp, sandbox_bank):
    tpp.agreed()
    tpp.get("/v1/accounts")
    tpp.present = False
    tpp.get("/v1/accounts")
    assert [(one["status"], one["attended"]) for one in sandbox_bank.log("accounts")] == [(200, True), (200, False)]
    assert [one["endpoint"] for one in sandbox_bank.log()] == ["consents", "accounts", "accounts"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("misbehave", {"kind": "nicely"}),
        ("switches", {"page_size": "many"}),
        ("switches", {"colour": 1}),
        ("clock", {"frozen_at": "2027-03-01T10:00:00"}),
        ("transactions", {"account": "nobody", "amount": "1.00"}),
        ("transactions", {"amount": "1.00"}),
        ("transactions/nothing/book", {}),
        ("payments/script", {"statuses": ["DONE"]}),
        ("authorise", {"consent": "nothing"}),
        ("users/nobody", {}),
    ],
)
def test_the_control_says_what_it_cannot_do(sandbox_bank, client, path, body):
    refused = client.post(f"{sandbox_bank.url}/control/{path}", json=body)
    assert refused.status_code == 400
    assert refused.json()["error"]


def test_the_control_page_does_what_people_do_most(tpp, sandbox_bank, client):
    tpp.agreed()
    tpp.call("POST", PAYMENTS, order())
    page = client.get(f"{sandbox_bank.url}/control/")
    assert page.status_code == 200
    assert tpp.consent in page.text
    assert sandbox_bank.iban() in page.text
    form = {
        "form": "add_transaction",
        "account": sandbox_bank.iban(),
        "amount": "-3.00",
        "remittance": "By hand",
        "pending": "on",
    }
    assert client.post(f"{sandbox_bank.url}/control/do", data=form).status_code == 302
    assert "-3.00" in client.get(f"{sandbox_bank.url}/control/").text
    for given, why in (
        ({"form": "misbehave", "kind": "down", "times": "often"}, "times is a number, and often is none."),
        ({"form": "misbehave", "kind": "down", "times": "-1"}, "not negative"),
        ({"form": "clock", "offset_seconds": "99999999999"}, "offset_seconds is at most"),
    ):
        refused = client.post(f"{sandbox_bank.url}/control/do", data=given)
        assert (refused.status_code, why in refused.text) == (400, True)
    wrong = client.post(f"{sandbox_bank.url}/control/do", data={**form, "amount": "three"})
    assert (wrong.status_code, "amount is a text such as -12.30." in wrong.text) == (400, True)
    client.post(
        f"{sandbox_bank.url}/control/do", data={"form": "set_consent", "consent": tpp.consent, "status": "revokedByPsu"}
    )
    assert tpp.get(f"/v1/consents/{tpp.consent}/status") == {"consentStatus": "revokedByPsu"}
    client.post(f"{sandbox_bank.url}/control/do", data={"form": "reset"})
    assert sandbox_bank.state()["consents"] == []


@pytest.mark.parametrize("header", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_pages_of_others_cannot_use_the_control(sandbox_bank, client, header):
    assert client.post(f"{sandbox_bank.url}/control/reset", headers=header).status_code == 403
    assert client.post(f"{sandbox_bank.url}/control/reset", headers={"Origin": sandbox_bank.url}).status_code == 200


def test_a_control_with_a_token_wants_it():
    with running_bank(SANDBOX_BANK_CONTROL_TOKEN="open-sesame") as bank, httpx.Client(trust_env=False) as client:
        state = f"{bank.url}/control/state"
        assert client.get(state).status_code == 401
        assert client.get(state, headers={"Authorization": "Bearer shut"}).status_code == 401
        assert client.get(state, headers={"Authorization": "Bearer open-sesame"}).status_code == 200
        assert client.get(state, auth=("anybody", "open-sesame")).status_code == 200
