"""The committed documents are what the code says, both ways: every route is described, every description is a route."""

import re

import pytest
from django.core.management import call_command
from django.urls import URLPattern, get_resolver

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
