"""A person with the plainest browser there is: it follows links and redirects, fills in forms and keeps cookies.

No scripts, no styles. What works here works everywhere:

    ana = Visitor()
    ana.open(session["url"])
    ana.submit("Continue", username="user_good", password="pass_good")
    assert "Thank you" in ana.page.text
"""

from __future__ import annotations

import http.cookiejar
import re
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

HERE = {"127.0.0.1", "localhost"}
REFRESHES_MAX = 60


@dataclass
class Field:
    """One thing a form sends, if it is on."""

    name: str
    value: str
    kind: str
    on: bool = True
    words: str = ""


@dataclass
class Form:
    action: str
    method: str
    fields: list[Field] = field(default_factory=list)
    buttons: list[Field] = field(default_factory=list)


class Page(HTMLParser):
    """What a page says, and what can be done on it."""

    def __init__(self, url: str, status: int, body: str) -> None:
        super().__init__()
        self.url, self.status, self.body = url, status, body
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self.refresh: tuple[int, str] | None = None
        self._words: list[str] = []
        self._form: Form | None = None
        self._open: list[tuple[Any, list[str]]] = []  # links and buttons whose words are being read
        self._select: tuple[str, bool] | None = None
        self._skipped = 0
        self.feed(body)
        self.text = " ".join(" ".join(self._words).split())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in attributes}
        if tag in ("script", "style"):
            self._skipped += 1
        elif tag == "meta" and at.get("http-equiv", "").lower() == "refresh":
            seconds, _, target = at["content"].partition(";")
            self.refresh = int(seconds), urljoin(self.url, target.strip().removeprefix("url="))
        elif tag == "a" and "href" in at:
            self._open.append((urljoin(self.url, at["href"]), []))
        elif tag == "form":
            self._form = Form(urljoin(self.url, at.get("action") or self.url), at.get("method", "get").lower())
            self.forms.append(self._form)
        elif self._form is not None:
            self._control(self._form, tag, at)

    def _control(self, form: Form, tag: str, at: dict[str, str]) -> None:
        name, kind = at.get("name", ""), at.get("type", "text" if tag == "input" else tag).lower()
        if "disabled" in at:
            return
        if tag == "button":
            button = Field(name, at.get("value", ""), kind)
            form.buttons.append(button)
            self._open.append((button, []))
        elif tag == "input" and kind == "submit":
            form.buttons.append(Field(name, at.get("value", ""), kind, words=at.get("value", "")))
        elif tag == "input" and name:
            chosen = kind not in ("checkbox", "radio") or "checked" in at
            form.fields.append(
                Field(name, at.get("value", "on" if kind in ("checkbox", "radio") else ""), kind, chosen)
            )
        elif tag == "textarea" and name:
            form.fields.append(Field(name, "", kind))
        elif tag == "select" and name:
            self._select = name, False
        elif tag == "option" and self._select:
            name, seen = self._select
            form.fields.append(Field(name, at.get("value", ""), "select", "selected" in at or not seen))
            if "selected" in at:
                for other in form.fields[:-1]:
                    other.on = other.on and other.name != name
            self._select = name, True

    def handle_data(self, data: str) -> None:
        if self._skipped:
            return
        self._words.append(data)
        for _, words in self._open:
            words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._skipped -= 1
        elif tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None
        elif tag in ("a", "button") and self._open:
            thing, words = self._open.pop()
            said = " ".join("".join(words).split())
            if isinstance(thing, Field):
                thing.words = said
            elif isinstance(thing, str):
                self.links.append((said, thing))

    def form(self, button: str) -> tuple[Form, Field]:
        """The form with a button that says `button`, and that button."""
        for form in self.forms:
            for one in form.buttons:
                if button.lower() in one.words.lower():
                    return form, one
        raise AssertionError(f"no button says {button!r} on {self}")

    def link(self, words: str) -> str:
        """Where the link leads that says `words`."""
        for said, target in self.links:
            if words.lower() in said.lower():
                return target
        raise AssertionError(f"no link says {words!r} on {self}")

    def __str__(self) -> str:
        buttons = [button.words for form in self.forms for button in form.buttons]
        return f"{self.url} ({self.status}): {self.text[:1500]!r}, links {self.links}, buttons {buttons}"


