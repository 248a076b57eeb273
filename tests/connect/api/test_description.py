"""The description of the API says what the code does, and the commands notice when a file falls behind."""

from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from connect.kit import registry
from connect.kit.errors import DomainError, catalogue
from connect.kit.registry import Resource
from connect.management.commands import error_catalogue
from connect.management.commands.openapi import generate
from tests.connect.api.shop import Box, Owner

SHOP = "tests.connect.api.shop"


@pytest.fixture
def schema():
    resources = [
        Resource("tbox", "test_box", Box, lambda caller, identifiers: {}, None, "boxes:read"),
        Resource("town", "test_owner", Owner, lambda caller, identifiers: {}, None, "owners:read"),
    ]
    for resource in resources:
        registry.register(resource)
    yield generate(SHOP)
    for resource in resources:
        registry.unregister(resource)


def test_only_the_api_is_described_under_the_names_sdks_use(schema):
    assert schema["openapi"].startswith("3.1")
    operations = {part["operationId"] for path in schema["paths"].values() for part in path.values()}
    assert operations == {"boxes.list", "boxes.create", "boxes.retrieve", "boxes.seal", "boxes.things.list"}
    assert all(path.startswith("/v1/") for path in schema["paths"])


def test_inputs_are_closed_and_say_what_has_no_effect(schema):
    body = schema["paths"]["/v1/boxes"]["post"]["requestBody"]
    assert set(body["content"]) == {"application/x-www-form-urlencoded", "application/json"}
    assert body["required"] is True
    box = schema["components"]["schemas"]["BoxCreate"]
    assert box["additionalProperties"] is False
    assert box["required"] == ["amount", "currency"]
    assert box["properties"]["amount"] == {
        "type": "integer", "minimum": 1, "maximum": 999999999999, "format": "int64",
        "description": "In minor units of `currency`: 2000 `eur` is 20.00 EUR.",
    }  # fmt: skip
    assert box["properties"]["description"]["type"] == ["string", "null"]
    assert "without effect" in box["properties"]["automatic_payment_methods"]["description"]
    assert "expand" in box["properties"]
    assert "expand" not in schema["components"]["schemas"]["Lid"]["properties"]


def test_outputs_have_every_field_and_ids_that_can_be_objects(schema):
    box = schema["components"]["schemas"]["Box"]
    assert box["required"] == ["id", "object", "amount", "owner", "source", "things", "metadata"]
    assert box["properties"]["object"] == {
        "type": "string", "const": "test_box", "description": "The kind of object, always this text.",
    }  # fmt: skip
    assert box["properties"]["source"]["anyOf"] == [
        {"type": "string"},
        {"type": "null"},
        {"$ref": "#/components/schemas/Owner"},
        {"$ref": "#/components/schemas/Box"},
    ]
    assert "Owner" in schema["components"]["schemas"]


def test_errors_come_from_the_classes(schema):
    answers = schema["paths"]["/v1/boxes"]["post"]["responses"]
    assert set(answers) == {"200", "400", "401", "402", "403", "409", "429", "500", "503"}
    assert "test_box_lost" in answers["402"]["description"]
    assert "resource_missing" in schema["paths"]["/v1/boxes/{id}"]["get"]["responses"]["404"]["description"]


def test_lists_have_paging_filters_and_the_envelope(schema):
    listing = schema["paths"]["/v1/boxes"]["get"]
    names = [parameter["name"] for parameter in listing["parameters"] if "name" in parameter]
    assert names == ["limit", "starting_after", "ending_before", "created", "owner", "expand"]
    envelope = listing["responses"]["200"]["content"]["application/json"]["schema"]
    assert envelope["properties"]["data"]["items"] == {"$ref": "#/components/schemas/Box"}


def test_a_method_without_a_description_fails_the_command(monkeypatch, capsys):
    from tests.connect.api import shop

    monkeypatch.delattr(shop.BoxViewSet.seal, "operation")
    with pytest.raises(CommandError, match="not complete"):
        generate(SHOP)
    assert "has no @operation" in capsys.readouterr().err


def test_check_notices_a_file_that_fell_behind(tmp_path):
    file = tmp_path / "openapi.yaml"
    options = {"file": file, "urlconf": SHOP, "verbosity": 0}
    with pytest.raises(CommandError, match=r"manage\.py openapi"):
        call_command("openapi", check=True, **options)
    call_command("openapi", **options)
    call_command("openapi", check=True, **options)
    file.write_text(file.read_text() + "#")
    with pytest.raises(CommandError):
        call_command("openapi", check=True, **options)


def test_the_error_page_has_every_code_and_check_notices_drift(tmp_path):
    file = tmp_path / "errors.md"
    call_command("error_catalogue", file=file, verbosity=0)
    page = file.read_text()
    classes = error_catalogue.our_classes()
    assert {"parameter_missing", "idempotency_key_in_use", "service_unavailable"} <= {error.code for error in classes}
    for error in classes:
        assert f'<a id="{error.code}"></a>' in page
        assert f"HTTP {error.status}, `{error.type}`" in page
    assert "test_box_lost" not in page
    call_command("error_catalogue", file=file, check=True, verbosity=0)
    file.write_text("old")
    with pytest.raises(CommandError, match="error_catalogue"):
        call_command("error_catalogue", file=file, check=True, verbosity=0)


def test_error_classes_live_where_the_catalogue_looks():
    """A class in a service or a view would be on the page or not, depending on what was imported before."""
    error_catalogue.our_classes()
    ours = {path.name for path in Path(settings.BASE_DIR).iterdir() if (path / "apps.py").exists()}
    strays = [
        error
        for error in catalogue()
        if error.__module__.partition(".")[0] in ours and not error_catalogue.holds_errors(error.__module__)
    ]
    assert strays == []


def test_every_error_class_says_what_it_means_and_what_to_do():
    for error in error_catalogue.our_classes():
        assert issubclass(error, DomainError)
        assert (error.__doc__ or "").strip(), error
        assert error.message, error
        assert 400 <= error.status < 600, error
