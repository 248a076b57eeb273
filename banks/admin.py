"""Banks for staff: the public catalogue, which they can correct, and one environment's bank data, read-only.

Account numbers are masked, and nothing that is sealed or opens a page is shown: not even staff need it.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminNullBooleanSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from banks.domain import ibans, institution_ids, interfaces
from banks.domain.health import Standing
from banks.domain.interfaces import InterfaceInvalid
from banks.domain.names import words
from banks.domain.profiles import SANDBOX, Approach
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
from banks.selectors import institutions as selectors
from banks.services import incidents, institutions
from connect.admin import columns, figures
from connect.admin import forms as staff_forms
from connect.admin.columns import NOTHING, Column
from connect.admin.rows import RowAdmin
from connect.admin.sites import environment_site, platform_site
from connect.kit import ids
from connect.kit.errors import DomainError

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


ABILITIES = ("accounts", "payments", "pending")
DAYS = ("history_days", "consent_days", "calls_per_day", "overlap_days")


def ability(label: str) -> forms.NullBooleanField:
    """Whether a bank's interface can do something, where that differs from what is usual."""
    widget = UnfoldAdminNullBooleanSelectWidget()
    widget.choices = [("unknown", "As usual"), ("true", "Yes"), ("false", "No")]
    return forms.NullBooleanField(label=label, required=False, widget=widget)


def number(label: str, least: int, most: int) -> forms.IntegerField:
    """A number of a bank's own, where it differs from what is usual."""
    return forms.IntegerField(
        label=label,
        min_value=least,
        max_value=most,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=f"{least} to {most}; empty: as usual.",
    )


