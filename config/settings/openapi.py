"""How the API describes itself: what drf-spectacular needs to know. `manage.py openapi` writes the description."""

from typing import Any

from connect.domain.scopes import SCOPES
from connect.domain.versions import VERSIONS
from connect.kit.caller import API_VERSION

_TEXT = """
Take payments, link bank accounts and read one double-entry ledger.

The API follows Stripe's conventions, so that its official SDKs work unmodified: set their base address to this server.
Bodies are forms with brackets (`metadata[order]=7`) or JSON. Amounts are whole numbers in the currency's minor unit.
Parameters that are not described here are refused by name.
"""


_GUIDES = {
    "amounts": "amounts, fees and the balance", "banking": "bank data", "checkout": "checkout", "ledger": "the ledger",
    "link-a-bank": "link a bank", "refunds": "refunds", "save-a-card": "save a card",
    "take-a-payment": "take a payment", "test-clocks": "test clocks", "webhooks": "webhooks",
}  # fmt: skip
_TAGS = {
    "balance": ("What can be paid out, and what will be.", "amounts"),
    "balance_transactions": ("Every movement of the balance, with its fee.", "amounts"),
    "banking.accounts": ("Accounts that customers linked, with their balances.", "banking"),
    "banking.connections": ("A customer's consent at one bank.", "link-a-bank"),
    "banking.institutions": ("The banks of the region, found by name or account number.", "banking"),
    "banking.link_sessions": ("A page of ours on which a customer links a bank.", "link-a-bank"),
    "banking.transactions": ("What banks tell of accounts, in one shape, and what changed since.", "banking"),
    "charges": ("The attempts to take the amount of a payment intent.", "take-a-payment"),
    "charges.refunds": ("The refunds of one charge.", "refunds"),
    "checkout.sessions": ("A page of ours on which a payer pays or leaves a card.", "checkout"),
    "customers": ("Those who pay, with the cards you keep for them.", "save-a-card"),
    "customers.payment_methods": ("The payment methods of one customer.", "save-a-card"),
    "events": ("Whatever happened, as it was when it happened.", "webhooks"),
    "ledger.accounts": ("Accounts of books of your own.", "ledger"),
    "ledger.balances": ("What accounts hold, now or at any moment.", "ledger"),
    "ledger.drift": ("The ledger compared with itself.", "ledger"),
    "ledger.holds": ("Money that is set aside and not moved yet.", "ledger"),
    "ledger.transactions": ("Balanced postings, yours and those of payments.", "ledger"),
    "payment_intents": ("The wish to collect an amount, and how far it got.", "take-a-payment"),
    "payment_methods": ("Cards and banks that payers pay with.", "save-a-card"),
    "prices": ("What products cost.", "checkout"),
    "products": ("What you sell.", "checkout"),
    "refunds": ("Captured money on its way back to the payer.", "refunds"),
    "setup_intents": ("The wish to keep a card for later.", "save-a-card"),
    "test_helpers.test_clocks": ("Clocks that bring a customer's future nearer.", "test-clocks"),
    "webhook_endpoints": ("Addresses of yours that events are sent to.", "webhooks"),
    "webhook_endpoints.deliveries": ("What was sent to one endpoint, and what it answered.", "webhooks"),
}
"""What each group of addresses is about, and the guide to it."""


def _header(name: str, description: str, example: str, **schema: Any) -> dict[str, Any]:
    described = {"type": "string", **schema}
    return {"name": name, "in": "header", "schema": described, "description": description, "example": example}


SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Facturino Connect API",
    "DESCRIPTION": _TEXT.strip(),
    "VERSION": API_VERSION,
    "OAS_VERSION": "3.1.1",
    "LICENSE": {"name": "Apache-2.0"},
    "SERVERS": [{"url": "http://127.0.0.1:8000", "description": "This installation."}],
    "TAGS": [
        {"name": name, "description": f"{text} Guide: [{_GUIDES[guide]}](/docs/{guide})."}
        for name, (text, guide) in _TAGS.items()
    ],
    "SCHEMA_PATH_PREFIX": "/v1/",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "PREPROCESSING_HOOKS": ["connect.api.openapi.only_the_api"],
    "POSTPROCESSING_HOOKS": ["connect.api.field_words.describe"],
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "bearer": {
                "type": "http",
                "scheme": "bearer",
                "description": "`Authorization: Bearer fc_test_…`: a secret or restricted key of one environment.",
            },
            "basic": {
                "type": "http",
                "scheme": "basic",
                "description": "The key as user name, with an empty password: `curl -u fc_test_…:`.",
            },
            "oauth2": {
                "type": "oauth2",
                "description": "`Authorization: Bearer fc_at_…`: another company's app, with the leave of a member.",
                "flows": {
                    "authorizationCode": {
                        "authorizationUrl": "/oauth/authorize",
                        "tokenUrl": "/oauth/token",
                        "refreshUrl": "/oauth/token",
                        "scopes": SCOPES,
                    },
                    "clientCredentials": {"tokenUrl": "/oauth/token", "scopes": SCOPES},
                },
            },
        },
        "parameters": {
            "IdempotencyKey": _header(
                "Idempotency-Key",
                "Makes a request safe to repeat: the first answer is stored with its effect and given again.",
                "6c398885-4b2f-4469-967a-848645bab779",
                minLength=1,
                maxLength=255,
            ),
            "FacturinoVersion": _header(
                "Facturino-Version",
                "The dated version of this API; the environment's own without it.",
                API_VERSION,
                enum=list(VERSIONS),
            ),
        },
    },
}
