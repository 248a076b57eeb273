"""The banks app: institutions, link, connections, accounts, transactions. Its public half is `banks.catalog`."""

from django.apps import AppConfig


class BanksConfig(AppConfig):
    name = "banks"

    def ready(self) -> None:
        from banks import handlers, resources

        handlers.connect()
        resources.register()
        resources.register_timed_work()
