"""A person's own settings: name, language, time zone, appearance."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from connect.services import users
from dashboard.pages import theme
from dashboard.pages.access import user_id
from dashboard.pages.account_forms import ProfileForm


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def profile(request: HttpRequest) -> HttpResponse:
    """The form; its POST keeps the settings, and the appearance in this browser."""
    user: Any = request.user
    initial = {
        "name": user.name,
        "locale": user.locale,
        "time_zone": user.time_zone,
        "theme": theme.chosen(request),
    }
    form = ProfileForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        users.update_profile(user_id(request), name=given["name"], locale=given["locale"], time_zone=given["time_zone"])
        messages.success(request, gettext("Your settings are kept."))
        response = HttpResponseRedirect(reverse("dashboard:account"))
        theme.keep(request, response, given["theme"])
        return response
    return render(request, "account_pages/profile.html", {"form": form}, status=422 if form.errors else 200)
