"""The id of a request: given by the middleware, and on every answer, log line and event that follows from it."""

from __future__ import annotations

from typing import Any


def request_id_of(request: Any) -> str:
    """The id that the middleware gave this request, or an empty text where there was none."""
    return getattr(request, "request_id", "") if request is not None else ""
