"""What staff decide about other companies' apps: verified, or suspended until something is set right.

A suspended app can do nothing: no consent, no token, no call. Where that is asked is `connect/oauth` and
`connect/api/authentication.py`; both read `ApiClient.suspended_at`. Each decision is in the log of the organization
that registered the app.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction

from connect.domain import errors
from connect.kit import clock
from connect.kit.caller import Actor
from connect.kit.errors import ParameterInvalid, ResourceMissing
from connect.models import ApiClient
from connect.selectors import credentials
from connect.services import audit


def verify(*, client_id: str, actor: Actor, reason: str) -> None:
    """Say on the consent page that we know who is behind the app.

    Raises `ResourceMissing`, `AppNotVerifiable`, and `ParameterInvalid` without a reason.
    """
    with transaction.atomic():
        row, reason = _locked(client_id), _checked(reason)
        if row.suspended_at is not None:
            raise errors.AppNotVerifiable(name=row.name)
        row.verified_at = clock.wall()
        _keep(row, actor, "api_client.verified", reason=reason)


def withdraw_verification(*, client_id: str, actor: Actor, reason: str) -> None:
    """Nobody vouches for the app any more. Raises `ResourceMissing`, and `ParameterInvalid` without a reason."""
    with transaction.atomic():
        row, reason = _locked(client_id), _checked(reason)
        row.verified_at = None
        _keep(row, actor, "api_client.verification_withdrawn", reason=reason)


def suspend(*, client_id: str, actor: Actor, reason: str) -> None:
    """Stop the app everywhere. Consents and tokens stay, so that `reinstate` brings all of them back.

    Raises `ResourceMissing`, and `ParameterInvalid` without a reason. Twice is once.
    """
    with transaction.atomic():
        row, reason = _locked(client_id), _checked(reason)
        if row.suspended_at is None:
            row.suspended_at = clock.wall()
            _keep(row, actor, "api_client.suspended", reason=reason)
    credentials.forget()


def reinstate(*, client_id: str, actor: Actor, reason: str) -> None:
    """Let a suspended app work again. Raises `ResourceMissing`, and `ParameterInvalid` without a reason."""
    with transaction.atomic():
        row, reason = _locked(client_id), _checked(reason)
        if row.suspended_at is not None:
            row.suspended_at = None
            _keep(row, actor, "api_client.reinstated", reason=reason)
    credentials.forget()


def _locked(client_id: str) -> ApiClient:
    row = ApiClient.objects.select_for_update().filter(client_id=client_id).first()
    if row is None:
        raise ResourceMissing(resource="app", id=client_id)
    return row


def _checked(reason: str) -> str:
    reason = reason.strip()
    if not 1 <= len(reason) <= 300:
        raise ParameterInvalid("Say why, in 1 to 300 characters: the organization reads it.", param="reason")
    return reason


def _keep(row: ApiClient, actor: Actor, action: str, **data: Any) -> None:
    row.save(update_fields=["verified_at", "suspended_at", "updated"])
    if row.organization_id is not None:
        audit.record_for_organization(
            row.organization_id,
            actor=actor,
            action=action,
            target=row.client_id[:64],
            environment_id=row.environment_id,
            name=row.name,
            **data,
        )
