"""The documentation at `/docs`, for everybody. Samples of the API reference show their signed-in reader a test key.

Pages come from `dashboard.portal`, which reads the files of `docs/` once per process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render as render_template
from django.urls import reverse
from django.utils.cache import add_never_cache_headers, patch_cache_control
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from connect.domain import permissions
from connect.kit import clock
from connect.selectors import api_keys as api_key_selectors
from connect.selectors import environments as environment_selectors
from connect.selectors import memberships as membership_selectors
from connect.selectors import organizations as organization_selectors
from dashboard.pages.access import user_id
from dashboard.portal import guides, markdown, reference, search

AS_TYPED: Final = 8
FOUND_MAX: Final = 40
FILE_SECONDS: Final = 3600
VARIABLE: Final = "$FC_SECRET_KEY"
"""Stands in the samples for a key that we cannot know."""


@dataclass(frozen=True, slots=True)
class Link:
    """A line of the navigation."""

    title: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Reader:
    """The test key of somebody who is signed in. `redacted` is empty when there is none that works."""

    organization: str
    name: str
    redacted: str
    create_url: str


@dataclass(frozen=True, slots=True)
class Sample:
    """An operation with its sample as the page draws it."""

    operation: reference.Operation
    html: SafeString


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Every page with its first sentence."""
    groups = [(title, [_page(entry.slug) for entry in entries]) for title, entries in guides.groups()]
    return _render(request, "portal/index.html", {"pages": groups, "api": reference.groups()})


@require_safe
def guide(request: HttpRequest, slug: str) -> HttpResponse:
    """One guide."""
    page = _page(slug)
    context = {"page": page, "headings": [each for each in page.document.headings if each.level == 2]}
    return _render(request, "portal/guide.html", context)


@require_safe
def api(request: HttpRequest) -> HttpResponse:
    """Every resource of the API with its operations, and what holds for all of them."""
    return _render(request, "portal/api.html", {"api": reference.groups(), "reader": _reader(request)})


@require_safe
def resource(request: HttpRequest, slug: str) -> HttpResponse:
    """One resource of the API."""
    found = reference.resource(slug)
    if found is None:
        raise Http404
    reader = _reader(request)
    response = _render(
        request,
        "portal/resource.html",
        {
            "resource": found,
            "reader": reader,
            "samples": [Sample(operation, _sample(operation, reader)) for operation in found.operations],
        },
    )
    if reader:
        add_never_cache_headers(response)
    return response


@require_safe
def find(request: HttpRequest) -> HttpResponse:
    """What is found for `q`: a page, or for htmx the first few as somebody types."""
    query = request.GET.get("q", "").strip()[: search.QUERY_MAX]
    is_partial = request.headers.get("HX-Request") == "true"
    context = {"query": query, "found": search.find(query, limit=AS_TYPED if is_partial else FOUND_MAX)}
    if is_partial:
        return render_template(request, "portal/found.html", context)
    return _render(request, "portal/search.html", context)


@require_safe
def image(_request: HttpRequest, name: str) -> HttpResponse:
    """A picture of the guides."""
    content = guides.image(name)
    if content is None:
        raise Http404
    return _kept(HttpResponse(content, content_type="image/webp"))


@require_safe
def file(_request: HttpRequest, name: str) -> HttpResponse:
    """The API's description, with this installation's address, and the events' schema, for programs."""
    kind = guides.FILES.get(name)
    if kind is None:
        raise Http404
    text = guides.here((guides.FOLDER / name).read_text(encoding="utf-8"))
    return _kept(HttpResponse(text, content_type=kind))


def _page(slug: str) -> guides.Page:
    page = guides.page(slug)
    if page is None:
        raise Http404
    return page


def _render(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    return render_template(request, template, {"groups": _navigation(request.path), "query": "", **context})


def _navigation(path: str) -> list[tuple[Any, list[Link]]]:
    """The guides, and the resources of the API once somebody is there."""
    groups: list[tuple[Any, list[Link]]] = [
        (title, [Link(entry.title, entry.url, entry.url == path) for entry in entries])
        for title, entries in guides.groups()
    ]
    overview = Link("Overview", guides.REFERENCE, path == guides.REFERENCE)
    if not path.startswith(guides.REFERENCE):
        return [*groups, (gettext_lazy("API reference"), [overview])]
    listed = [
        (title, [Link(each.title, each.url, each.url == path) for each in found]) for title, found in reference.groups()
    ]
    return [(gettext_lazy("API reference"), [overview]), *listed, *groups]


def _reader(request: HttpRequest) -> Reader | None:
    """The newest working key of the first test environment that the person may see keys of."""
    if not request.user.is_authenticated:
        return None
    for organization in organization_selectors.for_user(user_id(request)):
        if not permissions.allows(organization.role, "api_keys:read"):
            continue
        if organization.requires_mfa and not membership_selectors.has_second_factor(user_id(request)):
            continue
        environment = environment_selectors.get(organization.slug, "test")
        if environment is None:
            continue
        now = clock.wall()
        keys = api_key_selectors.for_environment(environment)
        key = next((each for each in keys if each.state(now) in {"active", "expiring"}), None)
        may_create = permissions.allows(organization.role, "api_keys:write")
        return Reader(
            organization=organization.name,
            name=key.name if key else "",
            redacted=key.redacted if key else "",
            create_url=reverse("dashboard:api_key_new", args=[organization.slug, "test"]) if may_create else "",
        )
    return None


def _sample(operation: reference.Operation, reader: Reader | None) -> SafeString:
    """A curl command whose key can be filled in on the page: what is shown, and what is copied until then."""
    shown = reader.redacted if reader and reader.redacted else VARIABLE
    key = format_html('<span class="key" data-key="{}">{}</span>', VARIABLE, shown)
    return mark_safe(markdown.coloured(operation.sample, "bash").replace(reference.KEY, key))  # noqa: S308 - ours


def _kept(response: HttpResponse) -> HttpResponse:
    patch_cache_control(response, public=True, max_age=FILE_SECONDS)
    return response
