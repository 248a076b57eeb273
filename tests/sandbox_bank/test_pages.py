"""The bank's own pages without a browser: who gets in, what is asked, where each way leads."""

from __future__ import annotations

import html
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.sandbox_bank.third_party import BACK, PAYMENTS, REFUSED, order


class Person:
    """Somebody at the page of a consent or an order, sending its forms."""

    def __init__(self, client, address):
        self.client, self.address = client, address
        self.answer = client.get(address)

    @property
    def text(self):
        return html.unescape(self.answer.text)

    @property
    def title(self):
        return re.search(r"<h1>(.*?)</h1>", self.text)[1]

    @property
    def state(self):
        found = re.search(r'name="state" value="([^"]+)"', self.answer.text)
        return found[1] if found else ""

    @property
    def accounts(self):
        return re.findall(r'name="account" value="([^"]+)"', self.answer.text)

    def send(self, step, **fields):
        form = {"state": self.state, "step": step, **fields}
        self.answer = self.client.post(self.address, data=form)
        return self.answer

    def log_in(self, user="user_good", password="pass_good"):
        return self.send("login", user=user, password=password)


@pytest.fixture
def asked(tpp):
    """A consent that waits, and somebody at its page."""
    begun = tpp.begin()
    return tpp.get, begun.headers["location"], Person(tpp.client, begun.json()["_links"]["scaRedirect"]["href"])


@pytest.fixture
def billed(tpp):
    """An order that waits, and somebody at its page."""
    begun = tpp.call("POST", PAYMENTS, order())
    return tpp.get, begun.headers["location"], Person(tpp.client, begun.json()["_links"]["scaRedirect"]["href"])


def test_a_customer_allows_two_of_five_accounts(asked):
    get, path, person = asked
    assert person.title == "Log in"
    assert "user_good" in person.text
    person.log_in()
    assert person.title == "Confirm that it is you"
    person.send("code", code="1234")
    assert person.title == "Allow Facturino Connect to see your accounts?"
    assert len(person.accounts) == 5
    done = person.send("agree", account=person.accounts[:2])
    assert (done.status_code, done.headers["location"]) == (302, BACK)
    found = get(path)
    assert found["consentStatus"] == "valid"
    assert len(found["access"]["accounts"]) == 2
    assert Person(person.client, person.address).title == "This is decided already"


def test_the_page_names_who_asks(tpp):
    body = {"access": {"allPsd2": "allAccounts"}, "recurringIndicator": False, "validUntil": "9999-12-31",
            "frequencyPerDay": 1, "combinedServiceIndicator": False}  # fmt: skip
    begun = tpp.call("POST", "/v1/consents", body, TPP_Brand_Logging_Information="<b>Shop</b>").json()
    person = Person(tpp.client, begun["_links"]["scaRedirect"]["href"])
    assert "&lt;b&gt;Shop&lt;/b&gt; asks to see your accounts" in person.answer.text
    person.log_in()
    person.send("code", code="1234")
    assert "Once, today." in person.text
    assert person.answer.text.count("disabled") == 5
    assert person.send("agree").headers["location"] == BACK


def test_a_customer_pays_what_the_page_shows(billed, sandbox_bank):
    get, path, person = billed
    before = float(sandbox_bank.accounts()[1]["booked"])
    person.log_in()
    assert person.title == "Confirm the payment"
    shown = person.text.replace("\N{NO-BREAK SPACE}", " ")
    for part in ('<dd class="big">12.30 EUR</dd>', "<dd>Müller & Söhne</dd>", "DE89370400440532013000", "Invoice 7",
                 "It is good only for paying 12.30 EUR to Müller & Söhne"):  # fmt: skip
        assert part in shown
    done = person.send("pay", account=person.accounts, code="1234")
    assert (done.status_code, done.headers["location"]) == (302, BACK)
    assert get(f"{path}/status")["transactionStatus"] == "ACSC"
    assert round(before - float(sandbox_bank.accounts()[1]["booked"]), 2) == 12.30


def test_clicks_at_once_pay_once(billed, sandbox_bank):
    _, _, person = billed
    before = float(sandbox_bank.accounts()[1]["booked"])
    person.log_in()
    form = {"state": person.state, "step": "pay", "account": person.accounts, "code": "1234"}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: person.client.post(person.address, data=form), range(4)))
    assert sorted(one.status_code for one in answers) == [200, 200, 200, 302]
    assert round(before - float(sandbox_bank.accounts()[1]["booked"]), 2) == 12.30


