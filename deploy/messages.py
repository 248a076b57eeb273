"""Build the catalogs of all pages: `python deploy/messages.py`.

A translator edits `locale/<language>/LC_MESSAGES/django.po`. This program writes the Latin Serbian catalog from the
Cyrillic one, and every `.mo` file that runs. With `collect` it first brings the catalogs up to the pages: a new text
gets an empty entry at the end, to be filled in, and one that is gone loses its entry. No machine needs the gettext
programs.
"""

from __future__ import annotations

import ast
import re
import struct
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
LOCALE: Final = ROOT / "locale"
CONTEXT_END: Final = "\x04"
"""Stands between a message's context and its text, in the keys here as in `.mo` files."""
FORM_END: Final = "\0"
"""Stands between a text and its plural, and between the forms of a translation, in the same way."""

CALLS: Final = frozenset({"_", *(f"{kind}gettext{lazy}" for kind in ("", "p", "n", "np") for lazy in ("", "_lazy"))})
APPS: Final = ("banks", "connect", "dashboard", "ledger", "payments")
ENGLISH_ONLY: Final = frozenset({"admin", "migrations"})
"""Folders whose pages are for staff, and in English."""

_CYRILLIC: Final = "абвгдђежзијклмнопрстћуфхцчшАБВГДЂЕЖЗИЈКЛМНОПРСТЋУФХЦЧШ"
_LATIN: Final = "abvgdđežzijklmnoprstćufhcčšABVGDĐEŽZIJKLMNOPRSTĆUFHCČŠ"
_PAIRS: Final = {"љ": "lj", "њ": "nj", "џ": "dž", "Љ": "Lj", "Њ": "Nj", "Џ": "Dž"}
_LETTERS: Final = str.maketrans({**dict(zip(_CYRILLIC, _LATIN, strict=True)), **_PAIRS})
_LINE: Final = re.compile(r'(?:(msgctxt|msgid_plural|msgid|msgstr(?:\[\d\])?)\s+)?("(?:[^"\\]|\\.)*")')
_TEXT: Final = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_CALL: Final = re.compile(rf"\b(n?p?gettext|_)\(\s*({_TEXT}(?:\s*,\s*{_TEXT})*)")


def latin(text: str) -> str:
    """Serbian Cyrillic in Latin letters; everything else stays."""
    return text.translate(_LETTERS)


def read(text: str) -> dict[str, str]:
    """The messages of a `.po` file: translations by text, with the context before it where there is one.

    The header is the message with the empty text. Raises ValueError for a line this program does not know, for fuzzy
    messages, and for a message that stands twice.
    """
    if re.search(r"^#,.*fuzzy", text, re.MULTILINE):
        raise ValueError("a fuzzy message is a guess; check it and take the mark away")
    found: dict[str, str] = {}
    for block in re.split(r"\n\s*\n", text):
        parts: dict[str, str] = {}
        keyword = ""
        for line in block.splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            match = _LINE.fullmatch(line.strip())
            if match is None:
                raise ValueError(f"cannot read the line {line!r}")
            keyword = match[1] or keyword
            parts[keyword] = parts.get(keyword, "") + ast.literal_eval(match[2])
        if not parts:
            continue
        key = f"{parts['msgctxt']}{CONTEXT_END}{parts['msgid']}" if "msgctxt" in parts else parts["msgid"]
        if "msgid_plural" in parts:
            key += FORM_END + parts["msgid_plural"]
        if key in found:
            raise ValueError(f"{key!r} stands twice")
        found[key] = FORM_END.join(text for keyword, text in parts.items() if keyword.startswith("msgstr"))
    return found


