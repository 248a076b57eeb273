"""What the theme's settings ask for each request: the marks that tell which environment one is in, and the ways out."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

from connect.admin import mounting
from connect.admin.sites import environment_of


def is_platform(request: HttpRequest) -> bool:
    """Whether the page is one of the platform's own."""
    return environment_of(request) is None


def environment_label(request: HttpRequest) -> list[str] | None:
    """The label on top of every page of an environment, in words and colour."""
    environment = environment_of(request)
    if environment is None:
        return None
    label: str = getattr(request, "staff_environment_label", environment.short_id)
    return [f"{environment.kind} · {label}", "danger" if environment.livemode else "warning"]


def title_prefix(request: HttpRequest) -> str | None:
    """The same for the browser's tab."""
    environment = environment_of(request)
    return f"[{environment.kind} {environment.short_id}]" if environment else None


def subheader(request: HttpRequest) -> str:
    """Below the product's name."""
    return "Platform" if is_platform(request) else str(getattr(request, "staff_environment_label", ""))


def ways_out(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu under the product's name: out of the environment, and to the developers' pages."""
    with mounting.unmounted(request):
        return [
            {"icon": "apartment", "title": "Platform and environments", "link": reverse("admin:index")},
            {"icon": "dashboard", "title": "Dashboard", "link": dashboard_url(request)},
        ]


def dashboard_url(request: HttpRequest) -> str:
    """The root of the product, which is the developers' dashboard."""
    return f"{request.META.get('SCRIPT_NAME', '').rstrip('/')}/"


def favicon_url(request: HttpRequest) -> str:
    """The product's own."""
    return static("img/favicon.svg")


def style_url(request: HttpRequest) -> str:
    """The few rules that the theme lacks."""
    return static("css/staff.css")
