"""The languages that hosted pages speak, and which of them a locale asks for."""

from __future__ import annotations

from typing import Final

LANGUAGES: Final[dict[str, str]] = {
    "en": "en", "en-GB": "en", "mk": "mk", "sq": "sq", "sr": "sr", "sr-Latn": "sr-latn",
}  # fmt: skip
"""Locales a session can ask for and the language the page then speaks; `auto` follows the payer's browser."""

SHOWN_IN_ENGLISH: Final = (
    "bg", "cs", "da", "de", "el", "es", "es-419", "et", "fi", "fil", "fr", "fr-CA", "hi-IN", "hr", "hu", "id", "it",
    "ja", "ko", "lt", "lv", "ms", "mt", "nb", "nl", "pl", "pt", "pt-BR", "ro", "ru", "sk", "sl", "sv", "th", "tr",
    "vi", "zh", "zh-HK", "zh-TW",
)  # fmt: skip
"""Further locales that code written for Stripe may send; the page has no words of theirs and speaks English."""

LOCALES: Final = ("auto", *LANGUAGES, *SHOWN_IN_ENGLISH)


def language(locale: str | None) -> str | None:
    """The language a session's locale asks for, or None when the payer's browser decides."""
    if locale is None or locale == "auto":
        return None
    return LANGUAGES.get(locale, "en")
