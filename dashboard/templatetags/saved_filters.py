"""The saved filters of a list, as chips above it."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from connect.domain.saved_filters import normalized
from connect.selectors import saved_filters as selectors

register = template.Library()


@register.inclusion_tag("components/saved_filters.html", takes_context=True)
def saved_filters(context: Context, list_name: str) -> dict[str, Any]:
    """The chips of this person for a list, that of the current filter marked, and the form that saves it."""
    request, page = context["request"], context["page"]
    current = normalized(request.GET.urlencode())
    kept = selectors.of_list(page.organization.id, request.user.pk, list_name)
    return {
        "page": page,
        "csrf_token": context.get("csrf_token"),
        "list_name": list_name,
        "list_url": page.url(list_name),
        "current": current,
        "kept": [(each, each.query == current) for each in kept],
    }
