"""One proof of paging for every list: whichever way and however many at a time, each object once and in one order."""

from __future__ import annotations

from typing import Any


def prove(api: Any, path: str, expected: list[str], query: dict[str, Any] | None = None) -> None:
    """Show that the list at `path` (narrowed by `query`) is `expected`, ids newest first, however it is read.

    Needs at least three objects, so that a page in the middle exists.
    """
    assert len(expected) >= 3, "a proof of paging needs at least three objects"
    for limit in (1, 2, len(expected) - 1, len(expected), 100):
        assert walk(api, path, query, limit=limit) == expected, f"forwards by {limit}"
        assert walk_back(api, path, query, limit=limit) == expected, f"backwards by {limit}"
    _prove_edges(api, path, expected, query or {})


def walk(api: Any, path: str, query: dict[str, Any] | None = None, *, limit: int) -> list[str]:
    """Ids from the newest to the oldest, `limit` at a time, as `starting_after` gives them."""
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = _page(api, path, {**(query or {}), "limit": limit, **cursor})
        found += [entry["id"] for entry in page["data"]]
        if not page["has_more"]:
            return found
        assert len(page["data"]) == limit
        cursor = {"starting_after": found[-1]}


def walk_back(api: Any, path: str, query: dict[str, Any] | None = None, *, limit: int) -> list[str]:
    """The same ids read from the oldest upwards with `ending_before`; every page itself is newest first."""
    oldest = walk(api, path, query, limit=100)[-1]
    found = [oldest]
    while True:
        page = _page(api, path, {**(query or {}), "limit": limit, "ending_before": found[0]})
        found = [entry["id"] for entry in page["data"]] + found
        if not page["has_more"]:
            return found
        assert len(page["data"]) == limit


def _prove_edges(api: Any, path: str, expected: list[str], query: dict[str, Any]) -> None:
    before_first = _page(api, path, {**query, "ending_before": expected[0]})
    after_last = _page(api, path, {**query, "starting_after": expected[-1]})
    for empty in (before_first, after_last):
        assert (empty["data"], empty["has_more"]) == ([], False)
    prefix = expected[0].split("_")[0]
    both = {"starting_after": expected[0], "ending_before": expected[1]}
    for wrong, param, code in (
        ({"limit": 0}, "limit", "parameter_invalid_integer"),
        ({"limit": 101}, "limit", "parameter_invalid_integer"),
        ({"limit": "ten"}, "limit", "parameter_invalid_integer"),
        ({"starting_after": ""}, "starting_after", "parameter_invalid_empty"),
        ({"starting_after": "nonsense"}, "starting_after", "resource_missing"),
        ({"ending_before": f"{prefix}_{'0' * 22}"}, "ending_before", "resource_missing"),
        (both, "ending_before", "parameter_invalid"),
        ({"offset": 1}, "offset", "parameter_unknown"),
    ):
        answer = api.get(path, {**query, **wrong})
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["param"]) == (400, code, param), wrong


def _page(api: Any, path: str, query: dict[str, Any]) -> dict[str, Any]:
    answer = api.get(path, query)
    assert answer.status_code == 200, answer.content
    page = answer.json()
    assert set(page) == {"object", "url", "has_more", "data"}
    assert (page["object"], page["url"]) == ("list", path), "the url is relative, or official SDKs refuse it"
    return page
