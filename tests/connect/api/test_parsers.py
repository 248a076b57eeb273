"""Bodies and query strings become one plain tree; what is ambiguous or too much is refused by name."""

from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import quote

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIRequestFactory

from connect.api import parsers
from connect.api.parsers import parse_form, parse_form_text, parse_json
from connect.kit.errors import BodyInvalid
from tests.connect.api.shop import BoxViewSet

SDK_CREATE = (
    b"amount=1099&currency=eur&confirm=true&automatic_payment_methods[enabled]=true&metadata[order+id]=A%26B%3D%C4%8D"
    b"&metadata[x]=&expand[0]=latest_charge.balance_transaction&transfer_data[destination]=acct_1"
    b"&payment_method_types[0]=card&payment_method_types[1]=sepa_debit"
)


def test_a_body_of_the_official_sdk_is_read_as_it_was_meant():
    assert parse_form(SDK_CREATE) == {
        "amount": "1099",
        "currency": "eur",
        "confirm": "true",
        "automatic_payment_methods": {"enabled": "true"},
        "metadata": {"order id": "A&B=č", "x": ""},
        "expand": ["latest_charge.balance_transaction"],
        "transfer_data": {"destination": "acct_1"},
        "payment_method_types": ["card", "sepa_debit"],
    }


class Recording(stripe.HTTPClient):
    """A transport that keeps what the SDK sends."""

    name = "recording"

    def request(self, method, url, headers, post_data=None):
        self.sent = (url, post_data)
        return '{"object": "list", "data": [], "has_more": false, "url": "/v1/x"}', 200, {}

    def close(self):
        """Nothing is open."""


def test_what_the_installed_sdk_sends_is_read_back():
    transport = Recording()
    client = stripe.StripeClient("fc_test_x", http_client=transport)
    items = [{"price": "price_1", "quantity": 2}, {"price": "price_2", "metadata": {"a b": "č&="}}]
    client.v1.subscriptions.create(params={"customer": "cus_1", "items": items, "description": "", "off_session": True})
    assert parse_form(transport.sent[1].encode()) == {
        "customer": "cus_1",
        "items": [{"price": "price_1", "quantity": "2"}, {"price": "price_2", "metadata": {"a b": "č&="}}],
        "description": "",
        "off_session": "true",
    }
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    client.v1.charges.list(params={"created": {"gt": moment}, "limit": 3, "expand": ["data.customer"]})
    assert parse_form_text(transport.sent[0].partition("?")[2]) == {
        "created": {"gt": "1767225600"},
        "limit": "3",
        "expand": ["data.customer"],
    }


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", {}),
        ("a", {"a": ""}),
        ("a=1&&b=2&", {"a": "1", "b": "2"}),
        ("expand%5B0%5D=customer&expand%5B1%5D=x", {"expand": ["customer", "x"]}),
        ("created%5Bgte%5D=17&email=a%2Bb%40c.d", {"created": {"gte": "17"}, "email": "a+b@c.d"}),
        ("a[]=1&a[]=2", {"a": ["1", "2"]}),
        ("a[1]=y&a[0]=x", {"a": ["x", "y"]}),
        ("a[][x]=1&a[][y]=2&a[][x]=3", {"a": [{"x": "1", "y": "2"}, {"x": "3"}]}),
        ("a[][x][y]=1&a[][x][z]=2", {"a": [{"x": {"y": "1", "z": "2"}}]}),
        ("items[0][id]=si_1&items[0][price][currency]=eur", {"items": [{"id": "si_1", "price": {"currency": "eur"}}]}),
        ("metadata[2024]=x", {"metadata": {"2024": "x"}}),
        ("a[1]=x", {"a": {"1": "x"}}),
        ("a[0]=x&a[2]=y", {"a": {"0": "x", "2": "y"}}),
        ("a[00]=x", {"a": {"00": "x"}}),
        ("ime=%D0%A1%D0%BA%D0%BE%D0%BF%D1%98%D0%B5", {"ime": "Скопје"}),
    ],
)
def test_bracket_grammar(text, tree):
    assert parse_form_text(text) == tree


@pytest.mark.parametrize(
    ("text", "param"),
    [
        ("a=1&a=2", "a"),
        ("a[b]=1&a[b]=2", "a[b]"),
        ("a=1&a[b]=2", "a[b]"),
        ("a[b]=2&a=1", "a[b]"),
        ("a[]=1&a[0]=2", "a[0]"),
        ("a[0]=1&a[]=2", "a[]"),
        ("a[]=1&a[][x]=2&a[x]=3", "a[x]"),
        ("a[b=1", "a[b"),
        ("a]=1", "a]"),
        ("a[b]c=1", "a[b]c"),
        ("a[b[c]]=1", "a[b[c]]"),
        ("a[][]=1", "a[][]"),
        ("[a]=1", "[a]"),
        ("=1", None),
        ("a" + "[b]" * 10 + "=1", "a" + "[b]" * 10),
        ("a=%00", None),
        ("a=%ff", None),
        ("&".join(f"a{index}=1" for index in range(1001)), None),
    ],
)
def test_unclear_forms_are_refused_by_name(text, param):
    with pytest.raises(BodyInvalid) as refused:
        parse_form_text(text)
    assert refused.value.param == param


