"""Mail in development: kept as .eml files in a folder, shown on the mailbox page, sent nowhere.

Switched on by `EMAIL_BACKEND = "dashboard.mail.MailboxBackend"` and `FC_MAILBOX_DIR`, the folder.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.parser import BytesParser
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.html import strip_tags

from connect.kit import clock

BACKEND: Final = "dashboard.mail.MailboxBackend"
SHOWN_MAX: Final = 100
_NAME: Final = re.compile(r"\d{8}T\d{12}-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Mail:
    """One kept mail. `name` is its file name without ending, sortable by time; `body` is plain text."""

    name: str
    subject: str
    sender: str
    to: str
    sent_at: datetime
    body: str


class MailboxBackend(BaseEmailBackend):
    """Writes every message into `FC_MAILBOX_DIR`, for the owner's eyes only: mails hold links that sign a person in."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Keeps the messages and returns how many."""
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for message in email_messages:
            kept = message.message()
            if message.bcc:
                kept["Bcc"] = ", ".join(message.bcc)  # what is sent does not say it: here it is who gets the mail
            path = folder / f"{clock.wall():%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}.eml"
            draft = path.with_suffix(".part")
            draft.touch(mode=0o600)
            draft.write_bytes(kept.as_bytes())
            draft.rename(path)  # a reader never sees half a mail
        return len(email_messages)


def is_mailbox_open() -> bool:
    """Whether mails of this installation land in the folder, and the mailbox page may therefore show them."""
    return settings.EMAIL_BACKEND == BACKEND


def newest() -> list[Mail]:
    """The newest mails first, at most 100."""
    paths = sorted(_folder().glob("*.eml"), reverse=True)[:SHOWN_MAX]
    return [_read(path) for path in paths if _NAME.fullmatch(path.stem)]


def get(name: str) -> Mail | None:
    """The mail of that name, or None; a name that is not one of ours never reaches the file system."""
    path = _folder() / f"{name}.eml"
    return _read(path) if _NAME.fullmatch(name) and path.is_file() else None


def _folder() -> Path:
    return Path(settings.FC_MAILBOX_DIR)


def _read(path: Path) -> Mail:
    with path.open("rb") as file:
        message = BytesParser(policy=policy.default).parse(file)
    part = message.get_body(("plain", "html"))
    text = str(part.get_content()) if part else ""
    return Mail(
        name=path.stem,
        subject=str(message["subject"] or ""),
        sender=str(message["from"] or ""),
        to=", ".join(str(message[name]) for name in ("to", "cc", "bcc") if message[name]),
        sent_at=datetime.strptime(path.stem.partition("-")[0], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC),
        body=strip_tags(text) if part and part.get_content_subtype() == "html" else text,
    )
