"""The tenant half of `connect`: this package holds only the app and its migrations; models live in `connect.models`.

Django routes migrations by app, and an app's tables stand either in public or in every environment; `connect` has both.
"""

from django.apps import AppConfig


class ConnectTenantConfig(AppConfig):
    name = "connect.tenant"
    label = "connect_tenant"
    verbose_name = "Environment"