@pytest.mark.parametrize("body", [b"\xff=1", b"a=\xc3", b'{"a": "\xff"}'])
def test_bytes_that_are_not_utf8_are_refused(body):
    for parse in (parse_form, parse_json):
        with pytest.raises(BodyInvalid, match=r"UTF-8|JSON"):
            parse(body)


NAMES = st.text(st.characters(exclude_characters="[]\0", exclude_categories=["Cs"]), min_size=1, max_size=8).filter(
    lambda name: not name.isdigit()
)
VALUES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
TREES = st.dictionaries(
    NAMES,
    st.recursive(
        VALUES,
        lambda child: st.one_of(
            st.dictionaries(NAMES, child, min_size=1, max_size=3), st.lists(child, min_size=1, max_size=3)
        ),
        max_leaves=6,
    ),
    max_size=4,
)


def pairs(node, name):
    """The names and values that the official SDK would send for a tree."""
    if isinstance(node, str):
        return [(name, node)]
    items = node.items() if isinstance(node, dict) else enumerate(node)
    return [pair for key, child in items for pair in pairs(child, f"{name}[{key}]" if name else str(key))]


def depth(node):
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
    return 1 + max((depth(child) for child in children), default=0)


@given(TREES)
def test_what_is_written_as_a_form_is_read_back_the_same(tree):
    if depth(tree) > 8:
        return
    text = "&".join(f"{quote(name, safe='[]')}={quote(value)}" for name, value in pairs(tree, ""))
    assert parse_form(text.encode()) == tree


@given(st.binary(max_size=200))
def test_no_bytes_whatever_break_a_parser(body):
    """A tree or a refusal: never another exception."""
    for parse in (parse_form, parse_json):
        try:
            tree = parse(body)
        except BodyInvalid:
            continue
        assert isinstance(tree, dict)


def test_json_keeps_whole_numbers_whole_and_others_exact():
    assert parse_json(b'{"a": 9007199254740993, "b": 0.1, "c": [true, null, "x"]}') == {
        "a": 9007199254740993,
        "b": Decimal("0.1"),
        "c": [True, None, "x"],
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"text"',
        b"{",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": 1e999999999}',
        b'{"a": 1e40}',
        b'{"a": 1, "a": 2}',
        b'{"a": "\\u0000"}',
        b'{"a": "\\ud800"}',
        b'{"\\ud800": 1}',
        b'{"a": ' + b"[" * 20 + b"]" * 20 + b"}",
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a": [' + b"1," * 1000 + b"1]}",
        b'{"a": "' + b"x" * parsers.BODY_BYTES_MAX + b'"}',
    ],
)
def test_bad_json_is_refused(body):
    with pytest.raises(BodyInvalid):
        parse_json(body)


def respond(method, **extra):
    request = getattr(APIRequestFactory(), method)("/v1/boxes/x/seal", **extra)
    view = BoxViewSet.as_view({"get": "seal", "post": "seal", "delete": "seal"})
    response = view(request, pk="x")
    response.render()
    return response


def test_an_empty_post_is_an_empty_tree():
    response = respond("post", data=b"", content_type="application/x-www-form-urlencoded")
    assert (response.status_code, response.content) == (200, b"{}")


def test_a_form_and_json_answer_the_same():
    form = respond("post", data=b"a[b][0]=x", content_type="application/x-www-form-urlencoded; charset=utf-8")
    json = respond("post", data=b'{"a": {"b": ["x"]}}', content_type="application/json")
    assert form.content == json.content == b'{"a":{"b":["x"]}}'


@pytest.mark.parametrize(
    "extra",
    [
        {"data": b"<a/>", "content_type": "text/xml"},
        {"data": b"--x--", "content_type": "multipart/form-data; boundary=x"},
        {"data": b"a=1", "content_type": "application/x-www-form-urlencoded; charset=latin-1"},
        {"data": b"a=" + b"x" * parsers.BODY_BYTES_MAX, "content_type": "application/x-www-form-urlencoded"},
        {"data": b"a=1", "content_type": "application/x-www-form-urlencoded", "QUERY_STRING": "b=2"},
    ],
)
def test_other_bodies_are_refused_in_the_one_shape(extra):
    response = respond("post", **extra)
    assert response.status_code == 400
    assert response.data.error.code == "body_invalid"


@pytest.mark.parametrize("method", ["get", "delete"])
def test_only_a_post_has_a_body(method):
    assert respond(method).status_code == 200
    response = respond(method, CONTENT_LENGTH="3")
    assert (response.status_code, response.data.error.code) == (400, "body_invalid")


def test_a_delete_reads_its_parameters_from_the_address():
    assert (
        respond("delete", QUERY_STRING="invoice_now=true&a%5Bb%5D=1").content == b'{"invoice_now":"true","a":{"b":"1"}}'
    )
