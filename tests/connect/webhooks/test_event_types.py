"""The register of event types, and what is made from it: examples, JSON Schemas, the catalogue, the refusal to publish."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import msgspec
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from connect.kit import event_samples, event_types, ids, registry
from connect.kit.event_types import EventType
from connect.kit.tenancy import EnvironmentRequired, use_environment
from connect.models import Event
from connect.services import events
from connect.services.events import NewEvent
from connect.shapes import event_schemas
from payments.domain.events import EVENT_TYPES
from payments.shapes.customers import CustomerOut
from tests.connect.webhooks.conftest import customer

TYPES = list(event_types.every())


def schema_of(name):
    document = event_schemas.document(TYPES)
    return {"$schema": document["$schema"], "$ref": f"#/$defs/{name}", "$defs": document["$defs"]}


def test_every_type_of_payments_and_of_the_floor_is_registered():
    names = {known.name for known in TYPES}
    assert set(EVENT_TYPES) | {"webhook_endpoint.disabled"} <= names
    assert [known.name for known in TYPES] == sorted(names)
    for known in TYPES:
        assert known.description.endswith("."), known.name
        assert known.name.startswith(f"{known.object}."), known.name


def test_a_name_stands_for_one_type():
    first = EventType("tested.made", "tested", CustomerOut, "Made.")
    try:
        event_types.register([first])
        event_types.register([first])
        with pytest.raises(ValueError, match=r"tested\.made"):
            event_types.register([EventType("tested.made", "tested", CustomerOut, "Made otherwise.")])
        assert event_types.require("tested.made") is first
    finally:
        event_types.unregister("tested.made")
    assert event_types.get("tested.made") is None


def test_an_unregistered_type_is_not_published(caller, opened):
    with pytest.raises(event_types.UnknownEventType, match=r"customer\.imagined"):
        events.publish(caller, NewEvent("customer.created", customer()), NewEvent("customer.imagined", customer()))
    assert Event.objects.count() == 0


def test_publishing_outside_of_an_environment_is_refused(caller):
    with pytest.raises(EnvironmentRequired):
        events.publish(caller, NewEvent("customer.created", customer()))


def test_publishing_is_one_statement(caller, opened, django_assert_num_queries):
    with django_assert_num_queries(1):
        events.publish(caller, NewEvent("customer.created", customer()), NewEvent("customer.updated", customer()))
    assert Event.objects.count() == 2


@pytest.mark.parametrize("known", TYPES, ids=lambda known: known.name)
def test_the_example_of_a_type_is_of_its_shape(known):
    sample = event_samples.of_type(known)
    assert sample == event_samples.of_type(known)
    assert sample["object"] == known.object
    msgspec.convert(sample, known.shape)
    resource = registry.by_object(known.object)
    if resource is not None:
        assert ids.decode(resource.prefix, sample["id"])
    event = {
        "id": "evt_1", "object": "event", "api_version": "2026-11-01", "created": 1, "data": {"object": sample},
        "livemode": False, "pending_webhooks": 0, "request": {"id": None, "idempotency_key": None}, "type": known.name,
    }  # fmt: skip
    jsonschema.Draft202012Validator(schema_of(known.name)).validate(event)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema_of(known.name)).validate({**event, "type": "other"})


def test_an_example_has_the_status_its_type_is_named_after():
    for name in ("payment_intent.succeeded", "payment_intent.canceled", "payment_intent.processing", "charge.failed"):
        assert event_samples.of_type(event_types.require(name))["status"] == name.rpartition(".")[2]


def test_the_schemas_are_schemas():
    document = event_schemas.document(TYPES)
    jsonschema.Draft202012Validator.check_schema(document)
    assert len(document["oneOf"]) == len(TYPES)


def test_real_events_meet_their_schema(api):
    """What payments really publish, through the API, against the committed document."""
    document = json.loads((Path(settings.BASE_DIR) / "docs" / "events.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(document)
    made = api.post("/v1/customers", {"name": "Ана"}).json()
    api.post(f"/v1/customers/{made['id']}", {"name": "Ana"})
    body = {"amount": 2500, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}
    api.post("/v1/payment_intents", body)
    api.post("/v1/payment_intents", {**body, "payment_method": "pm_card_visa_chargeDeclined"})
    listed = api.get("/v1/events", {"limit": 100}).json()["data"]
    assert len({event["type"] for event in listed}) >= 6
    for event in listed:
        validator.validate(event)


def test_the_committed_catalogue_is_current(tmp_path):
    call_command("event_catalogue", check=True)
    call_command("event_catalogue", folder=tmp_path, verbosity=0)
    call_command("event_catalogue", folder=tmp_path, check=True)
    (tmp_path / "events.md").write_text("old")
    with pytest.raises(CommandError, match="event_catalogue"):
        call_command("event_catalogue", folder=tmp_path, check=True)


def test_a_customer_s_event_is_frozen(caller, environment, api):
    """What the object becomes later changes nothing about what was told."""
    made = api.post("/v1/customers", {"name": "Ana"}).json()
    api.post(f"/v1/customers/{made['id']}", {"name": "Beti"})
    with use_environment(environment):
        payloads = [row.payload["name"] for row in Event.objects.filter(object_id=made["id"]).order_by("id")]
    assert payloads == ["Ana", "Beti"]
