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


def _header(name: str, description: str, example: str, **schema: Any) -> dict[str, Any]:
    described = {"type": "string", **schema}
    return {"name": name, "in": "header", "schema": described, "description": description, "example": example}


SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Facturino Connect API",
    "DESCRIPTION": _TEXT.strip(),
    "VERSION": API_VERSION,
    "OAS_VERSION": "3.1.1",
    "LICENSE": {"name": "Apache-2.0"},
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
