"""The ledger of one environment, for staff: accounts with their balances, transactions with their lines, holds."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import BigIntegerField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from connect.admin import columns
from connect.admin.rows import RowAdmin
from connect.admin.sites import environment_site
from connect.kit import ids
from ledger.models import Account, Balance, Entry, Hold, Transaction

ACCOUNT, TRANSACTION, HOLD = "lacct", "ltxn", "lhold"
LINES_SHOWN = 25
_TABLE = (
    '<table class="staff-lines"><thead><tr><th>{}</th><th class="number">Debit</th><th class="number">Credit</th>'
    "</tr></thead><tbody>{}</tbody></table>"
)


@admin.register(Account, site=environment_site)
class AccountAdmin(RowAdmin):
    """An account, with what is in it now."""

    prefix = ACCOUNT
    exact = ("path",)
    held_in = columns.amount("held_in_minor")
    held_out = columns.amount("held_out_minor")
    floor = columns.amount("floor_minor")
    owner = columns.account()
    details = columns.data("metadata")
    list_display = ("path", "balance", "held_in", "held_out", "normal_side", "owner", "created_at", "closed_at")
    fields = (
        "public_id", "path", "name", "owner", "normal_side", "balance", "held_in", "held_out", "floor", "stripes",
        "created_at", "closed_at", "details", "newest_lines",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the balance, summed over stripes, in the same statement."""
        stripes = Balance.objects.filter(account_id=OuterRef("pk")).values("account_id")
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.annotate(
            posted_minor=_sum(stripes, "posted"),
            held_in_minor=_sum(stripes, "held_in"),
            held_out_minor=_sum(stripes, "held_out"),
        )

    @display(description="Balance")
    def balance(self, row: Any) -> str:
        """What is posted, positive on the account's normal side."""
        return columns.money_text(row.posted_minor if row.normal_side == "credit" else -row.posted_minor, row.currency)

    @display(description="Newest lines")
    def newest_lines(self, row: Account) -> SafeString | str:
        """The last 25 lines, each with its transaction."""
        entries = Entry.objects.filter(account_id=row.pk).order_by("-transaction_id", "line")[:LINES_SHOWN]
        return _lines(
            "Transaction",
            [
                (columns.link(self.admin_site, ids.encode(TRANSACTION, entry.transaction_id)), entry)
                for entry in entries
            ],
        )


@admin.register(Transaction, site=environment_site)
class TransactionAdmin(RowAdmin):
    """A balanced posting, and its lines."""

    prefix = TRANSACTION
    references = {HOLD: "hold_id", "pi": "reference", "ch": "reference"}
    exact = ("idempotency_key", "reference")
    belongs_to = columns.public_id("reference")
    undoes = columns.reference("reverses", TRANSACTION, title="Reverses")
    hold = columns.reference("hold_id", HOLD)
    details = columns.data("metadata")
    list_display = ("public_id", "seq", "kind", "belongs_to", "effective_at", "created_at")
    fields = (
        "public_id", "seq", "kind", "belongs_to", "lines", "undoes", "hold", "idempotency_key", "description",
        "effective_at", "created_at", "details",
    )  # fmt: skip

    @display(description="Lines")
    def lines(self, row: Transaction) -> SafeString | str:
        """Account, debit and credit of each line."""
        entries = list(Entry.objects.filter(transaction_id=row.pk).order_by("line"))
        paths = dict(Account.objects.filter(pk__in={entry.account_id for entry in entries}).values_list("pk", "path"))
        return _lines("Account", [(self._account(entry, paths[entry.account_id]), entry) for entry in entries])

    def _account(self, entry: Entry, path: str) -> SafeString:
        url = self.admin_site.link_to(ids.encode(ACCOUNT, entry.account_id))
        return format_html('<a href="{}" class="text-link">{}</a>', url, path)


@admin.register(Hold, site=environment_site)
class HoldAdmin(RowAdmin):
    """Money set aside."""

    prefix = HOLD
    references = {ACCOUNT: "source_account", "pi": "reference", "ch": "reference"}
    exact = ("idempotency_key", "reference")
    amount = columns.amount("amount_minor")
    posted = columns.amount("posted_minor")
    voided = columns.amount("voided_minor")
    progress = columns.state("state", {"pending": "warning", "posted": "success", "voided": "info"}, title="State")
    source = columns.reference("source_account", ACCOUNT)
    destination = columns.reference("destination_account", ACCOUNT)
    belongs_to = columns.public_id("reference")
    details = columns.data("metadata")
    list_display = ("public_id", "progress", "amount", "posted", "voided", "belongs_to", "expires_at", "created_at")
    fields = (
        "public_id", "progress", "amount", "posted", "voided", "void_reason", "source", "destination", "belongs_to",
        "idempotency_key", "description", "expires_at", "created_at", "details",
    )  # fmt: skip


def _sum(stripes: QuerySet[Any], field: str) -> Coalesce:
    total = stripes.annotate(total=Sum(field)).values("total")
    return Coalesce(Subquery(total, output_field=BigIntegerField()), 0)


def _lines(heading: str, lines: list[tuple[str, Entry]]) -> SafeString | str:
    """A table of entries; `lines` pairs what stands in the first column with the entry."""
    cells = [
        (first, *(("", shown) if entry.amount_minor > 0 else (shown, "")))
        for first, entry in lines
        for shown in [columns.money_text(abs(entry.amount_minor), entry.currency)]
    ]
    row = '<tr><td>{}</td><td class="number">{}</td><td class="number">{}</td></tr>'
    return format_html(_TABLE, heading, format_html_join("", row, cells)) if cells else columns.NOTHING
