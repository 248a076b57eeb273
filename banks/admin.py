"""Banks for staff: the public catalogue, which they can correct, and one environment's bank data, read-only.

Account numbers are masked, and nothing that is sealed or opens a page is shown: not even staff need it.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from banks.domain import ibans, institution_ids, interfaces
from banks.domain.interfaces import InterfaceInvalid
from banks.domain.names import words
from banks.domain.profiles import SANDBOX
from banks.models import (
    BankAccount,
    BankPayment,
    BankTransaction,
    Connection,
    Institution,
    InstitutionHealth,
    InstitutionIncident,
    LinkSession,
)
from banks.services import institutions
from connect.admin import columns
from connect.admin.columns import NOTHING, Column
from connect.admin.rows import RowAdmin
from connect.admin.sites import environment_site, platform_site
from connect.kit import ids

CONNECTION_COLOURS = {
    "active": "success", "login_required": "warning", "expired": "warning", "revoked": "danger", "removed": "danger",
    "pending": "info",
}  # fmt: skip
LINK_COLOURS = {
    "complete": "success", "open": "info", "at_bank": "info", "choosing": "info", "canceled": "danger",
    "expired": "danger",
}  # fmt: skip
ACCOUNT_COLOURS = {"open": "success", "blocked": "warning", "closed": "danger"}
TRANSACTION_COLOURS = {"booked": "success", "pending": "info", "removed": "danger"}
PAYMENT_COLOURS = {"succeeded": "success", "failed": "danger", "canceled": "danger", "requires_action": "warning"}
STANDING_COLOURS = {"healthy": "success", "degraded": "warning", "down": "danger"}


# --- the public catalogue ---------------------------------------------------------------------------------------------


class InstitutionForm(forms.ModelForm):
    """What staff decide about a bank; the rest comes with the product."""

    native_name = forms.CharField(max_length=120, required=False, widget=UnfoldAdminTextInputWidget)
    is_enabled = forms.BooleanField(
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Offer it on the link page. Connections go on anyway.",
    )
    interface = forms.JSONField(
        required=False,
        widget=UnfoldAdminTextareaWidget,
        help_text="base_url (before /v1), capabilities, payment_products by currency, headers.",
    )

    class Meta:
        model = Institution
        fields = ("is_enabled", "native_name", "interface")

    def clean_interface(self) -> dict[str, Any]:
        """Only what a connector can use."""
        entered = {} if self.cleaned_data["interface"] is None else self.cleaned_data["interface"]
        try:
            interfaces.check(entered, plain_http=self.instance.slug == SANDBOX)
        except InterfaceInvalid as wrong:
            raise forms.ValidationError(str(wrong)) from None
        return dict(entered)


@admin.register(Institution, site=platform_site)
class InstitutionAdmin(RowAdmin):
    """One bank: whether and how it is reached from here."""

    prefix = institution_ids.PREFIX
    form = InstitutionForm
    ordering = ("name", "id")
    search_help_text = "inst_…, name in either script, slug or BIC"
    list_display = ("name", "country", "bank_code", "connector", "integration_confidence", "is_enabled", "public_id")
    list_filter = ("country", "is_enabled", "connector")
    fieldsets = (
        (None, {"fields": ("is_enabled", "native_name", "interface")}),
        ("Facts", {"fields": (
            "public_id", "name", "slug", "country", "bic", "bank_code", "connector", "website", "identity_confidence",
            "integration_confidence", "note",
        )}),
    )  # fmt: skip

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Staff with the permission."""
        user: Any = request.user
        return bool(user.has_perm("banks_catalog.change_institution"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The facts."""
        return tuple(self.fieldsets[1][1]["fields"])

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By id, and by words of name, slug or BIC."""
        looked_for = words(search_term)
        if not looked_for:
            return (queryset if looked_for is not None else queryset.none()), False
        named, _ = super().get_search_results(request, queryset, search_term)
        spelled = Q(*[Q(search_text__contains=word) for word in looked_for])
        return queryset.filter(spelled | Q(pk__in=named.values("pk"))), False

    def save_model(self, request: HttpRequest, obj: Institution, form: ModelForm[Any], change: bool) -> None:
        """The service writes."""
        institutions.update(institution_id=obj.pk, **form.cleaned_data)


@admin.register(InstitutionIncident, site=platform_site)
class InstitutionIncidentAdmin(RowAdmin):
    """A time in which a bank was not healthy; what its readers are told can be written here."""

    references = {institution_ids.PREFIX: "institution_id"}
    title = "institution incidents"
    ordering = ("-began_at",)
    standing = columns.state("status", STANDING_COLOURS)
    bank = columns.reference("institution_id", institution_ids.PREFIX, title="Institution")
    list_display = ("began_at", "standing", "bank", "ended_at", "note")
    list_filter = ("status",)
    fields = ("note", "id", "standing", "bank", "began_at", "ended_at", "announced_at")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Staff with the permission."""
        user: Any = request.user
        return bool(user.has_perm("banks_catalog.change_institutionincident"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """All but the note."""
        return self.fields[1:]

    def save_model(self, request: HttpRequest, obj: InstitutionIncident, form: ModelForm[Any], change: bool) -> None:
        """The service writes."""
        institutions.note_incident(incident_id=obj.pk, note=form.cleaned_data["note"])


@admin.register(InstitutionHealth, site=platform_site)
class InstitutionHealthAdmin(RowAdmin):
    """What became of the calls to a bank in five minutes."""

    references = {institution_ids.PREFIX: "institution_id"}
    title = "institution health"
    ordering = ("-window_start", "-id")
    bank = columns.reference("institution_id", institution_ids.PREFIX, title="Institution")
    list_display = ("window_start", "bank", "operation", "successes", "bank_errors", "own_errors")
    list_filter = ("operation",)
    fields = ("id", "window_start", "bank", "operation", "successes", "bank_errors", "own_errors", "latency_counts")


# --- one environment --------------------------------------------------------------------------------------------------


def masked(field: str, *, title: str = "IBAN") -> Column:
    """An account number without what tells whose it is."""

    @display(description=title)
    def column(_: Any, row: Any) -> str:
        return ibans.masked(getattr(row, field)) or NOTHING

    return column


def bank_of() -> Column:
    """The bank, by its id: its page is on the platform's site, not here."""

    @display(description="Institution")
    def column(_: Any, row: Any) -> str:
        value: UUID | None = row.institution_id
        return ids.encode(institution_ids.PREFIX, value) if value else NOTHING

    return column


@admin.register(LinkSession, site=environment_site)
class LinkSessionAdmin(RowAdmin):
    """A customer's visit to the link page. What opens the page, and the token, are not shown."""

    prefix = "lks"
    references = {"conn": "connection_id", institution_ids.PREFIX: "institution_id"}
    exact = ("client_reference_id",)
    progress = columns.state("status", LINK_COLOURS)
    bank = bank_of()
    connection = columns.reference("connection_id", "conn")
    account = columns.account()
    asked = columns.data("permissions")
    details = columns.data("metadata")
    list_display = ("public_id", "mode", "progress", "bank", "connection", "last_error", "account", "created_at")
    list_filter = ("status", "mode")
    fields = (
        "public_id", "mode", "progress", "bank", "connection", "client_reference_id", "asked", "history_days",
        "purpose", "return_url", "locale", "consent_until", "agreed_at", "agreed_text", "last_error", "exchanged_at",
        "expires_at", "ended_at", "account", "created_at", "details",
    )  # fmt: skip


@admin.register(Connection, site=environment_site)
class ConnectionAdmin(RowAdmin):
    """A customer's consent at one bank, and how reading under it goes."""

    prefix = "conn"
    references = {institution_ids.PREFIX: "institution_id"}
    exact = ("client_reference_id",)
    progress = columns.state("status", CONNECTION_COLOURS)
    bank = bank_of()
    account = columns.account()
    asked = columns.data("permissions")
    details = columns.data("metadata")
    list_display = ("public_id", "progress", "bank", "error", "consent_until", "synced_at", "account", "created_at")
    list_filter = ("status",)
    fieldsets = (
        (None, {"fields": ("public_id", "progress", "bank", "connector", "client_reference_id", "account")}),
        ("Consent", {"fields": ("asked", "history_days", "consented_at", "consent_until", "expiry_announced_at")}),
        ("Sync", {"fields": (
            "synced_at", "history_complete", "position", "sync_due_at", "sync_lease_until", "sync_failures", "calls",
            "calls_day", "error", "error_at",
        )}),
        ("Details", {"fields": ("created_at", "removed_at", "details")}),
    )  # fmt: skip


@admin.register(BankAccount, site=environment_site)
class BankAccountAdmin(RowAdmin):
    """A linked account; its number is masked and its owner is not named."""

    prefix = "bka"
    references = {"conn": "connection_id"}
    title = "bank accounts"
    progress = columns.state("status", ACCOUNT_COLOURS)
    connection = columns.reference("connection_id", "conn")
    number = masked("iban")
    national = masked("national_number", title="National number")
    account = columns.account()
    held = columns.data("balances")
    details = columns.data("metadata")
    list_display = ("public_id", "number", "currency", "progress", "connection", "error", "account", "created_at")
    list_filter = ("status",)
    fields = (
        "public_id", "number", "national", "currency", "product", "cash_account_type", "progress", "connection",
        "held", "balances_at", "booked_until", "entries_at", "error", "error_at", "account", "created_at", "details",
    )  # fmt: skip


@admin.register(BankTransaction, site=environment_site)
class BankTransactionAdmin(RowAdmin):
    """An entry of a linked account; the other side's number is masked."""

    prefix = "btx"
    references = {"bka": "bank_account_id", "conn": "connection_id"}
    exact = ("end_to_end_id", "reference_value")
    title = "bank transactions"
    amount = columns.amount("amount_minor")
    progress = columns.state("status", TRANSACTION_COLOURS)
    bank_account = columns.reference("bank_account_id", "bka", title="Bank account")
    connection = columns.reference("connection_id", "conn")
    other_side = masked("counterparty_account", title="Counterparty account")
    balance_after = columns.amount("balance_after_minor", title="Balance after")
    account = columns.account()
    exchanged = columns.data("exchange")
    list_display = ("public_id", "booking_date", "amount", "progress", "bank_account", "account", "created_at")
    list_filter = ("status",)
    fieldsets = (
        (None, {"fields": ("public_id", "amount", "progress", "booking_date", "value_date", "bank_account",
                           "connection", "account")}),
        ("Other side", {"fields": ("counterparty_name", "other_side", "counterparty_bic", "remittance")}),
        ("References", {"fields": ("reference_scheme", "reference_value", "end_to_end_id", "entry_reference",
                                   "institution_transaction_id", "purpose_code", "bank_transaction_code")}),
        ("Details", {"fields": ("exchanged", "balance_after", "version", "created_at", "fetched_at", "updated_at")}),
    )  # fmt: skip


@admin.register(BankPayment, site=environment_site)
class BankPaymentAdmin(RowAdmin):
    """An order at a customer's bank; numbers are masked, and what opens its page is not shown."""

    references = {"conn": "connection_id", "bka": "bank_account_id", institution_ids.PREFIX: "institution_id"}
    exact = ("attempt", "end_to_end_id")
    amount = columns.amount("amount_minor")
    progress = columns.state("status", PAYMENT_COLOURS)
    bank = bank_of()
    payer = masked("debtor_iban", title="Debtor")
    payee = masked("creditor_iban", title="Creditor")
    asked_by = columns.public_id("attempt")
    connection = columns.reference("connection_id", "conn")
    account = columns.account()
    list_display = ("id", "amount", "progress", "bank_status", "bank", "asked_by", "account", "created_at")
    list_filter = ("status",)
    fields = (
        "id", "amount", "progress", "bank_status", "bank", "connection", "payer", "payee", "creditor_name",
        "remittance", "end_to_end_id", "asked_by", "failure", "failure_reason", "check_at", "expires_at", "ended_at",
        "account", "created_at",
    )  # fmt: skip
