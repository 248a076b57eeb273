"""What is wrong with a page of ours, told from its bytes alone: no browser, so that every page can be looked at.

assert html.faults(answer.content.decode(), language="mk") == []
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

OURS = {"", "testserver", "127.0.0.1", "localhost"}
NAMED_INPUTS = {"input", "select", "textarea"}
NEED_NO_LABEL = {"hidden", "submit", "button", "reset", "image"}
FETCHED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "use": "href"}
POINTERS = ("for", "aria-labelledby", "aria-describedby", "aria-controls", "popovertarget", "list", "form")
SCRIPT_SAID = {"sr-cyrl": "sr"}
"""Hosted pages name the script of Serbian also where it is the usual one."""
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


@dataclass
class _Open:
    """An element whose end has not been read."""

    tag: str
    words: list[str] = field(default_factory=list)


class Page(HTMLParser):
    """A page taken apart: its title, headings, ids, links and what it would fetch."""

    def __init__(self, body: str) -> None:
        super().__init__()
        self.language = ""
        self.titles: list[str] = []
        self.headings: list[str] = []
        self.ids: Counter[str] = Counter()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.faults: list[str] = []
        self._points: list[tuple[str, str, str]] = []
        self._unnamed: list[tuple[str, str]] = []
        self._labels: set[str] = set()
        self._open: list[_Open] = []
        self.feed(body)
        self.close()
        self._judge()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in attributes}
        if tag not in VOID:
            self._open.append(_Open(tag))
        if tag == "html":
            self.language = at.get("lang", "")
        if "id" in at and not any(element.tag == "template" for element in self._open):
            self.ids[at["id"]] += 1  # what a template holds is no part of the page yet
        self._inline(tag, at)
        self._pointing(tag, at)
        if tag in NAMED_INPUTS and at.get("type") not in NEED_NO_LABEL:
            inside_label = any(element.tag == "label" for element in self._open)
            if not (inside_label or at.get("aria-label") or at.get("aria-labelledby")):
                self._unnamed.append((at.get("id", ""), f"<{tag} name={at.get('name')}>"))
        if tag == "img" and "alt" not in at:
            self.faults.append(f"an image without words: {at.get('src')}")

    def _inline(self, tag: str, at: dict[str, str]) -> None:
        """What the content security policy forbids, and addresses of others."""
        if "style" in at or tag == "style":
            self.faults.append(f"a style written into <{tag}>")
        if tag == "script" and not at.get("src") and at.get("type") != "application/json":  # data, which nobody runs
            self.faults.append("a script written into the page")
        self.faults += [f"a script in {name} of <{tag}>" for name in at if name.startswith("on")]
        if tag in FETCHED and (address := at.get(FETCHED[tag])):
            self.fetched.append(address)
        self.fetched += [at[name] for name in ("hx-get", "hx-post") if name in at]
        if tag == "a" and "href" in at:
            self._link(at)

    def _link(self, at: dict[str, str]) -> None:
        address = at["href"]
        if address.lower().startswith(("javascript:", "data:", "vbscript:")):
            self.faults.append(f"a script in a link: {address}")
        elif (urlsplit(address).hostname or "") in OURS:
            self.links.append(address)

    def _pointing(self, tag: str, at: dict[str, str]) -> None:
        if tag == "label" and "for" in at:
            self._labels.add(at["for"])
        self._points += [(tag, name, part) for name in POINTERS if name in at for part in at[name].split()]

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.words.append(data)

    def handle_endtag(self, tag: str) -> None:
        while self._open:
            element = self._open.pop()
            words = " ".join("".join(element.words).split())
            if element.tag == "title" and not any(outer.tag == "svg" for outer in self._open):
                self.titles.append(words)
            elif element.tag == "h1":
                self.headings.append(words)
            if element.tag == tag:
                return

    def _judge(self) -> None:
        if len(self.titles) != 1 or not self.titles[0]:
            self.faults.append(f"titles: {self.titles}")
        if len(self.headings) != 1 or not self.headings[0]:
            self.faults.append(f"headings of the first rank: {self.headings}")
        self.faults += [f"the id {name!r} stands {times} times" for name, times in self.ids.items() if times > 1]
        self.faults += [
            f"<{tag} {name}> points at nothing: {target}"
            for tag, name, target in self._points
            if target not in self.ids
        ]
        self.faults += [f"no label for {what}" for name, what in self._unnamed if name not in self._labels]
        self.faults += [
            f"<a> points at nothing: {link}" for link in self.links if link[:1] == "#" and link[1:] not in self.ids
        ]
        self.faults += [f"fetched from elsewhere: {address}" for address in self.fetched if not _is_ours(address)]


def _is_ours(address: str) -> bool:
    parts = urlsplit(address)
    return address.startswith("data:image/") or (parts.scheme in {"", "http"} and (parts.hostname or "") in OURS)


def faults(body: str, *, language: str) -> list[str]:
    """Everything that is wrong with a page in this language."""
    page = Page(body)
    if SCRIPT_SAID.get(page.language.lower(), page.language.lower()) != language.lower():
        page.faults.append(f"the page says its language is {page.language!r}, not {language!r}")
    return page.faults
