"""Payments of one environment, for staff: read-only, with one action, which asks the processor."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action, display

from connect.admin import access, columns, figures
from connect.admin.confirmation import confirm
from connect.admin.rows import RowAdmin
from connect.admin.sites import environment_of, environment_site, outside_transaction
from connect.kit import clock
from connect.kit.tenancy import use_environment
from connect.services import audit
from payments.models import (
    Authentication,
    BalanceTransaction,
    Charge,
    CheckoutLineItem,
    CheckoutSession,
    Customer,
    PaymentAttempt,
    PaymentIntent,
    PaymentMethod,
    Price,
    Product,
    Refund,
    SetupIntent,
)
from payments.services import payment_attempts, processor_calls

INTENT_COLOURS = {
    "succeeded": "success",
    "canceled": "danger",
    "processing": "info",
    "requires_capture": "info",
    "requires_action": "warning",
    "requires_confirmation": "warning",
    "requires_payment_method": "warning",
}
REFUND_COLOURS = {
    "succeeded": "success", "pending": "info", "requires_action": "warning", "failed": "danger", "canceled": "danger",
}  # fmt: skip
SETUP_COLOURS = {"succeeded": "success", "canceled": "danger", "processing": "info", "requires_action": "warning"}
ATTEMPT_COLOURS = {"approved": "success", "open": "warning", "declined": "danger", "action_required": "info"}


def _volume(amounts: figures.Amounts) -> list[figures.Line]:
    """Never added up over currencies."""
    return [
        figures.Line(
            f"Payment volume, {currency.upper()}",
            columns.money_text(amounts.live.get(currency, 0), currency),
            columns.money_text(amounts.test.get(currency, 0), currency),
        )
        for currency in amounts.labels()
    ]


# What processors took and did not give back, out of the ledger's balances: a few rows a currency, whatever the traffic.
figures.register(
    "volume",
    figures.Figure(
        "SELECT a.currency::text, -sum(b.posted)::bigint FROM {schema}.ledger_account a"
        " JOIN {schema}.ledger_balance b ON b.account_id = a.id"
        " WHERE a.path LIKE 'processor:%:clearing:%' GROUP BY 1",
        _volume,
    ),
)


@admin.register(PaymentIntent, site=environment_site)
class PaymentIntentAdmin(RowAdmin):
    """The wish to collect an amount, and how far it has come."""

    prefix = "pi"
    references = {"cus": "customer_id", "pm": "payment_method_id", "ch": "latest_charge_id", "patt": "open_attempt_id"}
    amount = columns.amount("amount_minor")
    capturable = columns.amount("amount_capturable_minor")
    received = columns.amount("amount_received_minor")
    progress = columns.state("status", INTENT_COLOURS)
    customer = columns.reference("customer_id", "cus")
    method = columns.reference("payment_method_id", "pm", title="Payment method")
    charge = columns.reference("latest_charge_id", "ch", title="Latest charge")
    attempt = columns.reference("open_attempt_id", "patt", title="Open attempt")
    clock = columns.reference("test_clock_id", "clock", title="Test clock")
    account = columns.account()
    last_error = columns.data("last_payment_error")
    waits_for = columns.data("next_action")
    details = columns.data("metadata")
    list_display = ("public_id", "amount", "progress", "charge", "customer", "account", "created_at")
    list_filter = ("status",)
    fieldsets = (
        (None, {"fields": ("public_id", "progress", "amount", "capturable", "received", "capture_method", "account")}),
        ("Belongs to", {"fields": ("customer", "method", "charge", "attempt", "clock")}),
        ("State", {"fields": ("last_error", "waits_for", "cancellation_reason", "canceled_at")}),
        ("Details", {"fields": ("description", "statement_descriptor", "receipt_email", "created_at", "details")}),
    )


@admin.register(SetupIntent, site=environment_site)
class SetupIntentAdmin(RowAdmin):
    """The wish to keep a payment method for later. What lets a payer confirm it is stored nowhere."""

    prefix = "seti"
    references = {"cus": "customer_id", "pm": "payment_method_id", "patt": "open_attempt_id"}
    progress = columns.state("status", SETUP_COLOURS)
    customer = columns.reference("customer_id", "cus")
    method = columns.reference("payment_method_id", "pm", title="Payment method")
    attempt = columns.reference("open_attempt_id", "patt", title="Open attempt")
    clock = columns.reference("test_clock_id", "clock", title="Test clock")
    account = columns.account()
    last_error = columns.data("last_setup_error")
    details = columns.data("metadata")
    list_display = ("public_id", "progress", "usage", "customer", "method", "account", "created_at")
    list_filter = ("status", "usage")
    fields = (
        "public_id", "progress", "usage", "customer", "method", "attempt", "clock", "last_error", "cancellation_reason",
        "canceled_at", "description", "account", "created_at", "details",
    )  # fmt: skip


@admin.register(Authentication, site=environment_site)
class AuthenticationAdmin(RowAdmin):
    """A payer who was sent to the issuer's page. What opens that page is stored only as a hash, and not shown."""

    references = {"pi": "payment_intent_id", "seti": "setup_intent_id", "pm": "payment_method_id"}
    progress = columns.state("state", {"authenticated": "success", "failed": "danger", "pending": "warning"})
    intent = columns.reference("payment_intent_id", "pi", title="Payment intent")
    setup = columns.reference("setup_intent_id", "seti", title="Setup intent")
    method = columns.reference("payment_method_id", "pm", title="Payment method")
    account = columns.account()
    list_display = ("id", "progress", "intent", "setup", "method", "account", "created_at")
    list_filter = ("state",)
    fields = (
        "id", "progress", "asked", "intent", "setup", "method", "return_url", "failures", "account", "created_at",
        "seen_at", "settled_at", "expires_at",
    )  # fmt: skip

    @display(description="Amount")
    def asked(self, row: Authentication) -> str:
        """The amount it holds for; a setup has none."""
        return columns.money_text(row.amount_minor, row.currency or "")


