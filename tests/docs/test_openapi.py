"""The committed documents are what the code says, both ways: every route is described, every description is a route."""

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.urls import URLPattern, get_resolver
from jsonschema import Draft202012Validator

from connect.api import field_words
from connect.management.commands.openapi import generate


def routes(patterns, prefix=""):
    """Every address of a URL configuration, with its view."""
    for pattern in patterns:
        address = prefix + re.sub(r"^\^|\$$|\\Z$", "", str(pattern.pattern))
        if isinstance(pattern, URLPattern):
            yield re.sub(r"\(\?P<(\w+)>[^)]*\)|<(?:\w+:)?(\w+)>", r"{\1\2}", address), pattern.callback
        else:
            yield from routes(pattern.url_patterns, address)


@pytest.fixture(scope="module")
def described():
    return {(path, method.upper()) for path, part in generate()["paths"].items() for method in part}


def test_every_route_of_the_api_is_described_and_every_description_is_a_route(described):
    served = set()
    for address, view in routes(get_resolver().url_patterns):
        if address.startswith("v1/"):
            methods = getattr(view, "actions", None) or dict.fromkeys(view.cls.http_method_names)
            path = "/" + re.sub(r"{pk}", "{id}", address)
            served |= {(path, method.upper()) for method in methods if method not in {"head", "options"}}
    assert {(path, method) for path, method in described} == served


def test_the_committed_description_is_current():
    call_command("openapi", check=True)


def test_the_committed_error_page_is_current():
    call_command("error_catalogue", check=True)


# --- what fields mean -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def document():
    return generate()


@pytest.fixture(scope="module")
def fields(document):
    """By struct, input or filter: the names of its fields, with what is said of each."""
    found = {
        owner: {name: part.get("description", "") for name, part in schema.get("properties", {}).items()}
        for owner, schema in document["components"]["schemas"].items()
    }
    for address, view in routes(get_resolver().url_patterns):
        if not address.startswith("v1/"):
            continue
        for method, action in (getattr(view, "actions", None) or {}).items():
            taken = getattr(view.cls, action).operation.input
            path = "/" + address.replace("{pk}", "{id}")
            if method in {"get", "delete"}:
                told = document["paths"][path][method].get("parameters", [])
                found.setdefault(taken.__name__, {}).update(
                    {each["name"]: each.get("description", "") for each in told if each.get("in") == "query"}
                )
    return found


def test_every_parameter_and_property_says_what_it_means(fields):
    assert sum(len(names) for names in fields.values()) > 1200
    silent = [f"{owner}.{name}" for owner, names in fields.items() for name, text in names.items() if not text]
    assert silent == [], "add a sentence to data/fields.toml of the app"


def test_no_sentence_is_about_a_field_that_is_not_there(fields):
    tables = dict(field_words.tables())
    anywhere = tables.pop(field_words.ANYWHERE)
    every = {name for names in fields.values() for name in names}
    assert set(anywhere) <= every
    for owner, words in tables.pop(field_words.ALWAYS_NULL).items():
        assert set(words) <= set(fields[owner]), owner
    for owner, words in tables.items():
        assert set(words) <= set(fields.get(owner, {})), f"[{owner}] of a data/fields.toml"


def test_amounts_name_their_unit(fields):
    """Whoever reads one field alone must not take cents for euros."""
    amounts = re.compile(r"(^|_)(amount|fee|net|floor|balance_after)(_|$)")
    said = re.compile(r"minor unit|Always 0|Always null|`amount`|Accepted without effect")
    unclear = [
        f"{owner}.{name}: {text}"
        for owner, names in fields.items()
        for name, text in names.items()
        if amounts.search(name) and name not in {"fee_details", "amount_details"} and not said.search(text)
    ]
    assert unclear == []


def test_what_is_always_null_is_never_set():
    """A struct that is made with the field by name, anywhere in the code, makes the sentence a lie."""
    listed = field_words.tables()[field_words.ALWAYS_NULL]
    seen = set()
    for app in ("connect", "ledger", "banks", "payments"):
        for path in (Path(settings.BASE_DIR) / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                name = getattr(getattr(node, "func", None), "id", None) or getattr(
                    getattr(node, "func", None), "attr", None
                )
                if isinstance(node, ast.Call) and name in listed:
                    seen.add(name)
                    given = {keyword.arg for keyword in node.keywords}
                    assert not given & set(listed[name]), f"{path}:{node.lineno}"
    assert seen == set(listed)


def test_every_group_of_addresses_says_what_it_is_about(document):
    used = {tag for methods in document["paths"].values() for told in methods.values() for tag in told["tags"]}
    assert {tag["name"] for tag in document["tags"]} == used


# --- examples ---------------------------------------------------------------------------------------------------------


def test_every_object_has_an_example_that_is_what_its_schema_says(document):
    """The answers were real once; a shape that has changed since makes them a lie. `python -m deploy.answers` mends it."""
    schemas = document["components"]["schemas"]
    shown = set()
    for name, schema in schemas.items():
        for example in schema.get("examples", ()):
            everywhere = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
            faults = [error.message for error in Draft202012Validator(everywhere).iter_errors(example)]
            assert faults == [], name
            assert set(example) <= set(schema["properties"]), name
            assert {field for field in example if field_words.is_always_null(name, field) and example[field]} == set()
            shown.add(example["object"])
    named = {
        schema["properties"]["object"]["const"]
        for schema in schemas.values()
        if "const" in schema.get("properties", {}).get("object", {})
    }
    assert named - shown <= {"webhook_attempt", "list"}, "deploy/answers.py asks for one of each kind"
    assert shown == set(field_words.answers())


def test_an_example_opens_nothing():
    text = field_words.ANSWERS.read_text(encoding="utf-8")
    assert "127.0.0.1" not in text
    assert re.findall(r"_secret_[^…\"]+|whsec_[^…\"]+|fc_(?:test|live)_\w+|/(?:c|link)/[^…\"]+", text) == [
        "_secret_expires_at"
    ]
