"""What code written for Stripe calls, and which tests show that it works here.

`CALLS` is the promise: `client.v1.<name>` of the official Python SDK. A test names what it shows by
`@pytest.mark.sdk("payment_intents.create", …)`; the conftest beside this holds it to that, and
docs/stripe-compatibility.md is written from the ones that pass.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, Final

DOCUMENT: Final = Path(__file__).resolve().parents[2] / "docs" / "stripe-compatibility.md"
HERE: Final = Path(__file__).parent

_CRUD: Final = ("create", "retrieve", "update", "delete", "list")
_RESOURCES: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "Payments": {
        "payment_intents": (
            "create", "retrieve", "update", "confirm", "capture", "cancel", "list", "search",
            "increment_authorization",
        ),
        "setup_intents": ("create", "retrieve", "update", "confirm", "cancel", "list"),
        "payment_methods": ("create", "retrieve", "attach", "detach", "update", "list"),
        "charges": ("retrieve", "list", "update"),
        "refunds": ("create", "retrieve", "update", "list", "cancel"),
        "disputes": ("list", "retrieve", "update", "close"),
        "balance": ("retrieve",),
        "balance_transactions": ("list", "retrieve"),
    },
    "Customers": {"customers": (*_CRUD, "search"), "customers.payment_methods": ("list",)},
    "Checkout and products": {
        "checkout.sessions": ("create", "retrieve", "update", "list", "expire"),
        "checkout.sessions.line_items": ("list",),
        "products": _CRUD,
        "prices": ("create", "retrieve", "update", "list"),
        "coupons": _CRUD,
        "promotion_codes": ("create", "retrieve", "update", "list"),
    },
    "Billing": {
        "subscriptions": ("create", "retrieve", "update", "cancel", "pause", "resume", "list", "migrate"),
        "subscription_items": _CRUD,
        "invoices": (
            "create", "retrieve", "add_lines", "finalize_invoice", "pay", "send_invoice", "void_invoice",
            "mark_uncollectible", "attach_payment", "create_preview", "list", "delete",
        ),
        "invoice_items": _CRUD,
        "credit_notes": ("create", "retrieve", "list"),
        "billing_portal.sessions": ("create",),
        "billing.meters": ("create", "list"),
        "billing.meter_events": ("create",),
    },
    "Connected accounts": {
        "accounts": ("create", "retrieve", "update"),
        "account_links": ("create",),
        "transfers": ("create", "retrieve", "list", "update"),
        "transfers.reversals": ("create", "list"),
        "application_fees": ("list", "retrieve"),
        "application_fees.refunds": ("create", "list"),
        "payouts": ("create", "retrieve", "list", "cancel", "reverse"),
    },
    "Events and tests": {
        "events": ("list", "retrieve"),
        "webhook_endpoints": _CRUD,
        "test_helpers.test_clocks": ("create", "advance"),
    },
}  # fmt: skip
CALLS: Final[dict[str, tuple[str, ...]]] = {
    title: tuple(f"{resource}.{name}" for resource, names in resources.items() for name in names)
    for title, resources in _RESOURCES.items()
}
"""Calls by heading, in the order of the document."""
ABILITIES: Final[dict[str, str]] = {
    "module_style": "`stripe.api_key = …; stripe.PaymentIntent.create(…)`",
    "auto_paging_iter": "`auto_paging_iter()`, forwards and backwards",
    "expand": "`expand` gives objects of the SDK's classes",
    "idempotency": "`idempotency_key`, replayed with the same bytes",
    "errors": "every refusal is the SDK's exception, with its code and the objects inside",
    "retries": "`max_network_retries` tries again what asks for it",
    "raw_request": "`raw_request` and `deserialize`",
    "basic_auth": "HTTP Basic with the key as user name, as in Stripe's curl examples",
    "async": "the `…_async` twins",
    "construct_event": "`construct_event` verifies our webhooks",
}
"""What is no call of a resource."""
KNOWN: Final = frozenset(call for calls in CALLS.values() for call in calls) | frozenset(ABILITIES)


def claims() -> dict[str, list[str]]:
    """For each call the tests that are marked with it, as `file::test`, read off the source."""
    found: dict[str, list[str]] = {}
    for file in sorted(HERE.glob("test_*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                for call in _marked(node):
                    found.setdefault(call, []).append(f"{file.name}::{node.name}")
    return found


def _marked(node: ast.FunctionDef) -> list[str]:
    marks = [d for d in node.decorator_list if isinstance(d, ast.Call) and ast.unparse(d.func) == "pytest.mark.sdk"]
    return [ast.literal_eval(argument) for mark in marks for argument in mark.args]


def unkept(promised: set[str], made: set[str]) -> list[str]:
    """The calls a test is marked with and did not make; abilities are no calls."""
    return sorted(promised - set(ABILITIES) - made)


def service(call: str, client: Any) -> Any:
    """The SDK's service behind `checkout.sessions.create`, without the last name."""
    for name in call.split(".")[:-1]:
        client = getattr(client, name)
    return client


def render(shown: dict[str, list[str]]) -> str:
    """The document. `shown` are the calls that work, with the tests that show it."""
    count = sum(call in shown for calls in CALLS.values() for call in calls)
    total = sum(map(len, CALLS.values()))
    parts = [_HEAD.format(count=count, total=total)]
    for title, calls in CALLS.items():
        parts.append(f"## {title}\n\n| `client.v1.…` | | shown by |\n|---|---|---|")
        parts += [_row(f"`{call}`", shown.get(call, [])) for call in calls]
        parts.append("")
    parts.append("## The SDK itself\n\n| what | | shown by |\n|---|---|---|")
    parts += [_row(text, shown.get(name, [])) for name, text in ABILITIES.items()]
    return "\n".join([*parts, _NOTES])


def _row(what: str, tests: list[str]) -> str:
    return f"| {what} | {'works' if tests else 'not yet'} | {f'`{min(tests)}`' if tests else ''} |"


_HEAD = """# Stripe compatibility

The official Stripe SDK, unmodified, is pointed at this API and used. What stands here as *works* is shown by a test in
`tests/sdk/` that calls it; {count} of {total} calls do. Version: the Python package `stripe` 16.1.0, API version
2026-10-28.endive.

```text
client = stripe.StripeClient("fc_test_…", base_addresses={{"api": "http://127.0.0.1:8000"}})
```

This page is generated by `make compatibility`; do not edit it.
"""
_NOTES = """
## What is different, on purpose

- **There are no publishable keys.** A payer's browser never talks to `/v1`, so `client_secret` opens nothing:
  `GET /v1/payment_intents/{id}?client_secret=…` is not there. It is sent all the same, and comes back with the payer as
  `payment_intent_client_secret`, so that a shop can tell its own payer's return from a forged one.
- **Authentication is always a redirect**: `next_action.type` is `redirect_to_url`, never `use_stripe_sdk`. The address
  is not part of the event `payment_intent.requires_action`, because events are kept and sent on; retrieve the intent.
- **`request_three_d_secure=any` always asks**, with every test card.
- **A customer's default payment method** (`invoice_settings.default_payment_method`) pays when a confirmation names
  none. Stripe does this for invoices only.
- **`error_on_requires_action` leaves a failed charge behind**, as an off-session payment that needs authentication does.
- A setup intent has no `latest_attempt` and no `mandate`: both are null.
- **A search finds what was written a moment ago**; with Stripe that can take a minute. Values of metadata are compared
  as they are written, other texts in any case.
"""
