"""Amounts on pages, in the language of the page."""

from __future__ import annotations

from django import template
from django.utils import translation

from connect.kit.money_text import format_count, format_money

register = template.Library()


@register.filter(name="money")
def money_filter(minor: int | None, currency: str) -> str:
    """`{{ payment.amount|money:payment.currency }}` in the language of the page; nothing for None."""
    return "" if minor is None else format_money(minor, currency, translation.get_language() or "en")


@register.filter(name="count")
def count_filter(number: int | None) -> str:
    """`{{ usage.requests|count }}`: a whole number in the language of the page; nothing for None."""
    return "" if number is None else format_count(number, translation.get_language() or "en")
