"""Whatever goes wrong leaves in one shape, and the official SDK raises the class it means."""

import json
import logging

import psycopg
import pytest
import stripe
from django.core import exceptions as django_exceptions
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.http.request import UnreadablePostError
from rest_framework import exceptions
from rest_framework.test import APIRequestFactory

from connect.api.errors import ServiceUnavailable, error_body, from_validation_error, render_error, to_domain_error
from connect.api.renderers import render_bytes
from connect.domain.errors import PermissionMissing
from connect.kit import errors
from tests.connect.api.shop import BoxLost, BoxViewSet


@pytest.fixture(autouse=True)
def _public_url(settings):
    settings.FC_PUBLIC_URL = "https://connect.test/"


def get(pk, **headers):
    request = APIRequestFactory().get(f"/v1/boxes/{pk}", **headers)
    request.request_id = "req_1"
    response = BoxViewSet.as_view({"get": "retrieve"})(request, pk=pk)
    response.render()
    return response


def test_a_refusal_carries_code_message_and_where_to_read_on():
    response = get("lost")
    assert response.status_code == 402
    assert response["Content-Type"] == "application/json"
    assert json.loads(response.content) == {
        "error": {
            "type": "invalid_request_error",
            "code": "test_box_lost",
            "message": "This box is lost.",
            "doc_url": "https://connect.test/docs/errors#test_box_lost",
            "request_id": "req_1",
        }
    }


def test_a_browser_gets_the_same_as_an_sdk():
    assert get("lost", HTTP_ACCEPT="text/html").content == get("lost").content


def test_an_unexpected_failure_is_logged_with_its_request_and_tells_nothing(caplog):
    with caplog.at_level(logging.ERROR, "connect.api"):
        response = get("broken")
    assert (response.status_code, response.data.error.code) == (500, "internal_error")
    assert b"division" not in response.content
    (record,) = caplog.records
    assert (record.request_id, record.exc_info[0]) == ("req_1", ZeroDivisionError)


def test_a_method_that_does_not_exist_names_those_that_do():
    request = APIRequestFactory().delete("/v1/boxes/1")
    response = BoxViewSet.as_view({"get": "retrieve"})(request, pk="1")
    assert response.status_code == 405
    assert response.data.error.message == "DELETE is not allowed here; use GET."


def unreachable(cause):
    error = OperationalError("server closed the connection")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("exception", "code", "status"),
    [
        (BoxLost(), "test_box_lost", 402),
        (Http404(), "route_unknown", 404),
        (exceptions.NotFound(), "route_unknown", 404),
        (django_exceptions.PermissionDenied(), "permission_missing", 403),
        (exceptions.PermissionDenied(), "permission_missing", 403),
        (exceptions.NotAuthenticated(), "api_key_missing", 401),
        (exceptions.AuthenticationFailed(), "api_key_missing", 401),
        (exceptions.ParseError(), "body_invalid", 400),
        (exceptions.UnsupportedMediaType("x"), "body_invalid", 400),
        (exceptions.NotAcceptable(), "body_invalid", 400),
        (exceptions.Throttled(3), "rate_limit", 429),
        (exceptions.APIException(), "internal_error", 500),
        (exceptions.ValidationError({"a": ["bad"]}), "parameter_invalid", 400),
        (django_exceptions.BadRequest(), "body_invalid", 400),
        (django_exceptions.RequestDataTooBig(), "body_invalid", 400),
        (django_exceptions.TooManyFieldsSent(), "body_invalid", 400),
        (UnreadablePostError(), "body_invalid", 400),
        (unreachable(psycopg.OperationalError("no route")), "service_unavailable", 503),
        (unreachable(psycopg.errors.AdminShutdown("bye")), "service_unavailable", 503),
        (unreachable(psycopg.errors.TooManyConnections("full")), "service_unavailable", 503),
        (unreachable(psycopg.errors.DeadlockDetected("x")), "lock_timeout", 429),
        (unreachable(psycopg.errors.LockNotAvailable("x")), "lock_timeout", 429),
        (InterfaceError("the connection is closed"), "service_unavailable", 503),
        (unreachable(psycopg.errors.UndefinedTable("x")), "internal_error", 500),
        (KeyError("x"), "internal_error", 500),
    ],
)
def test_every_exception_becomes_a_refusal(exception, code, status):
    error = to_domain_error(exception)
    assert (error.code, error.status) == (code, status)
    body, sent_status, headers = render_error(error, "req_1")
    assert sent_status == status
    assert json.loads(body)["error"]["message"]
    assert headers["Content-Type"] == "application/json"


def test_an_unreachable_database_says_that_trying_again_helps():
    _, _, headers = render_error(ServiceUnavailable(), "")
    assert headers["Stripe-Should-Retry"] == "true"
    assert int(headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("detail", "code", "param"),
    [
        ({"a": [exceptions.ErrorDetail("x", "required")]}, "parameter_missing", "a"),
        ({"a": {"b": [exceptions.ErrorDetail("x", "blank")]}}, "parameter_invalid_empty", "a[b]"),
        ({"a": [{}, {"b": ["bad"]}]}, "parameter_invalid", "a[1][b]"),
        ({"non_field_errors": ["bad"]}, "parameter_invalid", None),
        (["bad"], "parameter_invalid", None),
    ],
)
def test_stock_validation_errors_name_the_first_parameter(detail, code, param):
    error = from_validation_error(exceptions.ValidationError(detail))
    assert (error.code, error.param) == (code, param)


def test_only_known_fields_of_the_data_travel():
    error = BoxLost(decline_code="lost_card", charge="ch_1", payment_intent={"id": "pi_1"}, secret="x", param="box")
    sent = json.loads(render_bytes(error_body(error, "")))["error"]
    assert (sent["decline_code"], sent["charge"], sent["payment_intent"], sent["param"]) == (
        "lost_card", "ch_1", {"id": "pi_1"}, "box",
    )  # fmt: skip
    assert "secret" not in sent
    assert sent["request_id"] is None


class Declined(errors.DomainError):
    """A card was declined; ask for another one."""

    type = "card_error"
    code = "test_declined"
    status = 402
    message = "Declined."


class Answering(stripe.HTTPClient):
    """A transport that gives the SDK one fixed answer."""

    name = "answering"

    def __init__(self, *answer):
        super().__init__()
        self.answer = answer

    def request(self, method, url, headers, post_data=None):
        return self.answer

    def close(self):
        """Nothing is open."""


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (errors.ParameterMissing(param="amount"), stripe.InvalidRequestError),
        (errors.ResourceMissing(resource="customer", id="cus_1"), stripe.InvalidRequestError),
        (PermissionMissing(scope="payments:write"), stripe.PermissionError),
        (Declined(decline_code="lost_card"), stripe.CardError),
        (errors.LockTimeout(), stripe.RateLimitError),
        (errors.InternalError(), stripe.APIError),
        (ServiceUnavailable(), stripe.APIError),
    ],
)
def test_the_official_sdk_raises_the_class_it_means(error, raised):
    body, status, headers = render_error(error, "req_1")
    client = stripe.StripeClient("fc_test_x", http_client=Answering(body.decode(), status, headers))
    with pytest.raises(raised) as seen:
        client.v1.customers.retrieve("cus_1")
    assert seen.value.error.code == error.code
    assert seen.value.error.doc_url == f"https://connect.test/docs/errors#{error.code}"
