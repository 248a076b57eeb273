"""Every address of the product, one line per part."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from banks.pages import status
from connect.api import health
from payments.pages import pay_by_bank, three_d_secure

handler500 = "dashboard.pages.failures.failed"

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics_text),
    path("", include("connect.api.urls")),
    path("v1/", include("payments.api.urls")),
    path("v1/", include("banks.api.urls")),
    path("v1/", include("ledger.api.urls")),
    path("", include("payments.pages.urls")),
    path("", include("banks.pages.urls")),
    path("pbb/return/<str:token>", pay_by_bank.back, name="pay_by_bank_return"),
    path("3ds/<str:token>", three_d_secure.challenge, name="three_d_secure"),
    path("status", status.page, name="bank_status"),
    path("", include("connect.oauth.urls")),
    path("accounts/2fa/webauthn/", RedirectView.as_view(pattern_name="mfa_index")),  # our security page has the list
    path("accounts/sessions/", RedirectView.as_view(pattern_name="dashboard:account_sessions")),  # instead of allauth's
    path("accounts/", include("allauth.urls")),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", include("connect.admin.urls")),
    path("", include("dashboard.urls")),
]
