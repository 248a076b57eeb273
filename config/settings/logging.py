"""Where log lines go: to standard error, one JSON object a line; `LOG_FORMAT=human` is for a terminal."""

import os
from typing import Any

from connect.kit import logs

_LEVEL = os.environ.get("LOG_LEVEL", "INFO").upper()

logs.configure()

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": logs.formatter(human=False),
        "human": logs.formatter(human=True),
    },
    "handlers": {
        "stream": {
            "class": "logging.StreamHandler",
            "formatter": "human" if os.environ.get("LOG_FORMAT") == "human" else "json",
        },
    },
    "root": {"handlers": ["stream"], "level": _LEVEL},
    "loggers": {
        # Django's own handlers would print a second time, and as plain text.
        "django": {"handlers": [], "propagate": True, "level": _LEVEL},
        "django.server": {"handlers": [], "propagate": True, "level": "WARNING"},
        # A 404 or 429 is an answer, not a fault; it stands in the request log.
        "django.request": {"level": "ERROR"},
        "celery": {"level": "WARNING"},
    },
}
