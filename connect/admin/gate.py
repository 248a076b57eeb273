"""The gate of `/admin/e/<short id>/…`: who may look, into which environment, noted before anything is shown."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, Final

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import ResolverMatch, resolve, reverse

from connect.admin import access, directory, mounting
from connect.kit.caller import EnvironmentRef
from connect.kit.tenancy import use_environment
from connect.services import audit

URLCONF: Final = "connect.admin.environment_urls"
PARTS_OF_A_PAGE: Final = frozenset({"jsi18n"})
"""Views that show nothing of a customer: a catalogue of translated words that the theme's scripts load."""


def environment_page(request: HttpRequest, environment: str, page: str = "") -> HttpResponse:
    """Answer a page of one environment: signed-in staff, permission, environment, an entry in the audit log, the page.

    The page is rendered inside the environment's transaction. The entry is written before and apart from it: a look
    that ends in an error is still a look, and a transaction of an environment writes no public rows.
    """
    if not access.is_staff(request):
        return access.turn_away(request)
    user: Any = request.user
    if not user.has_perm("connect.view_environment"):
        raise PermissionDenied
    row = directory.openable(environment)
    if row is None:
        raise Http404("There is no environment with this short id, or it has no schema yet.")
    match = resolve(f"/{page}", urlconf=URLCONF)
    if match.url_name not in PARTS_OF_A_PAGE:
        _note_look(request, row.ref(), match)
    return _answer(request, row.ref(), match, label=str(row))


def _answer(request: HttpRequest, environment: EnvironmentRef, match: ResolverMatch, *, label: str) -> HttpResponse:
    prefix = reverse("staff_environment", args=[environment.short_id])
    match.route = f"admin/e/<slug:environment>/{match.route}"
    request.resolver_match = match
    request.staff_environment = environment  # type: ignore[attr-defined]
    request.staff_environment_label = label  # type: ignore[attr-defined]
    admin = getattr(match.func, "model_admin", None)
    if admin is not None:
        ContentType.objects.get_for_model(admin.model)  # made on first use: not inside the environment's transaction
    is_opened = not getattr(match.func, "outside_transaction", False) and match.url_name not in PARTS_OF_A_PAGE
    with mounting.mounted(prefix, URLCONF), use_environment(environment) if is_opened else nullcontext():
        response: Any = match.func(request, *match.args, **match.kwargs)
        if hasattr(response, "render"):
            response.render()
    return response


def _note_look(request: HttpRequest, environment: EnvironmentRef, match: ResolverMatch) -> None:
    target = match.kwargs.get("object_id") or match.url_name or ""
    audit.record_for_organization(
        environment.organization_id,
        actor=access.actor_of(request),
        action="staff.looked" if request.method in {"GET", "HEAD"} else "staff.acted",
        target=str(target)[:64],
        environment_id=environment.id,
        path=request.path[:500],
        query=request.GET.urlencode()[:500],
    )
