"""Which pages the portal has, in which order, and from which files of `docs/` they are made.

The files are read once per process. What is generated elsewhere (errors, events, test cards) is shown as it lies in
`docs/`; scopes, currencies and tiers are listed from the code.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from django.conf import settings

from connect.domain import tiers
from connect.domain.scopes import SCOPES
from connect.kit import currencies
from dashboard.portal import markdown
from dashboard.portal.markdown import Document, UnknownMarkup

FOLDER: Final = Path(settings.BASE_DIR) / "docs"
HERE: Final = "/docs"
REFERENCE: Final = f"{HERE}/api"
_LOCAL, _LOCAL_BANK = "http://127.0.0.1:8000", "http://127.0.0.1:8010"
"""What the guides speak of: product and Sandbox Bank. Each installation shows its own addresses in their place."""
FILES: Final = {"openapi.yaml": "application/yaml", "events.schema.json": "application/schema+json"}
"""Files of the folder that are handed out as they are."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One page. `slug` is its address, `title` its name in the navigation, `file` its place below `docs/`."""

    slug: str
    title: str
    file: str
    more: Callable[[], str] | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{HERE}/{self.slug}"

    @property
    def exists(self) -> bool:
        """Whether its file is part of this installation."""
        return (FOLDER / self.file).is_file()


@dataclass(frozen=True, slots=True)
class Page:
    """An entry that was read, with its neighbours."""

    entry: Entry
    document: Document
    previous: Entry | None
    following: Entry | None


def _scopes() -> str:
    rows = (f"| `{name}` | {text} |" for name, text in sorted(SCOPES.items()))
    return "\n".join(["", "## Every scope", "", "| scope | what it lets an app do |", "|---|---|", *rows, ""])


def _currencies() -> str:
    rows = (
        f"| `{code}` | {exponent} | {_at_least(code)} |"
        for code, exponent in sorted(currencies.EXPONENTS.items())
        if code in currencies.MINIMUM_CHARGE
    )
    others = ", ".join(f"`{code}`" for code in sorted(currencies.EXPONENTS.keys() - currencies.MINIMUM_CHARGE.keys()))
    none, three = (
        ", ".join(f"`{code}`" for code, exponent in sorted(currencies.EXPONENTS.items()) if exponent == wanted)
        for wanted in (0, 3)
    )
    return "\n".join(
        [
            "", "## Every currency", "", "| currency | decimals | the least that is charged, in minor units |",
            "|---|---|---|", *rows, "",
            f"Of these there is no least amount: {others}.", "",
            f"No decimals have {none}; three have {three}; all others have two. No amount has more than 12 digits.", "",
        ]
    )  # fmt: skip


def _at_least(code: str) -> str:
    return f"{currencies.minimum_charge(code):,}".replace(",", " ")


def _tiers() -> str:
    rows = (
        f"| {tier.name} | {tier.environment.per_second:g}, {tier.environment.burst} at once"
        f" | {tier.key.per_second:g}, {tier.key.burst} at once | {_quota(tier)} | {tier.log_days} days |"
        for tier in tiers.TIERS.values()
    )
    head = "| tier | requests a second in an environment | with one key | live requests a month | request log |"
    own = "Whoever runs the installation can give an environment limits of its own."
    return "\n".join(["", "### By tier", "", head, "|---|---|---|---|---|", *rows, "", own, ""])


def _quota(tier: tiers.Tier) -> str:
    if tier.monthly_quota is None:
        return "no limit"
    number = f"{tier.monthly_quota:,}".replace(",", " ")
    return f"{number}; above that they are refused" if tier.hard else f"{number}; above that they go on"


