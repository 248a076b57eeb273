"""Jobs that go over all environments: a tick asks which of them have work and queues one message for each of those, so
that what goes wrong in one holds up no other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from connect.kit.caller import Caller, EnvironmentRef
from connect.selectors import environments, sweeps


class Job(Protocol):
    """A task of an app's `tasks.py`, which hands it in: services import no tasks. Its messages name the environment."""

    @property
    def name(self) -> str:
        """What messages under way carry."""
        ...

    def delay(self, environment_id: str, *rest: str) -> object:
        """Queue a message."""
        ...


def queue(job: Job, table: str, condition: str | Callable[[EnvironmentRef], str], *rest: str) -> int:
    """Queue `job` for every environment whose `table` has a row that meets `condition`; returns for how many.

    Both are as `sweeps.environments_where` takes them; `rest` is what the message carries besides the environment.
    """
    found = list(sweeps.environments_where(table, condition))
    for environment in found:
        job.delay(str(environment.id), *rest)
    return len(found)


def run(job: Job, environment_id: str, work: Callable[[Caller], int]) -> int:
    """Do `work` in the name of `job` for the environment of its message, and return what it does.

    An environment that is gone has nothing left to do.
    """
    environment = environments.by_id(UUID(environment_id))
    return 0 if environment is None else work(Caller.system(environment, job.name))
