"""Invitations: sending, sending again, withdrawing; and the page behind the mailed link.

That page is for whoever holds the link: somebody new is led through making an account and comes back, somebody who is
signed in with another address is told so. Opening the link proves the mailbox, so the address needs no second mail.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render as render_template
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from connect.domain import memberships as rules
from connect.kit.errors import DomainError
from connect.selectors import invitations as selectors
from connect.selectors.invitations import InvitationInfo
from connect.services import invitations as services
from connect.services.invitations import Sent
from dashboard.pages.access import OrganizationPage, organization_page, user_id
from dashboard.pages.permission_words import name_of
from dashboard.pages.reauthentication import needs_proof
from dashboard.pages.team import form_page
from dashboard.pages.team_forms import ConfirmForm, InviteForm


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="team:write", opens_environment=False)
@needs_proof
def new(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """Whom, and as what."""
    form = InviteForm(request.POST or None, roles=rules.roles_to_give(page.organization.role))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            sent = services.invite(page.caller, email=given["email"], role=given["role"])
        except DomainError as error:
            form.add_error(error.param if error.param in form.fields else None, error.text)
        else:
            return _sent(request, page, sent)
    return form_page(
        request,
        page,
        form,
        title=_("Invite somebody to %(organization)s") % {"organization": page.organization.name},
        text=_("What each role may do stands on the page of roles; it can be changed at any time."),
        action=_("Send invitation"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="team:write", opens_environment=False)
def resend(request: HttpRequest, page: OrganizationPage, invitation_id: str) -> HttpResponse:
    """A new link for seven more days."""
    invitation = _waiting(page, invitation_id)
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            sent = services.resend(page.caller, invitation_id=invitation_id)
        except DomainError as error:
            form.add_error(None, error.text)
        else:
            return _sent(request, page, sent)
    return form_page(
        request,
        page,
        form,
        title=_("Send the invitation of %(email)s again?") % {"email": invitation.email},
        text=_("They get a new link, which works for seven days. The link of the earlier mail stops working."),
        action=_("Send again"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="team:write", opens_environment=False)
def withdraw(request: HttpRequest, page: OrganizationPage, invitation_id: str) -> HttpResponse:
    """Take it back before it is accepted."""
    invitation = _waiting(page, invitation_id)
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            services.withdraw(page.caller, invitation_id=invitation_id)
        except DomainError as error:
            form.add_error(None, error.text)
        else:
            messages.success(request, _("The invitation of %(email)s is withdrawn.") % {"email": invitation.email})
            return HttpResponseRedirect(page.url("team"))
    return form_page(
        request,
        page,
        form,
        title=_("Withdraw the invitation of %(email)s?") % {"email": invitation.email},
        text=_("Their link stops working at once. You can invite them again."),
        action=_("Withdraw invitation"),
        tone="danger",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_variables("secret")
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """The page behind the mailed link; its POST joins."""
    found = selectors.by_secret(secret)
    if found is None:
        return _page(request, None, status=404)
    user: Any = request.user
    is_theirs = user.is_authenticated and services.belongs_to(user, found.email)
    if is_theirs and selectors.is_member(found.organization_id, user_id(request)):
        return HttpResponseRedirect(reverse("dashboard:home", args=[found.organization_slug, "test"]))
    if not found.is_open:
        return _page(request, found, status=410)
    if not user.is_authenticated:
        get_adapter().stash_verified_email(request, found.email)
        return _page(request, found, next=urlencode({"next": request.path}))
    if not is_theirs:
        return _page(request, found, is_anothers=True, status=403)
    if request.method == "POST":
        try:
            services.accept(secret=secret, user_id=user_id(request))
        except DomainError as error:
            return _page(request, selectors.by_secret(secret), refusal=error.text, status=error.status)
        words = {"organization": found.organization_name, "role": name_of(found.role)}
        messages.success(request, _("Welcome to %(organization)s. You are %(role)s here.") % words)
        return HttpResponseRedirect(reverse("dashboard:home", args=[found.organization_slug, "test"]))
    return _page(request, found)


def _page(request: HttpRequest, found: InvitationInfo | None, *, status: int = 200, **more: Any) -> HttpResponse:
    context = {"invitation": found, "role": name_of(found.role) if found else "", **more}
    return render_template(request, "dashboard/invitation.html", context, status=status)


def _sent(request: HttpRequest, page: OrganizationPage, sent: Sent) -> HttpResponse:
    words = {"email": sent.invitation.email}
    if sent.is_mailed:
        messages.success(request, _("The invitation to %(email)s is on its way. It works for seven days.") % words)
    else:
        messages.error(
            request,
            _("The invitation to %(email)s is kept, but its mail could not be sent. Send it again soon.") % words,
        )
    return HttpResponseRedirect(page.url("team"))


def _waiting(page: OrganizationPage, invitation_id: str) -> InvitationInfo:
    found = selectors.get(page.organization.id, invitation_id)
    if found is None:
        raise Http404
    return found
