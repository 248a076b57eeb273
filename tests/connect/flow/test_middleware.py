"""What every answer has, and what no answer of the API may be."""

from __future__ import annotations

import json
import logging

import pytest
from django.http import HttpResponse
from django.urls import include, path

from connect.api.middleware import route_template
from connect.api.views import ApiViewSet
from connect.domain import tiers
from connect.domain.errors import NameInvalid
from connect.kit import ids, valkey
from connect.selectors import request_logs as reads
from connect.services import limits, request_log_drain


class Things(ApiViewSet):
    """A resource that shows what it was given."""

    scope_resource = "payments"

    def retrieve(self, request, pk):
        return self.read(lambda caller: {"id": pk, "object": "thing", "request": caller.request_id})

    def create(self, request):
        return self.local(lambda caller: {"id": "thing_1", "sent": request.data})


def broken(request):
    raise RuntimeError("secret detail")


def refused(request):
    raise NameInvalid(maximum=3, param="name")


def page(request):
    return HttpResponse("page")


def broken_page(request):
    raise RuntimeError("page")


urlpatterns = [
    path("v1/", include([
        path("things", Things.as_view({"post": "create"})),
        path("things/<str:pk>", Things.as_view({"get": "retrieve"})),
        path("broken", broken),
        path("refused", refused),
    ])),
    path("page", page),
    path("broken-page", broken_page),
]  # fmt: skip
pytestmark = pytest.mark.urls(__name__)


def test_request_id_is_ours(api):
    """One id in the header, the service and the error; one sent from outside is not taken."""
    one = api.get("/v1/things/a", request_id="req_0000000000000000000000", x_request_id="x")
    assert ids.decode("req", one.headers["Request-Id"]) is not None
    assert one.json()["request"] == one.headers["Request-Id"] != "req_0000000000000000000000"
    other = api.get("/v1/nothing")
    assert other.json()["error"]["request_id"] == other.headers["Request-Id"] != one.headers["Request-Id"]


@pytest.mark.parametrize("address", ["/v1/nothing", "/v1", "/v1/", "/v1/things/", "/v1/things/a/b"])
def test_unknown_addresses_answer_json(api, address):
    """Never Django's HTML."""
    answer = api.get(address)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "route_unknown")
    assert answer.headers["Content-Type"] == "application/json"


def test_other_addresses_are_left_alone(client):
    """`/v1x` is not the API."""
    answer = client.get("/v1x")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")


def test_failures_answer_json_without_details(api, caplog):
    """The caller gets an id to quote, the log gets the traceback."""
    with caplog.at_level(logging.ERROR):
        answer = api.get("/v1/broken")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal_error")
    assert answer.json()["error"]["request_id"] == answer.headers["Request-Id"]
    assert "secret detail" not in answer.content.decode()
    assert any("request.failed" in record.getMessage() for record in caplog.records)


def test_refusals_outside_of_drf(api):
    """A plain view's refusal looks like any other."""
    answer = api.get("/v1/refused")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "name")


def test_pages_have_the_id_too(client):
    """On success and on failure."""
    client.raise_request_exception = False
    for address in ("/page", "/broken-page", "/nothing"):
        assert ids.decode("req", client.get(address).headers["Request-Id"]) is not None


def test_no_session_on_the_api(api, django_assert_num_queries):
    """A session's cookie is neither read nor written, and changes nothing."""
    api.client.cookies["sessionid"] = "abc"
    with django_assert_num_queries(0):
        answer = api.get("/v1/nothing")
    assert "Set-Cookie" not in answer.headers
    assert "Vary" not in answer.headers
    api.headers = {}
    assert api.get("/v1/things/a").status_code == 401


def test_answers_are_not_cached(api):
    """Money is never served from somebody's cache, nor guessed to be another type, nor cut short unnoticed."""
    answer = api.get("/v1/things/a")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Length"] == str(len(answer.content))


def test_idempotency_key_is_echoed(api):
    """On success and refusal; what no header can hold is left out."""
    assert api.post("/v1/things", {"a": "b"}, Idempotency_Key="k-1").headers["Idempotency-Key"] == "k-1"
    assert api.post("/v1/nothing", {}, Idempotency_Key="k-2").headers["Idempotency-Key"] == "k-2"
    assert "Idempotency-Key" not in api.post("/v1/nothing", {}, Idempotency_Key="k" * 300).headers
    assert "Idempotency-Key" not in api.get("/v1/things/a").headers


