"""Settings of the bank's process. It has a database, an address and a secret of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import environ

env = environ.Env()
FOLDER = Path(__file__).resolve().parent

SECRET_KEY = env("SANDBOX_BANK_SECRET_KEY")
DATABASES: dict[str, Any] = {
    "default": {**env.db_url_config(env("SANDBOX_BANK_DATABASE_URL")), "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}
}
BANK_URL = env("SANDBOX_BANK_URL").rstrip("/")  # under which the bank writes its own links
CONTROL_TOKEN = env("SANDBOX_BANK_CONTROL_TOKEN", default="")  # empty: only this machine may use /control

DEBUG = False
ALLOWED_HOSTS = ["*"]  # links are written with BANK_URL, never with what a request calls its host
ROOT_URLCONF = "sandbox_bank.urls"
WSGI_APPLICATION = "sandbox_bank.wsgi.application"
INSTALLED_APPS = ["sandbox_bank"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "sandbox_bank.middleware.guard_control",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "OPTIONS": {}}]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SILENCED_SYSTEM_CHECKS: list[str] = []
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
APPEND_SLASH = False
SECURE_CROSS_ORIGIN_OPENER_POLICY = None
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
