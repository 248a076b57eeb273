"""The team: who belongs to the organization and as what, what each role may do, and every change of it.

Members are rows of the public schema, so these pages open no environment; they are the same in both modes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from connect.domain import memberships as rules
from connect.domain import permissions
from connect.domain.permissions import Role
from connect.kit.errors import DomainError
from connect.selectors import api_keys as api_key_selectors
from connect.selectors import invitations as invitation_selectors
from connect.selectors import memberships as membership_selectors
from connect.selectors.invitations import InvitationInfo
from connect.selectors.memberships import MemberInfo
from connect.services import memberships as membership_services
from dashboard.pages.access import OrganizationPage, organization_page, render
from dashboard.pages.permission_words import GROUPS, ROLES, name_of
from dashboard.pages.reauthentication import needs_proof
from dashboard.pages.team_forms import ConfirmForm, RoleForm, TransferForm, TypedForm


@dataclass(frozen=True, slots=True)
class Row:
    """A member as the list draws them, for whoever looks."""

    member: MemberInfo
    role: str
    is_oneself: bool
    may_change: bool


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """An invitation without an answer."""

    invitation: InvitationInfo
    role: str
    may_change: bool


@dataclass(frozen=True, slots=True)
class PermissionRow:
    """One permission: its code, its words, and by role whether it is held."""

    code: str
    words: Any
    held: list[tuple[str, bool]]


@require_safe
@organization_page(permission="team:read", opens_environment=False)
def team(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """Everybody, and to those who may invite the invitations that wait."""
    can_write, role = page.allows("team:write"), page.organization.role
    found = membership_selectors.for_organization(page.organization.id)
    waiting = invitation_selectors.waiting(page.organization.id) if can_write else []
    context = {
        "rows": [
            Row(
                member,
                name_of(member.role),
                is_oneself=member.user_id == page.caller.actor.id,
                may_change=can_write and rules.reaches(role, member.role),
            )
            for member in found
        ],
        "waiting": [
            WaitingRow(each, name_of(each.role), may_change=rules.reaches(role, each.role)) for each in waiting
        ],
        "can_write": can_write,
        "can_transfer": page.allows("organization:transfer") and len(found) > 1,
        "requires_mfa": page.organization.requires_mfa,
    }
    return render(request, page, "dashboard/team.html", context)


@require_safe
@organization_page(permission="team:read", opens_environment=False)
def roles(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """The permission table in words, as the code applies it."""
    groups = [
        (
            title,
            [
                PermissionRow(code, words, [(name_of(role), permissions.allows(role, code)) for role in Role])
                for code, words in words_by_code.items()
            ],
        )
        for title, words_by_code in GROUPS
    ]
    context = {
        "roles": [(role.value, *ROLES[role]) for role in Role],
        "groups": groups,
        "own": page.organization.role,
    }
    return render(request, page, "dashboard/team_roles.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="team:write", opens_environment=False)
@needs_proof
def change_role(request: HttpRequest, page: OrganizationPage, member_id: str) -> HttpResponse:
    """Another role for a member; it holds from their next request on."""
    member = _member(page, member_id)
    given = rules.roles_to_give(page.organization.role)
    form = RoleForm(request.POST or None, roles=given, initial={"role": member.role})
    if request.method == "POST" and form.is_valid():
        role = form.cleaned_data["role"]
        if _done(form, lambda: membership_services.change_role(page.caller, member_id=member_id, role=role)):
            words = {"email": member.email, "role": name_of(role)}
            messages.success(request, _("%(email)s is now %(role)s.") % words)
            return _after(page, member, still_allowed=permissions.allows(role, "team:read"))
    return form_page(
        request,
        page,
        form,
        title=_("Role of %(email)s") % {"email": member.email},
        text=" ".join(
            [
                _("They are now %(role)s. The new role holds from their next click on, and they are told by mail.")
                % {"role": name_of(member.role)},
                _("Invitations they sent and the new role may not send are withdrawn."),
            ]
        ),
        action=_("Change role"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="team:write", opens_environment=False)
def remove(request: HttpRequest, page: OrganizationPage, member_id: str) -> HttpResponse:
    """Asks with the name and the consequence; the POST ends the membership."""
    member = _member(page, member_id)
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    if (
        request.method == "POST"
        and form.is_valid()
        and _done(form, lambda: membership_services.remove(page.caller, member_id=member_id))
    ):
        words = {"email": member.email, "organization": page.organization.name}
        messages.success(request, _("%(email)s no longer belongs to %(organization)s.") % words)
        return _after(page, member, still_allowed=False)
    return form_page(
        request,
        page,
        form,
        title=_("Remove %(email)s?") % {"email": member.email},
        text=" ".join(
            [
                _("Their next click here is refused, in every browser, and apps they let in lose their access."),
                _("Invitations they sent and nobody has answered are withdrawn."),
                _keys_text(page, member),
            ]
        ),
        action=_("Remove %(email)s") % {"email": member.email},
        tone="danger",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="team:read", opens_environment=False)
def leave(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """End one's own membership, with the organization's name typed."""
    form = TypedForm(request.POST if request.method == "POST" else None, wanted=page.organization.name)
    if request.method == "POST" and form.is_valid() and _done(form, lambda: membership_services.leave(page.caller)):
        messages.success(request, _("You have left %(organization)s.") % {"organization": page.organization.name})
        return HttpResponseRedirect("/")
    return form_page(
        request,
        page,
        form,
        title=_("Leave %(organization)s?") % {"organization": page.organization.name},
        text=" ".join(
            [
                _(
                    "You lose access at once, and so do apps you let in on its behalf. To come back, somebody has to"
                    " invite you. API keys you made go on working."
                ),
                _("Invitations you sent and nobody has answered are withdrawn."),
            ]
        ),
        action=_("Leave %(organization)s") % {"organization": page.organization.name},
        tone="danger",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="organization:transfer", opens_environment=False)
@needs_proof
def transfer(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """Hand the organization to another member: they become owner, oneself admin."""
    others = [
        member
        for member in membership_selectors.for_organization(page.organization.id)
        if member.user_id != page.caller.actor.id
    ]
    form = TransferForm(
        request.POST if request.method == "POST" else None, members=others, wanted=page.organization.name
    )
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data["member"]
        if _done(form, lambda: membership_services.transfer_ownership(page.caller, member_id=chosen)):
            email = next(member.email for member in others if member.id == chosen)
            messages.success(request, _("%(email)s is now owner. You are admin.") % {"email": email})
            return HttpResponseRedirect(page.url("team"))
    text = _(
        "The new owner can do everything, and remove you too. You become admin and cannot take this back. To share"
        " ownership instead, give another member the role Owner on the team page."
    )
    nobody = _("There is nobody to hand it to. Invite somebody first.")
    return form_page(
        request,
        page,
        form,
        title=_("Transfer ownership of %(organization)s") % {"organization": page.organization.name},
        text=text if others else nobody,
        first=None if others else (_("Invite somebody"), page.url("invitation_new")),
        action=_("Transfer ownership"),
        tone="danger",
    )


def form_page(
    request: HttpRequest,
    page: OrganizationPage,
    form: forms.Form,
    *,
    section: str = "team",
    first: tuple[str, str] | None = None,
    **words: str,
) -> HttpResponse:
    """One question of the team's pages, or of those of another `section`: a form, what it does, one action.

    `first` is the text and the address of what has to be done before; it then stands in place of the form.
    """
    names = {"team": _("Team"), "settings": _("Settings"), "activation": _("Live mode")}
    url = page.url(section)
    context = {"form": form, "crumbs": [(names[section], url)], "back": url, "cancel": _("Cancel"), "first": first}
    return render(request, page, "dashboard/form_page.html", context | words, status=422 if form.errors else 200)


def _done(form: forms.Form, act: Callable[[], Any]) -> bool:
    """Whether it was done; a refusal is said on the form."""
    try:
        act()
    except DomainError as error:
        if error.status == 404:
            raise
        form.add_error(error.param if error.param in form.fields else None, error.text)
        return False
    return True


def _after(page: OrganizationPage, member: MemberInfo, *, still_allowed: bool) -> HttpResponse:
    """Back to the team; for who changed their own place, to wherever they may still go."""
    if member.user_id == page.caller.actor.id and not still_allowed:
        return HttpResponseRedirect("/")
    return HttpResponseRedirect(page.url("team"))


def _member(page: OrganizationPage, member_id: str) -> MemberInfo:
    member = membership_selectors.get(page.organization.id, member_id)
    if member is None:
        raise Http404
    return member


def _keys_text(page: OrganizationPage, member: MemberInfo) -> str:
    """What stays behind: keys belong to the organization, and ending them is a decision of its own."""
    count = api_key_selectors.count_made_by(page.organization.id, member.user_id)
    if not count:
        return _("They made no API key that still works.")
    return ngettext(
        "%(count)d API key they made goes on working: revoke or roll it if they know its secret.",
        "%(count)d API keys they made go on working: revoke or roll those whose secrets they know.",
        count,
    ) % {"count": count}