@pytest.mark.parametrize("pages", [0, 1, 2])
def test_a_consent_is_canceled_on_every_page(asked, pages):
    get, path, person = asked
    steps = [person.log_in, lambda: person.send("code", code="1234")]
    for step in steps[:pages]:
        step()
    done = person.send("cancel")
    assert (done.status_code, done.headers["location"]) == (302, REFUSED)
    assert get(f"{path}/status")["consentStatus"] == "rejected"


@pytest.mark.parametrize("pages", [0, 1])
def test_an_order_is_canceled_on_every_page(billed, pages):
    get, path, person = billed
    if pages:
        person.log_in()
    assert person.send("cancel").headers["location"] == REFUSED
    assert get(f"{path}/status")["transactionStatus"] == "CANC"


def test_a_wrong_password_and_a_name_nobody_has_are_told_alike(asked):
    _, _, person = asked
    person.log_in(password="wrong")
    first = re.search(r'class="error" role="alert">(.*?)<', person.text)[1]
    person.log_in(user="nobody")
    assert re.search(r'class="error" role="alert">(.*?)<', person.text)[1] == first


def test_five_wrong_tries_lock_the_login_for_a_while(asked, sandbox_bank, tpp):
    _, _, person = asked
    for _ in range(5):
        person.log_in(password="wrong")
    person.log_in()
    assert "This login is locked." in person.text
    sandbox_bank.control("clock", {"offset_seconds": 16 * 60})
    again = Person(tpp.client, tpp.begin().json()["_links"]["scaRedirect"]["href"])
    again.log_in()
    assert again.title == "Confirm that it is you"


def test_a_locked_customer_stays_outside(asked):
    _, _, person = asked
    person.log_in(user="user_locked")
    assert "This login is locked." in person.text
    assert person.state == ""


def test_somebody_whose_code_never_fits(asked):
    get, path, person = asked
    person.log_in(user="user_wrong_sca")
    for left in (4, 3, 2, 1):
        person.send("code", code="1234")
        assert f"Tries left: {left}." in person.text
    person.send("code", code="1234")
    assert person.title == "We could not confirm that it is you"
    assert f'href="{REFUSED}"' in person.text
    assert get(f"{path}/status")["consentStatus"] == "rejected"


def test_somebody_who_must_change_the_password(asked):
    get, path, person = asked
    person.log_in(user="user_password")
    assert person.title == "Change your password first"
    assert f'href="{REFUSED}"' in person.text
    assert get(f"{path}/status")["consentStatus"] == "rejected"


def test_somebody_without_accounts_can_only_cancel(asked):
    _, _, person = asked
    person.log_in(user="user_empty")
    person.send("code", code="1234")
    assert "You have no account that this is about." in person.text
    assert 'value="agree"' not in person.text
    assert person.send("cancel").headers["location"] == REFUSED


def test_somebody_with_twelve_accounts(asked):
    _, _, person = asked
    person.log_in(user="user_many")
    person.send("code", code="1234")
    assert len(person.accounts) == 12


def test_no_account_chosen_asks_again(asked):
    _, _, person = asked
    person.log_in()
    person.send("code", code="1234")
    person.send("agree")
    assert "Choose at least one account." in person.text


def test_nobody_gets_past_the_login_or_the_code(asked, billed):
    _, _, person = asked
    person.send("agree", account="any")
    assert person.title == "Log in"
    person.log_in()
    before_the_code = person.state
    person.send("agree", account="any", state=before_the_code)
    assert person.title == "Log in"
    _, _, other = billed
    other.send("pay", state=before_the_code, code="1234")
    assert other.title == "Log in"


def test_the_page_runs_out_after_ten_minutes(asked, sandbox_bank):
    _, _, person = asked
    sandbox_bank.control("clock", {"offset_seconds": 11 * 60})
    late = Person(person.client, person.address)
    assert (late.answer.status_code, late.title) == (410, "This page has run out")
    assert f'href="{REFUSED}"' in late.text


def test_an_address_nobody_gave_out(sandbox_bank, client):
    person = Person(client, f"{sandbox_bank.url}/bank/authorise/nothing")
    assert (person.answer.status_code, person.title) == (404, "There is no such page")


def test_pages_speak_macedonian(asked):
    _, _, person = asked
    person.address += "?lang=mk"
    person.answer = person.client.get(person.address)
    assert person.title == "Најава"
    person.log_in()
    assert person.title == "Потврдете дека сте вие"
    assert '<html lang="mk">' in person.text


def test_both_languages_say_the_same_things():
    from sandbox_bank import texts

    assert texts.ENGLISH.keys() == texts.MACEDONIAN.keys()
    for name, text in texts.ENGLISH.items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", texts.MACEDONIAN[name])), name


def test_pages_need_no_script_and_are_not_kept(asked):
    _, _, person = asked
    assert "<script" not in person.text
    assert person.answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in person.answer.headers["content-security-policy"]
