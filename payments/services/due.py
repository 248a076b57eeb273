"""Reading what is due: all of it, oldest first, a batch at a time, each row once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from django.db.models import Q, QuerySet

from connect.kit.caller import Caller
from connect.kit.tenancy import use_environment
from payments.models.base import PaymentsModel

M = TypeVar("M", bound=PaymentsModel)


def in_order(caller: Caller, rows: QuerySet[M], moment: str, *, size: int) -> Iterator[M]:
    """The rows by the time in their column `moment`, not locked; each batch is read in a transaction of its own.

    What stays due, because somebody else is at it, does not come again and keeps nothing from its turn.
    """
    rest = rows.order_by(moment, "id")
    while True:
        with use_environment(caller.environment):
            found = list(rest[:size])
        yield from found
        if len(found) < size:
            return
        last, at = found[-1], getattr(found[-1], moment)
        rest = rows.filter(Q(**{f"{moment}__gt": at}) | Q(**{moment: at, "id__gt": last.id})).order_by(moment, "id")
