"""Our own Markdown as HTML: headings one can link to, coloured code, links that stay within the portal.

Only what our files use is known. HTML in a file is refused, but for `<a id="…"></a>`: it names the heading behind it.
No style stands in what comes out: colours are classes, drawn by `static/css/portal.css`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from django.template.loader import render_to_string
from django.utils.html import escape
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

_ANCHOR: Final = re.compile(r'<a id="([\w.:-]+)"></a>')
_NAME: Final = re.compile(r"[\w.:-]+")
_WORDS_NOT_IN_IDS: Final = re.compile(r"[^\w\- ]")
_COLOURED: Final = HtmlFormatter(nowrap=True)
_UNCOLOURED: Final = re.compile(r'<span class="(?:w|p|n|o)">([^<]*)</span>')
"""Blanks, brackets, names and operators have the colour of the text; a third of a page would be their markup."""
_SHELL: Final = {"sh", "bash", "console"}


class UnknownMarkup(ValueError):
    """A file says something that the portal cannot show; the text names it."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a page; `level` is 2 or more."""

    id: str
    text: str
    level: int


@dataclass(frozen=True, slots=True)
class Passage:
    """What is found as one: the plain text from one anchor to the next. An empty `anchor` is the top of the page."""

    anchor: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """A page without what surrounds it. `lead` is its first paragraph as plain text."""

    title: str
    lead: str
    html: str
    headings: tuple[Heading, ...]
    passages: tuple[Passage, ...]
    anchors: frozenset[str]
    links: tuple[str, ...]


def render(source: str, *, link: Callable[[str], str], fill: Callable[[str], str] = lambda code: code) -> Document:
    """Read a file. `link` turns an address of the file into one of the portal; `fill` completes code for this place."""
    return _Reading(link, fill).read(source)


def code(text: str, language: str, *, caption: str = "") -> str:
    """Code with colours and a button that copies it."""
    return render_to_string(
        "portal/code.html", {"code": coloured(text, language), "caption": caption, "language": language}
    )


def coloured(text: str, language: str) -> str:
    """The HTML of code, by class; a language nobody knows is plain text."""
    try:
        lexer = get_lexer_by_name("bash" if language in _SHELL else language or "text", stripnl=False)
    except ClassNotFound:
        return escape(text)
    return _UNCOLOURED.sub(r"\1", highlight(text.rstrip("\n"), lexer, _COLOURED).rstrip("\n"))


def plain(tokens: Sequence[Token] | None) -> str:
    """The words of inline tokens."""
    return "".join(
        " " if token.type in {"softbreak", "hardbreak"} else token.content
        for token in tokens or ()
        if token.type in {"text", "code_inline", "softbreak", "hardbreak", "image"}
    )


