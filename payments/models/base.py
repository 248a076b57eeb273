"""What every row of payments shares."""

from __future__ import annotations

from typing import Any

from django.db import models

from connect.kit.rows import TenantModel


class PaymentsModel(TenantModel):
    """`account_id` is the connected account the row belongs to, the platform's own being all zeros.

    It is a plain id in every unique key and list index, so that accounts never meet.
    """

    account_id = models.UUIDField()
    metadata: models.JSONField[Any, Any] = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        abstract = True


class TimedModel(PaymentsModel):
    """A row whose time is told by its customer's test clock, if that has one; None follows the environment's time."""

    test_clock_id = models.UUIDField(null=True)

    class Meta:
        abstract = True
