"""Every refusal of the interface: a code of the standard, its HTTP status, and what was wrong."""

from __future__ import annotations

from typing import ClassVar

STATUSES: dict[str, tuple[int, ...]] = {
    "FORMAT_ERROR": (400,),
    "PARAMETER_NOT_SUPPORTED": (400,),
    "PERIOD_INVALID": (400,),
    "PAYMENT_FAILED": (400,),
    "CONSENT_UNKNOWN": (400, 403),
    "CONSENT_INVALID": (401,),
    "CONSENT_EXPIRED": (401,),
    "SERVICE_BLOCKED": (403,),
    "PRODUCT_INVALID": (403,),
    "RESOURCE_UNKNOWN": (403, 404),
    "PRODUCT_UNKNOWN": (404,),
    "SERVICE_INVALID": (405,),
    "CANCELLATION_INVALID": (405,),
    "REQUESTED_FORMATS_INVALID": (406,),
    "STATUS_INVALID": (409,),
    "ACCESS_EXCEEDED": (429,),
}
"""The first is what a code is sent with; the second where the thing is named by the path."""


class Refusal(Exception):
    """A request is refused. `path` names the part of the request that is at fault."""

    statuses: ClassVar = STATUSES

    def __init__(
        self, code: str, text: str, *, path: str = "", status: int | None = None, retry_after: int = 0
    ) -> None:
        super().__init__(text)
        self.code, self.text, self.path = code, text, path
        self.status = status or STATUSES[code][0]
        self.retry_after = retry_after

    def body(self) -> dict[str, object]:
        """What is answered."""
        message = {"category": "ERROR", "code": self.code, "text": self.text[:500]}
        return {"tppMessages": [{**message, "path": self.path} if self.path else message]}
