"""Addresses of the dashboard: the path names the organization and the mode, the query string the state of a page."""

from django.urls import path

from dashboard.pages import (
    api_keys,
    balance,
    bank_accounts,
    bank_connections,
    bank_transactions,
    checkout_sessions,
    customers,
    events,
    home,
    institutions,
    ledger_accounts,
    ledger_transactions,
    link_sessions,
    mailbox,
    objects,
    organizations,
    payment_actions,
    payments,
    request_logs,
    support_access,
    theme,
    webhook_deliveries,
    webhook_endpoints,
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
    path(
        "o/<slug:org_slug>/<slug:mode>/payments/<slug:payment_id>/capture",
        payment_actions.capture,
        name="payment_capture",
    ),
    path(
        "o/<slug:org_slug>/<slug:mode>/payments/<slug:payment_id>/cancel", payment_actions.cancel, name="payment_cancel"
    ),
    path(
        "o/<slug:org_slug>/<slug:mode>/payments/<slug:payment_id>/refund", payment_actions.refund, name="payment_refund"
    ),
    path("o/<slug:org_slug>/<slug:mode>/checkout", checkout_sessions.sessions, name="checkout_sessions"),
    path("o/<slug:org_slug>/<slug:mode>/checkout/new", checkout_sessions.new, name="checkout_session_new"),
    path(
        "o/<slug:org_slug>/<slug:mode>/checkout/<slug:session_id>", checkout_sessions.session, name="checkout_session"
    ),
    path(
        "o/<slug:org_slug>/<slug:mode>/checkout/<slug:session_id>/expire",
        checkout_sessions.expire,
        name="checkout_session_expire",
    ),
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
    *(
        path(f"o/<slug:org_slug>/<slug:mode>/banks/{rest}", view, name=name)
        for rest, view, name in (
            ("connections", bank_connections.connections, "bank_connections"),
            ("connections/<slug:connection_id>", bank_connections.connection, "bank_connection"),
            ("connections/<slug:connection_id>/refresh", bank_connections.refresh, "bank_connection_refresh"),
            ("connections/<slug:connection_id>/renew", bank_connections.renew, "bank_connection_renew"),
            ("connections/<slug:connection_id>/remove", bank_connections.remove, "bank_connection_remove"),
            ("accounts", bank_accounts.accounts, "bank_accounts"),
            ("accounts/<slug:bank_account_id>", bank_accounts.account, "bank_account"),
            ("transactions", bank_transactions.transactions, "bank_transactions"),
            ("transactions.csv", bank_transactions.export, "bank_transactions_export"),
            ("transactions/<slug:transaction_id>", bank_transactions.transaction, "bank_transaction"),
            ("institutions", institutions.institutions, "institutions"),
            ("institutions/<slug:institution_id>", institutions.institution, "institution"),
            ("sandbox-bank", institutions.sandbox, "sandbox_bank"),
            ("link-sessions", link_sessions.sessions, "link_sessions"),
            ("link-sessions/new", link_sessions.new, "link_session_new"),
            ("link-sessions/<slug:session_id>", link_sessions.session, "link_session"),
            ("link-sessions/<slug:session_id>/cancel", link_sessions.cancel, "link_session_cancel"),
        )
    ),
    path("o/<slug:org_slug>/<slug:mode>/developers/logs", request_logs.request_logs, name="request_logs"),
    path(
        "o/<slug:org_slug>/<slug:mode>/developers/logs/<slug:request_id>", request_logs.request_log, name="request_log"
    ),
    path("o/<slug:org_slug>/<slug:mode>/developers/events", events.events, name="events"),
    path("o/<slug:org_slug>/<slug:mode>/developers/events/<slug:event_id>", events.event, name="event"),
    path("o/<slug:org_slug>/<slug:mode>/developers/events/<slug:event_id>/resend", events.resend, name="event_resend"),
    path("o/<slug:org_slug>/<slug:mode>/developers/webhooks", webhook_endpoints.endpoints, name="webhook_endpoints"),
    path("o/<slug:org_slug>/<slug:mode>/developers/webhooks/new", webhook_endpoints.new, name="webhook_endpoint_new"),
    path("o/<slug:org_slug>/<slug:mode>/developers/webhooks/inbox", webhook_deliveries.inbox, name="webhook_inbox"),
    path(
        "o/<slug:org_slug>/<slug:mode>/developers/webhooks/deliveries/<slug:delivery_id>",
        webhook_deliveries.delivery,
        name="webhook_delivery",
    ),
    path(
        "o/<slug:org_slug>/<slug:mode>/developers/webhooks/deliveries/<slug:delivery_id>/resend",
        webhook_deliveries.resend,
        name="webhook_delivery_resend",
    ),
    *(
        path(f"o/<slug:org_slug>/<slug:mode>/developers/webhooks/<slug:endpoint_id>{rest}", view, name=name)
        for rest, view, name in (
            ("", webhook_endpoints.endpoint, "webhook_endpoint"),
            ("/edit", webhook_endpoints.edit, "webhook_endpoint_edit"),
            ("/rotate", webhook_endpoints.rotate, "webhook_endpoint_rotate"),
            ("/switch", webhook_endpoints.switch, "webhook_endpoint_switch"),
            ("/delete", webhook_endpoints.delete, "webhook_endpoint_delete"),
            ("/test", webhook_deliveries.send_test, "webhook_endpoint_test"),
            ("/replay", webhook_deliveries.replay, "webhook_endpoint_replay"),
        )
    ),
    path("o/<slug:org_slug>/<slug:mode>/developers/api-keys", api_keys.api_keys, name="api_keys"),
    path("o/<slug:org_slug>/<slug:mode>/developers/api-keys/new", api_keys.new, name="api_key_new"),
    path("o/<slug:org_slug>/<slug:mode>/developers/api-keys/<slug:key_id>/roll", api_keys.roll, name="api_key_roll"),
    path(
        "o/<slug:org_slug>/<slug:mode>/developers/api-keys/<slug:key_id>/revoke", api_keys.revoke, name="api_key_revoke"
    ),
    path("o/<slug:org_slug>/<slug:mode>/support-access", support_access.support_access, name="support_access"),
    path(
        "o/<slug:org_slug>/<slug:mode>/support-access/<slug:grant_id>/end",
        support_access.revoke,
        name="support_access_revoke",
    ),
]
