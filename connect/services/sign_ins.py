"""The history of a person's sign-ins, as it is written."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from connect.models import SignIn, User

USER_AGENT_MAX = 300


def record_success(user_id: UUID, *, method: str, ip: str, user_agent: str, is_known_device: bool) -> bool:
    """Note that a person has signed in. Returns whether it is worth a mail: a new device, and not the first of all."""
    with transaction.atomic():
        succeeded = SignIn.objects.filter(user_id=user_id, outcome=SignIn.Outcome.SUCCEEDED)
        is_new_device = not is_known_device and succeeded.exists()
        _write(user_id, SignIn.Outcome.SUCCEEDED, method, ip, user_agent, is_new_device=is_new_device)
    return is_new_device


def record_refusal(user_id: UUID, *, method: str, ip: str, user_agent: str, locked: bool = False) -> None:
    """Note an attempt that failed, or was not even tried because there were too many."""
    _write(user_id, SignIn.Outcome.LOCKED if locked else SignIn.Outcome.FAILED, method, ip, user_agent)


def record_refusal_for_address(email: str, *, ip: str, user_agent: str, locked: bool = False) -> None:
    """The same for an attempt with a password, which names an address; nothing is kept of one that is nobody's."""
    user_id = User.objects.filter(email=email.strip().lower()).values_list("pk", flat=True).first()
    if user_id is not None:
        record_refusal(user_id, method="password", ip=ip, user_agent=user_agent, locked=locked)


def _write(
    user_id: UUID, outcome: SignIn.Outcome, method: str, ip: str, user_agent: str, *, is_new_device: bool = False
) -> None:
    SignIn.objects.create(
        user_id=user_id,
        outcome=outcome,
        method=method,
        ip=ip or None,
        user_agent=user_agent[:USER_AGENT_MAX],
        is_new_device=is_new_device,
    )
