"""Every refusal is a class that carries its code, HTTP status and text.

The class is the contract: the API renders it, the catalogue page and OpenAPI are generated from the register below,
tests name it. Raise one where the rule lives; nothing between there and the edge needs to know it.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final, Literal

ErrorType = Literal["api_error", "card_error", "idempotency_error", "invalid_request_error"]

_REGISTER: dict[str, type[DomainError]] = {}

FIELDS: Final = frozenset(
    {"decline_code", "advice_code", "charge", "payment_intent", "payment_method", "setup_intent", "request_log_url"}
)
"""Names of `data` that travel in the error object; anything else in `data` only fills the message."""


class DomainError(Exception):
    """A refusal a caller can read. Subclasses say what is wrong in their docstring and what to do next in `message`.

    `message` is a format string filled from `data`; `param` names the offending input in bracket form
    (`metadata[order]`); `data` may hold the fields of the error object listed in `FIELDS`.
    """

    type: ClassVar[ErrorType] = "invalid_request_error"
    code: ClassVar[str] = ""
    status: ClassVar[int] = 400
    message: ClassVar[str] = ""
    headers: ClassVar[dict[str, str]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "code" in cls.__dict__:
            known = _REGISTER.setdefault(cls.code, cls)
            if known is not cls and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
                raise TypeError(f"error code {cls.code!r} is already {known.__module__}.{known.__qualname__}")
            _REGISTER[cls.code] = cls

    def __init__(self, message: str | None = None, *, param: str | None = None, **data: Any) -> None:
        self.param = param
        self.data = data
        self.text = message if message is not None else self.message.format(param=param, **data)
        super().__init__(self.text)

    def extra_headers(self) -> dict[str, str]:
        """HTTP headers that go with this refusal, such as `Retry-After`."""
        return dict(self.headers)


def catalogue() -> list[type[DomainError]]:
    """Every error class with a code, by code. Import the apps first: a class registers itself when it is defined."""
    return [_REGISTER[code] for code in sorted(_REGISTER)]


class ParameterMissing(DomainError):
    """A required parameter was not sent."""

    code = "parameter_missing"
    message = "Missing required param: {param}."


class ParameterUnknown(DomainError):
    """A parameter is not part of this endpoint; check its spelling against the API reference."""

    code = "parameter_unknown"
    message = "Received unknown parameter: {param}"


class ParameterInvalidEmpty(DomainError):
    """A parameter was sent empty where an empty value has no meaning."""

    code = "parameter_invalid_empty"
    message = "You passed an empty string for '{param}'. Leave the parameter out, or give it a value."


class ParameterInvalidInteger(DomainError):
    """A parameter must be a whole number."""

    code = "parameter_invalid_integer"
    message = "Invalid integer: {value}"


class ParameterInvalid(DomainError):
    """A parameter has a value outside what the endpoint accepts."""

    code = "parameter_invalid"
    message = "Invalid value for {param}."


class SearchQueryInvalid(DomainError):
    """A search query is not in the query language, or asks for what cannot be searched; the message says which part."""

    code = "search_query_invalid"
    message = "The search query could not be read: {reason}."


class BodyInvalid(DomainError):
    """The request body could not be read as JSON or as a form."""

    code = "body_invalid"
    message = "The request body could not be read: {reason}."


class ResourceMissing(DomainError):
    """No such object exists for this key, or its id belongs to another environment."""

    code = "resource_missing"
    status = 404
    message = "No such {resource}: '{id}'"


class MissingParameterTarget(ResourceMissing):
    """An object named in a parameter does not exist for this key; unlike an unknown id in the path this answers 400."""

    status = 400


class RouteUnknown(DomainError):
    """The address is not part of the API; check it against the API reference."""

    code = "route_unknown"
    status = 404
    message = "Unrecognized request URL ({method}: {path}). See {doc_url} for the list of endpoints."


class MethodNotAllowed(DomainError):
    """The address exists, but not with this HTTP method."""

    code = "method_not_allowed"
    status = 405
    message = "{method} is not allowed here; use {allowed}."


class InternalError(DomainError):
    """Something failed on our side; nothing is half done, and the same idempotency key can be sent again."""

    type = "api_error"
    code = "internal_error"
    status = 500
    message = "An unexpected error occurred on our side. Send the request again; if it persists, quote the request id."


class LockTimeout(DomainError):
    """Another request holds the object; send this one again."""

    code = "lock_timeout"
    status = 429
    message = "This object is being changed by another request. Send this request again in a moment."
    headers = {"Retry-After": "1", "Stripe-Should-Retry": "true"}
