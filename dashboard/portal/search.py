"""Search over all the documentation: every passage from one anchor to the next is one find.

Every word of the query, or one that stands for it (`thesaurus.py`), must be in the passage or begin one of its words,
whatever its script, case and accents. What stands in a heading counts most, and in the title of a page more. The index
is made once per process, when somebody first searches.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from banks.domain import names
from dashboard.portal import guides, reference, thesaurus

_WORD: Final = re.compile(r"\w+(?:[.:/-]\w+)*")
_PARTS: Final = re.compile(r"[._:/-]+")
_WITHOUT_DECOMPOSITION: Final = str.maketrans({"đ": "d", "ł": "l", "ø": "o", "ı": "i"})
Choice = tuple[str, ...]
"""A word of the query and those that stand for it; one of them is enough."""
QUERY_MAX: Final = 100
WORDS_MAX: Final = 8
EXCERPT_BEFORE: Final = 60
EXCERPT_LENGTH: Final = 190
IN_TITLE, BEGINS_TITLE, IN_PAGE_TITLE, NAMES_PAGE = 12.0, 6.0, 2.0, 4.0


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an excerpt; what was asked for is marked."""

    text: str
    is_match: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A passage that was found."""

    url: str
    page: str
    title: str
    excerpt: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Indexed:
    """A passage with its words, folded; `words` counts those of the text. `is_page` when it is the top of a guide."""

    url: str
    page: str
    title: str
    text: str
    title_words: frozenset[str]
    page_words: frozenset[str]
    words: Counter[str]
    is_page: bool

    def score(self, wanted: Iterable[Choice]) -> float:
        """How well it fits; 0 when one of the words is missing."""
        total = 0.0
        for choice in wanted:
            points = max(self._points(word) for word in choice)
            if not points:
                return 0.0
            total += points
        return total

    def _points(self, word: str) -> float:
        points = 0.0
        if word in self.title_words or f"{word}s" in self.title_words or word.removesuffix("s") in self.title_words:
            points += IN_TITLE + (NAMES_PAGE if self.is_page else 0)
        elif any(each.startswith(word) for each in self.title_words):
            points += BEGINS_TITLE
        if any(each.startswith(word) for each in self.page_words):
            points += IN_PAGE_TITLE
        if count := self.words[word]:
            points += 1 + math.log(count)
        elif any(each.startswith(word) for each in self.words):
            points += 0.5
        return points


def fold(text: str) -> str:
    """Text in Latin letters without case and accents: `Чачак`, `Čačak` and `cacak` are one word."""
    decomposed = unicodedata.normalize("NFKD", names.latin(text.casefold()))
    return "".join(one for one in decomposed if not unicodedata.combining(one)).translate(_WITHOUT_DECOMPOSITION)


def words(text: str) -> Iterator[str]:
    """The folded words of a text; `payment_intent.succeeded` is one, and so is each of its parts."""
    for found in _WORD.findall(text):
        whole = fold(found)
        yield whole
        if parts := [part for part in _PARTS.split(whole) if part != whole]:
            yield from parts


def find(query: str, *, limit: int) -> list[Found]:
    """The best passages, best first; none for a query without a word."""
    asked = list(dict.fromkeys(fold(found) for found in _WORD.findall(query[:QUERY_MAX])))[:WORDS_MAX]
    if not asked:
        return []
    wanted = [(word, *thesaurus.OURS.get(word, ())) for word in asked]
    scored = [(passage.score(wanted), passage) for passage in index()]
    best = sorted((each for each in scored if each[0]), key=lambda each: -each[0])[:limit]
    return [
        Found(passage.url, passage.page, passage.title, excerpt(passage.text, sum(wanted, ()))) for _, passage in best
    ]


def excerpt(text: str, wanted: Iterable[str]) -> tuple[Piece, ...]:
    """The part of a text around the first word that was asked for, in pieces."""
    sought = tuple(wanted)
    hits = [found.span() for found in _WORD.finditer(text) if any(word.startswith(sought) for word in words(found[0]))]
    start = max(0, (hits[0][0] if hits else 0) - EXCERPT_BEFORE)
    if start:
        start = text.find(" ", start) + 1
    end = start + EXCERPT_LENGTH
    if end < len(text):
        end = max(text.rfind(" ", start, end), start + 1)
    pieces, position = [Piece("… ", is_match=False)] if start else [], start
    for first, last in hits:
        if start <= first and last <= end:
            pieces += [Piece(text[position:first], is_match=False), Piece(text[first:last], is_match=True)]
            position = last
    pieces.append(Piece(text[position:end] + (" …" if end < len(text) else ""), is_match=False))
    return tuple(piece for piece in pieces if piece.text)


@cache
def index() -> tuple[Indexed, ...]:
    """Every passage of the guides and of the API reference."""
    found: list[Indexed] = []
    for entry in guides.entries():
        page = guides.page(entry.slug)
        assert page is not None, "an entry has a page"
        for passage in page.document.passages:
            anchor = f"#{passage.anchor}" if passage.anchor else ""
            place = entry.url + anchor
            found.append(_indexed(place, page.document.title, passage.title, passage.text, is_page=not anchor))
    for resource in reference.resources():
        found += [
            _indexed(
                f"{resource.url}#{operation.anchor}",
                f"API · {resource.title}",
                operation.summary,
                f"{operation.method} {operation.path} {operation.id} {operation.description} {operation.field_names}",
            )
            for operation in resource.operations
        ]
    return tuple(found)


def _indexed(url: str, page: str, title: str, text: str, *, is_page: bool = False) -> Indexed:
    return Indexed(
        url, page, title, text, frozenset(words(title)), frozenset(words(page)), Counter(words(text)), is_page
    )
