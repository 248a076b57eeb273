"""What every list of an environment's rows shares: one page of those that are the caller's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connect.kit.caller import Caller
from connect.kit.pages import Page, TimeRange, require_cursor, slice_rows
from connect.kit.rows import SqlCondition, TenantModel


def page(
    caller: Caller,
    model: type[TenantModel],
    page: Page,
    prefix: str,
    *,
    created: TimeRange | None = None,
    always: dict[str, Any] | None = None,
    where: Sequence[SqlCondition] = (),
    **narrowed: Any,
) -> tuple[list[Any], bool]:
    """One page of the caller's rows (the model has an `account_id`), newest first, and whether there are more.

    `narrowed` are columns and what they have to hold; those that are None or empty were not asked for. `always` hold
    for every page, `where` too. Raises when the cursor names no row of the list.
    """
    conditions = {"account_id": caller.account, **(always or {})}
    conditions |= {name: value for name, value in narrowed.items() if value}
    if created is not None:
        conditions |= created.filters("created_at")
    require_cursor(page, prefix, lambda identifier: _holds(model, {**conditions, "id": identifier}, where))
    return slice_rows(model.objects.page(page, conditions, where), page)


def _holds(model: type[TenantModel], conditions: dict[str, Any], where: Sequence[SqlCondition]) -> bool:
    return bool(model.objects.page(Page(limit=1), conditions, where))