class InstitutionForm(forms.ModelForm):
    """What staff decide about a bank; the rest comes with the product.

    The fields of the interface become the one value that `interfaces.check` knows; what is empty is as usual.
    """

    is_enabled = forms.BooleanField(
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        label="Offered",
        help_text="Whether it is on the link page. Connections that exist go on either way.",
    )
    native_name = forms.CharField(max_length=120, required=False, widget=UnfoldAdminTextInputWidget)
    base_url = forms.CharField(
        max_length=300,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        label="Address of the interface",
        help_text="Where it begins, before /v1. Without one the bank cannot be linked.",
    )
    accounts = ability("Reads accounts")
    payments = ability("Takes payment orders")
    pending = ability("Lists entries that are not booked yet")
    history_days = number("History in days", 1, 730)
    consent_days = number("Consent in days", 1, 730)
    calls_per_day = number("Unattended calls a day", 1, 96)
    overlap_days = number("Days that a sync reads again", 0, 90)
    approaches = forms.MultipleChoiceField(
        choices=[(known.value, known.value.capitalize()) for known in Approach],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        label="How customers agree",
        help_text="None: by redirect, as usual.",
    )
    payment_products = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="One a line, currency and the bank's name for the product: mkd domestic-credit-transfers",
    )
    headers = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="One a line, sent with every call: TPP-Brand-Logging-Information: Facturino",
    )
    confidence = forms.ChoiceField(
        choices=[("", "As the catalogue says"), ("low", "Low"), ("medium", "Medium"), ("high", "High")],
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text="How sure we are that this works. Apps read it as integration_confidence.",
    )
    confidence_note = forms.CharField(
        max_length=500,
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="Why: who tried it, when, against what. Needed with a confidence of your own.",
    )

    class Meta:
        model = Institution
        fields = ("is_enabled", "native_name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, value in _entered(self.instance.interface).items():
            self.fields[name].initial = value

    def clean_payment_products(self) -> dict[str, str]:
        """The lines as pairs."""
        return _pairs(self.cleaned_data["payment_products"], None)

    def clean_headers(self) -> dict[str, str]:
        """The lines as pairs."""
        return _pairs(self.cleaned_data["headers"], ":")

    def clean(self) -> dict[str, Any]:
        """Only what a connector can use, put together as `interface`."""
        given = super().clean() or self.cleaned_data
        if given.get("confidence") and not given.get("confidence_note"):
            self.add_error("confidence_note", "Say why: a word without a reason helps nobody.")
        if self.errors:
            return given
        abilities = {name: given[name] for name in (*ABILITIES, *DAYS, "approaches") if given[name] not in (None, [])}
        parts = {
            "base_url": given["base_url"].strip(),
            "capabilities": abilities,
            "payment_products": given["payment_products"],
            "headers": given["headers"],
            "confidence": given["confidence"],
            "confidence_note": given["confidence_note"].strip(),
        }
        interface = {name: value for name, value in parts.items() if value}
        try:
            interfaces.check(interface, plain_http=self.instance.slug == SANDBOX)
        except InterfaceInvalid as wrong:
            field, _, _ = str(wrong).partition(":")
            self.add_error(field if field in self.fields else None, str(wrong))
        return {**given, "interface": interface}


def _entered(interface: dict[str, Any]) -> dict[str, Any]:
    """The stored interface as the form's fields show it."""
    products, headers = interface.get("payment_products", {}), interface.get("headers", {})
    return {
        **interface.get("capabilities", {}),
        "base_url": interface.get("base_url", ""),
        "payment_products": "\n".join(f"{currency} {product}" for currency, product in products.items()),
        "headers": "\n".join(f"{name}: {value}" for name, value in headers.items()),
        "confidence": interface.get("confidence", ""),
        "confidence_note": interface.get("confidence_note", ""),
    }


def _pairs(text: str, separator: str | None) -> dict[str, str]:
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, *rest = (part.strip() for part in line.split(separator, 1))
        if not name or not rest or not rest[0]:
            raise forms.ValidationError(f"“{line}” is no pair.")
        found[name] = rest[0]
    return found


@admin.register(Institution, site=platform_site)
class InstitutionAdmin(RowAdmin):
    """One bank: whether and how it is reached from here."""

    prefix = institution_ids.PREFIX
    form = InstitutionForm
    ordering = ("name", "id")
    search_help_text = "inst_…, name in either script, slug or BIC"
    list_display = ("name", "country", "bank_code", "connector", "sure", "is_reached", "is_enabled", "public_id")
    list_filter = ("country", "is_enabled", "connector", "integration_confidence")
    fieldsets = (
        (None, {"fields": ("is_enabled", "native_name")}),
        ("Interface", {"fields": (
            "base_url", *ABILITIES, *DAYS, "approaches", "payment_products", "headers", "confidence", "confidence_note",
        )}),
        ("Facts", {"fields": (
            "public_id", "name", "slug", "country", "bic", "bank_code", "connector", "website", "identity_confidence",
            "integration_confidence", "note",
        )}),
    )  # fmt: skip
    actions_detail = ("open_incident",)
    stored = columns.data("interface", title="Interface")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Staff with the permission."""
        user: Any = request.user
        return bool(user.has_perm("banks_catalog.change_institution"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The facts."""
        return tuple(self.fieldsets[2][1]["fields"])

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who may not change it sees the interface as it is stored: the typed fields exist in a form only."""
        if self.has_change_permission(request, obj):
            return self.fieldsets
        return (self.fieldsets[0], ("Interface", {"fields": ("stored",)}), self.fieldsets[2])

    @display(description="Confidence", label={"high": "success", "medium": "info", "low": "warning"})
    def sure(self, row: Institution) -> str:
        """Of its interface."""
        return row.confidence

    @display(description="Reached", boolean=True)
    def is_reached(self, row: Institution) -> bool:
        """Whether this installation can link it."""
        return selectors.profile(row) is not None

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
        given = form.cleaned_data
        institutions.update(
            institution_id=obj.pk,
            is_enabled=given["is_enabled"],
            native_name=given["native_name"],
            interface=given["interface"],
        )

    def has_incident_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the person may open and end incidents."""
        return may_tell_of_incidents(request)

    @action(description="Open an incident", icon="report", permissions=["incident"])
    def open_incident(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say that the bank is not healthy, on the status page and to whoever is connected to it."""
        row = self.get_object(request, self._pk_of(object_id))
        if row is None:
            raise Http404
        form = IncidentForm(request.POST or None)
        if form.is_valid():
            try:
                incident = incidents.open_by_staff(
                    institution_id=row.pk, status=Standing(form.cleaned_data["status"]), note=form.cleaned_data["note"]
                )
            except DomainError as error:
                staff_forms.refuse(form, error)
            else:
                messages.success(request, "The incident is open. The status page shows it within half a minute.")
                return HttpResponseRedirect(reverse("admin:banks_catalog_institutionincident_change", args=[incident]))
        return staff_forms.ask(
            self, request, form, title=f"Open an incident at {row.name}", button="Open the incident", danger=True,
            text="The public status page shows it, apps that are connected to the bank get an event, and it stays until"
            " somebody resolves it, whatever the calls show. Incidents that calls show open and end by themselves.",
            back=reverse("admin:banks_catalog_institution_change", args=[self.row_id(row)]),
        )  # fmt: skip


def may_tell_of_incidents(request: HttpRequest) -> bool:
    """Whether the person may open incidents, write their notes and end them."""
    user: Any = request.user
    return bool(user.has_perm("banks_catalog.change_institutionincident"))


class IncidentForm(forms.Form):
    """How the bank is doing, and what readers are told."""

    status = forms.ChoiceField(
        choices=[(Standing.DEGRADED.value, "Slow, or fails at times"), (Standing.DOWN.value, "Does not answer")],
        widget=UnfoldAdminSelectWidget,
    )
    note = forms.CharField(
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text="What readers of the status page are told. Name no customer.",
    )


class ResolveForm(forms.Form):
    """What stays on the status page about it."""

    note = forms.CharField(max_length=1000, required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}))


class RunningFilter(admin.SimpleListFilter):
    """Those that go on, or those that are over."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Two."""
        return [("running", "Going on"), ("over", "Over")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The chosen ones."""
        return queryset.filter(ended_at__isnull=self.value() == "running") if self.value() else queryset


def bank_link() -> Column:
    """The name of the bank of a row that `with_names` read, linked to its page."""

    @display(description="Institution")
    def column(_: Any, row: Any) -> SafeString:
        url = reverse(
            "admin:banks_catalog_institution_change", args=[ids.encode(institution_ids.PREFIX, row.institution_id)]
        )
        return format_html('<a href="{}" class="text-link">{}</a>', url, row.bank_name or row.institution_id)

    return column


def with_names(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Rows that name a bank by its id alone, each with the bank's name."""
    banks = Institution.objects.filter(pk=OuterRef("institution_id"))
    return rows.annotate(bank_name=Subquery(banks.values("name")[:1]))


@admin.register(InstitutionIncident, site=platform_site)
class InstitutionIncidentAdmin(RowAdmin):
    """A time in which a bank was not healthy: what readers of the status page are told, and its end."""

    references = {institution_ids.PREFIX: "institution_id"}
    title = "institution incidents"
    ordering = ("-began_at",)
    standing = columns.state("status", STANDING_COLOURS)
    bank = bank_link()
    list_display = ("began_at", "standing", "bank", "opened_by", "ended_at", "note")
    list_filter = (RunningFilter, "status", "by_staff")
    fields = ("note", "id", "standing", "bank", "opened_by", "began_at", "ended_at", "announced_at")
    actions_detail = ("resolve",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the names of the banks."""
        return with_names(super().get_queryset(request))

    @display(description="Opened by")
    def opened_by(self, row: InstitutionIncident) -> str:
        """Whose word it is."""
        return "staff" if row.by_staff else "failing calls"

    def has_resolve_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the person may end incidents, and this one has not ended."""
        if not may_tell_of_incidents(request):
            return False
        return obj is None or self.is_now(obj, ended_at=None)

    @action(description="Resolve", icon="task_alt", permissions=["resolve"])
    def resolve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End it, with the last word about it."""
        row = self.get_object(request, self._pk_of(object_id))
        if row is None:
            raise Http404
        form = ResolveForm(request.POST or None, initial={"note": row.note})
        back = reverse("admin:banks_catalog_institutionincident_change", args=[row.pk])
        if form.is_valid():
            try:
                incidents.resolve(incident_id=row.pk, note=form.cleaned_data["note"])
            except DomainError as error:
                staff_forms.refuse(form, error)
            else:
                messages.success(request, "The incident has ended. Whoever is connected to the bank is told.")
                return HttpResponseRedirect(back)
        return staff_forms.ask(
            self, request, form, title="Resolve the incident", button="Resolve", back=back,
            text="The status page shows the bank as its calls do again. If they still fail, one opens by itself.",
        )  # fmt: skip

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Staff with the permission."""
        return may_tell_of_incidents(request)

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
    bank = bank_link()
    list_display = ("window_start", "bank", "operation", "successes", "bank_errors", "own_errors")
    list_filter = ("operation",)
    fields = ("id", "window_start", "bank", "operation", "successes", "bank_errors", "own_errors", "latency_counts")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the names of the banks."""
        return with_names(super().get_queryset(request))


def _connected(amounts: figures.Amounts) -> list[figures.Line]:
    """How many consents are active, at how many banks, in which countries. The sandbox bank is none of a country."""
    known = dict(Institution.objects.exclude(slug=SANDBOX).values_list("id", "country"))
    countries = {
        livemode: sorted({known[UUID(bank)] for bank in kept if UUID(bank) in known})
        for livemode, kept in ((True, amounts.live), (False, amounts.test))
    }
    return [
        figures.Line("Banks connected", figures.count(len(amounts.live)), figures.count(len(amounts.test))),
        figures.Line(
            "Active connections", figures.count(sum(amounts.live.values())), figures.count(sum(amounts.test.values()))
        ),
        figures.Line("Countries", ", ".join(countries[True]) or NOTHING, ", ".join(countries[False]) or NOTHING),
    ]


figures.register(
    "connections",
    figures.Figure(
        "SELECT institution_id::text, count(*) FROM {schema}.banks_connection WHERE status = 'active' GROUP BY 1",
        _connected,
    ),
)


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