GROUPS: Final[tuple[tuple[str, tuple[Entry, ...]], ...]] = (
    (
        "Get started",
        (
            Entry("quickstart", "Quickstart", "guides/quickstart.md"),
            Entry("link-a-bank", "Link a bank", "guides/link-a-bank.md"),
            Entry("take-a-payment", "Take a payment", "guides/take-a-payment.md"),
            Entry("webhooks", "Webhooks", "guides/webhooks.md"),
            Entry("going-live", "Going live", "guides/going-live.md"),
        ),
    ),
    (
        "Payments and books",
        (
            Entry("checkout", "Checkout", "guides/checkout.md"),
            Entry("save-a-card", "Save a card", "guides/save-a-card.md"),
            Entry("refunds", "Refunds", "guides/refunds.md"),
            Entry("amounts", "Amounts and fees", "guides/amounts.md", _currencies),
            Entry("ledger", "The ledger", "guides/ledger.md"),
        ),
    ),
    (
        "Bank data",
        (
            Entry("banking", "Bank data", "banking.md"),
            Entry("bank-refusals", "What banks refuse", "bank-refusals.md"),
        ),
    ),
    (
        "Using the API",
        (
            Entry("keys", "API keys", "guides/keys.md"),
            Entry("scopes", "Scopes", "guides/scopes.md", _scopes),
            Entry("errors-and-retries", "Idempotency and limits", "guides/errors-and-retries.md", _tiers),
            Entry("lists", "Paging and expand", "guides/lists.md"),
            Entry("versions", "Versions", "guides/versions.md"),
            Entry("libraries", "Libraries", "guides/libraries.md"),
            Entry("oauth", "Apps with OAuth", "guides/oauth.md"),
        ),
    ),
    (
        "Testing",
        (
            Entry("test-cards", "Test cards", "test-cards.md"),
            Entry("test-clocks", "Test clocks", "guides/test-clocks.md"),
            Entry("sandbox-bank", "Sandbox Bank", "sandbox-bank.md"),
        ),
    ),
    (
        "Look up",
        (
            Entry("errors", "Errors", "errors.md"),
            Entry("events", "Events", "events.md"),
            Entry("stripe-compatibility", "Stripe compatibility", "stripe-compatibility.md"),
            Entry("operations", "Running it", "operations.md"),
        ),
    ),
)


def groups() -> list[tuple[str, list[Entry]]]:
    """What the navigation shows."""
    return [(title, [entry for entry in entries if entry.exists]) for title, entries in GROUPS]


def entries() -> list[Entry]:
    """Every page in reading order."""
    return [entry for _, found in groups() for entry in found]


@cache
def page(slug: str) -> Page | None:
    """A page by its address, or None."""
    every = entries()
    for position, entry in enumerate(every):
        if entry.slug == slug:
            return Page(
                entry=entry,
                document=_read(entry),
                previous=every[position - 1] if position else None,
                following=every[position + 1] if position + 1 < len(every) else None,
            )
    return None


@cache
def image(name: str) -> bytes | None:
    """A picture of the guides by name, or None. Only names that are in the folder are looked for."""
    folder = FOLDER / "guides" / "images"
    found = {path.name: path for path in folder.glob("*.webp")}
    return found[name].read_bytes() if name in found else None


def here(text: str) -> str:
    """Code of a guide with the addresses of this installation."""
    bank = settings.FC_SANDBOX_BANK_URL or _LOCAL_BANK
    return text.replace(_LOCAL, settings.FC_PUBLIC_URL.rstrip("/")).replace(_LOCAL_BANK, bank.rstrip("/"))


def _read(entry: Entry) -> Document:
    source = (FOLDER / entry.file).read_text(encoding="utf-8") + (entry.more() if entry.more else "")
    try:
        return markdown.render(source, link=lambda target: address(target, entry.file), fill=here)
    except UnknownMarkup as error:
        raise UnknownMarkup(f"docs/{entry.file}: {error}") from error


def address(target: str, file: str) -> str:
    """Where a link of a file below `docs/` leads in the portal. Raises `UnknownMarkup` when it leads out of it."""
    if target.startswith(("https://", "mailto:", "#", "/")):
        return target
    path, mark, anchor = target.partition("#")
    place = posixpath.normpath(posixpath.join(posixpath.dirname(file), path))
    if place == "openapi.yaml":
        return REFERENCE + mark + anchor
    if place == "../README.md":
        return f"{HERE}/quickstart"
    if place in FILES:
        return f"{HERE}/{place}"
    if place.startswith("guides/images/"):
        return f"{HERE}/images/{posixpath.basename(place)}"
    for entry in entries():
        if entry.file == place:
            return entry.url + mark + anchor
    raise UnknownMarkup(f"{target} leads out of the portal")
