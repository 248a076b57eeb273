"""The pages developers use. No models of its own: everything shown belongs to the apps below."""

from django.apps import AppConfig


class DashboardConfig(AppConfig):
    """Registers the template tags and the pages."""

    name = "dashboard"
