"""The `metadata` of an object: up to 50 short texts that belong to the caller, merged on every update."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from connect.kit.errors import ParameterInvalid

KEYS_MAX: Final = 50
KEY_LENGTH_MAX: Final = 40
VALUE_LENGTH_MAX: Final = 500


def merge(old: Mapping[str, str], given: Mapping[str, str] | None) -> dict[str, str]:
    """`old` with `given` laid over it: an empty value removes its key, None clears everything.

    Raises `ParameterInvalid` when more than 50 keys would remain. Order is kept: new keys come last.
    """
    if given is None:
        return {}
    merged = {**old, **given}
    kept = {key: value for key, value in merged.items() if value != ""}
    if len(kept) > KEYS_MAX:
        raise ParameterInvalid(
            f"Metadata can have up to {KEYS_MAX} keys; this would make {len(kept)}. Remove a key by sending it empty.",
            param="metadata",
        )
    return kept
