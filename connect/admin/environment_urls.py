"""Addresses of one environment's pages, below `/admin/e/<short id>/`; the gate mounts them."""

from django.urls import path

from connect.admin.sites import environment_site

urlpatterns = [path("", environment_site.urls)]
