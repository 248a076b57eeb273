"""What every list of an environment's rows shares: one page of those that are the caller's."""

from __future__ import annotations

from typing import Any

from connect.kit.caller import Caller
from connect.kit.pages import Page, TimeRange, require_cursor, slice_rows
from connect.kit.rows import TenantModel


def page(
    caller: Caller,
    model: type[TenantModel],
    page: Page,
    prefix: str,
    *,
    created: TimeRange | None = None,
    always: dict[str, Any] | None = None,
    **narrowed: Any,
) -> tuple[list[Any], bool]:
    """One page of the caller's rows (the model has an `account_id`), newest first, and whether there are more.

    `narrowed` are columns and what they have to hold; those that are None or empty were not asked for. `always` hold
    for every page. Raises when the cursor names no row of the list.
    """
    conditions = {"account_id": caller.account, **(always or {})}
    conditions |= {name: value for name, value in narrowed.items() if value}
    if created is not None:
        conditions |= created.filters("created_at")
    require_cursor(page, prefix, lambda identifier: model.objects.filter(**conditions, pk=identifier).exists())
    return slice_rows(model.objects.page(page, conditions), page)
