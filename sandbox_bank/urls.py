"""All addresses of the bank."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from sandbox_bank import pages


def alive(request: HttpRequest) -> HttpResponse:
    """Whether the bank's process answers."""
    return HttpResponse("ok", content_type="text/plain")


urlpatterns = [
    path("healthz", alive),
    path("v1/", include("sandbox_bank.api.urls")),
    path("control/", include("sandbox_bank.control.urls")),
    path("control", pages.to_control),
    path("bank/", include(pages.urlpatterns)),
    path("", pages.home),
]
