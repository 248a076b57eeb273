"""The payments app: intents, methods, charges, customers and the balance they leave."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:
        from payments import resources

        resources.register()
        resources.register_timed_work()
