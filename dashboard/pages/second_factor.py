"""Where a member without a second factor is led when their organization asks for one, before any of its pages."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from connect.selectors import memberships as membership_selectors
from connect.selectors import organizations as organization_selectors
from dashboard.pages.access import user_id


@require_safe
@never_cache
@login_required
def required(request: HttpRequest, org_slug: str) -> HttpResponse:
    """Why, and where to set one up; who has one goes on."""
    organization = organization_selectors.for_member(user_id(request), org_slug)
    if organization is None:
        raise Http404
    if not organization.requires_mfa or membership_selectors.has_second_factor(user_id(request)):
        return HttpResponseRedirect(reverse("dashboard:home", args=[org_slug, "test"]))
    others = [each for each in organization_selectors.for_user(user_id(request)) if not each.requires_mfa]
    context = {"organization": organization, "others": others}
    return render(request, "dashboard/second_factor.html", context)
