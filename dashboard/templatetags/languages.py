"""Languages as pages name them."""

from __future__ import annotations

from typing import Final

from django import template
from django.conf import settings
from django.utils import translation

from connect.pages import languages
from connect.pages.languages import Language

_TAGS: Final = {"sr": "sr-Cyrl", "sr-latn": "sr-Latn"}

register = template.Library()


@register.filter
def language_tag(code: str) -> str:
    """The tag of a language for `lang` and `hreflang`: `sr` alone says nothing of the script."""
    return _TAGS.get(code, code)


@register.simple_tag
def page_language() -> str:
    """The tag of the language of the page, for `<html lang>`."""
    return language_tag(translation.get_language() or settings.LANGUAGE_CODE)


@register.simple_tag
def language_choices() -> list[Language]:
    """Every language, each in its own name, with that of the page marked."""
    return languages.choices(translation.get_language() or settings.LANGUAGE_CODE)