class _Left(Exception):
    """A redirect leads to somebody else's site."""


class _Redirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, request, answer, code, words, headers, target):  # type: ignore[no-untyped-def]
        if urlsplit(target).hostname not in HERE:
            raise _Left(target)
        return super().redirect_request(request, answer, code, words, headers, target)


class Visitor:
    """Where they are: `page`, or `left_to`, the address of the site that they were sent to at the end."""

    def __init__(self) -> None:
        self.page: Page
        self.left_to: str | None = None
        self.cookies = http.cookiejar.CookieJar()
        self._browser = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.cookies), _Redirects()
        )

    def open(self, url: str) -> Page:
        """Go to an address, and on while it redirects on this machine."""
        return self._ask(urllib.request.Request(url))

    def follow(self, words: str) -> Page:
        """Click the link that says this."""
        return self.open(self.page.link(words))

    def submit(self, button: str, /, **typed: str | list[str] | bool) -> Page:
        """Fill in the form that has this button and press it. A list ticks these values and no others."""
        form, pressed = self.page.form(button)
        known = {one.name for one in form.fields}
        assert set(typed) <= known, f"no fields {set(typed) - known} beside {button!r}, but {known}, on {self.page}"
        sent = [(one.name, one.value) for one in form.fields if one.on and one.name not in typed]
        for name, value in typed.items():
            if isinstance(value, bool):
                sent += [(name, one.value) for one in form.fields if one.name == name and value]
            else:
                sent += [(name, one) for one in ([value] if isinstance(value, str) else value)]
        if pressed.name:
            sent.append((pressed.name, pressed.value))
        if form.method == "get":
            return self.open(f"{form.action.partition('?')[0]}?{urlencode(sent)}")
        headers = {"Referer": self.page.url, "Origin": "{0.scheme}://{0.netloc}".format(urlsplit(self.page.url))}
        return self._ask(urllib.request.Request(form.action, urlencode(sent).encode(), headers))

    def values(self, button: str, name: str) -> list[str]:
        """What can be chosen under `name` in the form with this button."""
        form, _ = self.page.form(button)
        return [one.value for one in form.fields if one.name == name]

    def wait(self, wait: Any) -> Page:
        """Let the page refresh itself for as long as it says so. `wait(seconds)` passes the time."""
        for _ in range(REFRESHES_MAX):
            if self.left_to or self.page.refresh is None:
                return self.page
            seconds, target = self.page.refresh
            wait(seconds)
            self.open(target)
        raise AssertionError(f"it goes on refreshing: {self.page}")

    def _ask(self, request: urllib.request.Request) -> Page:
        self.left_to = None
        try:
            with self._browser.open(request, timeout=60) as answer:
                self.page = self._read(answer.url, answer.status, answer.read(), answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                self.page = self._read(error.url, error.code, error.read(), error.headers)
        except _Left as left:
            self.left_to = str(left)
        return self.page if self.left_to is None else Page(self.left_to, 0, "")

    @staticmethod
    def _read(url: str, status: int, body: bytes, headers: Any) -> Page:
        """The page, whose forms must lead where its policy lets a real browser go."""
        page = Page(url, status, body.decode())
        policy = headers.get("Content-Security-Policy", "")
        if allowed := re.search(r"form-action ([^;]+)", policy):
            origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
            for form in page.forms:
                target = "{0.scheme}://{0.netloc}".format(urlsplit(form.action))
                fits = ("'self'" in allowed[1] and target == origin) or target in allowed[1]
                assert fits, f"{url} has a form to {target}, which its policy forbids: {allowed[0]}"
        return page
