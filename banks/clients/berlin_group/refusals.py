"""What banks say when they refuse, and which of our errors that is: one table by code, one by HTTP status.

A 5xx is about the bank and not about the request, so its status decides; else the code does, and the status where the
code is missing or not known. docs/bank-refusals.md is made from these tables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from banks.clients.berlin_group import parser
from banks.clients.connector import (
    BadResponse,
    CertificateProblem,
    ChangePassword,
    ConnectorError,
    ConsentExpired,
    ConsentRevoked,
    InstitutionDown,
    LoginRequired,
    NotSupported,
    RateLimited,
    ScaFailed,
)

Refusal = type[ConnectorError]

BY_CODE: Final[dict[str, Refusal]] = {
    "CONSENT_EXPIRED": ConsentExpired,
    "RESOURCE_EXPIRED": ConsentExpired,
    "CONSENT_UNKNOWN": ConsentRevoked,
    "CONSENT_INVALID": LoginRequired,
    "TOKEN_UNKNOWN": LoginRequired,
    "TOKEN_INVALID": LoginRequired,
    "TOKEN_EXPIRED": LoginRequired,
    "CORPORATE_ID_INVALID": LoginRequired,
    "SERVICE_BLOCKED": LoginRequired,
    "PSU_CREDENTIALS_INVALID": ScaFailed,
    "SCA_INVALID": ScaFailed,
    "PASSWORD_EXPIRED": ChangePassword,
    "CERTIFICATE_INVALID": CertificateProblem,
    "CERTIFICATE_EXPIRED": CertificateProblem,
    "CERTIFICATE_BLOCKED": CertificateProblem,
    "CERTIFICATE_REVOKED": CertificateProblem,
    "CERTIFICATE_MISSING": CertificateProblem,
    "SIGNATURE_INVALID": CertificateProblem,
    "SIGNATURE_MISSING": CertificateProblem,
    "ROLE_INVALID": CertificateProblem,
    "KID_MISSING": CertificateProblem,
    "ACCESS_EXCEEDED": RateLimited,
    "FORMAT_ERROR": NotSupported,
    "PARAMETER_NOT_SUPPORTED": NotSupported,
    "PARAMETER_NOT_CONSISTENT": NotSupported,
    "PERIOD_INVALID": NotSupported,
    "TIMESTAMP_INVALID": NotSupported,
    "SCA_METHOD_UNKNOWN": NotSupported,
    "EXECUTION_DATE_INVALID": NotSupported,
    "PAYMENT_FAILED": NotSupported,
    "RESOURCE_BLOCKED": NotSupported,
    "PRODUCT_INVALID": NotSupported,
    "PRODUCT_UNKNOWN": NotSupported,
    "SERVICE_INVALID": NotSupported,
    "CANCELLATION_INVALID": NotSupported,
    "REQUESTED_FORMATS_INVALID": NotSupported,
    "RESOURCE_UNKNOWN": BadResponse,
    "STATUS_INVALID": BadResponse,
    "REFERENCE_STATUS_INVALID": BadResponse,
}
BY_STATUS: Final[dict[int, Refusal]] = {
    401: LoginRequired,
    403: LoginRequired,
    405: NotSupported,
    406: NotSupported,
    408: InstitutionDown,
    415: NotSupported,
    429: RateLimited,
    500: BadResponse,
    502: InstitutionDown,
    503: InstitutionDown,
    504: InstitutionDown,
}
"""Any other status, redirects among them, is a `BadResponse`."""
NEEDS_A_BODY: Final = frozenset({401, 403})
"""Without the bank's own JSON these may come from whatever stands before it: nobody's consent is ended by that."""
RETRY_AFTER_MAX: Final = 86_400
_SECONDS: Final = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)


def error(status: int, body: bytes, *, retry_after: str | None = None) -> ConnectorError:
    """The error of an answer that is no success. `retry_after` is the header as the bank wrote it."""
    code, text = _said(body)
    kind = BY_STATUS.get(status, BadResponse)
    if code is None and status in NEEDS_A_BODY:
        kind = BadResponse
    if status < 500 and status != 429 and code in BY_CODE:
        kind = BY_CODE[code]
    return kind(text or f"HTTP {status}", code=code, http_status=status, retry_after_seconds=seconds(retry_after))


def seconds(retry_after: str | None) -> int | None:
    """`Retry-After` within 0 and a day; banks write negative figures, and figures of years. None for a date."""
    if retry_after is None or not _SECONDS.fullmatch(retry_after.strip()):
        return None
    return min(max(int(retry_after), 0), RETRY_AFTER_MAX)


def _said(body: bytes) -> tuple[str | None, str | None]:
    """Code and text of `tppMessages`, or of RFC 7807's problem; nothing when the answer is neither."""
    try:
        found = parser.document(body)
    except BadResponse:
        return None, None
    messages: list[Any] = [found]
    for name in ("tppMessages", "additionalErrors"):
        listed = found.get(name)
        messages += listed if isinstance(listed, list) else []
    # A known code speaks before an unknown one, an error before a warning.
    told = [item for item in messages if isinstance(item, Mapping) and parser.text(item.get("code"), 60)]
    told.sort(key=lambda item: (str(item.get("code")).strip() not in BY_CODE, item.get("category") == "WARNING"))
    if not told:
        return None, parser.text(found.get("detail") or found.get("title"), 500)
    first = told[0]
    sentence = first.get("text") or first.get("detail") or first.get("title")
    return parser.text(first.get("code"), 60), parser.text(sentence, 500)
