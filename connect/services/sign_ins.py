"""The history of a person's sign-ins, as it is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from connect.kit import clock, ids
from connect.models import SignIn, User

USER_AGENT_MAX: Final = 300
LOCKED_NOTED_EVERY: Final = timedelta(minutes=5)
UNVERIFIED_ADDRESS: Final = "unverified_address"
"""In the session: the address that a confirmation was sent to, so that it can be sent again."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an attempt came from: an IP address, empty when there is none, and what the browser calls itself."""

    ip: str
    user_agent: str


def record_success(user_id: UUID, *, method: str, origin: Origin, is_known_device: bool) -> bool:
    """Note that a person has signed in. Returns whether it is worth a mail: a new device, and not the first of all."""
    with transaction.atomic():
        succeeded = SignIn.objects.filter(user_id=user_id, outcome=SignIn.Outcome.SUCCEEDED)
        is_new_device = not is_known_device and succeeded.exists()
        _write(user_id, SignIn.Outcome.SUCCEEDED, method, origin, is_new_device=is_new_device)
    return is_new_device


def record_refusal(user_id: UUID, *, method: str, origin: Origin, locked: bool = False) -> None:
    """Note an attempt that failed, or was not even tried because there were too many.

    Of those not tried one in five minutes is noted: the history is for reading, and nobody may fill it from outside.
    """
    if locked and _was_locked_lately(user_id):
        return
    _write(user_id, SignIn.Outcome.LOCKED if locked else SignIn.Outcome.FAILED, method, origin)


def record_refusal_for_address(email: str, *, origin: Origin, locked: bool = False) -> None:
    """The same for an attempt with a password, which names an address; nothing is kept of one that is nobody's."""
    user_id = User.objects.filter(email=email.strip().lower()).values_list("pk", flat=True).first()
    if user_id is not None:
        record_refusal(user_id, method="password", origin=origin, locked=locked)


def _was_locked_lately(user_id: UUID) -> bool:
    locked = SignIn.objects.filter(user_id=user_id, outcome=SignIn.Outcome.LOCKED)
    return locked.filter(id__gte=ids.first_at(clock.wall() - LOCKED_NOTED_EVERY)).exists()


def _write(user_id: UUID, outcome: SignIn.Outcome, method: str, origin: Origin, *, is_new_device: bool = False) -> None:
    SignIn.objects.create(
        user_id=user_id,
        outcome=outcome,
        method=method,
        ip=origin.ip or None,
        user_agent=origin.user_agent[:USER_AGENT_MAX],
        is_new_device=is_new_device,
    )
