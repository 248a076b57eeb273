"""Addresses of the staff's pages, below `/admin/`."""

from django.urls import path

from connect.admin.gate import environment_page, take_access
from connect.admin.sites import platform_site

urlpatterns = [
    path("e/<slug:environment>/", environment_page, name="staff_environment"),
    path("e/<slug:environment>/take-access", take_access, name="staff_take_access"),
    path("e/<slug:environment>/<path:page>", environment_page),
    path("", platform_site.urls),
]
