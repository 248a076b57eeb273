"""Public ids: they round-trip, sort as they were made, and nothing else decodes."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connect.kit import ids

UUIDS = st.uuids()
TEXTS = st.text(alphabet=ids.ALPHABET + "_-é", max_size=30)


@given(UUIDS)
def test_what_is_encoded_is_decoded(identifier):
    text = ids.encode("pi", identifier)
    assert len(text) == len("pi_") + ids.BODY_LENGTH
    assert ids.decode("pi", text) == identifier
    assert ids.split(text) == ("pi", text[3:])


@given(UUIDS, UUIDS)
def test_texts_sort_as_their_uuids(one, other):
    assert (ids.encode("pi", one) < ids.encode("pi", other)) == (one < other)


def test_ids_made_later_sort_later():
    made = [ids.encode("pi", ids.new()) for _ in range(1000)]
    assert made == sorted(made)
    assert len(set(made)) == 1000


@pytest.mark.parametrize("identifier", [UUID(int=0), UUID(int=(1 << 128) - 1)])
def test_the_first_and_the_last_uuid(identifier):
    assert ids.decode("pi", ids.encode("pi", identifier)) == identifier


@given(TEXTS)
def test_another_text_is_no_id_or_exactly_the_one_it_encodes(text):
    identifier = ids.decode("pi", f"pi_{text}")
    assert identifier is None or ids.encode("pi", identifier) == f"pi_{text}"


@pytest.mark.parametrize(
    "text",
    ["", "pi", "pi_", "pi_1", "pi_" + "0" * 21, "pi_" + "0" * 23, "pm_" + "0" * 22, "pi-" + "0" * 22, "pi_" + "z" * 22,
     "pi_" + "-" * 22, "pi_" + "٣" * 22, None, 7, b"pi_" + b"0" * 22],
)  # fmt: skip
def test_what_does_not_decode(text):
    assert ids.decode("pi", text) is None


def test_a_number_too_wide_for_its_place_is_an_error():
    assert ids.base62(0, 3) == "000"
    assert ids.base62(62**3 - 1, 3) == "zzz"
    with pytest.raises(OverflowError):
        ids.base62(62**3, 3)


@given(st.integers(0, (1 << 128) - 1))
def test_base62_is_the_number(number):
    value = 0
    for character in ids.base62(number, 22):
        value = value * 62 + ids.ALPHABET.index(character)
    assert value == number


def test_prefixes_may_hold_underscores():
    text = ids.encode("we_inbox", ids.new())
    assert ids.split(text) == ("we_inbox", text[-22:])
    assert ids.split("no id") is None
    assert ids.split("_" + "0" * 22) is None
