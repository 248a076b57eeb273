"""The demo's Django app: its only part is the command that makes a first organization."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "demo"
