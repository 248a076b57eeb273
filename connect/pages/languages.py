"""Which language a visitor of a hosted page reads: the one they chose, else the session's, else the browser's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation

from connect.domain import locales

PARAMETER: Final = "lang"
"""Carries the choice from page to page. No cookie is set: a visitor has nothing to agree to, and nothing to lose."""


@dataclass(frozen=True, slots=True)
class Language:
    """A language to choose; `is_current` marks the page's own."""

    code: str
    name: str
    is_current: bool


def chosen(request: HttpRequest) -> str | None:
    """The language in the address, if it is one of ours."""
    code = request.GET.get(PARAMETER, "")
    return code if code in dict(settings.LANGUAGES) else None


def of(request: HttpRequest, locale: str | None) -> str:
    """The language of this page; `locale` is the session's."""
    return chosen(request) or locales.language(locale) or translation.get_language_from_request(request)


def choices(current: str) -> list[Language]:
    """Every language of the page, each in its own name."""
    return [Language(code, str(name), code == current) for code, name in settings.LANGUAGES]


def query(request: HttpRequest) -> str:
    """What keeps the choice in an address: `?lang=sq`, or nothing."""
    code = chosen(request)
    return f"?{PARAMETER}={code}" if code else ""
