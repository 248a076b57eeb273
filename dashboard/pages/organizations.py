"""Making an organization, and the moment until its test environment is ready."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from connect.kit.errors import DomainError
from connect.selectors import environments as environment_selectors
from connect.selectors import organizations as organization_selectors
from connect.services import limits
from connect.services import organizations as organization_services
from dashboard.pages.access import user_id


class OrganizationForm(forms.Form):
    """A name, and the address; whoever leaves the address out gets one made of the name."""

    name = forms.CharField(
        max_length=120,
        label=_("Company name"),
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    slug = forms.SlugField(
        max_length=60,
        required=False,
        label=_("Address"),
        help_text=_(
            "Part of every dashboard link: small letters, digits and hyphens. Left empty, it follows the name."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean(self) -> dict[str, Any]:
        """An address from the name; a name without any Latin letter needs one written out."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("name") and not cleaned.get("slug") and "slug" not in self.errors:
            cleaned["slug"] = slugify(cleaned["name"])[:60].strip("-")
            if not cleaned["slug"]:
                self.add_error("slug", gettext("Write an address in Latin letters: it cannot be made of this name."))
        return cleaned


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def new(request: HttpRequest) -> HttpResponse:
    """The form; its POST makes the organization with its test environment and the person as owner."""
    form = OrganizationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            limits.attempt_organization(str(user_id(request)))
            organization = organization_services.create(
                owner_id=user_id(request), name=form.cleaned_data["name"], slug=form.cleaned_data["slug"]
            )
        except DomainError as error:
            form.add_error(error.param if error.param in form.fields else None, error.text)
        else:
            return HttpResponseRedirect(reverse("dashboard:home", args=[organization.slug, "test"]))
    return render(request, "dashboard/organization_new.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
@never_cache
@login_required
def preparing(request: HttpRequest, org_slug: str) -> HttpResponse:
    """The waiting page. It asks again by htmx, which gets 204 until there is something to go to."""
    organization = organization_selectors.for_member(user_id(request), org_slug)
    if organization is None:
        raise Http404
    home_url = reverse("dashboard:home", args=[organization.slug, "test"])
    is_ready = any(found.kind == "test" for found in environment_selectors.for_organization(organization.id))
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(headers={"HX-Redirect": home_url}) if is_ready else HttpResponse(status=204)
    if is_ready:
        return HttpResponseRedirect(home_url)
    return render(request, "dashboard/preparing.html", {"organization": organization})
