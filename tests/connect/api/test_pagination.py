"""Pages: limits, cursors and the direction of reading."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connect.api.pagination import CursorPage
from connect.api.renderers import render_bytes
from connect.kit import ids
from connect.kit.errors import DomainError
from connect.kit.pages import Page, clause, require_cursor, slice_queryset, slice_rows

FIRST = ids.new()
CURSOR = ids.encode("tbox", FIRST)


def test_without_parameters_a_page_has_ten_objects():
    assert CursorPage.parse({}, "tbox") == Page(limit=10)


def test_a_page_is_read_from_text():
    assert CursorPage.parse({"limit": "100", "starting_after": CURSOR}, "tbox") == Page(100, starting_after=FIRST)
    assert CursorPage.parse({"ending_before": CURSOR}, "tbox") == Page(10, ending_before=FIRST)


@pytest.mark.parametrize(
    ("query", "code", "param"),
    [
        ({"limit": "0"}, "parameter_invalid_integer", "limit"),
        ({"limit": "101"}, "parameter_invalid_integer", "limit"),
        ({"limit": "ten"}, "parameter_invalid_integer", "limit"),
        ({"limit": ["1"]}, "parameter_invalid_integer", "limit"),
        ({"limit": ""}, "parameter_invalid_empty", "limit"),
        ({"starting_after": ""}, "parameter_invalid_empty", "starting_after"),
        ({"starting_after": "cus_1"}, "resource_missing", "starting_after"),
        ({"ending_before": {"a": "b"}}, "parameter_invalid", "ending_before"),
        ({"starting_after": CURSOR, "ending_before": CURSOR}, "parameter_invalid", "ending_before"),
    ],
)
def test_wrong_pages_are_refused(query, code, param):
    with pytest.raises(DomainError) as refused:
        CursorPage.parse(query, "tbox")
    assert (refused.value.code, refused.value.param, refused.value.status) == (code, param, 400)


def test_a_cursor_that_names_nothing_is_a_missing_object():
    require_cursor(Page(), "tbox", lambda identifier: False)
    require_cursor(Page(starting_after=FIRST), "tbox", lambda identifier: identifier == FIRST)
    with pytest.raises(DomainError) as refused:
        require_cursor(Page(ending_before=FIRST), "tbox", lambda identifier: False)
    assert (refused.value.code, refused.value.param) == ("resource_missing", "ending_before")
    assert CURSOR in refused.value.text


def test_the_envelope_is_what_the_sdk_pages_with():
    envelope = CursorPage.envelope("/v1/boxes", [{"id": "a"}], True)
    assert render_bytes(envelope) == b'{"object":"list","url":"/v1/boxes","has_more":true,"data":[{"id":"a"}]}'


class Rows:
    """Stands for a queryset over numbers: what `slice_queryset` may call, and nothing else."""

    def __init__(self, rows):
        self.rows = rows

    def filter(self, id__lt=None, id__gt=None):
        return Rows([row for row in self.rows if (id__lt is None or row < id__lt) and (id__gt is None or row > id__gt)])

    def order_by(self, order):
        return Rows(sorted(self.rows, reverse=order == "-id"))

    def __getitem__(self, part):
        return self.rows[part]


@given(st.sets(st.integers(1, 50)), st.integers(1, 7), st.booleans())
def test_walking_gives_every_object_once_and_newest_first(rows, limit, backwards):
    expected = sorted(rows, reverse=True)
    seen, cursor, more = [], None, True
    while more:
        if backwards:
            page = Page(limit, ending_before=cursor if cursor is not None else 0)
            part, more = slice_queryset(Rows(rows), page)
            seen = part + seen
            cursor = part[0] if part else None
        else:
            part, more = slice_queryset(Rows(rows), Page(limit, starting_after=cursor))
            seen += part
            cursor = part[-1] if part else None
        assert part == sorted(part, reverse=True)
        assert len(part) <= limit
    assert seen == expected


def test_the_same_page_as_sql():
    after = clause(Page(2, starting_after=FIRST), column="p.id")
    assert (after.where, after.order, after.where_parameters, after.limit) == ("p.id < %s", "p.id DESC", (FIRST,), 3)
    before = clause(Page(2, ending_before=FIRST))
    assert (before.where, before.order) == ("id > %s", "id ASC")
    assert clause(Page()).where == "TRUE"
    assert slice_rows([1, 2, 3], Page(2, ending_before=FIRST)) == ([2, 1], True)
    assert slice_rows([3, 2], Page(2)) == ([3, 2], False)
