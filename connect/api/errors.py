"""One shape for everything that goes wrong: `{"error": {type, code, message, param?, doc_url, request_id, …}}`.

`exception_handler` is DRF's hook; `render_error` writes the same bytes where DRF is not reached (unknown addresses,
failures in middleware, stored outcomes). Nothing of DRF's or Django's own error bodies ever leaves.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import msgspec
from django.conf import settings
from django.core.exceptions import BadRequest, ObjectDoesNotExist, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.http.request import UnreadablePostError
from msgspec import UNSET, UnsetType
from rest_framework import exceptions
from rest_framework.response import Response

from connect.domain.errors import ApiKeyMissing, PermissionMissing
from connect.domain.tiers import RateLimit
from connect.kit import errors
from connect.kit.errors import DomainError
from connect.kit.request_ids import request_id_of

logger = logging.getLogger("connect.api")

_UNREACHABLE_CLASSES = ("08", "53", "57")
"""SQLSTATE classes: connection lost, out of resources, operator intervention (shutdown, statement timeout)."""
_CONFLICTS = frozenset({"40001", "40P01", "55P03"})


class ServiceUnavailable(DomainError):
    """The database cannot be reached at the moment, or was lost on the way."""

    type = "api_error"
    code = "service_unavailable"
    status = 503
    message = (
        "The service cannot be reached at the moment. Send the request again in a few seconds, with the same "
        "Idempotency-Key: what was done already is not done twice."
    )
    headers = {"Retry-After": "2", "Stripe-Should-Retry": "true"}


class ErrorObject(msgspec.Struct, kw_only=True, omit_defaults=True, rename={"type_": "type"}):
    """What went wrong. `code` is the contract, `message` is for people; a field that does not apply is left out."""

    type_: errors.ErrorType
    code: str
    message: str
    doc_url: str
    request_id: str | None
    param: str | UnsetType = UNSET
    decline_code: str | UnsetType = UNSET
    advice_code: str | UnsetType = UNSET
    charge: str | UnsetType = UNSET
    payment_intent: Any = UNSET
    payment_method: Any = UNSET
    setup_intent: Any = UNSET
    request_log_url: str | UnsetType = UNSET


class ErrorBody(msgspec.Struct):
    """The body of every answer that is not a success."""

    error: ErrorObject


def exception_handler(exception: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's `EXCEPTION_HANDLER`: an answer for every exception; one we did not expect is logged and becomes a 500."""
    request = context.get("request")
    request_id = request_id_of(request)
    error = to_domain_error(exception, request)
    if error.status >= 500:
        logger.error("%s: %s", error.code, exception, exc_info=exception, extra={"request_id": request_id})
    return Response(error_body(error, request_id), status=error.status, headers=error.extra_headers())


def render_error(error: DomainError, request_id: str) -> tuple[bytes, int, dict[str, str]]:
    """Body, status and headers of a refusal, for whoever answers without DRF."""
    headers = {"Content-Type": "application/json", **error.extra_headers()}
    return msgspec.json.encode(error_body(error, request_id)), error.status, headers


def error_body(error: DomainError, request_id: str) -> ErrorBody:
    """A refusal as it travels."""
    shown = {name: value for name, value in error.data.items() if name in errors.FIELDS and value is not None}
    if error.param:
        shown["param"] = error.param
    return ErrorBody(
        ErrorObject(
            type_=error.type,
            code=error.code,
            message=error.text,
            doc_url=doc_url(error.code),
            request_id=request_id or None,
            **shown,
        )
    )


def doc_url(code: str) -> str:
    """Where the catalogue explains a code."""
    return f"{settings.FC_PUBLIC_URL.rstrip('/')}/docs/errors#{code}"


