"""Webhooks in the dashboard: endpoints, their secret seen once, deliveries with their attempts, and the inbox."""

import html
import json
import re

import pytest
from django.urls import reverse

from connect.domain import webhook_signatures
from connect.kit import clock
from connect.services import webhook_inbox

KEY = {"idempotency_key": "0123456789abcdef" * 2}
OTHER = {"idempotency_key": "fedcba9876543210" * 2}
URL = "https://shop.example.com/hooks"
NEW = {**KEY, "url": URL, "which": "all", "description": "Shop"}
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]+")


def address(name="webhook_endpoints", *arguments, mode="test"):
    return reverse(f"dashboard:{name}", args=["acme", mode, *arguments])


def text_of(answer, status=200):
    assert answer.status_code == status
    return html.unescape(answer.content.decode())


@pytest.fixture
def endpoint(api):
    return api.post("/v1/webhook_endpoints", {"url": URL, "enabled_events": ["*"]}).json()


@pytest.fixture
def stored(api):
    """The endpoint as the API shows it now."""
    return lambda endpoint: api.get(f"/v1/webhook_endpoints/{endpoint['id']}").json()


@pytest.fixture
def deliveries(api):
    return lambda endpoint: api.get(f"/v1/webhook_endpoints/{endpoint['id']}/deliveries").json()["data"]


def test_an_empty_list_teaches_the_first_endpoint(pages):
    page = text_of(pages.get(address()))
    assert "No endpoint yet" in page
    assert "enabled_events[]=*" in page


def test_a_new_endpoint_shows_its_secret_once(pages, api):
    answer = pages.post(address("webhook_endpoint_new"), NEW)
    (secret,) = set(SECRET.findall(text_of(answer)))
    assert "no-store" in answer["Cache-Control"]
    (made,) = api.get("/v1/webhook_endpoints").json()["data"]
    assert (made["url"], made["enabled_events"], made["description"]) == (URL, ["*"], "Shop")
    for path in (address(), address("webhook_endpoint", made["id"]), address("webhook_endpoint_edit", made["id"])):
        assert secret not in text_of(pages.get(path))


def test_the_same_form_sent_twice_makes_one_endpoint_and_shows_the_same_secret(pages, api):
    first, second = (SECRET.findall(text_of(pages.post(address("webhook_endpoint_new"), NEW))) for _ in range(2))
    assert first == second
    assert len(api.get("/v1/webhook_endpoints").json()["data"]) == 1


def test_only_chosen_events_are_wanted(pages, api):
    chosen = ["charge.succeeded", "payment_intent.succeeded"]
    pages.post(address("webhook_endpoint_new"), {**NEW, "which": "chosen", "enabled_events": chosen})
    assert sorted(api.get("/v1/webhook_endpoints").json()["data"][0]["enabled_events"]) == chosen


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "http://127.0.0.1/"}, "url"),
        ({"url": "ftp://shop.example.com"}, "url"),
        ({"url": ""}, "url"),
        ({"which": "chosen"}, "enabled_events"),
        ({"which": "chosen", "enabled_events": ["moon.rose"]}, "enabled_events"),
    ],
)
def test_a_refused_endpoint_names_the_field(pages, api, change, field, settings):
    settings.FC_PRIVATE_HOSTS_ALLOWED = []
    answer = pages.post(address("webhook_endpoint_new"), {**NEW, **change})
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert SECRET.search(answer.content.decode()) is None
    assert api.get("/v1/webhook_endpoints").json()["data"] == []


def test_events_are_offered_by_object(pages):
    groups = dict(pages.get(address("webhook_endpoint_new")).context["form"].groups)
    assert {"charge", "customer", "payment_intent"} <= groups.keys()
    assert all(box.data["value"].startswith(f"{name}.") for name, boxes in groups.items() for box in boxes)


def test_an_edit_starts_from_what_is_there(pages, endpoint, stored):
    path = address("webhook_endpoint_edit", endpoint["id"])
    assert pages.get(path).context["form"]["url"].value() == URL
    changed = {**NEW, "url": f"{URL}/v2", "which": "chosen", "enabled_events": ["charge.succeeded"]}
    assert pages.post(path, changed)["Location"] == address("webhook_endpoint", endpoint["id"])
    assert (stored(endpoint)["url"], stored(endpoint)["enabled_events"]) == (f"{URL}/v2", ["charge.succeeded"])
    assert pages.get(path).context["form"]["enabled_events"].value() == ["charge.succeeded"]


def test_a_rotated_secret_is_shown_once_beside_the_end_of_the_old(pages, endpoint, stored):
    answer = pages.post(address("webhook_endpoint_rotate", endpoint["id"]), {**KEY, "overlap": "3600"})
    assert SECRET.search(text_of(answer))[0] != endpoint["secret"]
    assert "signs too until" in text_of(answer)
    assert stored(endpoint)["previous_secret_expires_at"] > clock.unix(clock.wall())
    assert pages.post(address("webhook_endpoint_rotate", endpoint["id"]), {**OTHER, "overlap": "9"}).status_code == 422


