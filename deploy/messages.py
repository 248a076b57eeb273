"""Build the catalogs of the hosted pages: `python deploy/messages.py`.

A translator edits `locale/<language>/LC_MESSAGES/django.po`. This program writes the Latin Serbian catalog from the
Cyrillic one, and every `.mo` file that runs. It needs nothing but Python, so no machine needs the gettext programs.
"""

from __future__ import annotations

import ast
import re
import struct
import sys
from pathlib import Path
from typing import Final

LOCALE: Final = Path(__file__).resolve().parents[1] / "locale"
CONTEXT_END: Final = "\x04"
"""Stands between a message's context and its text, in the keys here as in `.mo` files."""

_CYRILLIC: Final = "абвгдђежзијклмнопрстћуфхцчшАБВГДЂЕЖЗИЈКЛМНОПРСТЋУФХЦЧШ"
_LATIN: Final = "abvgdđežzijklmnoprstćufhcčšABVGDĐEŽZIJKLMNOPRSTĆUFHCČŠ"
_PAIRS: Final = {"љ": "lj", "њ": "nj", "џ": "dž", "Љ": "Lj", "Њ": "Nj", "Џ": "Dž"}
_LETTERS: Final = str.maketrans({**dict(zip(_CYRILLIC, _LATIN, strict=True)), **_PAIRS})
_LINE: Final = re.compile(r'(?:(msgctxt|msgid|msgstr)\s+)?("(?:[^"\\]|\\.)*")')


def latin(text: str) -> str:
    """Serbian Cyrillic in Latin letters; everything else stays."""
    return text.translate(_LETTERS)


def read(text: str) -> dict[str, str]:
    """The messages of a `.po` file: translations by text, with the context before it where there is one.

    The header is the message with the empty text. Raises ValueError for what this program does not know (plurals), for
    fuzzy messages, and for a message that stands twice.
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
        if key in found:
            raise ValueError(f"{key!r} stands twice")
        found[key] = parts["msgstr"]
    return found


def write(messages: dict[str, str]) -> str:
    """The `.po` file of `messages`, in their order."""
    blocks = []
    for key, translation in messages.items():
        context, mark, text = key.rpartition(CONTEXT_END)
        lines = [f"msgctxt {_quoted(context)}"] if mark else []
        blocks.append("\n".join([*lines, f"msgid {_quoted(text)}", f"msgstr {_quoted(translation)}"]))
    return "\n\n".join(blocks) + "\n"


def compiled(messages: dict[str, str]) -> bytes:
    """The `.mo` file of `messages`, as gettext reads it: sorted keys, two tables of lengths and offsets, the texts."""
    entries = sorted((key.encode(), translation.encode()) for key, translation in messages.items() if translation)
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


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def main() -> int:
    """Write the Latin catalog and all compiled ones."""
    cyrillic = read((LOCALE / "sr/LC_MESSAGES/django.po").read_text(encoding="utf-8"))
    (LOCALE / "sr_Latn/LC_MESSAGES").mkdir(parents=True, exist_ok=True)
    (LOCALE / "sr_Latn/LC_MESSAGES/django.po").write_text(write(latin_catalog(cyrillic)), encoding="utf-8")
    for source in sorted(LOCALE.glob("*/LC_MESSAGES/django.po")):
        source.with_suffix(".mo").write_bytes(compiled(read(source.read_text(encoding="utf-8"))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
