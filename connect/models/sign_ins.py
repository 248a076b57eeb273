"""Who signed in, or tried to: what a person looks through for what was not them."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from connect.models.base import PublicModel


class SignIn(PublicModel):
    """One attempt for an account that exists. Attempts for others are counted by the limiter and kept nowhere.

    `method` says how: `password`, `totp`, `recovery_code`, `passkey`, `trusted_device`.
    """

    class Outcome(models.TextChoices):
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        LOCKED = "locked"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sign_ins")
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    method = models.CharField(max_length=20)
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=300, blank=True)
    is_new_device = models.BooleanField(default=False)

    class Meta:
        db_table = "connect_sign_in"
        indexes = [models.Index(fields=["user", "-id"], name="connect_sign_in_newest")]

    def __str__(self) -> str:
        return f"{self.user} by {self.method}: {self.outcome}"
