"""The page between an action and its effect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest
from django.template.response import TemplateResponse


def confirm(
    admin: Any,
    request: HttpRequest,
    *,
    title: str,
    question: str,
    button: str,
    action: str = "",
    rows: Sequence[tuple[str, str]] = (),
) -> TemplateResponse:
    """Ask before acting. The answer comes back as a POST with `confirmed`, the `action` and the rows' primary keys.

    `rows` are pairs of primary key and text.
    """
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.model._meta,
        "title": title,
        "question": question,
        "button": button,
        "action": action,
        "rows": rows,
        "checkbox_name": ACTION_CHECKBOX_NAME,
    }
    request.current_app = admin.admin_site.name
    return TemplateResponse(request, "admin/confirm.html", context)