def write(messages: dict[str, str]) -> str:
    """The `.po` file of `messages`, in their order."""
    blocks = []
    for key, translation in messages.items():
        context, mark, text = key.rpartition(CONTEXT_END)
        text, has_plural, plural = text.partition(FORM_END)
        lines = [f"msgctxt {_quoted(context)}"] if mark else []
        lines.append(f"msgid {_quoted(text)}")
        if has_plural:
            lines.append(f"msgid_plural {_quoted(plural)}")
            lines += [f"msgstr[{index}] {_quoted(form)}" for index, form in enumerate(translation.split(FORM_END))]
        else:
            lines.append(f"msgstr {_quoted(translation)}")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def compiled(messages: dict[str, str]) -> bytes:
    """The `.mo` file of `messages`, as gettext reads it: sorted keys, two tables of lengths and offsets, the texts."""
    entries = sorted(
        (key.encode(), translation.encode()) for key, translation in messages.items() if translation.strip(FORM_END)
    )
    count = len(entries)
    keys_at, texts_at = 28, 28 + 8 * count
    offset = texts_at + 8 * count
    tables: list[bytes] = []
    texts: list[bytes] = []
    for column in range(2):
        for entry in entries:
            tables.append(struct.pack("<II", len(entry[column]), offset))
            texts.append(entry[column] + b"\0")
            offset += len(entry[column]) + 1
    head = struct.pack("<7I", 0x950412DE, 0, count, keys_at, texts_at, 0, offset)
    return head + b"".join(tables) + b"".join(texts)


def latin_catalog(cyrillic: dict[str, str]) -> dict[str, str]:
    """The Latin catalog that belongs to the Cyrillic one."""
    return {
        key: translation.replace("Language: sr\n", "Language: sr_Latn\n") if not key else latin(translation)
        for key, translation in cyrillic.items()
    }


def forms(messages: dict[str, str]) -> int:
    """How many plural forms the language of a catalog has, by its header."""
    match = re.search(r"nplurals=(\d)", messages[""])
    if match is None:
        raise ValueError("the header of the catalog names no plural forms")
    return int(match[1])


def spoken() -> dict[str, None]:
    """Every text of the pages, as the catalogs name it, in the order of the files."""
    from django.utils.translation.template import templatize

    found: dict[str, None] = {}
    for path in _sources(ROOT / "templates", (".html", ".txt")):
        # What stands between two calls is blanked by templatize; it is not Python as a whole.
        for call, texts in _CALL.findall(templatize(path.read_text(encoding="utf-8"), origin=str(path))):
            found[_key(call, [ast.literal_eval(text) for text in re.findall(_TEXT, texts)])] = None
    for path in (path for app in APPS for path in _sources(ROOT / app, (".py",))):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and (name := getattr(node.func, "id", "")) in CALLS:
                texts = [each.value for each in node.args if isinstance(each, ast.Constant)]
                found[_key(name, [text for text in texts if isinstance(text, str)])] = None
    return found


def collected(messages: dict[str, str], texts: dict[str, None]) -> dict[str, str]:
    """The catalog with exactly `texts`: what is known keeps its translation and its place, what is new is empty."""
    empty = FORM_END * (forms(messages) - 1)
    kept = {key: translation for key, translation in messages.items() if not key or key in texts}
    return kept | {key: empty if FORM_END in key else "" for key in texts if key not in kept}


def _sources(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    found = (path for path in sorted(folder.rglob("*")) if path.suffix in endings)
    return [path for path in found if not ENGLISH_ONLY.intersection(path.relative_to(folder).parts)]


def _key(call: str, texts: list[str]) -> str:
    """The key of a call: `npgettext` takes a context, a text and its plural; strings after these are no texts."""
    kind = call.removesuffix("_lazy").removesuffix("gettext").strip("_")
    context = [texts.pop(0) + CONTEXT_END] if "p" in kind else []
    return "".join(context) + FORM_END.join(texts[: 2 if "n" in kind else 1])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def main(arguments: list[str]) -> int:
    """Write the Latin catalog and all compiled ones; with `collect`, the others first."""
    if arguments == ["collect"]:
        texts = spoken()
        for source in sorted(LOCALE.glob("*/LC_MESSAGES/django.po")):
            known = read(source.read_text(encoding="utf-8"))
            source.write_text(write(collected(known, texts)), encoding="utf-8")
    cyrillic = read((LOCALE / "sr/LC_MESSAGES/django.po").read_text(encoding="utf-8"))
    (LOCALE / "sr_Latn/LC_MESSAGES").mkdir(parents=True, exist_ok=True)
    (LOCALE / "sr_Latn/LC_MESSAGES/django.po").write_text(write(latin_catalog(cyrillic)), encoding="utf-8")
    for source in sorted(LOCALE.glob("*/LC_MESSAGES/django.po")):
        source.with_suffix(".mo").write_bytes(compiled(read(source.read_text(encoding="utf-8"))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
