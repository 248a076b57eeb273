"""What every parameter and property means: sentences of each app's `data/fields.toml`, put into the API's description.

A table of the file is named as a struct, an input or a filter; `[any]` holds for a name wherever nothing closer is
said, and `[always_null]` lists, by struct, what is sent for the sake of Stripe's libraries alone. A sentence that
stands in the code (`ACCEPTED_WITHOUT_EFFECT`, a search's fields) comes before all of them.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.apps import apps
from django.conf import settings

FILE: Final = Path("data") / "fields.toml"
ANSWERS: Final = Path(settings.BASE_DIR) / "docs" / "answers.json"
ANYWHERE: Final = "any"
ALWAYS_NULL: Final = "always_null"
MARK: Final = "x-always-null"
"""Tells readers of the description, such as the reference at `/docs/api`, which properties nobody needs to look at."""
_NULL: Final = "Always null: it is sent because Stripe's libraries expect it."


@cache
def tables() -> Mapping[str, Mapping[str, Any]]:
    """The tables of all apps in one. Raises ValueError when two apps say something of the same field."""
    found: dict[str, dict[str, Any]] = {ANYWHERE: {}, ALWAYS_NULL: {}}
    for app in apps.get_app_configs():
        file = Path(app.path) / FILE
        if not file.is_file():
            continue
        for table, words in tomllib.loads(file.read_text(encoding="utf-8")).items():
            known = found.setdefault(table, {})
            for name, text in words.items():
                if known.setdefault(name, text) != text:
                    raise ValueError(f"two files say what {table}.{name} is; the second is {file}")
    return found


def of(owner: str, name: str) -> str:
    """What the field `name` of the struct, input or filter `owner` means, or an empty text."""
    if is_always_null(owner, name):
        return _NULL
    words = tables()
    return str(words.get(owner, {}).get(name) or words[ANYWHERE].get(name, ""))


def is_always_null(owner: str, name: str) -> bool:
    """Whether the field never holds anything."""
    return name in tables()[ALWAYS_NULL].get(owner, ())


def describe(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's hook: every property of every component says what it means, and objects have an example."""
    for owner, schema in result["components"]["schemas"].items():
        for name, part in schema.get("properties", {}).items():
            if text := of(owner, name):
                part.setdefault("description", text)
            if is_always_null(owner, name):
                part[MARK] = True
        answer = answers().get(schema.get("properties", {}).get("object", {}).get("const", ""))
        if answer is not None and "deleted" not in schema["properties"]:
            schema["examples"] = [answer]
    return result


@cache
def answers() -> Mapping[str, Any]:
    """By kind of object: an answer that the API once gave (`python -m deploy.answers` asks for them anew)."""
    return dict(json.loads(ANSWERS.read_text(encoding="utf-8")))
