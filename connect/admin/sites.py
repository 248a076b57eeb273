"""The two sites: `platform_site` for public rows, `environment_site` for the rows of one environment.

A model of an environment is registered with `environment_site` by its own app's `admin.py`; `gate.py` opens the
environment around every page of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from csp.decorators import csp
from django.conf import settings
from django.contrib import auth
from django.core.paginator import Paginator
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.dataclasses import SearchResult
from unfold.sites import UnfoldAdminSite

from connect.admin import access, directory, figures, mounting
from connect.admin.policy import CONTENT_SECURITY_POLICY
from connect.kit import ids
from connect.kit.caller import EnvironmentRef
from connect.selectors import support_grants

View = Callable[..., HttpResponse]


class StaffSite(UnfoldAdminSite):
    """Django's admin in our theme, behind our own sign-in, with a policy of its own and a search by public id."""

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Staff only; a page is answered under the admin's content security policy."""
        page: Any = csp(CONTENT_SECURITY_POLICY)(super().admin_view(view, cacheable))

        @wraps(page)
        def staff_only(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return page(request, *args, **kwargs) if self.has_permission(request) else access.turn_away(request)

        return staff_only

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the person may see at least one page here."""
        return access.may_enter(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Django's own form is never shown."""
        if self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index", current_app=self.name))
        return access.turn_away(request)

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """End the session on POST; the form stands in the menu of every page."""
        if request.method != "POST":
            return HttpResponse(status=405, headers={"Allow": "POST"})
        auth.logout(request)
        with mounting.unmounted(request):
            return HttpResponseRedirect(resolve_url(settings.LOGIN_URL))

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """A password is changed where everybody changes theirs."""
        with mounting.unmounted(request):
            return HttpResponseRedirect(reverse("account_change_password"))

    password_change_done = password_change

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """What Ctrl-K finds. The theme's own search keeps its answers by person alone: it would mix up environments."""
        term = request.GET.get("s", "").strip()
        if not term:
            return HttpResponse()
        started = time.perf_counter()
        found = Paginator(list(self.find(request, term)), 100)
        template = "command" if "extended" in request.GET else "search"
        seconds = time.perf_counter() - started
        context = {"page_obj": found, "results": found.page(1), "page_counter": 0, "execution_time": seconds}
        headers = {"HX-Trigger": "search"}
        return TemplateResponse(request, f"unfold/helpers/{template}_results.html", context, headers=headers)

    def find(self, request: HttpRequest, term: str) -> Iterator[SearchResult]:
        """The row that a public id names, then the lists whose names contain the text."""
        link = self.link_to(term)
        if link:
            yield SearchResult(title=term, description="Open", link=link, icon="tag")
        for app in self.get_app_list(request):
            for model in app["models"]:
                if term.lower() in model["name"].lower():
                    yield SearchResult(model["name"], app["name"], model["admin_url"], "list")

    def link_to(self, public_id: str) -> str | None:
        """The address of the page of a public id of this site, or None. Whether such a row exists is not asked."""
        parts = ids.split(public_id)
        model = self._prefixes().get(parts[0]) if parts else None
        if model is None:
            return None
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        return reverse(name, args=[public_id], current_app=self.name)

    def _prefixes(self) -> dict[str, type[Model]]:
        admins = self._registry.items()
        return {admin.prefix: model for model, admin in admins if getattr(admin, "prefix", "")}


class PlatformSite(StaffSite):
    """Public rows, what the platform does in figures, and the way into the environments."""

    index_template = "admin/platform_index.html"
    index_title = "Platform"

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Figures, the environments whose organization or short id contains what was typed, and the lists."""
        query = request.GET.get("q", "").strip()
        user: Any = request.user
        context: dict[str, Any] = {"query": query, "lacks_second_factor": not access.has_second_factor(request)}
        if user.has_perm("connect.view_environment"):
            open_to = support_grants.open_to(user.pk)
            found = directory.matching(query)
            context["environments"] = [(row, open_to.get(row.pk)) for row in found]
            context["figures"] = None if query else figures.board()
        with mounting.unmounted(request):
            context["second_factor_url"] = reverse("mfa_activate_totp")
        return super().index(request, {**context, **(extra_context or {})})


class EnvironmentSite(StaffSite):
    """Rows of one environment, which `gate.py` has opened; `environment_of` names it."""

    index_template = "admin/environment_index.html"
    index_title = "Environment"

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff who may see environments, on a request that came through the gate."""
        user: Any = request.user
        return (
            environment_of(request) is not None
            and access.may_enter(request)
            and bool(user.has_perm("connect.view_environment"))
        )

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The lists of this environment; an id in the box leads straight to its page."""
        query = request.GET.get("q", "").strip()
        link = self.link_to(query) if query else None
        if link:
            return HttpResponseRedirect(link)
        return super().index(request, {"query": query, **(extra_context or {})})

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Which environment this is, for every page."""
        return {
            **super().each_context(request),
            "staff_environment": environment_of(request),
            "support_grant": getattr(request, "staff_support_grant", None),
        }


def environment_of(request: HttpRequest) -> EnvironmentRef | None:
    """The environment that the gate opened for this request, or None on the platform's pages."""
    return getattr(request, "staff_environment", None)


def outside_transaction(view: View) -> View:
    """Marks a view of `environment_site` that calls services which open the environment themselves.

    The gate opens nothing around it: calls to a processor must not hold a transaction.
    """
    view.outside_transaction = True  # type: ignore[attr-defined]
    return view


platform_site = PlatformSite(name="admin")
environment_site = EnvironmentSite(name="environment")