@admin.register(Charge, site=environment_site)
class ChargeAdmin(RowAdmin):
    """One try to take money, approved or not."""

    prefix = "ch"
    references = {
        "pi": "payment_intent_id", "cus": "customer_id", "pm": "payment_method_id", "txn": "balance_transaction_id",
    }  # fmt: skip
    amount = columns.amount("amount_minor")
    captured_amount = columns.amount("amount_captured_minor", title="Captured")
    refunded_amount = columns.amount("amount_refunded_minor", title="Refunded")
    progress = columns.state("status", {"succeeded": "success", "failed": "danger", "pending": "warning"})
    intent = columns.reference("payment_intent_id", "pi", title="Payment intent")
    customer = columns.reference("customer_id", "cus")
    method = columns.reference("payment_method_id", "pm", title="Payment method")
    line = columns.reference("balance_transaction_id", "txn", title="Balance transaction")
    hold = columns.reference("hold_id", "lhold")
    clock = columns.reference("test_clock_id", "clock", title="Test clock")
    account = columns.account()
    verdict = columns.data("outcome")
    card = columns.data("payment_method_details")
    list_display = ("public_id", "amount", "progress", "failure_code", "intent", "account", "created_at")
    list_filter = ("status",)
    fieldsets = (
        (None, {"fields": ("public_id", "progress", "amount", "captured_amount", "refunded_amount", "account")}),
        ("Belongs to", {"fields": ("intent", "customer", "method", "line", "hold", "clock")}),
        (
            "Processor",
            {"fields": ("processor", "processor_reference", "failure_code", "failure_message", "verdict", "card")},
        ),
        ("Details", {"fields": ("description", "statement_descriptor", "disputed", "capture_before", "created_at")}),
    )


@admin.register(Refund, site=environment_site)
class RefundAdmin(RowAdmin):
    """Captured money on its way back to the payer."""

    prefix = "re"
    references = {
        "ch": "charge_id", "pi": "payment_intent_id", "cus": "customer_id", "txn": "balance_transaction_id",
        "patt": "attempt_id",
    }  # fmt: skip
    amount = columns.amount("amount_minor")
    progress = columns.state("status", REFUND_COLOURS)
    charge = columns.reference("charge_id", "ch")
    intent = columns.reference("payment_intent_id", "pi", title="Payment intent")
    line = columns.reference("balance_transaction_id", "txn", title="Balance transaction")
    return_line = columns.reference("failure_balance_transaction_id", "txn", title="Returned by")
    clock = columns.reference("test_clock_id", "clock", title="Test clock")
    attempt = columns.reference("attempt_id", "patt")
    account = columns.account()
    details = columns.data("metadata")
    list_display = ("public_id", "amount", "progress", "reason", "charge", "account", "created_at")
    list_filter = ("status",)
    fields = (
        "public_id", "amount", "progress", "reason", "failure_reason", "charge", "intent", "line", "return_line",
        "attempt", "clock", "processor_reference", "check_at", "account", "created_at", "details",
    )  # fmt: skip