class _Reading:
    """One file on its way to a page."""

    def __init__(self, link: Callable[[str], str], fill: Callable[[str], str]) -> None:
        self.link, self.fill = link, fill
        self.parser = MarkdownIt("commonmark").enable("table")
        drawn = {"fence": self._fence, "table_open": self._table, "table_close": self._table}
        cast("dict[str, Any]", cast("RendererHTML", self.parser.renderer).rules).update(drawn)
        self.headings: list[Heading] = []
        self.passages: list[tuple[str, str, list[str]]] = []
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.title = self.lead = self.named = ""

    def read(self, source: str) -> Document:
        self.passages.append(("", "", []))
        kept = self._walk(self.parser.parse(source))
        html = self.parser.renderer.render(kept, self.parser.options, {})
        return Document(
            title=self.title,
            lead=self.lead,
            html=html,
            headings=tuple(self.headings),
            passages=tuple(
                Passage(anchor, title or self.title, " ".join(text)) for anchor, title, text in self.passages
            ),
            anchors=frozenset(self.ids),
            links=tuple(self.links),
        )

    def _walk(self, tokens: list[Token]) -> list[Token]:
        """The tokens to draw: the first heading is the page's title, anchors move to the headings they name."""
        kept: list[Token] = []
        position = 0
        while position < len(tokens):
            token = tokens[position]
            if token.type in {"html_block", "html_inline"}:
                raise UnknownMarkup(f"HTML is not shown: {token.content.strip()[:60]}")
            if token.type in {"heading_open", "paragraph_open"}:
                kept += self._block(*tokens[position : position + 3])
                position += 3
                continue
            if token.type == "fence":
                self._keep_words(token.content)
            elif token.type == "inline":
                self._inline(token)
                self._keep_words(plain(token.children))
            elif token.type == "tr_open":
                self._row(token, tokens[position + 1 :])
            elif token.type == "table_open":
                token.meta["title"] = self.headings[-1].text if self.headings else self.title
            kept.append(token)
            position += 1
        return kept

    def _block(self, opening: Token, inline: Token, closing: Token) -> list[Token]:
        if opening.type == "heading_open":
            return self._heading(opening, inline, closing)
        if found := _ANCHOR.fullmatch(inline.content.strip()):
            self.named = found[1]
            return []
        self._inline(inline)
        words = plain(inline.children)
        self.lead = self.lead or (words if not self.headings else "")
        self._keep_words(words)
        return [opening, inline, closing]

    def _heading(self, opening: Token, inline: Token, closing: Token) -> list[Token]:
        words = plain(inline.children)
        if opening.tag == "h1":
            if self.title:
                raise UnknownMarkup(f"a page has one title: {words}")
            self.title = words
            return []
        self._inline(inline)
        identifier = self._new_id(self.named or _slug(words))
        self.named = ""
        opening.attrSet("id", identifier)
        self.headings.append(Heading(identifier, words, int(opening.tag[1])))
        self.passages.append((identifier, words, []))
        mark = Token("html_inline", "", 0, content=_heading_link(identifier, words))
        inline.children = [*(inline.children or []), mark]
        return [opening, inline, closing]

    def _row(self, row: Token, rest: list[Token]) -> None:
        """A row can be linked to by its first cell that is one name in backticks; the name of a test is none."""
        for token in rest:
            if token.type == "tr_close":
                return
            children = (token.children or []) if token.type == "inline" else []
            if len(children) == 1 and children[0].type == "code_inline":
                name = children[0].content
                if name not in self.ids and _NAME.fullmatch(name) and "::" not in name:
                    row.attrSet("id", self._new_id(name))
                    self.passages.append((name, name, []))
                return

    def _inline(self, token: Token) -> None:
        for child in token.children or ():
            if child.type == "html_inline":
                raise UnknownMarkup(f"HTML is not shown: {child.content}")
            name = {"link_open": "href", "image": "src"}.get(child.type)
            if name is None:
                continue
            target = self.link(str(child.attrs[name]))
            self.links.append(target)
            child.attrSet(name, target)
            if child.type == "image":
                child.attrSet("loading", "lazy")
            elif target.startswith("http"):
                child.attrSet("rel", "noreferrer")

    def _new_id(self, wanted: str) -> str:
        identifier, number = wanted, 0
        while identifier in self.ids:
            number += 1
            identifier = f"{wanted}-{number}"
        self.ids.add(identifier)
        return identifier

    def _keep_words(self, words: str) -> None:
        self.passages[-1][2].append(words)

    def _table(self, tokens: Sequence[Token], index: int, *_: Any) -> str:
        """A wide table scrolls by itself, and can be reached by keyboard to do so."""
        token = tokens[index]
        if token.type == "table_close":
            return "</table></div>\n"
        label = escape(token.meta["title"])
        return f'<div class="table-scroll" tabindex="0" role="region" aria-label="{label}"><table class="table">\n'

    def _fence(self, tokens: Sequence[Token], index: int, *_: Any) -> str:
        token = tokens[index]
        language, caption = info(token.info)
        return code(self.fill(token.content), language, caption=caption)


def info(text: str) -> tuple[str, str]:
    """Language and caption of a block: a file's name, where it has one. The rest is said to the tests."""
    language, _, rest = text.strip().partition(" ")
    words = shlex.split(rest)
    named = next((word.removeprefix("file=") for word in words if word.startswith("file=")), "")
    return language, named or next((word for word in words if "/" in word and "=" not in word), "")


def _slug(words: str) -> str:
    return _WORDS_NOT_IN_IDS.sub("", words.lower()).strip().replace(" ", "-")


def _heading_link(identifier: str, words: str) -> str:
    return f' <a class="anchor" href="#{escape(identifier)}" aria-label="Link to “{escape(words)}”">#</a>'