def to_domain_error(exception: BaseException, request: Any = None) -> DomainError:
    """The refusal that stands for any exception; the order is from the most particular to the least."""
    if isinstance(exception, DomainError):
        return exception
    if isinstance(exception, exceptions.APIException):
        return _from_rest_framework(exception, request)
    if isinstance(exception, OperationalError | InterfaceError):
        return _from_database(exception)
    if isinstance(exception, Http404 | ObjectDoesNotExist):
        return errors.RouteUnknown(method=_method(request), path=_path(request), doc_url=_reference())
    if isinstance(exception, DjangoPermissionDenied):
        return PermissionMissing("This API key may not do this.")
    if isinstance(exception, RequestDataTooBig):
        return errors.BodyInvalid(reason="it is too large")
    if isinstance(exception, UnreadablePostError):
        return errors.BodyInvalid(reason="the connection ended before it was complete")
    if isinstance(exception, BadRequest | SuspiciousOperation):
        return errors.BodyInvalid(reason="it is malformed")
    return errors.InternalError()


def _from_rest_framework(exception: exceptions.APIException, request: Any) -> DomainError:
    if isinstance(exception, exceptions.ValidationError):
        return from_validation_error(exception)
    if isinstance(exception, exceptions.MethodNotAllowed):
        return errors.MethodNotAllowed(method=_method(request), allowed=_allowed(request))
    if isinstance(exception, exceptions.UnsupportedMediaType):
        given = f"the Content-Type '{request.content_type}' is not supported" if request else "unsupported Content-Type"
        return errors.BodyInvalid(reason=f"{given}, send application/x-www-form-urlencoded or application/json")
    if isinstance(exception, exceptions.ParseError):
        return errors.BodyInvalid(reason="it is malformed")
    if isinstance(exception, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return ApiKeyMissing()
    if isinstance(exception, exceptions.PermissionDenied):
        return PermissionMissing("This API key may not do this.")
    if isinstance(exception, exceptions.Throttled):
        seconds = max(1, round(getattr(exception, "wait", None) or 1))
        return RateLimit(f"Too many requests. Send this one again in {seconds} s.", retry_after=seconds)
    if isinstance(exception, exceptions.NotFound):
        return errors.RouteUnknown(method=_method(request), path=_path(request), doc_url=_reference())
    return errors.InternalError() if exception.status_code >= 500 else errors.BodyInvalid(reason=str(exception.detail))


def _from_database(exception: OperationalError | InterfaceError) -> DomainError:
    """Branches on SQLSTATE only. Without one the server was never reached."""
    state = getattr(exception.__cause__, "sqlstate", None)
    if state in _CONFLICTS:
        return errors.LockTimeout()
    return ServiceUnavailable() if is_unreachable(exception) else errors.InternalError()


def is_unreachable(exception: OperationalError | InterfaceError) -> bool:
    """Whether the database is away: it refuses, is going down or coming up, or the connection broke."""
    state = getattr(exception.__cause__, "sqlstate", None)
    return state is None or state.startswith(_UNREACHABLE_CLASSES)


def from_validation_error(exception: exceptions.ValidationError, param: str = "") -> DomainError:
    """The first complaint of a stock DRF field, in declaration order, as one of our classes."""
    detail: Any = exception.detail
    while not isinstance(detail, str):
        if isinstance(detail, Mapping):
            name, detail = next(iter(detail.items()))
            if name != "non_field_errors":
                param = f"{param}[{name}]" if param else str(name)
        else:
            position, detail = next((index, part) for index, part in enumerate(detail) if part)
            if isinstance(detail, Mapping):
                param = f"{param}[{position}]"
    kind = getattr(detail, "code", "invalid")
    if kind == "required":
        return errors.ParameterMissing(param=param)
    if kind in {"blank", "null", "empty"}:
        return errors.ParameterInvalidEmpty(param=param)
    return errors.ParameterInvalid(f"Invalid {param}: {detail}" if param else str(detail), param=param or None)


def _method(request: Any) -> str:
    return getattr(request, "method", None) or "GET"


def _path(request: Any) -> str:
    return getattr(request, "path", "")


def _allowed(request: Any) -> str:
    view = (getattr(request, "parser_context", None) or {}).get("view")
    names = [name for name in getattr(view, "allowed_methods", []) if name not in {"OPTIONS", "HEAD"}]
    return " or ".join(names) or "another method"


def _reference() -> str:
    return f"{settings.FC_PUBLIC_URL.rstrip('/')}/docs/api"