@admin.register(Customer, site=environment_site)
class CustomerAdmin(RowAdmin):
    """A payer whom an app knows."""

    prefix = "cus"
    references = {"pm": "default_payment_method_id", "clock": "test_clock_id"}
    exact = ("email",)
    method = columns.reference("default_payment_method_id", "pm", title="Default payment method")
    clock = columns.reference("test_clock_id", "clock", title="Test clock")
    account = columns.account()
    lives_at = columns.data("address")
    details = columns.data("metadata")
    list_display = ("public_id", "email", "name", "account", "created_at", "deleted_at")
    fields = (
        "public_id", "email", "name", "phone", "description", "lives_at", "method", "clock", "account",
        "created_at", "deleted_at", "details",
    )  # fmt: skip


@admin.register(PaymentMethod, site=environment_site)
class PaymentMethodAdmin(RowAdmin):
    """What a payer pays with; a card number was never kept."""

    prefix = "pm"
    references = {"cus": "customer_id"}
    customer = columns.reference("customer_id", "cus")
    account = columns.account()
    card_shown = columns.data("card", title="Card")
    billed_to = columns.data("billing_details")
    list_display = ("public_id", "type", "customer", "used_up", "account", "created_at")
    fields = ("public_id", "type", "customer", "used_up", "account", "card_shown", "billed_to", "created_at")


@admin.register(BalanceTransaction, site=environment_site)
class BalanceTransactionAdmin(RowAdmin):
    """What a movement did to the balance."""

    prefix = "txn"
    references = {"ch": "source_id", "re": "source_id"}
    amount = columns.amount("amount_minor")
    fee = columns.amount("fee_minor")
    net = columns.amount("net_minor")
    progress = columns.state("status", {"available": "success", "pending": "info"})
    source = columns.public_id("source_id")
    account = columns.account()
    fees = columns.data("fee_details")
    list_display = ("public_id", "type", "amount", "fee", "net", "progress", "available_on", "source", "account")
    list_filter = ("status",)
    fields = (
        "public_id", "type", "reporting_category", "amount", "fee", "net", "progress", "available_on", "source",
        "account", "description", "fees", "created_at",
    )  # fmt: skip


@admin.register(Product, site=environment_site)
class ProductAdmin(RowAdmin):
    """A good or a service."""

    prefix = "prod"
    references = {"price": "default_price_id"}
    default_price = columns.reference("default_price_id", "price", title="Default price")
    account = columns.account()
    details = columns.data("metadata")
    list_display = ("public_id", "name", "active", "default_price", "account", "created_at", "deleted_at")
    list_filter = ("active",)
    fields = (
        "public_id", "name", "active", "description", "default_price", "unit_label", "url", "account", "created_at",
        "updated_at", "deleted_at", "details",
    )  # fmt: skip


@admin.register(Price, site=environment_site)
class PriceAdmin(RowAdmin):
    """What one unit of a product costs."""

    prefix = "price"
    references = {"prod": "product_id"}
    exact = ("lookup_key",)
    product = columns.reference("product_id", "prod")
    account = columns.account()
    repeats = columns.data("recurring")
    details = columns.data("metadata")
    list_display = ("public_id", "unit_amount_decimal", "currency", "active", "product", "lookup_key", "created_at")
    list_filter = ("active",)
    fields = (
        "public_id", "unit_amount_decimal", "currency", "active", "product", "lookup_key", "nickname", "tax_behavior",
        "repeats", "account", "created_at", "details",
    )  # fmt: skip


