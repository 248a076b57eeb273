"""What a service hands back to an entry point when there is more to say than one object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connect.kit.errors import DomainError


@dataclass(frozen=True, slots=True)
class Refused:
    """A business failure that is a fact and commits, such as a declined card: the answer is an error, the rows stay.

    An exception would roll back what happened. `error` is rendered with its own status (402 for a decline). With `keep`
    false the answer is not kept under the idempotency key, because sending the same request again can still succeed.
    """

    error: DomainError
    keep: bool = True


@dataclass(frozen=True, slots=True)
class Waiting:
    """The claim is made and the outside world must be asked, once this transaction has committed.

    `resume` is the public id of what a later request or the sweeper can take up (an attempt); `call` holds the plain
    values of the call, with nothing of the database in it.
    """

    resume: str
    call: Any
