"""Dated versions of our API. An environment is pinned to the one it was made under; a request may choose another.

A version is a pure transform at the edge: services and shapes know only the newest. The first version needs none.
"""

from __future__ import annotations

from typing import Final

from connect.domain.errors import ApiVersionUnknown
from connect.kit.caller import API_VERSION

VERSIONS: Final = (API_VERSION,)
"""Every version, oldest first."""


def chosen(header: str | None, pinned: str) -> str:
    """The version a request is answered in: the header's, else the environment's. Raises `ApiVersionUnknown`."""
    if header is None:
        return pinned
    if header not in VERSIONS:
        raise ApiVersionUnknown(version=header[:40], known=", ".join(VERSIONS))
    return header
