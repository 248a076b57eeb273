"""One log stream: structlog for ours, the standard library's loggers through the same processors.

Every line carries what `bind` put there: `request_id`, and once the credential is known `environment` and `livemode`.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import structlog

from connect.kit import redaction
from connect.kit.caller import EnvironmentRef

_KEPT = frozenset({"timestamp", "level", "logger", "request_id", "environment", "livemode"})
"""Ours, and never secret: not worth a look on every line."""


def bind(**values: Any) -> None:
    """Add to every line that this request or job writes from here on."""
    structlog.contextvars.bind_contextvars(**values)


def bind_environment(environment: EnvironmentRef) -> None:
    """Name the environment on every line from here on, by its public short id."""
    bind(environment=environment.short_id, livemode=environment.livemode)


def clear() -> None:
    """Forget what was bound: at the start of a request or job, because threads are used again."""
    structlog.contextvars.clear_contextvars()


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The processor before the renderer: nothing leaves with a key, a password or a card number in it."""
    for name, value in event.items():
        if name not in _KEPT and not name.startswith("_"):
            hide = redaction.is_secret_name(name) and value
            event[name] = redaction.HIDDEN if hide else redaction.tree(value)
    return event


def _before() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def configure() -> None:
    """Send structlog's lines into the standard library, where `LOGGING` decides what becomes of them."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_before(),
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def formatter(*, human: bool) -> dict[str, Any]:
    """The formatter for `LOGGING`: a line of JSON, or for a person's eyes the same in columns."""
    # Tracebacks become text before redaction looks at them, and the JSON keeps them on one line.
    end: Any = structlog.dev.ConsoleRenderer(colors=False) if human else structlog.processors.JSONRenderer()
    return {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": _before(),
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            structlog.processors.UnicodeDecoder(),
            redact,
            end,
        ],
    }
