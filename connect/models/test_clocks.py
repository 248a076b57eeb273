"""Test clocks: time that stands still until somebody moves it, for the objects of a customer or a whole environment."""

from __future__ import annotations

from django.db import models

from connect.models.base import ConnectTenantModel


class TestClock(ConnectTenantModel):
    """`target_time` is where an advancing clock goes; `lease_until` is when somebody else may move it on.

    Deleted ones stay as a row: what belonged to them keeps its time.
    """

    __test__ = False  # for pytest: its name only looks like a test's

    class Status(models.TextChoices):
        READY = "ready"
        ADVANCING = "advancing"
        INTERNAL_FAILURE = "internal_failure"

    account_id = models.UUIDField()
    name = models.CharField(max_length=300, null=True)  # noqa: DJ001 - null and empty differ on the wire
    for_environment = models.BooleanField(default=False)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.READY)
    frozen_time = models.DateTimeField()
    target_time = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    deletes_after = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    class Meta(ConnectTenantModel.Meta):
        db_table = "connect_test_clock"
        constraints = [
            models.UniqueConstraint(
                fields=["for_environment"],
                condition=models.Q(for_environment=True, deleted_at=None),
                name="connect_test_clock_one_environment",
            ),
            models.CheckConstraint(
                condition=models.Q(status="ready", target_time=None)
                | models.Q(target_time__gte=models.F("frozen_time")),
                name="connect_test_clock_forwards",
            ),
        ]
        indexes = [models.Index(fields=["account_id", "-id"], name="connect_test_clock_newest")]

    def __str__(self) -> str:
        return f"{self.name or self.id} at {self.frozen_time:%Y-%m-%d %H:%M:%S}"
