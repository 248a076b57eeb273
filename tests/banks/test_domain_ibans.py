"""Account numbers: the published ones are read, and a changed digit is found wherever a check promises it."""

from __future__ import annotations

import csv
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banks.domain import ibans
from banks.domain.ibans import NationalCheck, NotAnIban

with ibans.FILE.open(encoding="utf-8", newline="") as file:
    PUBLISHED = list(csv.DictReader(file))
COUNTRIES = {line["country"]: line for line in PUBLISHED}
CHECKED = [country for country, known in ibans.structures().items() if known.check is NationalCheck.MOD97]
PLACES = [  # an IBAN, its bank's code, and the account within the bank
    ("MK07200002785123453", "200", "0027851234"),
    ("RS35260005601001611379", "260", "0056010016113"),
    ("XK051212012345678906", "12", "0123456789"),
    ("AL47212110090000000235698741", "212", "0000000235698741"),
    ("ME25505000012345678951", "505", "0000123456789"),
    ("BA391290079401028494", "129", "94010284"),
    ("BG80BNBG96611020345678", "BNBG", "20345678"),
    ("RO49AAAA1B31007593840000", "AAAA", "1B31007593840000"),
]


@pytest.mark.parametrize("line", PUBLISHED, ids=lambda line: line["country"])
def test_a_published_iban_is_read_however_it_is_written(line):
    text = line["test_iban"]
    wanted = ibans.parse(text)
    assert (wanted.text, wanted.country, len(wanted.text)) == (text, line["country"], int(line["iban_length"]))
    for written in (text.lower(), ibans.grouped(text), f"  {ibans.grouped(text)}\u00a0"):
        assert ibans.parse(written) == wanted
    if line["constant_iban_check_digits"].isdecimal():
        assert text[2:4] == line["constant_iban_check_digits"]


@pytest.mark.parametrize(("text", "bank_code", "account"), PLACES, ids=lambda value: value[:2])
def test_the_bank_and_the_account_stand_in_the_iban(text, bank_code, account):
    found = ibans.parse(text)
    assert (found.bank_code, found.account) == (bank_code, account)


@pytest.mark.parametrize("line", PUBLISHED, ids=lambda line: line["country"])
def test_every_single_changed_digit_is_found(line):
    """All of them, not a sample: nine others at each place."""
    text = line["test_iban"]
    for place in range(2, len(text)):
        others = "0123456789" if text[place].isdecimal() else "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        for other in set(others) - {text[place]}:
            with pytest.raises(NotAnIban):
                ibans.parse(text[:place] + other + text[place + 1 :])


@given(st.sampled_from(CHECKED), st.data())
def test_a_changed_digit_of_a_local_number_is_found(country, data):
    """The national check alone does it: nobody writes the IBAN's digits on an invoice."""
    parts = ibans.structures()[country].parts
    body = data.draw(st.text("0123456789", min_size=sum(parts) - 2, max_size=sum(parts) - 2))
    number = f"{body}{98 - int(body + '00') % 97:02d}"
    read = ibans.from_local(number, country)
    assert read == ibans.parse(read.text)
    assert ibans.from_local(ibans.local(read), country) == read
    place = data.draw(st.integers(0, len(number) - 1))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != number[place]]))
    with pytest.raises(NotAnIban):
        ibans.from_local(number[:place] + other + number[place + 1 :], country)


@given(st.text("0123456789", min_size=7, max_size=7), st.text("0123456789", min_size=16, max_size=16), st.data())
def test_a_changed_digit_of_an_albanian_bank_code_is_found_by_its_own_check(code, account, data):
    weighed = sum(int(digit) * weight for digit, weight in zip(code, (9, 7, 3, 1, 9, 7, 3), strict=True))
    head = f"{code}{-weighed % 10}"
    assert ibans.parse(_with_check_digits("AL", head + account)).bank_code == code[:3]
    place = data.draw(st.integers(0, 7))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != head[place]]))
    with pytest.raises(NotAnIban, match="inside the national number"):
        ibans.parse(_with_check_digits("AL", head[:place] + other + head[place + 1 :] + account))


def _with_check_digits(country: str, national: str) -> str:
    return f"{country}{ibans.check_digits(country, national)}{national}"


@pytest.mark.parametrize(
    ("text", "country", "iban"),
    [
        ("210-5015961024-57", "MK", "MK07210501596102457"),
        ("210501596102457", "mk", "MK07210501596102457"),
        ("160-0000000182039-69", "RS", "RS35160000000018203969"),
        ("160-182039-69", "RS", "RS35160000000018203969"),
        ("160 182039 69", "RS", "RS35160000000018203969"),
        ("505-123456789-51", "ME", "ME25505000012345678951"),
        ("129-007-94010284-94", "BA", "BA391290079401028494"),
        ("1212 0123456789 06", "XK", "XK051212012345678906"),
    ],
)
def test_local_numbers_become_ibans(text, country, iban):
    assert ibans.from_local(text, country).text == iban
    assert iban in [found.text for found in ibans.readings(text)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "neither an IBAN"),
        ("DE89370400440532013000", "begins with none of AL, BA"),
        ("MK0720000278512345", "has 19 characters, this one has 18"),
        ("MK07200002785123454", "its check digits do not fit"),
        ("MK08200002785123453", "its check digits do not fit"),
        ("BG80BNB096611020345678", "a letter or a digit in the wrong place"),
        ("MK07٢00002785123453", "a letter or a digit in the wrong place"),
        ("210-5015961024-58", "neither an IBAN nor an account number"),
        ("160-182039-6", "neither"),
    ],
)
def test_a_refusal_says_what_is_wrong(text, reason):
    with pytest.raises(NotAnIban, match=reason):
        ibans.readings(text)


def test_where_there_is_no_local_way_of_writing_it_says_so():
    with pytest.raises(NotAnIban, match="numbers of BG are written as IBANs only"):
        ibans.from_local("BNBG 9661 10 20345678", "BG")


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text):
    with suppress(NotAnIban):
        for found in ibans.readings(text):
            assert ibans.parse(found.text) == found


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("MK07200002785123453", "MK … 3453"),
        ("MK07 2000 0278 5123 453", "MK … 3453"),
        ("210501596102457", "… 2457"),
        ("12345678", "…"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_masked_number_keeps_its_last_four_at_most(text, shown):
    assert ibans.masked(text) == shown


def test_numbers_are_written_as_people_read_them():
    assert ibans.grouped("MK07200002785123453") == "MK07 2000 0278 5123 453"
    assert ibans.local(ibans.parse("RS35160000000018203969")) == "160-0000000182039-69"
    assert ibans.local(ibans.parse("BA391290079401028494")) == "129-007-94010284-94"
    assert ibans.local(ibans.parse("AL47212110090000000235698741")) == "AL47 2121 1009 0000 0002 3569 8741"