def test_rate_limit_headers(api):
    """On every answer to a known credential, and on none to a stranger."""
    answer = api.get("/v1/things/a")
    assert {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "RateLimit-Policy"} <= set(answer.headers)
    api.headers = {"authorization": "Bearer nonsense"}
    assert "RateLimit-Limit" not in api.get("/v1/things/a").headers


def test_rate_limit_refusal(api, monkeypatch):
    """429 in Stripe's form, with the wait and the permission to repeat."""
    rate = tiers.Rate(0.01, 2)
    monkeypatch.setattr(tiers, "TIERS", {"free": tiers.Tier("Free", rate, rate, None, hard=False, log_days=1)})
    assert [api.get("/v1/things/a").status_code for _ in range(3)] == [200, 200, 429]
    answer = api.get("/v1/things/a")
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "rate_limit")
    assert 1 <= int(answer.headers["Retry-After"]) <= 100
    assert answer.headers["Stripe-Should-Retry"] == "true"
    assert answer.headers["RateLimit-Remaining"] == "0"


def test_valkey_away_does_not_stop_the_api(api, settings, tmp_path, buffer):
    """Requests pass, without the headers of a limit that was not asked."""
    address = settings.REDIS_URL
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"
    answer = api.get("/v1/things/a")
    settings.REDIS_URL = address
    assert answer.status_code == 200
    assert "RateLimit-Limit" not in answer.headers


def test_guessing_keys(api):
    """Twenty wrong keys from an address, then 429 — for unknown keys, and while it lasts even for a good one."""
    good = api.headers
    api.headers = {"authorization": "Bearer fc_test_nonsense"}
    statuses = [api.get("/v1/things/a").status_code for _ in range(22)]
    assert statuses[:20] == [401] * 20
    assert statuses[21] == 429
    error = api.get("/v1/things/a")
    assert error.json()["error"]["code"] == "too_many_failed_credentials"
    api.headers = good
    assert api.get("/v1/things/a").status_code == 429
    valkey.client().flushdb()
    assert api.get("/v1/things/a").status_code == 200


def test_known_keys_do_not_pay_for_guesses(api):
    """A key that was used a moment ago goes on working behind the same address."""
    good = api.headers
    assert api.get("/v1/things/a").status_code == 200
    for _ in range(25):
        limits.count_failed_credential("127.0.0.1")
    assert api.get("/v1/things/a").status_code == 200
    api.headers = {"authorization": "Bearer fc_test_nonsense"}
    assert api.get("/v1/things/a").status_code == 429
    assert good


def test_requests_are_logged(api, opened, buffer):
    """From HTTP to the row: route, actor, object, status and bodies."""
    sent = api.post("/v1/things", {"card": {"number": "4242424242424242"}, "a": "b"})
    buffer.flush()
    assert request_log_drain.drain() == 1
    row = reads.get(sent.headers["Request-Id"])
    assert (row.method, row.path, row.route, row.status) == ("POST", "/v1/things", "/v1/things", 200)
    assert (row.actor_kind, row.object_id) == ("api_key", "thing_1")
    assert row.actor_id.startswith("key_")
    assert json.loads(row.request_body) == {"card": {"number": "[redacted]"}, "a": "b"}
    assert "4242424242424242" not in row.response_body
    assert row.duration_us > 0


def test_forwarded_addresses(api, settings, opened, buffer):
    """`X-Forwarded-For` counts only as far as our own proxies wrote it."""
    for proxies, expected in ((0, "127.0.0.1"), (1, "198.51.100.2"), (2, "203.0.113.9"), (3, "127.0.0.1")):
        settings.FC_TRUSTED_PROXIES = proxies
        sent = api.get("/v1/things/a", x_forwarded_for="203.0.113.9, 198.51.100.2")
        buffer.flush()
        request_log_drain.drain()
        assert reads.get(sent.headers["Request-Id"]).ip == expected


@pytest.mark.parametrize(("route", "shown"), [
    ("v1/things/<str:pk>", "/v1/things/{pk}"),
    (r"v1/^things/(?P<pk>[^/.]+)/$", "/v1/things/{pk}"),
    (r"v1/things/(?P<pk>[^/]+)/capture\Z", "/v1/things/{pk}/capture"),
    ("o/<slug>/test/", "/o/{slug}/test"),
])  # fmt: skip
def test_route_templates(route, shown):
    """One label per endpoint, for people to read."""
    assert route_template(route) == shown
