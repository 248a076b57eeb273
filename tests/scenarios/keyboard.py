"""Somebody who has no pointer: the keys they press, and what they must find wherever the focus comes to rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

STOPS_MAX: Final = 90
"""More than any page has controls: whoever has not met one by then went round in a circle."""

AT_REST: Final = """() => {
  const focusable = 'a[href], area, button, input, select, textarea, summary, iframe, [tabindex], [contenteditable]';
  window.atRest ??= new WeakMap();
  for (const element of document.querySelectorAll(focusable)) {
    if (element === document.activeElement || window.atRest.has(element)) continue;
    const style = getComputedStyle(element);
    window.atRest.set(element, [style.outline, style.boxShadow].join());
  }
}"""
"""Notes how each control is drawn while the focus is elsewhere."""

HERE: Final = """(element) => {
  const style = getComputedStyle(element), box = element.getBoundingClientRect();
  const outline = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && !/, 0\\)$/.test(style.outlineColor);
  const edge = outline ? parseFloat(style.outlineWidth) + Math.max(0, parseFloat(style.outlineOffset)) : 0;
  const drawn = [style.outline, style.boxShadow].join();
  const left = Math.max(box.left, 0), right = Math.min(box.right, innerWidth);
  const top = Math.max(box.top, 0), bottom = Math.min(box.bottom, innerHeight);
  const covering = [];
  for (const across of [0.1, 0.5, 0.9]) for (const down of [0.1, 0.5, 0.9]) {
    const at = document.elementFromPoint(left + across * (right - left), top + down * (bottom - top));
    if (!at || !(element.contains(at) || [...element.labels ?? []].some((label) => label.contains(at))))
      covering.push(at ? at.outerHTML.slice(0, 120) : 'outside of the window');
  }
  return {
    html: element.outerHTML.slice(0, 160),
    page: element === document.body || element === document.documentElement,
    visible: box.width > 1 && box.height > 1 && element.checkVisibility({ opacityProperty: true, visibilityProperty: true }),
    ring: (outline || style.boxShadow !== 'none') && drawn !== window.atRest?.get(element),
    covering,
    box: [box.left, box.top, box.right, box.bottom],
    cut: box.left < edge || box.right > innerWidth - edge
      || (box.height <= innerHeight / 2 && (box.top < edge || box.bottom > innerHeight - edge)),
  };
}"""


@dataclass(frozen=True)
class Stop:
    """A control that has the focus, as a screen reader names it."""

    role: str
    name: str

    def __str__(self) -> str:
        return f"{self.role} “{self.name}”"


class Keyboard:
    """Ten fingers on one page. `reach` walks with Tab; wherever it comes to, one must see where one is."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.devtools = page.context.new_cdp_session(page)
        self.stops = 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def go(self, *keys: str) -> None:
        """Press keys that lead to another page, and be there."""
        with self.page.expect_navigation():
            self.press(*keys)

    def reach(self, name: str, role: str = "", *, key: str = "Tab") -> Stop:
        """Press `key` until the control of this name has the focus. The name may stop before its end."""
        passed: list[str] = []
        self.page.evaluate(AT_REST)
        while len(passed) < STOPS_MAX:
            self.press(key)
            stop = self.look()
            if stop is None:
                if "the page's end" in passed:
                    break
                passed.append("the page's end")
                continue
            if stop.name.startswith(name) and role in ("", stop.role):
                return stop
            passed.append(str(stop))
        raise AssertionError(f"{name!r} never had the focus at {self.page.url}; it was at:\n" + "\n".join(passed))

    def look(self) -> Stop | None:
        """What has the focus, seen, named, ringed and uncovered; None for the page as a whole."""
        found = self.page.evaluate(f"({HERE})(document.activeElement)")
        if found["page"]:
            return None
        stop, where = self.stop(), (found["html"], self.page.url)
        self.stops += 1
        assert found["visible"], ("has the focus and is not to be seen", *where)
        assert not found["covering"], ("has the focus beneath something else", *where, found["covering"])
        assert not found["cut"], ("has the focus, or its ring, beyond the window's edge", *where, found["box"])
        assert found["ring"], ("looks the same with the focus as without", *where)
        assert stop.name, ("has the focus and no name", stop.role, *where)
        return stop

    def stop(self) -> Stop:
        """Role and name of what has the focus, as Chromium tells assistive technology."""
        element = self.devtools.send("Runtime.evaluate", {"expression": "document.activeElement"})["result"]
        tree = self.devtools.send(
            "Accessibility.getPartialAXTree", {"objectId": element["objectId"], "fetchRelatives": False}
        )
        node = tree["nodes"][0]
        return Stop(str(node.get("role", {}).get("value", "")), str(node.get("name", {}).get("value", "")).strip())

    def is_at(self, name: str) -> bool:
        """Whether the focus is at a control of this name, which is there to be seen."""
        stop = self.look()
        return stop is not None and stop.name.startswith(name)
