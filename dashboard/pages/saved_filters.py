"""A list's filter under a name: kept by a person for themselves, in one organization."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from connect.domain.saved_filters import normalized
from connect.kit.errors import DomainError, ResourceMissing
from connect.selectors import saved_filters as selectors
from connect.services import saved_filters as services
from dashboard.pages.access import OrganizationPage, organization_page, render, user_id

LISTS: Final = {
    "payments": (_("Payments"), "payments:read"),
    "customers": (_("Customers"), "customers:read"),
    "bank_transactions": (_("Transactions"), "banks:view"),
    "events": (_("Events"), "events:read"),
    "request_logs": (_("Request log"), "logs:read"),
}
"""Lists whose filters can be kept: words and permission by the URL name, which is the name of the list."""

REFUSALS: Final = {
    "saved_filter_empty": _("Set a filter first, then save it."),
    "saved_filter_name_taken": _("You have a saved filter of this name here. Choose another name."),
    "saved_filters_full": _("You have 20 saved filters here, and no more are kept. Delete one first."),
}
_SALT: Final = "dashboard.saved_filters"
UNDO_SECONDS: Final = 3600


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="home:read", opens_environment=False)
def saved_filters(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """The person's filters by list; a POST saves, renames or deletes one, or brings a deleted one back."""
    if request.method == "POST":
        act = _ACTS.get(request.POST.get("action", ""))
        if act is None:
            raise Http404
        try:
            return HttpResponseRedirect(act(request, page))
        except ResourceMissing as error:
            raise Http404 from error
        except DomainError as error:
            messages.error(request, str(REFUSALS.get(error.code, error.text)))
            return HttpResponseRedirect(_back(request, page))
    kept = selectors.of_person(page.organization.id, user_id(request))
    groups = [
        (title, page.url(name), [each for each in kept if each.page == name])
        for name, (title, permission) in LISTS.items()
        if page.allows(permission)
    ]
    context = {"groups": [group for group in groups if group[2]], "list_url": page.url("payments")}
    return render(request, page, "dashboard/saved_filters.html", context)


def _save(request: HttpRequest, page: OrganizationPage) -> str:
    """Keeps the filter of a list and goes back to that list."""
    made = services.save(
        page.organization.id,
        user_id(request),
        page=_list(request, page),
        name=request.POST.get("name", ""),
        query=_query(request),
    )
    messages.success(request, gettext("The filter “%(name)s” is saved.") % {"name": made.name})
    return _back(request, page)


def _rename(request: HttpRequest, page: OrganizationPage) -> str:
    owner, name = user_id(request), request.POST.get("name", "")
    renamed = services.rename(page.organization.id, owner, _filter_id(request), name=name)
    messages.success(request, gettext("The filter is now called “%(name)s”.") % {"name": renamed.name})
    return page.url("saved_filters")


def _delete(request: HttpRequest, page: OrganizationPage) -> str:
    """The receipt can take this back: it holds what was deleted, signed for the person who did it."""
    gone = services.delete(page.organization.id, user_id(request), _filter_id(request))
    state = signing.dumps([str(user_id(request)), gone.page, gone.name, gone.query], salt=_SALT, compress=True)
    undo = f"{page.url('saved_filters')}?{urlencode({'state': state})}"
    messages.success(request, gettext("The filter “%(name)s” is deleted.") % {"name": gone.name}, extra_tags=undo)
    return page.url("saved_filters")


def _restore(request: HttpRequest, page: OrganizationPage) -> str:
    """Takes a deletion back, for an hour after it."""
    try:
        owner, kept_list, name, query = signing.loads(request.GET.get("state", ""), salt=_SALT, max_age=UNDO_SECONDS)
    except signing.BadSignature:
        messages.error(request, gettext("This can no longer be taken back. Save the filter anew."))
        return page.url("saved_filters")
    if owner != str(user_id(request)):
        raise Http404
    services.save(page.organization.id, user_id(request), page=kept_list, name=name, query=query)
    messages.success(request, gettext("The filter “%(name)s” is back.") % {"name": name})
    return page.url("saved_filters")


_ACTS: Final = {"save": _save, "rename": _rename, "delete": _delete, "restore": _restore}


def _list(request: HttpRequest, page: OrganizationPage) -> str:
    """The list that the form names. Raises `Http404` for an unknown one, `PermissionDenied` for one of other roles."""
    name = request.POST.get("list", "")
    if name not in LISTS:
        raise Http404
    if not page.allows(LISTS[name][1]):
        raise PermissionDenied
    return name


def _query(request: HttpRequest) -> str:
    return normalized(request.POST.get("query", "")[: 2 * services.QUERY_MAX])


def _filter_id(request: HttpRequest) -> UUID:
    try:
        return UUID(request.POST.get("id", ""))
    except ValueError as error:
        raise Http404 from error


def _back(request: HttpRequest, page: OrganizationPage) -> str:
    """The list with its filter, for a form that stands above a list; else the page of all filters."""
    name, query = request.POST.get("list", ""), _query(request)
    if name not in LISTS:
        return page.url("saved_filters")
    return f"{page.url(name)}?{query}" if query else page.url(name)
