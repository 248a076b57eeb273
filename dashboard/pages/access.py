"""The door of every organization page: who may come in, into which environment, as which caller.

The path names the organization and the mode; the membership decides. A stranger learns nothing: an organization
that does not exist and one that is not theirs answer alike.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render as render_template
from django.urls import reverse
from django.utils.cache import add_never_cache_headers, patch_vary_headers

from connect.domain import permissions
from connect.kit import ids
from connect.kit.caller import Actor, Caller, EnvironmentRef
from connect.kit.errors import ResourceMissing
from connect.kit.request_ids import request_id_of
from connect.kit.tenancy import use_environment
from connect.selectors import environments as environment_selectors
from connect.selectors import memberships as membership_selectors
from connect.selectors import organizations as organization_selectors
from connect.selectors.organizations import OrganizationRef
from dashboard import navigation
from dashboard.pages import links

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Mode:
    """One chip of the mode switch; it keeps the section, not the object."""

    kind: str
    url: str
    is_current: bool
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class OrganizationPage:
    """What the door found. `organizations` are all the person's, `environments` all the organization's.

    `names_object`: whether the address names an object, which exists in one mode only.
    """

    organization: OrganizationRef
    environment: EnvironmentRef
    caller: Caller
    organizations: list[OrganizationRef]
    environments: list[EnvironmentRef]
    view_name: str
    names_object: bool = False

    def allows(self, permission: str) -> bool:
        """Whether the person's role in this organization has the permission."""
        return permissions.allows(self.organization.role, permission)

    def url(self, view_name: str, *arguments: str) -> str:
        """The address of another page of the same organization and mode."""
        return reverse(f"dashboard:{view_name}", args=[self.organization.slug, self.environment.kind, *arguments])

    def address_of(self, identifier: str) -> str:
        """The page of the object behind an id, in this organization and mode; empty when this role has none."""
        return links.address_of(
            identifier, org_slug=self.organization.slug, mode=self.environment.kind, role=self.organization.role
        )

    @property
    def home_url(self) -> str:
        """Where the brand leads."""
        return self.url("home")

    @property
    def navigation(self) -> list[navigation.Group]:
        """The rail for this person on this page."""
        return navigation.rail(
            org_slug=self.organization.slug,
            mode=self.environment.kind,
            role=self.organization.role,
            view_name=self.view_name,
        )

    @property
    def modes(self) -> list[Mode]:
        """Test, then live. Live that is not open yet leads to the page that opens it."""
        view = navigation.other_mode(self.view_name, names_object=self.names_object)
        modes = [
            Mode(
                kind=environment.kind,
                url=reverse(f"dashboard:{view}", args=[self.organization.slug, environment.kind]),
                is_current=environment.id == self.environment.id,
            )
            for environment in sorted(self.environments, key=lambda environment: environment.livemode)
        ]
        if any(environment.livemode for environment in self.environments):
            return modes
        opening = reverse("dashboard:activation", args=[self.organization.slug, "test"])
        return [*modes, Mode(kind="live", url=opening, is_current=False, is_open=False)]


class LedElsewhere(Exception):
    """A member cannot have this page yet; `url` is where that is changed.

    The test environment is being made, live mode is not open, or the organization asks for a second factor first.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url


View = Callable[Concatenate[HttpRequest, OrganizationPage, P], HttpResponseBase]


def organization_page(
    *, permission: str | None = None, opens_environment: bool = True
) -> Callable[[View[P]], Callable[..., HttpResponseBase]]:
    """Wraps a view `(request, page, …)` behind sign-in, membership (404), permission (403) and its environment.

    With `opens_environment` the view and its rendering run inside `use_environment`, which is the transaction.
    Pages over public tables only (keys, members) leave it closed.
    """

    def decorate(view: View[P]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        @login_required
        def guarded(
            request: HttpRequest, org_slug: str, mode: str, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponseBase:
            try:
                page = _resolve(request, org_slug, mode)
            except LedElsewhere as error:
                if request.headers.get("HX-Request") == "true":  # the whole page goes there, not the part asked for
                    return HttpResponse(headers={"HX-Redirect": error.url})
                return HttpResponseRedirect(error.url)
            if permission is not None and not page.allows(permission):
                raise PermissionDenied
            try:
                with use_environment(page.environment) if opens_environment else nullcontext():
                    response = view(request, page, *args, **kwargs)
            except ResourceMissing as error:  # an id in the path or a cursor in the query string that names nothing
                raise Http404 from error
            add_never_cache_headers(response)
            patch_vary_headers(response, ["HX-Request", "HX-Target"])
            return response

        return cast("Callable[..., HttpResponseBase]", guarded)

    return decorate


def render(
    request: HttpRequest, page: OrganizationPage, template: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """The whole page, or only its results block when htmx asks for `#results`."""
    is_partial = request.headers.get("HX-Request") == "true" and request.headers.get("HX-Target") == "results"
    base_template = "dashboard/partial.html" if is_partial else "dashboard/base.html"
    return render_template(request, template, {"page": page, "base_template": base_template, **context}, status=status)


def user_id(request: HttpRequest) -> UUID:
    """The id of the person behind a page that asked for sign-in first."""
    return cast("UUID", request.user.pk)


def _resolve(request: HttpRequest, org_slug: str, mode: str) -> OrganizationPage:
    user: Any = request.user
    organizations = organization_selectors.for_user(user_id(request))
    organization = next((found for found in organizations if found.slug == org_slug), None)
    if organization is None:
        raise Http404
    if organization.requires_mfa and not membership_selectors.has_second_factor(user.pk):
        raise LedElsewhere(reverse("dashboard:second_factor", args=[organization.slug]))
    environments = environment_selectors.for_organization(organization.id)
    environment = next((found for found in environments if found.kind == mode), None)
    if environment is None:
        if mode == "test":
            raise LedElsewhere(reverse("dashboard:preparing", args=[organization.slug]))
        if mode == "live" and environments:
            raise LedElsewhere(reverse("dashboard:activation", args=[organization.slug, "test"]))
        raise Http404
    match = request.resolver_match
    return OrganizationPage(
        organization=organization,
        environment=environment,
        caller=Caller(
            environment=environment,
            actor=Actor("user", ids.encode("usr", user.id), label=user.email),
            request_id=request_id_of(request),
            api_version=environment.api_version,
        ),
        organizations=organizations,
        environments=environments,
        view_name=match.url_name or "" if match else "",
        names_object=bool(match and set(match.kwargs) - {"org_slug", "mode"}),
    )
