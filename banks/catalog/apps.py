"""The Django app under which the public tables of banks stand."""

from django.apps import AppConfig


class BanksCatalogConfig(AppConfig):
    name = "banks.catalog"
    label = "banks_catalog"
    verbose_name = "Banks"
