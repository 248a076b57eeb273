"""The document of what works is what the tests say, and the tests speak of things that exist."""

from __future__ import annotations

import pytest
import stripe

from tests.sdk import calls


def test_every_call_that_is_listed_exists_in_the_sdk():
    v1 = stripe.StripeClient("sk_test_names").v1
    listed = [call for found in calls.CALLS.values() for call in found]
    assert len(listed) == len(set(listed)) > 100
    for call in listed:
        assert callable(getattr(calls.service(call, v1), call.rpartition(".")[2])), call


def test_marks_name_calls_of_the_list():
    assert set(calls.claims()) <= calls.KNOWN


def test_the_document_is_what_the_marked_tests_show(pytestconfig):
    """`make compatibility` writes it from tests that passed; a marked test that fails fails the build by itself."""
    if pytestconfig.getoption("--compatibility", default=None):
        pytest.skip("this run writes or checks the document when it ends")
    assert calls.DOCUMENT.read_text(encoding="utf-8") == calls.render(calls.claims()), "run `make compatibility`"


def test_a_mark_is_held_to_what_the_test_calls(v1, made):
    v1.balance.retrieve()
    assert made == {"balance.retrieve"}
    assert calls.unkept({"balance.retrieve", "expand"}, made) == []
    assert calls.unkept({"balance.retrieve", "charges.list"}, made) == ["charges.list"]


def test_a_call_that_fails_was_not_made(v1, made):
    with pytest.raises(stripe.InvalidRequestError):
        v1.charges.retrieve("ch_0")
    assert made == set()


def test_what_nothing_shows_is_not_claimed():
    page = calls.render({"balance.retrieve": ["b.py::two", "a.py::one"]})
    assert "| `balance.retrieve` | works | `a.py::one` |" in page
    assert "| `charges.list` | not yet |  |" in page
    assert "1 of " in page
