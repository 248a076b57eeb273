"""Jobs as the worker runs them: a message that a tick queues is run at once, in the same process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.connect.webhooks.conftest import together

__all__ = ["together"]


@pytest.fixture
def worker() -> Iterator[Any]:
    """The Celery application. What a task queues runs at once; what it raises comes out."""
    from config.celery import app

    app.loader.import_default_modules()
    app.conf.update(task_always_eager=True, task_eager_propagates=True)
    yield app
    app.conf.update(task_always_eager=False, task_eager_propagates=False)
