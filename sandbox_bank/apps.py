"""The bank as a Django app."""

from django.apps import AppConfig


class SandboxBankConfig(AppConfig):
    """The only app of its process."""

    name = "sandbox_bank"
    label = "sandbox_bank"