def test_switching_off_and_on_says_what_follows_and_does_not_undo_itself(pages, endpoint, stored):
    path = address("webhook_endpoint_switch", endpoint["id"])
    page = text_of(pages.get(path))
    assert "Disable this endpoint?" in page
    assert 'name="disabled" value="true"' in page
    for _ in range(2):
        pages.post(path, {**KEY, "disabled": "true"})
        assert stored(endpoint)["status"] == "disabled"
    assert "Enable this endpoint?" in text_of(pages.get(path))
    pages.post(path, {**OTHER, "disabled": "false"})
    assert stored(endpoint)["status"] == "enabled"


def test_deleting_names_the_address_and_the_consequence(pages, endpoint, api):
    path = address("webhook_endpoint_delete", endpoint["id"])
    assert f"Nothing more is sent to {URL}" in text_of(pages.get(path))
    assert pages.post(path, KEY)["Location"] == address()
    assert api.get("/v1/webhook_endpoints").json()["data"] == []
    assert pages.get(address("webhook_endpoint", endpoint["id"])).status_code == 404


def test_a_test_event_becomes_a_delivery(pages, endpoint, deliveries):
    path = address("webhook_endpoint_test", endpoint["id"])
    sent = pages.post(path, {**KEY, "type": "charge.succeeded"}, follow=True)
    (delivery,) = deliveries(endpoint)
    assert "The test is on its way" in text_of(sent)
    assert delivery["event_type"] == "charge.succeeded"
    assert "Not sent yet" in text_of(pages.get(address("webhook_delivery", delivery["id"])))
    assert pages.get(address("search"), {"q": delivery["id"]})["Location"] == address(
        "webhook_delivery", delivery["id"]
    )


def test_a_replay_sends_what_was_missed_once(pages, endpoint, deliveries, api):
    pages.post(address("webhook_endpoint_switch", endpoint["id"]), {**KEY, "disabled": "true"})
    api.post("/v1/customers", {"name": "Ana"})
    pages.post(address("webhook_endpoint_switch", endpoint["id"]), {**OTHER, "disabled": "false"})
    since = f"{clock.wall():%Y-%m-%dT00:00}"
    form = {"idempotency_key": "a" * 32, "since": since, "until": "", "scope": "failed"}
    for _ in range(2):
        answer = pages.post(address("webhook_endpoint_replay", endpoint["id"]), form, follow=True)
        assert "1 delivery is on the way" in text_of(answer)
    assert [delivery["event_type"] for delivery in deliveries(endpoint)] == ["customer.created"]


def test_a_replay_is_counted_before_anything_is_sent(pages, api, deliveries, environment):
    api.post("/v1/products", {"name": "Cups"})
    api.post("/v1/customers", {"name": "Ana"})
    endpoint = api.post("/v1/webhook_endpoints", {"url": URL, "enabled_events": ["product.created"]}).json()
    path = address("webhook_endpoint_replay", endpoint["id"])
    assert 'value="count"' in text_of(pages.get(path))
    answer = pages.post(path, {**KEY, "step": "count", "since": f"{clock.wall():%Y-%m-%dT00:00}", "scope": "failed"})
    page = text_of(answer)
    assert "Replay 1 event?" in page
    assert deliveries(endpoint) == []
    api.post("/v1/products", {"name": "Mugs, made after the count"})
    form = {**OTHER, **dict(answer.context["hidden"])}
    assert "1 delivery is on the way" in text_of(pages.post(path, form, follow=True))
    back = text_of(pages.get(answer.context["back"]))
    assert f'value="{clock.wall():%Y-%m-%dT00:00}"' in back


def test_an_empty_range_offers_no_replay(pages, endpoint):
    path = address("webhook_endpoint_replay", endpoint["id"])
    form = {**KEY, "step": "count", "since": "2020-01-01T00:00", "until": "2020-01-02T00:00", "scope": "all"}
    page = text_of(pages.post(path, form))
    assert "Nothing to replay" in page
    assert "Change the range" in page
    assert 'class="button primary" type="submit"' not in page


def test_what_cannot_be_replayed_cannot_be_counted(pages, endpoint):
    path = address("webhook_endpoint_replay", endpoint["id"])
    answer = pages.post(path, {**KEY, "step": "count", "since": "2099-01-01T00:00", "scope": "failed"})
    assert list(answer.context["form"].errors) == ["since"]
    pages.post(address("webhook_endpoint_switch", endpoint["id"]), {**KEY, "disabled": "true"})
    answer = pages.post(path, {**KEY, "step": "count", "since": "2026-01-01T00:00", "scope": "failed"})
    assert "is disabled" in text_of(answer, 422)


def test_the_events_on_offer_stand_under_their_object_once(pages):
    groups = pages.get(address("webhook_endpoint_new")).context["form"].groups
    names = [name for name, _ in groups]
    assert len(names) == len(set(names))
    assert {name: len(boxes) for name, boxes in groups}["charge.refund"] == 1


