"""The Celery application: `celery -A config.celery worker`. A task gets its environment as an argument and opens it."""

import os
import signal
import threading
from types import FrameType
from typing import Any

from celery import Celery, Task, signals
from celery.exceptions import SoftTimeLimitExceeded

from connect.kit import logs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")


class TimeIsUp(BaseException):
    """A job's soft time limit. Not an `Exception`: jobs that go on after one failed row would go on after this too."""


class Job(Task):
    """Every task of ours. When its time is up it stops where it is; what it left is found by the next tick."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if threading.current_thread() is not threading.main_thread():
            return super().__call__(*args, **kwargs)
        # The pool tells by this signal that the time is up. Its own handler raises an `Exception`.
        before = signal.signal(signal.SIGUSR1, _stop)
        try:
            return super().__call__(*args, **kwargs)
        except TimeIsUp as stopped:
            raise SoftTimeLimitExceeded from stopped
        finally:
            signal.signal(signal.SIGUSR1, before)


def _stop(_: int, __: FrameType | None) -> None:
    raise TimeIsUp


app = Celery("facturino_connect", task_cls=Job)
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
