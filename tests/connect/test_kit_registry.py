"""The registry, and the small pure parts of the wire beside it: metadata and filters on time."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connect.kit import ids, metadata, registry
from connect.kit.errors import ParameterInvalid
from connect.kit.pages import TimeRange
from connect.kit.registry import PublicId, Resource


class Shape(msgspec.Struct):
    id: str


class Other(msgspec.Struct):
    id: str


def resource(prefix="tres", name="test_resource", shape=Shape):
    return Resource(prefix, name, shape, lambda caller, identifiers: {}, None, "tests:read")


@pytest.fixture
def registered():
    registry.register(resource())
    yield
    registry.unregister(resource())


@pytest.mark.usefixtures("registered")
def test_a_resource_is_found_by_prefix_name_shape_and_id():
    identifier = ids.new()
    found = registry.by_prefix("tres")
    assert found is registry.by_object("test_resource") is registry.by_shape(Shape)
    assert registry.by_id(ids.encode("tres", identifier)) == (found, identifier)
    assert found in registry.resources()


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("text", ["", "tres_1", "nope_" + "0" * 22, "tres_" + "z" * 22])
def test_what_is_no_id_leads_nowhere(text):
    assert registry.by_id(text) is None


@pytest.mark.usefixtures("registered")
def test_registering_twice_is_harmless_but_a_prefix_has_one_owner():
    registry.register(resource())
    for clash in (resource(name="another", shape=Other), resource(prefix="another", shape=Other)):
        with pytest.raises(ValueError, match="already registered"):
            registry.register(clash)


def test_a_public_id_is_its_text_again():
    identifier = ids.new()
    assert str(PublicId("tres", identifier)) == ids.encode("tres", identifier)


def test_metadata_is_merged_removed_and_cleared():
    assert metadata.merge({"a": "1", "b": "2"}, {"b": "", "c": "3"}) == {"a": "1", "c": "3"}
    assert metadata.merge({"a": "1"}, {}) == {"a": "1"}
    assert metadata.merge({"a": "1"}, None) == {}


def test_metadata_never_has_more_than_fifty_keys():
    full = {f"k{index}": "x" for index in range(50)}
    assert len(metadata.merge(full, {"k0": "", "new": "x"})) == 50
    with pytest.raises(ParameterInvalid, match="50"):
        metadata.merge(full, {"new": "x"})


SMALL = st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=5)


@given(SMALL, SMALL)
def test_merging_twice_changes_nothing_more(old, given):
    once = metadata.merge(old, given)
    assert metadata.merge(once, given) == once
    assert "" not in once.values()


SECONDS = st.integers(1_000_000, 1_000_100)


@given(st.lists(st.none() | SECONDS, min_size=4, max_size=4), SECONDS, st.integers(0, 999_999))
def test_a_time_range_compares_whole_seconds(bounds, second, microseconds):
    """A row made at 10.7 s was made in second 10: `gt=10` leaves it out, `lte=10` lets it in."""
    moments = [None if bound is None else datetime.fromtimestamp(bound, UTC) for bound in bounds]
    filters = TimeRange(*moments).filters("created")
    row = datetime.fromtimestamp(second, UTC) + timedelta(microseconds=microseconds)
    chosen = all({"gte": row >= edge, "lt": row < edge}[name.partition("__")[2]] for name, edge in filters.items())
    gt, gte, lt, lte = bounds
    expected = (
        (gt is None or second > gt)
        and (gte is None or second >= gte)
        and (lt is None or second < lt)
        and (lte is None or second <= lte)
    )
    assert chosen == expected