@pytest.mark.parametrize("change", [{"since": ""}, {"since": "soon"}, {"since": "2099-01-01T00:00"}, {"scope": "x"}])
def test_a_replay_of_an_impossible_range_is_refused(pages, endpoint, deliveries, change):
    form = {**KEY, "since": "2026-01-01T00:00", "scope": "failed", **change}
    assert pages.post(address("webhook_endpoint_replay", endpoint["id"]), form).status_code == 422
    assert deliveries(endpoint) == []


def test_deliveries_are_narrowed_by_status(pages, endpoint):
    pages.post(address("webhook_endpoint_test", endpoint["id"]), {**KEY, "type": "charge.succeeded"})
    path = address("webhook_endpoint", endpoint["id"])
    assert len(pages.get(path, {"status": "pending"}).context["deliveries"]) == 1
    assert pages.get(path, {"status": "failed"}).context["deliveries"] == []
    assert len(pages.get(path, {"status": "lost"}).context["deliveries"]) == 1


def test_every_attempt_is_shown_with_request_and_answer(pages, endpoint, deliveries, environment):
    """Recorded as the dispatcher does, so that the page is seen with what it exists for."""
    from datetime import timedelta

    from connect.kit.tenancy import use_environment
    from connect.models import WebhookAttempt, WebhookDelivery

    pages.post(address("webhook_endpoint_test", endpoint["id"]), {**KEY, "type": "charge.succeeded"})
    (delivery,) = deliveries(endpoint)
    with use_environment(environment):
        row = WebhookDelivery.objects.get()
        sent = {"url": URL, "body_sha256": b"0" * 32, "body_bytes": 2, "requested_at": clock.wall()}
        asked = {"webhook-id": "evt_1"}
        WebhookAttempt.objects.create(
            delivery_id=row.id, number=1, **sent, request_headers=asked, error_kind="timeout", error="No answer in 15 s",
            duration_ms=15_000, finished_at=clock.wall() + timedelta(seconds=15),
        )  # fmt: skip
        WebhookAttempt.objects.create(
            delivery_id=row.id, number=2, **sent, request_headers=asked, response_status=503, duration_ms=8,
            response_headers={"server": "shop"}, response_body='{"busy":"<b>yes"}', finished_at=clock.wall(),
        )  # fmt: skip
    answer = pages.get(address("webhook_delivery", delivery["id"]))
    page = text_of(answer)
    assert [attempt.number for attempt, _ in answer.context["attempts"]] == [2, 1]
    for expected in (
        "No answer in 15 s",
        "503",
        "webhook-id",
        "server",
        '"busy": "<b>yes"',
        '"type": "charge.succeeded"',
    ):
        assert expected in page
    assert "<b>yes" not in answer.content.decode()


def test_a_delivery_is_sent_again_once(pages, endpoint, deliveries):
    pages.post(address("webhook_endpoint_test", endpoint["id"]), {**KEY, "type": "charge.succeeded"})
    (delivery,) = deliveries(endpoint)
    path = address("webhook_delivery_resend", delivery["id"])
    assert "charge.succeeded" in text_of(pages.get(path))
    assert pages.post(path, OTHER)["Location"] == address("webhook_delivery", delivery["id"])
    assert len(deliveries(endpoint)) == 1


def test_nothing_is_sent_to_a_disabled_endpoint(pages, endpoint, deliveries):
    pages.post(address("webhook_endpoint_switch", endpoint["id"]), {**KEY, "disabled": "true"})
    answer = pages.post(address("webhook_endpoint_test", endpoint["id"]), {**OTHER, "type": "charge.succeeded"})
    assert "is disabled" in text_of(answer, 422)
    assert deliveries(endpoint) == []


def test_the_inbox_shows_what_arrived_and_whether_it_is_genuine(pages, environment, api, settings):
    settings.FC_PRIVATE_HOSTS_ALLOWED = ["127.0.0.1:*", "localhost:*"]
    inbox = webhook_inbox.address(environment)
    page = text_of(pages.get(address("webhook_inbox")))
    assert inbox in page
    assert "No endpoint leads here yet" in page
    made = api.post("/v1/webhook_endpoints", {"url": inbox, "enabled_events": ["*"]}).json()
    body = json.dumps({"id": "evt_1", "type": "charge.succeeded"}).encode()
    signed = webhook_signatures.headers(body, message_id="evt_1", secrets=[made["secret"]], at=clock.unix(clock.wall()))
    path = "/" + inbox.split("/", 3)[3]
    for headers in ({}, {**signed, "Stripe-Signature": "t=1,v1=00"}, signed):
        assert pages.post(path, body, content_type="application/json", headers=headers).status_code == 200
    answer = pages.get(address("webhook_inbox"))
    verdicts = [message["verdict"] for message in answer.context["messages_arrived"]]
    assert verdicts == ["Signature valid", "Signature invalid", "Not signed"]
    assert "charge.succeeded" in text_of(answer)


def test_live_mode_has_no_inbox(pages):
    assert pages.get(address("webhook_inbox", mode="live")).status_code == 404
    assert address("webhook_inbox", mode="live") not in text_of(pages.get(address(mode="live")))


def test_an_endpoint_of_the_other_mode_is_not_here(pages, endpoint):
    assert pages.get(address("webhook_endpoint", endpoint["id"], mode="live")).status_code == 404
