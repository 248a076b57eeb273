"""The bank's own pages."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

urlpatterns: list = []


def home(request: HttpRequest) -> HttpResponse:
    """The bank's front door."""
    return HttpResponse("Sandbox Bank", content_type="text/plain")


def to_control(request: HttpRequest) -> HttpResponse:
    """The control stands at `/control/`."""
    return HttpResponseRedirect("/control/")
