"""The filter of a list as it is kept: the query string of its address, without where in the list one was."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, urlencode

FIELDS_MAX: Final = 50
_PLACES: Final = frozenset({"after", "before", "csrfmiddlewaretoken"})


def normalized(query: str) -> str:
    """The query string of a filter: without empty values and places in the list, in one order, so that two that find
    the same are the same. One with more fields than any list has is none.
    """
    try:
        pairs = parse_qsl(query.removeprefix("?"), max_num_fields=FIELDS_MAX)
    except ValueError:
        return ""
    return urlencode(sorted((name, value) for name, value in pairs if value and name not in _PLACES))
