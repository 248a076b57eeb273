"""The floor's Django app: its public half. Its tenant half is `connect.tenant`."""

from django.apps import AppConfig


class ConnectConfig(AppConfig):
    name = "connect"
    verbose_name = "Platform"

    def ready(self) -> None:
        from connect import checks, handlers, resources

        checks.install()
        resources.register()
        handlers.listen()
