"""Stripe's search query language: what each text means, and what each wrong one is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connect.kit.errors import SearchQueryInvalid
from connect.kit.search import CLAUSES_MAX, Clause, Field, Kind, Query, described, parse

FIELDS = {
    "amount": Field(Kind.NUMBER),
    "created": Field(Kind.TIME),
    "currency": Field(Kind.WORD),
    "email": Field(Kind.TEXT),
    "metadata": Field(Kind.METADATA),
    "status": Field(Kind.WORD, ["paid", "open"]),
}
EMAIL = Clause("email", ":", "ana@example.com")


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("email:'ana@example.com'", [EMAIL]),
        ('email:"ana@example.com"', [EMAIL]),
        ("  email : 'ana@example.com'  ", [EMAIL]),
        ("email~'ana'", [Clause("email", "~", "ana")]),
        ("email~'50%_off'", [Clause("email", "~", "50%_off")]),
        ("email:'Ана'", [Clause("email", ":", "Ана")]),
        (r"email:'O\'Brien \\ \"'", [Clause("email", ":", "O'Brien \\ \"")]),
        ("""email:"O'Brien" """, [Clause("email", ":", "O'Brien")]),
        ("email:'a AND b OR -c'", [Clause("email", ":", "a AND b OR -c")]),
        ("email:''", [Clause("email", ":", "")]),
        ("email:null", [Clause("email", ":", None)]),
        ("email:'null'", [Clause("email", ":", "null")]),
        ("-email:NULL", [Clause("email", ":", None, negated=True)]),
        ("amount>1000", [Clause("amount", ">", 1000)]),
        ("amount >= 1000", [Clause("amount", ">=", 1000)]),
        ("amount<'1000'", [Clause("amount", "<", 1000)]),
        ("amount<=-5", [Clause("amount", "<=", -5)]),
        ("amount:1000", [Clause("amount", ":", 1000)]),
        ("created>1767225600", [Clause("created", ">", 1767225600)]),
        ("status:'PAID'", [Clause("status", ":", "PAID")]),
        ("metadata['order']:'7'", [Clause("metadata", ":", "7", key="order")]),
        ('metadata["the \\"order\\""]:"7"', [Clause("metadata", ":", "7", key='the "order"')]),
        ("-metadata['order']:null", [Clause("metadata", ":", None, key="order", negated=True)]),
    ],
)  # fmt: skip
def test_a_clause(text, clauses):
    assert parse(text, FIELDS) == Query(tuple(clauses))


@pytest.mark.parametrize("join", [" AND ", " and ", " ", "  AND\n"])
def test_clauses_that_hold_all(join):
    expected = (EMAIL, Clause("amount", ">", 5, negated=True), Clause("currency", ":", "eur"))
    assert parse(join.join(["email:'ana@example.com'", "-amount>5", "currency:'eur'"]), FIELDS) == Query(expected)


@pytest.mark.parametrize("join", [" OR ", " or "])
def test_clauses_of_which_one_holds(join):
    expected = (EMAIL, Clause("amount", ">", 5))
    assert parse(join.join(["email:'ana@example.com'", "amount>5"]), FIELDS) == Query(expected, either=True)


FIELDS_TOLD = "Search by amount, created, currency, email, metadata['key'], status"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it is empty. Write a clause such as currency:'…'"),
        ("   ", "it is empty"),
        ("emial:'a'", f"'emial' is not a field that can be searched here. {FIELDS_TOLD}"),
        ("'ana@example.com'", f"a field is expected where `'ana@example.com'` begins. {FIELDS_TOLD}"),
        ("email", "'email' needs an operator and a value. It takes : ~"),
        ("email 'a'", "'email' needs an operator and a value. It takes : ~"),
        ("email>'a'", "'email' does not take the operator >. It takes : ~"),
        ("email=='a'", "'email' does not take the operator ==. It takes : ~"),
        ("email!='a'", "'email' does not take the operator !=. It takes : ~"),
        ("amount~'100'", "'amount' does not take the operator ~. It takes : > < >= <="),
        ("currency~'eur'", "'currency' does not take the operator ~. It takes :"),
        ("metadata['a']~'bcd'", "'metadata' does not take the operator ~. It takes :"),
        ("email:", "'email' has no value. Give it in quotes, or null"),
        ("amount:", "'amount' has no value. Give a whole number of at most 15 digits, or null"),
        ("email:ana", "the value of 'email' must be in quotes: email:'ana'"),
        ("email:'ana", "the quote that begins `'ana` is not closed"),
        ("email~'an'", "~ needs at least 3 characters, and 'an' has 2"),
        ("email~null", "null is compared with : only, not with ~"),
        ("amount>null", "null is compared with : only, not with >"),
        ("amount>1.5", "'1.5' is no value for 'amount'. Give a whole number of at most 15 digits, or null"),
        ("amount>'many'", "'many' is no value for 'amount'"),
        (f"amount>{10**15}", "is no value for 'amount'"),
        ("created>'2026-01-01'", "'2026-01-01' is no value for 'created'. Give unix seconds, such as 1767225600"),
        ("created>-1", "'-1' is no value for 'created'"),
        ("created<999999999999999", "'999999999999999' is no value for 'created'"),
        ("status:'payed'", "'status' is never 'payed'. It is one of paid, open"),
        ("metadata:'7'", "metadata needs a key in quotes and brackets: metadata['order']"),
        ("metadata[order]:'7'", "metadata needs a key in quotes and brackets"),
        ("metadata['order':'7'", "metadata needs a key in quotes and brackets"),
        ("(email:'a')", "parentheses are not part of the language"),
        ("email:'a' AND (amount>5)", "parentheses are not part of the language"),
        ("email:'a' AND", "a clause is missing after AND"),
        ("email:'a' OR ", "a clause is missing after OR"),
        ("AND email:'a'", "a clause is missing before AND"),
        ("email:'a' AND OR amount>5", "a clause is missing before OR"),
        ("-", "a clause is missing after -"),
        ("- email:'a'", "a field is expected where ` email:'a'` begins"),
        ("email:'a'amount>5", "a space, AND or OR is missing before `amount>5`"),
        ("email:'a' AND amount>5 OR amount<2", "it mixes AND and OR"),
        ("email:'a' amount>5 OR amount<2", "it mixes AND and OR"),
        ("email:'a', amount>5", "a space, AND or OR is missing before `, amount>5`"),
        (" ".join(["amount>1"] * (CLAUSES_MAX + 1)), f"it has more than {CLAUSES_MAX} clauses"),
        ("Email:'a'", "'Email' is not a field that can be searched here"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(text, told):
    with pytest.raises(SearchQueryInvalid) as refused:
        parse(text, FIELDS)
    assert told in refused.value.text
    assert (refused.value.param, refused.value.status) == ("query", 400)


def test_as_many_clauses_as_are_allowed():
    assert len(parse(" ".join(["amount>1"] * CLAUSES_MAX), FIELDS).clauses) == CLAUSES_MAX


@given(st.text(alphabet="aemil:~'\"\\[]()<>=-_ ANDORnul01.é", max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        clauses = parse(text, FIELDS).clauses
    except SearchQueryInvalid:
        return
    assert 1 <= len(clauses) <= CLAUSES_MAX


@given(st.text(max_size=40), st.sampled_from("'\""))
def test_any_value_can_be_quoted(value, quote):
    escaped = value.replace("\\", "\\\\").replace(quote, f"\\{quote}")
    assert parse(f"email:{quote}{escaped}{quote}", FIELDS).clauses == (Clause("email", ":", value),)


def test_the_fields_in_words():
    some = {name: FIELDS[name] for name in ("amount", "email", "metadata")}
    assert described(some) == "`amount` (: > < >= <=), `email` (: ~), `metadata['key']` (:)"