@admin.register(CheckoutSession, site=environment_site)
class CheckoutSessionAdmin(RowAdmin):
    """One visit to the hosted page. What opens it is not shown: whoever has it could pay."""

    prefix = "cs"
    references = {"pi": "payment_intent_id", "seti": "setup_intent_id", "cus": "customer_id"}
    total = columns.amount("amount_total_minor", title="Total")
    progress = columns.state("status", {"complete": "success", "open": "info", "expired": "danger"})
    intent = columns.reference("payment_intent_id", "pi", title="Payment intent")
    setup = columns.reference("setup_intent_id", "seti", title="Setup intent")
    customer = columns.reference("customer_id", "cus")
    account = columns.account()
    typed = columns.data("customer_details")
    asks_for = columns.data("intent_data")
    details = columns.data("metadata")
    list_display = ("public_id", "mode", "total", "progress", "payment_status", "intent", "account", "created_at")
    list_filter = ("status", "payment_status")
    fields = (
        "public_id", "mode", "total", "progress", "payment_status", "intent", "setup", "customer",
        "client_reference_id", "success_url", "cancel_url", "locale", "expires_at", "completed_at", "receipt_due_at",
        "typed", "asks_for", "account", "created_at", "details",
    )  # fmt: skip


@admin.register(CheckoutLineItem, site=environment_site)
class CheckoutLineItemAdmin(RowAdmin):
    """One line of what a session sells."""

    prefix = "li"
    references = {"cs": "session_id", "price": "price_id"}
    amount = columns.amount("amount_total_minor")
    session = columns.reference("session_id", "cs")
    price = columns.reference("price_id", "price")
    account = columns.account()
    list_display = ("public_id", "description", "quantity", "amount", "session", "created_at")
    fields = ("public_id", "description", "quantity", "amount", "session", "price", "account", "created_at")


@admin.register(PaymentAttempt, site=environment_site)
class PaymentAttemptAdmin(RowAdmin):
    """Every call to a processor, and what it said. An open one can be asked about again."""

    prefix = processor_calls.PREFIX
    references = {"pi": "payment_intent_id", "seti": "setup_intent_id", "ch": "charge_id"}
    progress = columns.state("state", ATTEMPT_COLOURS, title="State")
    intent = columns.reference("payment_intent_id", "pi", title="Payment intent")
    setup = columns.reference("setup_intent_id", "seti", title="Setup intent")
    charge = columns.reference("charge_id", "ch")
    account = columns.account()
    asked = columns.data("request")
    answered = columns.data("outcome")
    list_display = ("public_id", "kind", "progress", "processor", "intent", "tries", "lease_until", "created_at")
    list_filter = ("state", "kind")
    actions_list = ("settle_open",)
    fields = (
        "public_id", "kind", "progress", "processor", "intent", "setup", "charge", "account", "tries", "lease_until",
        "status_before", "asked", "answered", "created_at", "settled_at",
    )  # fmt: skip

    def has_settle_permission(self, request: HttpRequest) -> bool:
        """Whether the person may have the processor asked."""
        user: Any = request.user
        return bool(user.has_perm("payments.change_paymentattempt"))

    @action(description="Settle open attempts", icon="published_with_changes", permissions=["settle"])
    @outside_transaction
    def settle_open(self, request: HttpRequest) -> HttpResponse:
        """Ask first; on POST have the service ask the processor about each open attempt and record the answers."""
        environment = environment_of(request)
        if environment is None or not self.has_settle_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            with use_environment(environment):
                open_attempts = PaymentAttempt.objects.filter(state=PaymentAttempt.State.OPEN)
                ready = open_attempts.filter(lease_until__lt=clock.wall()).count()
                leased = open_attempts.count() - ready
            question = (
                f"The processor is asked about {ready} open attempts, and what it says is recorded. Nothing is sent "
                f"again. {leased} more are being worked on by somebody else until their lease ends, and are left alone."
            )
            return confirm(self, request, title="Settle open attempts", question=question, button="Ask the processor")
        caller = access.caller_in(environment, request)
        asked = payment_attempts.settle_open(caller)
        with use_environment(environment):
            audit.record(caller, action="payment_attempts.settled", asked=asked)
        messages.success(request, f"The processor was asked about {asked} attempts.")
        list_url = reverse("admin:payments_paymentattempt_changelist", current_app=self.admin_site.name)
        return HttpResponseRedirect(list_url)
