"""Link sessions: one customer's visit to the page on which a bank account is linked."""

from __future__ import annotations

from typing import Any

from django.db import models

from banks.domain.link_state import Mode, Status
from banks.models.base import DescribedModel


class LinkSession(DescribedModel):
    """What a customer is asked for, and how far they came.

    The page is found by `secret_hash`, the SHA-256 of what its address carries; `secret_sealed` holds the same secret
    so that the address can be shown again. `state_hash` is that of the secret in the address to which the bank sends
    the customer back. `handle_sealed` is the connector's handle of a consent that no connection has, `offered` the
    accounts to choose from as the bank gave them. `agreed_at` is when the customer agreed on our page, `agreed_text`
    the version of what they read there.
    """

    secret_hash = models.BinaryField(max_length=32, unique=True)
    secret_sealed = models.BinaryField()
    mode = models.CharField(max_length=8, choices=[(mode.value, mode.value) for mode in Mode])
    status = models.CharField(
        max_length=10, choices=[(status.value, status.value) for status in Status], default=Status.OPEN.value
    )
    institution_id = models.UUIDField(null=True)
    connection_id = models.UUIDField(null=True)
    client_reference_id = models.CharField(max_length=200, null=True)  # noqa: DJ001 - null and empty differ on the wire
    permissions: models.JSONField[Any, Any] = models.JSONField(default=list)
    countries: models.JSONField[Any, Any] = models.JSONField(default=list)
    purpose = models.CharField(max_length=300, null=True)  # noqa: DJ001
    recurring = models.BooleanField(default=True)
    history_days = models.SmallIntegerField()
    return_url = models.CharField(max_length=2048, null=True)  # noqa: DJ001
    locale = models.CharField(max_length=10, null=True)  # noqa: DJ001
    state_hash = models.BinaryField(max_length=32, null=True, unique=True)
    handle_sealed = models.BinaryField(null=True)
    bank_url = models.TextField(null=True)  # noqa: DJ001
    consent_until = models.DateField(null=True)
    agreed_at = models.DateTimeField(null=True)
    agreed_text = models.CharField(max_length=20, null=True)  # noqa: DJ001
    psu_address = models.GenericIPAddressField(null=True)
    psu_agent = models.CharField(max_length=300, null=True)  # noqa: DJ001
    offered: models.JSONField[Any, Any] = models.JSONField(null=True)
    last_error = models.CharField(max_length=24, null=True)  # noqa: DJ001
    lease_until = models.DateTimeField(null=True)
    public_token_hash = models.BinaryField(max_length=32, null=True, unique=True)
    public_token_sealed = models.BinaryField(null=True)
    public_token_expires_at = models.DateTimeField(null=True)
    exchanged_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "banks_link_session"
        indexes = [
            models.Index(fields=["account_id", "-id"], name="banks_link_newest"),
            models.Index(
                fields=["expires_at"],
                condition=models.Q(status__in=["open", "at_bank", "choosing"]),
                name="banks_link_in_progress",
            ),
            models.Index(
                fields=["public_token_expires_at"],
                condition=models.Q(public_token_expires_at__isnull=False, exchanged_at=None),
                name="banks_link_unexchanged",
            ),
            models.Index(
                fields=["ended_at"],
                condition=models.Q(status__in=["canceled", "expired"], handle_sealed__isnull=False),
                name="banks_link_to_give_back",
            ),
            models.Index(
                fields=["connection_id"], condition=models.Q(connection_id__isnull=False), name="banks_link_connection"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mode} {self.status}"
