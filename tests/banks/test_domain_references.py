"""Payment references: found where they certainly are, checked where a check is known, and never made up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banks.domain import references
from banks.domain.references import Reference, Scheme

RF = Reference(Scheme.RF, "RF18539007547034", True)
NBS = Reference(Scheme.RS97, "163220000111111111000", True)
BODIES = st.text("0123456789", min_size=1, max_size=18)


@pytest.mark.parametrize(
    ("structured", "wanted"),
    [
        ("RF18 5390 0754 7034", RF),
        ("rf18539007547034", RF),
        ("RF19 5390 0754 7034", Reference(Scheme.RF, "RF19539007547034", False)),
        ("97163220000111111111000", NBS),
        ("97-16-3220000-111111111000", NBS),
        ("(97) 163220000111111111000", NBS),
        ("97163220000111111111001", Reference(Scheme.OTHER, "97163220000111111111001", None)),
        ("(22) 123-456", Reference(Scheme.RS22, "123456", None)),
        ("model 11 2026-77", Reference(Scheme.RS11, "202677", None)),
        ("1123456", Reference(Scheme.OTHER, "1123456", None)),
        ("2026/0042", Reference(Scheme.OTHER, "20260042", None)),
        (" ", None),
        ("-", None),
    ],
)
def test_a_structured_reference_is_believed(structured, wanted):
    assert references.find(None, structured) == wanted
    assert references.find("faktura RF18539007547034", structured) == (wanted or RF)


@pytest.mark.parametrize(
    ("remittance", "wanted"),
    [
        ("Plaćanje po fakturi RF18 5390 0754 7034 hvala", RF),
        ("rf18 5390 0754 7034", RF),
        ("Uplata po racunu RO:97163220000111111111000", NBS),
        ("poziv na broj 97 163220000111111111000", NBS),
        ("Позив на број: (97) 16-322-0000111111111000 хвала", NBS),
        ("97 163220000111111111000 2026", NBS),
        ("model 22 poziv na broj 4711-12", Reference(Scheme.RS22, "471112", None)),
        ("faktura 97 komada robe", None),
        ("97 163220000111111111001", None),
        ("RF19 5390 0754 7034", None),
        ("Плата за јануари 2026", None),
        ("PERF18539007547034", None),
        ("", None),
        (None, None),
    ],
)
def test_in_free_text_only_what_cannot_be_an_accident(remittance, wanted):
    assert references.find(remittance, None) == wanted


@given(BODIES, st.data())
def test_a_changed_digit_of_a_made_reference_is_found(body, data):
    for made, holds, begins in (
        (references.rf_of(body), references.rf_holds, 2),
        (references.rs97_of(body), references.rs97_holds, 0),
    ):
        assert holds(made)
        assert references.find(f"invoice {'97 ' * (begins == 0)}{made}", None) is not None
        place = data.draw(st.integers(begins, len(made) - 1))
        other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != made[place]]))
        assert not holds(made[:place] + other + made[place + 1 :])


@given(st.text(max_size=140), st.one_of(st.none(), st.text(max_size=140)))
def test_whatever_a_bank_writes_is_read_or_left(remittance, structured):
    found = references.find(remittance, structured)
    assert found is None or len(found.value) <= references.VALUE_MAX
