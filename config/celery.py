"""The Celery application: `celery -A config.celery worker`. A task gets its environment as an argument and opens it."""

import os
from typing import Any

from celery import Celery, signals

from connect.kit import logs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")

app = Celery("facturino_connect")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.task_prerun.connect
def _name_the_task(task_id: str, task: Any, **_: Any) -> None:
    """Every line a job writes carries the job; a worker's thread is used again, so what was there goes first."""
    logs.clear()
    logs.bind(task=task.name, task_id=task_id)


@signals.task_postrun.connect
def _forget_the_task(**_: Any) -> None:
    logs.clear()
