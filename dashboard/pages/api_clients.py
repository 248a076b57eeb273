"""OAuth apps: what the organization has registered for others to let in. A secret is shown once, like a key's."""

from __future__ import annotations

import shlex
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from connect.domain import oauth
from connect.kit import clock
from connect.kit.errors import DomainError
from connect.selectors import api_clients as api_client_selectors
from connect.selectors.api_clients import ApiClientInfo
from connect.services import api_clients as api_client_services
from dashboard.pages.access import OrganizationPage, organization_page, render
from dashboard.pages.api_client_forms import WAYS, AppForm, DeleteForm, RollForm
from dashboard.pages.reauthentication import needs_proof
from dashboard.pages.scope_words import WORDS

SECRET_VARIABLE: Final = "$FC_CLIENT_SECRET"  # noqa: S105 - a shell variable


@require_safe
@organization_page(permission="api_clients:read", opens_environment=False)
def api_clients(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """Every app registered in the environment."""
    context = {
        "apps": api_client_selectors.for_environment(page.environment),
        "can_write": page.allows("api_clients:write"),
    }
    return render(request, page, "dashboard/api_clients.html", context)


@require_safe
@organization_page(permission="api_clients:read", opens_environment=False)
def api_client(request: HttpRequest, page: OrganizationPage, client_id: str) -> HttpResponse:
    """One app: its ids and addresses, and how its first request looks."""
    app = _app(page, client_id)
    ways = dict(WAYS)
    until = app.previous_secret_until
    context = {
        "app": app,
        "ways": [ways[way] for way in app.grant_types],
        "scopes": [(scope, WORDS[scope]) for scope in app.scopes if scope in WORDS],
        "can_write": page.allows("api_clients:write"),
        "issuer": settings.FC_PUBLIC_URL.rstrip("/"),
        "previous_until": until if until and until > clock.wall() else None,
        "log_url": f"{page.url('request_logs')}?key={app.id}" if page.allows("logs:read") else "",
        "first_request": _first_request(app),
    }
    return render(request, page, "dashboard/api_client.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="api_clients:write", opens_environment=False)
@needs_proof
@sensitive_variables("secret")
def new(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """The form for a new app; its POST answers with the secret."""
    form = AppForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            app, secret = api_client_services.create(page.caller, **form.values())
        except DomainError as error:
            _refuse(form, error)
        else:
            return _shown_once(request, page, app, secret)
    title = _("Register a live app") if page.environment.livemode else _("Register a test app")
    return _form(request, page, form, title=title, action=_("Register app"))


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="api_clients:write", opens_environment=False)
@needs_proof
def edit(request: HttpRequest, page: OrganizationPage, client_id: str) -> HttpResponse:
    """What the app says of itself, and what it may ask for."""
    app = _app(page, client_id)
    form = AppForm(request.POST if request.method == "POST" else None, existing=app)
    if request.method == "POST" and form.is_valid():
        try:
            api_client_services.update(page.caller, client_id=client_id, **form.values())
        except DomainError as error:
            _refuse(form, error)
        else:
            messages.success(request, _("“%(name)s” is changed.") % {"name": form.cleaned_data["name"]})
            return HttpResponseRedirect(page.url("api_client", client_id))
    return _form(request, page, form, title=_("Edit “%(name)s”") % {"name": app.name}, action=_("Save"), app=app)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="api_clients:write", opens_environment=False)
@needs_proof
@sensitive_variables("secret")
def roll(request: HttpRequest, page: OrganizationPage, client_id: str) -> HttpResponse:
    """A new secret; the old one works on for as long as was chosen."""
    app = _app(page, client_id)
    if app.is_public:
        raise Http404
    form = RollForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        rolled, secret = api_client_services.roll(
            page.caller, client_id=client_id, overlap_seconds=form.cleaned_data["overlap"]
        )
        return _shown_once(request, page, rolled, secret)
    text = _("You get a new secret. People who let the app in notice nothing; their tokens go on working.")
    title = _("Roll the secret of “%(name)s”") % {"name": app.name}
    return _confirm(request, page, form, app, title=title, text=text, action=_("Roll secret"))


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="api_clients:write", opens_environment=False)
def delete(request: HttpRequest, page: OrganizationPage, client_id: str) -> HttpResponse:
    """Asks with the app's name and whom it would leave; the POST ends it."""
    app = _app(page, client_id)
    form = DeleteForm(request.POST if request.method == "POST" else None, app=app)
    if request.method == "POST" and form.is_valid():
        api_client_services.delete(page.caller, client_id=client_id)
        messages.success(request, _("“%(name)s” is deleted. None of its tokens works any more.") % {"name": app.name})
        return HttpResponseRedirect(page.url("api_clients"))
    text = ngettext(
        "%(count)d person lets it in: its tokens die at once. This cannot be undone.",
        "%(count)d people let it in: all its tokens die at once. This cannot be undone.",
        app.people,
    ) % {"count": app.people}
    title = _("Delete “%(name)s”?") % {"name": app.name}
    return _confirm(request, page, form, app, title=title, text=text, action=_("Delete app"), tone="danger")


def _app(page: OrganizationPage, client_id: str) -> ApiClientInfo:
    app = api_client_selectors.get(page.environment.id, client_id)
    if app is None:
        raise Http404
    return app


def _refuse(form: AppForm, error: DomainError) -> None:
    form.add_error(error.param if error.param in form.fields else None, error.text)


def _form(
    request: HttpRequest, page: OrganizationPage, form: AppForm, *, title: str, action: str,
    app: ApiClientInfo | None = None,
) -> HttpResponse:  # fmt: skip
    context = {
        "form": form,
        "title": title,
        "action": action,
        "app": app,
        "back": page.url("api_client", app.id) if app else page.url("api_clients"),
    }
    return render(request, page, "dashboard/api_client_form.html", context, status=422 if form.errors else 200)


def _confirm(request: HttpRequest, page: OrganizationPage, form: Any, app: ApiClientInfo, **words: str) -> HttpResponse:
    context = {
        "form": form,
        "crumbs": [(_("OAuth apps"), page.url("api_clients")), (app.name, page.url("api_client", app.id))],
        "back": page.url("api_client", app.id),
        **words,
    }
    return render(request, page, "dashboard/form_page.html", context, status=422 if form.errors else 200)


@sensitive_variables("secret")
def _shown_once(request: HttpRequest, page: OrganizationPage, app: ApiClientInfo, secret: str | None) -> HttpResponse:
    context = {"app": app, "secret": secret, "first_request": _first_request(app, secret or "")}
    return render(request, page, "dashboard/api_client_created.html", context)


@sensitive_variables("secret")
def _first_request(app: ApiClientInfo, secret: str = SECRET_VARIABLE) -> str:
    """How the app gets its first token, or a code for a device; empty for the way through a browser."""
    base = settings.FC_PUBLIC_URL.rstrip("/")
    if oauth.CLIENT_CREDENTIALS in app.grant_types:
        lines = [f"curl {base}/oauth/token", f'-u "{app.id}:{secret}"', "-d grant_type=client_credentials"]
    elif oauth.DEVICE in app.grant_types:
        who = f"-d client_id={app.id}" if app.is_public else f'-u "{app.id}:{secret}"'
        lines = [f"curl -X POST {base}/oauth/device_authorization", who]
    else:
        return ""
    if app.scopes:
        lines.append(f"-d {shlex.quote(f'scope={app.scopes[0]}')}")
    return " \\\n  ".join(lines)
