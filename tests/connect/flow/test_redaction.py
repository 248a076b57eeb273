"""Nothing that opens a door may be written down."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connect.kit import redaction

KEY = "fc_test_" + "aZ09" * 9 + "WxYz"


@pytest.mark.parametrize("name", [
    "number", "card[number]", "payment_method_data[card][cvc]", "password", "client_secret", "X-Api-Key",
    "Authorization", "webhook_secret", "refresh_token", "items[0][token]", "Set-Cookie", "my_password",
])  # fmt: skip
def test_secret_names(name):
    """By name, however it is nested or spelled."""
    assert redaction.is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["account_number_last4", "amount", "next_page_token", "description", "numbers", "tokens"]
)
def test_harmless_names(name):
    """What only resembles a secret stays readable."""
    assert not redaction.is_secret_name(name)


def test_our_keys_keep_their_ends():
    """A reader can tell which key it was, and nobody can use it."""
    assert redaction.text(f"Invalid API key: {KEY}.") == "Invalid API key: fc_test_…WxYz."


@pytest.mark.parametrize("secret", [
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "pi_000_secret_abcdefghij0123456789",
    "public_test_0123456789abcdefghijklmnopqrstuvw",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "Bearer abcdef0123456789",
    "/invitations/bO6t5aJKK85KHvxecGha70K62jFSNm12koqTfwUCUbA",
    "/accounts/password/reset/key/3mh8-c9k2xv-1f0e2d3c4b5a69788796a5b4c3d2e1f0/",
    "/accounts/confirm-email/MQ:1wBbCd:Qy9z-abcdefghijklmnopqrstuvwxyz0123456789_ABCD/",
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqh\n-----END PRIVATE KEY-----",
])  # fmt: skip
def test_other_secrets(secret):
    """Webhook secrets, client secrets, tokens and private keys are known by their form."""
    shown = redaction.text(f"before {secret} after")
    assert secret not in shown
    assert redaction.HIDDEN in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("MK07200002785123453", "MK…3453"),
        ("to MK07 2000 0278 5123 453.", "to MK…3453."),
        ("AL47 2121 1009 0000 0002 3569 8741 HVALA", "AL…8741 HVALA"),
        ("RO49AAAA1B31007593840000", "RO…0000"),
        ("RF18539007547034", "RF18539007547034"),
        ("MK07200002785123454", "MK07200002785123454"),
        ("ORDER AB12 3456 7890 1234 5678", "ORDER AB12 3456 7890 1234 5678"),
    ],
)
def test_of_an_iban_its_country_and_its_end_stay(text, shown):
    """References and numbers that are no IBAN stay whole."""
    assert redaction.text(text) == shown
    assert redaction.tree({"iban": [text]}) == {"iban": [shown]}


@pytest.mark.parametrize(
    "number", ["4242424242424242", "4242 4242 4242 4242", "4242-4242-4242-4242", "378282246310005"]
)
def test_card_numbers(number):
    """Any writing of a card number, in a text or as a number."""
    last = re.sub(r"\D", "", number)[-4:]
    assert redaction.text(f"card {number}, thanks") == f"card [card …{last}], thanks"


def test_numbers_that_are_no_cards_stay():
    """Fourteen digits that fail the check are an order number."""
    assert redaction.text("order 12345678901234") == "order 12345678901234"
    assert redaction.tree({"order": 12345678901234, "amount": 4200}) == {"order": 12345678901234, "amount": 4200}
    assert redaction.tree({"memo": 4242424242424242}) == {"memo": "[card …4242]"}


def test_json_body():
    """By name at every depth, in lists too; what was empty stays empty, a key of ours keeps its ends."""
    body = {
        "amount": 4200, "secret": KEY, "metadata": {"note": f"key {KEY}"}, "token": None, "livemode": False,
        "card": {"number": "4242424242424242", "exp_month": 12}, "list": [{"password": "hunter2"}],
    }  # fmt: skip
    shown = json.loads(redaction.json_text(json.dumps(body).encode()))
    assert shown == {
        "amount": 4200, "secret": "fc_test_…WxYz", "metadata": {"note": "key fc_test_…WxYz"}, "token": None,
        "livemode": False, "card": {"number": "[redacted]", "exp_month": 12}, "list": [{"password": "[redacted]"}],
    }  # fmt: skip


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"<xml/>", b"[" * 100_000])
def test_unreadable_bodies_are_not_kept(body):
    """What cannot be read cannot be made safe."""
    assert redaction.json_text(body) is None


def test_deep_values_are_hidden():
    """Depth is bounded, so that nobody can hide something below it or break the writer."""
    value: object = KEY
    for _ in range(50):
        value = {"a": value}
    assert KEY not in str(redaction.tree(value))


def test_form_pairs():
    """Forms as SDKs send them."""
    pairs = [("amount", "42"), ("card[number]", "4242424242424242"), ("expand[]", "a"), ("expand[]", "b"), ("cvc", "")]
    assert redaction.pairs(pairs) == {"amount": "42", "card[number]": "[redacted]", "expand[]": ["a", "b"], "cvc": ""}


LEAVES = st.none() | st.booleans() | st.integers() | st.text() | st.just(KEY) | st.just(f"x {KEY}")
TREES = st.recursive(
    LEAVES, lambda below: st.lists(below) | st.dictionaries(st.text() | st.just(KEY), below), max_leaves=30
)


@given(TREES)
def test_no_key_survives(value):
    """Wherever a key stands in a document, as name or value, it is gone from the copy; the original is not touched."""
    before = repr(value)
    assert KEY not in repr(redaction.tree(value))
    assert repr(value) == before


@given(st.text())
def test_ordinary_text_is_idempotent(text):
    """Redacting what is redacted changes nothing more."""
    once = redaction.text(text)
    assert redaction.text(once) == once
