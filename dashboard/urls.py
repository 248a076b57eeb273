"""Addresses of the dashboard: the path names the organization and the mode, the query string the state of a page."""

from django.urls import path

from dashboard.pages import (
    api_keys,
    balance,
    customers,
    home,
    ledger_accounts,
    ledger_transactions,
    mailbox,
    objects,
    organizations,
    payments,
    request_logs,
    theme,
)

app_name = "dashboard"

urlpatterns = [
    path("", home.start, name="start"),
    path("theme", theme.theme, name="theme"),
    path("mailbox", mailbox.mailbox, name="mailbox"),
    path("mailbox/<slug:name>", mailbox.message, name="mailbox_message"),
    path("organizations/new", organizations.new, name="organization_new"),
    path("o/<slug:org_slug>/preparing", organizations.preparing, name="preparing"),
    path("o/<slug:org_slug>/<slug:mode>/", home.home, name="home"),
    path("o/<slug:org_slug>/<slug:mode>/search", objects.search, name="search"),
    path("o/<slug:org_slug>/<slug:mode>/objects/<slug:object_id>", objects.show, name="object"),
    path("o/<slug:org_slug>/<slug:mode>/payments", payments.payments, name="payments"),
    path("o/<slug:org_slug>/<slug:mode>/payments/<slug:payment_id>", payments.payment, name="payment"),
    path("o/<slug:org_slug>/<slug:mode>/balance", balance.balance, name="balance"),
    path("o/<slug:org_slug>/<slug:mode>/balance/transactions.csv", balance.export, name="balance_export"),
    path("o/<slug:org_slug>/<slug:mode>/ledger", ledger_accounts.accounts, name="ledger_accounts"),
    path("o/<slug:org_slug>/<slug:mode>/ledger/drift", ledger_accounts.drift, name="ledger_drift"),
    path(
        "o/<slug:org_slug>/<slug:mode>/ledger/accounts/<slug:account_id>",
        ledger_accounts.account,
        name="ledger_account",
    ),
    path(
        "o/<slug:org_slug>/<slug:mode>/ledger/transactions",
        ledger_transactions.transactions,
        name="ledger_transactions",
    ),
    path(
        "o/<slug:org_slug>/<slug:mode>/ledger/transactions/<slug:transaction_id>",
        ledger_transactions.transaction,
        name="ledger_transaction",
    ),
    path("o/<slug:org_slug>/<slug:mode>/customers", customers.customers, name="customers"),
    path("o/<slug:org_slug>/<slug:mode>/customers/new", customers.new, name="customer_new"),
    path("o/<slug:org_slug>/<slug:mode>/customers/<slug:customer_id>", customers.customer, name="customer"),
    path("o/<slug:org_slug>/<slug:mode>/customers/<slug:customer_id>/edit", customers.edit, name="customer_edit"),
    path("o/<slug:org_slug>/<slug:mode>/customers/<slug:customer_id>/delete", customers.delete, name="customer_delete"),
    path("o/<slug:org_slug>/<slug:mode>/developers/logs", request_logs.request_logs, name="request_logs"),
    path(
        "o/<slug:org_slug>/<slug:mode>/developers/logs/<slug:request_id>", request_logs.request_log, name="request_log"
    ),
    path("o/<slug:org_slug>/<slug:mode>/developers/api-keys", api_keys.api_keys, name="api_keys"),
    path("o/<slug:org_slug>/<slug:mode>/developers/api-keys/new", api_keys.new, name="api_key_new"),
    path("o/<slug:org_slug>/<slug:mode>/developers/api-keys/<slug:key_id>/roll", api_keys.roll, name="api_key_roll"),
    path(
        "o/<slug:org_slug>/<slug:mode>/developers/api-keys/<slug:key_id>/revoke", api_keys.revoke, name="api_key_revoke"
    ),
]
