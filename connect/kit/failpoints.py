"""Named places in money paths where a test can make the process die or fail.

`FC_FAILPOINTS="payments.confirm.claimed=kill"` kills the process there with SIGKILL, `=raise` raises. Without the
variable a failpoint costs one truth test; `manage.py check --deploy` refuses it.
"""

from __future__ import annotations

import os
import signal
from typing import Final

_ARMED: Final[dict[str, str]] = dict(
    entry.partition("=")[::2] for entry in os.environ.get("FC_FAILPOINTS", "").split(",") if entry
)


class FailpointReached(RuntimeError):
    """Raised by a failpoint armed with `raise`."""


def failpoint(name: str) -> None:
    """Do what `FC_FAILPOINTS` says for `name`; nothing when it says nothing."""
    if not _ARMED:
        return
    action = _ARMED.get(name)
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "raise":
        raise FailpointReached(name)
