"""A payer's browser without JavaScript, on the issuer's page."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.test import Client


@dataclass
class Payer:
    """`payer.answer(intent, "complete")` presses a button; `intent` is the object whose `next_action` leads here."""

    client: Client = field(default_factory=Client)

    def path(self, intent: dict[str, Any]) -> str:
        assert intent["next_action"]["type"] == "redirect_to_url"
        return urlsplit(intent["next_action"]["redirect_to_url"]["url"]).path

    def open(self, intent: dict[str, Any]) -> Any:
        return self.client.get(self.path(intent))

    def answer(self, intent: dict[str, Any], answer: str, code: str = "") -> Any:
        return self.client.post(self.path(intent), {"answer": answer, "code": code})

    def code(self, intent: dict[str, Any]) -> str:
        """The one-time code, as the page tells it."""
        found = re.search(r"the code is (\d{6})", self.open(intent).content.decode())
        assert found
        return found[1]


def returned(answer: Any) -> tuple[str, dict[str, str]]:
    """Where a redirect leads: the address without its query, and the query."""
    assert answer.status_code == 303, answer.content.decode()
    parts = urlsplit(answer["Location"])
    return f"{parts.scheme}://{parts.netloc}{parts.path}", {k: v[0] for k, v in parse_qs(parts.query).items()}
