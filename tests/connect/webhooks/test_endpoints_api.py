"""`/v1/webhook_endpoints`: Stripe's shape, the secret shown once and sealed, and what is refused."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import standardwebhooks
import stripe
import time_machine

from connect.domain import webhook_signatures
from connect.domain.webhook_endpoints import ENDPOINTS_MAX
from connect.kit import clock, secretbox
from connect.kit.secretbox import SealBroken
from connect.kit.tenancy import use_environment
from connect.models import AuditEntry, WebhookEndpoint
from connect.selectors import webhook_endpoints as selectors
from tests.paging import prove

PATH = "/v1/webhook_endpoints"
BODY = {"url": "https://shop.example.com/hooks", "enabled_events": ["customer.created", "charge.failed"]}


def made(api, **more: Any):
    answer = api.post(PATH, {**BODY, **more})
    assert answer.status_code == 200, answer.content
    return answer.json()


def refused(answer):
    error = answer.json()["error"]
    return answer.status_code, error["code"], error.get("param")


def test_an_endpoint_is_made_with_its_secret_and_then_shown_without(api):
    endpoint = made(api, description="Orders", metadata={"a": "b"})
    secret = endpoint.pop("secret")
    assert len(webhook_signatures.key_of(secret)) == 32
    assert endpoint == {
        "id": endpoint["id"],
        "object": "webhook_endpoint",
        "api_version": None,
        "application": None,
        "created": endpoint["created"],
        "description": "Orders",
        "disabled_reason": None,
        "enabled_events": ["customer.created", "charge.failed"],
        "failing_since": None,
        "livemode": False,
        "metadata": {"a": "b"},
        "previous_secret_expires_at": None,
        "status": "enabled",
        "url": "https://shop.example.com/hooks",
    }
    assert endpoint["id"].startswith("we_")
    assert api.get(f"{PATH}/{endpoint['id']}").json() == endpoint
    assert api.get(PATH).json()["data"] == [endpoint]
    assert "secret" not in api.post(f"{PATH}/{endpoint['id']}", {"description": "x"}).json()


def test_forms_as_stripes_sdk_sends_them(api):
    form = "url=https%3A%2F%2Fshop.example.com%2Fh&enabled_events[0]=customer.created&enabled_events[1]=charge.failed"
    endpoint = api.post(PATH, form=form).json()
    assert endpoint["enabled_events"] == ["customer.created", "charge.failed"]
    assert stripe.WebhookEndpoint.construct_from(endpoint, "sk").secret == endpoint["secret"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"url": "http://shop.example.com/"}, (400, "url_invalid", "url")),
        ({"url": "https://10.0.0.1/"}, (400, "url_invalid", "url")),
        ({"url": ""}, (400, "parameter_invalid_empty", "url")),
        ({"enabled_events": []}, (400, "parameter_invalid_empty", "enabled_events")),
        ({"enabled_events": ["charge.failed", "charge.imagined"]}, (400, "event_type_unknown", "enabled_events[1]")),
        ({"enabled_events": ["charge.*"]}, (400, "event_type_unknown", "enabled_events[0]")),
        ({"api_version": "2020-01-01"}, (400, "parameter_invalid", "api_version")),
        ({"connect": True}, (400, "parameter_unknown", "connect")),
        ({"secret": "whsec_x"}, (400, "parameter_unknown", "secret")),
        ({"description": "x" * 1001}, (400, "parameter_invalid", "description")),
    ],
)
def test_what_is_refused(api, change, expected):
    assert refused(api.post(PATH, {**BODY, **change})) == expected
    assert api.get(PATH).json()["data"] == []


def test_an_update_refuses_the_same(api):
    endpoint = made(api)
    for change in ({"url": "http://shop.example.com/"}, {"enabled_events": ["x.y"]}, {"status": "disabled"}):
        assert api.post(f"{PATH}/{endpoint['id']}", change).status_code == 400
    endpoint.pop("secret")
    assert api.get(f"{PATH}/{endpoint['id']}").json() == endpoint


def test_every_event_is_a_star_alone_and_names_stand_once(api):
    assert made(api, enabled_events=["charge.failed", "*"])["enabled_events"] == ["*"]
    assert made(api, enabled_events=["charge.failed"] * 3)["enabled_events"] == ["charge.failed"]


def test_an_endpoint_changes_stops_and_begins_anew(api):
    identifier = made(api)["id"]
    changed = api.post(f"{PATH}/{identifier}", {
        "url": "https://new.example.com/h", "enabled_events": ["*"], "description": "", "metadata": {"k": "v"},
        "disabled": True,
    }).json()  # fmt: skip
    assert (changed["url"], changed["enabled_events"], changed["description"], changed["metadata"]) == (
        "https://new.example.com/h", ["*"], None, {"k": "v"}
    )  # fmt: skip
    assert (changed["status"], changed["disabled_reason"]) == ("disabled", "by_caller")
    assert api.post(f"{PATH}/{identifier}", {"disabled": True}).json() == changed
    again = api.post(f"{PATH}/{identifier}", {"disabled": False}).json()
    assert (again["status"], again["disabled_reason"]) == ("enabled", None)


def test_disabling_cancels_what_waits(api, shop):
    endpoint = shop.endpoint()
    shop.publish()
    shop.fan_out()
    api.post(f"{PATH}/{endpoint.id}", {"disabled": True})
    assert shop.delivery().state == "canceled"
    assert shop.claim() == []


def test_a_deleted_endpoint_is_gone_and_its_secret_too(api, shop):
    endpoint = shop.endpoint()
    shop.publish()
    shop.fan_out()
    answer = api.delete(f"{PATH}/{endpoint.id}")
    assert answer.json() == {"id": endpoint.id, "object": "webhook_endpoint", "deleted": True}
    for call in (api.get, api.post, api.delete):
        assert refused(call(f"{PATH}/{endpoint.id}")) == (404, "resource_missing", "id")
    for action in ("rotate_secret", "replay", "test"):
        body = {"replay": {"since": 1}, "test": {"type": "charge.failed"}}.get(action, {})
        assert refused(api.post(f"{PATH}/{endpoint.id}/{action}", body)) == (404, "resource_missing", "id")
    assert api.get(PATH).json()["data"] == []
    assert shop.delivery().state == "canceled"
    with use_environment(shop.caller.environment):
        row = WebhookEndpoint.objects.get()
        assert (row.secret, row.previous_secret) == (None, None)


def test_sixteen_endpoints_and_no_more(api):
    identifiers = [made(api)["id"] for _ in range(ENDPOINTS_MAX)]
    assert refused(api.post(PATH, BODY)) == (400, "webhook_endpoint_limit", None)
    prove(api, PATH, identifiers[::-1])
    api.delete(f"{PATH}/{identifiers[0]}")
    made(api)


@pytest.mark.django_db(transaction=True)
def test_the_limit_holds_for_many_at_once(shop, together):
    for _ in range(ENDPOINTS_MAX - 2):
        shop.endpoint()

    def work():
        from connect.domain.errors import WebhookEndpointLimit

        try:
            shop.endpoint()
        except WebhookEndpointLimit:
            return 0
        return 1

    assert sum(together(*[work] * 6)) == 2


def test_local_addresses_are_for_test_environments(api, api_as, settings):
    settings.FC_PRIVATE_HOSTS_ALLOWED = ["localhost:*"]
    body = {**BODY, "url": "http://localhost:4242/hooks"}
    assert api.post(PATH, body).status_code == 200
    assert refused(api_as("acme", "live").post(PATH, body)) == (400, "url_invalid", "url")
    settings.FC_PRIVATE_HOSTS_ALLOWED = []
    assert refused(api.post(PATH, body)) == (400, "url_invalid", "url")


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_the_secret_is_sealed_for_its_own_row(api, environment):
    endpoint = made(api)
    with use_environment(environment):
        row = WebhookEndpoint.objects.get()
        place = f"{environment.schema_name}.connect_webhook_endpoint.secret:{row.id}"
        assert secretbox.unseal(row.secret, place=place).decode() == endpoint["secret"]
        assert endpoint["secret"].encode() not in bytes(row.secret)
        for wrong in (place.replace("secret", "previous_secret"), place[:-1] + "0", place.replace("test_", "live_")):
            if wrong != place:
                with pytest.raises(SealBroken):
                    secretbox.unseal(row.secret, place=wrong)
        noted = json.dumps([entry.data for entry in AuditEntry.objects.all()])
    assert "whsec_" not in noted


def test_a_rotated_secret_signs_beside_the_old_one_until_its_time_is_over(api, shop):
    old = made(api, enabled_events=["*"])
    rotated = api.post(f"{PATH}/{old['id']}/rotate_secret", {"overlap_seconds": 3600}).json()
    assert rotated["secret"] != old["secret"]
    assert rotated["previous_secret_expires_at"] - int(clock.wall().timestamp()) in range(3590, 3601)

    def signed():
        shop.publish()
        shop.fan_out()
        (outgoing,) = shop.claim()
        shop.answer(outgoing, 200)
        return outgoing

    def holds(outgoing, secret):
        headers = dict(outgoing.headers)
        moment = int(headers["webhook-timestamp"])
        with time_machine.travel(moment):
            try:
                stripe.Webhook.construct_event(outgoing.body, headers["Stripe-Signature"], secret)
                standardwebhooks.Webhook(secret).verify(outgoing.body, headers)
            except (stripe.SignatureVerificationError, standardwebhooks.WebhookVerificationError):
                return False
        return True

    first = signed()
    assert holds(first, old["secret"])
    assert holds(first, rotated["secret"])
    with time_machine.travel(clock.wall() + timedelta(seconds=3601)):
        later = signed()
    assert not holds(later, old["secret"])
    assert holds(later, rotated["secret"])
    assert api.get(f"{PATH}/{old['id']}").json()["previous_secret_expires_at"] is not None


def test_without_overlap_the_old_secret_ends_at_once(api, shop):
    old = made(api, enabled_events=["*"])
    new = api.post(f"{PATH}/{old['id']}/rotate_secret").json()
    assert new["previous_secret_expires_at"] is None
    shop.publish()
    shop.fan_out()
    (outgoing,) = shop.claim()
    stripe.Webhook.construct_event(outgoing.body, outgoing.headers["Stripe-Signature"], new["secret"])
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(outgoing.body, outgoing.headers["Stripe-Signature"], old["secret"])


@pytest.mark.parametrize("seconds", [-1, 86401, "a day"])
def test_an_overlap_is_a_day_at_most(api, seconds):
    endpoint = made(api)
    answer = api.post(f"{PATH}/{endpoint['id']}/rotate_secret", {"overlap_seconds": seconds})
    assert refused(answer) == (400, "parameter_invalid_integer", "overlap_seconds")


def test_the_same_key_gives_the_same_secret(api):
    """The stored answer is sealed too; the retry of a lost answer must show the secret once more."""
    first = api.post(PATH, BODY, **{"idempotency-key": "k"})
    second = api.post(PATH, BODY, **{"idempotency-key": "k"})
    assert second.content == first.content
    assert len(api.get(PATH).json()["data"]) == 1


def test_selectors_for_pages(shop, caller, environment):
    endpoints = [shop.endpoint() for _ in range(3)]
    with use_environment(environment):
        assert [one.id for one in selectors.every(caller)] == [one.id for one in reversed(endpoints)]
        assert {one.id for one in selectors.load(caller, [selectors.require(caller, endpoints[0].id)]).values()} == {
            endpoints[0].id
        }
