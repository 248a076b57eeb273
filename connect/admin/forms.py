"""The page with a form between a button and its effect: why, for how long, how much."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminTextareaWidget

from connect.kit.errors import DomainError


class ReasonForm(forms.Form):
    """Nothing but the reason, which goes into the audit log."""

    reason = forms.CharField(
        max_length=300,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="It is kept in the organization's audit log, which its owners and admins read.",
    )


def ask(
    admin: Any,
    request: HttpRequest,
    form: forms.Form,
    *,
    title: str,
    text: str,
    button: str,
    back: str,
    danger: bool = False,
) -> TemplateResponse:
    """The form with what it does above it. Its answer comes back as a POST to the same address."""
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.model._meta,
        "title": title,
        "text": text,
        "form": form,
        "button": button,
        "back": back,
        "danger": danger,
    }
    request.current_app = admin.admin_site.name
    status = 422 if form.errors else 200
    return TemplateResponse(request, "admin/form_page.html", context, status=status)


def refuse(form: forms.Form, error: DomainError) -> None:
    """Say a service's refusal at the field it is about."""
    form.add_error(error.param if error.param in form.fields else None, error.text)
