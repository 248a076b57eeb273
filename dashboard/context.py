"""What every template may use, signed in or not."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from dashboard import mail
from dashboard.pages import theme


def appearance(request: HttpRequest) -> dict[str, Any]:
    """`theme`: system, light or dark as the person chose; `mailbox_open`: whether this installation keeps its mails."""
    return {"theme": theme.chosen(request), "mailbox_open": mail.is_mailbox_open()}
