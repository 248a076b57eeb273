"""Ids as links."""

from __future__ import annotations

from typing import Protocol

from django import template

register = template.Library()


class Linking(Protocol):
    """What knows where an id leads: the page being drawn."""

    def address_of(self, identifier: str) -> str:
        """The address, or an empty text."""


@register.filter
def address_of(page: Linking, identifier: str) -> str:
    """`{{ page|address_of:event.id }}` is the page of that object, or nothing when this person has none for it."""
    return page.address_of(identifier)
