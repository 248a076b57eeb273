"""The gate of `/admin/e/<short id>/…`: who may look, into which environment, noted before anything is shown.

An environment is its organization's. Staff, superusers too, look into it while the organization lets them
(`connect.services.support_grants`); without leave the page says how to ask for it. For emergencies whoever may add
grants can take an hour unasked, with a reason that the owners get by mail.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, Final, cast

from csp.decorators import csp
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import ResolverMatch, resolve, reverse
from django.views.decorators.http import require_POST

from connect.admin import access, directory, forms, mounting
from connect.admin.policy import CONTENT_SECURITY_POLICY
from connect.admin.sites import platform_site
from connect.domain.permissions import PERMISSIONS
from connect.kit.caller import EnvironmentRef
from connect.kit.errors import DomainError
from connect.kit.tenancy import use_environment
from connect.models import Environment
from connect.selectors import organizations, support_grants
from connect.services import audit, support_notices
from connect.services import support_grants as grant_services

URLCONF: Final = "connect.admin.environment_urls"
PARTS_OF_A_PAGE: Final = frozenset({"jsi18n"})
"""Views that show nothing of a customer: a catalogue of translated words that the theme's scripts load."""
WAYS_OUT: Final = frozenset({"login", "logout", "password_change", "password_change_done"})
"""Views that lead out of the environment, also when the leave to look into it ended a moment ago."""


def environment_page(request: HttpRequest, environment: str, page: str = "") -> HttpResponse:
    """Answer a page of one environment: signed-in staff, permission, environment, leave, an audit entry, the page.

    The page is rendered inside the environment's transaction. The entry is written before and apart from it: a look
    that ends in an error is still a look, and a transaction of an environment writes no public rows.
    """
    if not access.may_enter(request):
        return access.turn_away(request)
    row = _openable(request, environment)
    match = resolve(f"/{page}", urlconf=URLCONF)
    if match.url_name in WAYS_OUT:
        return _answer(request, row.ref(), match, label=str(row))
    user: Any = request.user
    grant = support_grants.in_force(row.pk, user.pk)
    if grant is None:
        _note(request, row.ref(), match, "staff.turned_away")
        return _closed(request, row, TakeForm() if _may_take(request) else None)
    if match.url_name not in PARTS_OF_A_PAGE:
        _note(request, row.ref(), match, "staff.looked" if request.method in {"GET", "HEAD"} else "staff.acted")
    request.staff_support_grant = grant  # type: ignore[attr-defined]
    return _answer(request, row.ref(), match, label=str(row))


@require_POST
def take_access(request: HttpRequest, environment: str) -> HttpResponse:
    """Leave for an hour that nobody gave, for whoever may add grants and says why. The owners are told by mail."""
    if not access.may_enter(request):
        return access.turn_away(request)
    row = _openable(request, environment)
    if not _may_take(request):
        raise PermissionDenied
    form = TakeForm(request.POST)
    if form.is_valid():
        try:
            grant_services.take_unasked(row.ref(), actor=access.actor_of(request), reason=form.cleaned_data["reason"])
        except DomainError as error:
            forms.refuse(form, error)
        else:
            return HttpResponseRedirect(reverse("staff_environment", args=[row.short_id]))
    return _closed(request, row, form)


class TakeForm(forms.ReasonForm):
    """Why it cannot wait for the organization."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = "The organization's owners get it by mail, with your address."


def _may_take(request: HttpRequest) -> bool:
    user: Any = request.user
    return bool(user.has_perm("connect.add_supportgrant"))


def _openable(request: HttpRequest, short_id: str) -> Environment:
    user: Any = request.user
    if not user.has_perm("connect.view_environment"):
        raise PermissionDenied
    row = directory.openable(short_id)
    if row is None:
        raise Http404("There is no environment with this short id, or it has no schema yet.")
    return row


def _closed(request: HttpRequest, row: Environment, form: TakeForm | None) -> HttpResponse:
    """The page that says who can give leave, and where; with the form to take it for whoever may."""
    context = {
        **platform_site.each_context(request),
        "title": f"No access to {row}",
        "closed": row,
        "people": organizations.addresses_of(row.organization_id, PERMISSIONS["support_access:write"]),
        "page_url": support_notices.page_of(row.organization.slug, row.kind),
        "form": form,
    }
    request.current_app = platform_site.name

    @csp(CONTENT_SECURITY_POLICY)
    def closed(request: HttpRequest) -> HttpResponse:
        return render(request, "admin/no_access.html", context, status=422 if form and form.errors else 403)

    return cast("HttpResponse", closed(request))


def _answer(request: HttpRequest, environment: EnvironmentRef, match: ResolverMatch, *, label: str) -> HttpResponse:
    prefix = reverse("staff_environment", args=[environment.short_id])
    match.route = f"admin/e/<slug:environment>/{match.route}"
    request.resolver_match = match
    request.staff_environment = environment  # type: ignore[attr-defined]
    request.staff_environment_label = label  # type: ignore[attr-defined]
    admin = getattr(match.func, "model_admin", None)
    if admin is not None:
        ContentType.objects.get_for_model(admin.model)  # made on first use: not inside the environment's transaction
    shows_nothing = match.url_name in PARTS_OF_A_PAGE | WAYS_OUT
    is_opened = not getattr(match.func, "outside_transaction", False) and not shows_nothing
    with mounting.mounted(prefix, URLCONF), use_environment(environment) if is_opened else nullcontext():
        response: Any = match.func(request, *match.args, **match.kwargs)
        if hasattr(response, "render"):
            response.render()
    return response


def _note(request: HttpRequest, environment: EnvironmentRef, match: ResolverMatch, action: str) -> None:
    target = match.kwargs.get("object_id") or match.url_name or ""
    audit.record_for_organization(
        environment.organization_id,
        actor=access.actor_of(request),
        action=action,
        target=str(target)[:64],
        environment_id=environment.id,
        path=request.path[:500],
        query=request.GET.urlencode()[:500],
    )
