"""Letting apps in, and out again. These are public rows: call them outside of `use_environment`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from connect.domain import errors
from connect.kit import clock, ids
from connect.kit.caller import Actor, Caller, EnvironmentRef
from connect.kit.errors import ResourceMissing
from connect.models import (
    ApiClient,
    OAuthAccessToken,
    OAuthDeviceGrant,
    OAuthGrant,
    OAuthIdToken,
    OAuthRefreshToken,
    UserConsent,
)
from connect.selectors import api_clients, credentials
from connect.selectors import consents as reads
from connect.selectors.consents import PREFIX
from connect.services import audit


def grant(
    actor: Actor, *, user_id: UUID, client_id: str, environment_id: str, scopes: Iterable[str]
) -> tuple[UserConsent, EnvironmentRef]:
    """A member lets an app into an environment. Raises `EnvironmentNotOffered` for one that they may not choose.

    A consent that is in force is widened by what is new: the tokens of another device of the same person go on working
    with what they were given.
    """
    client = ApiClient.objects.select_related("organization", "environment", "created_by").get(client_id=client_id)
    wanted = sorted(set(scopes))
    offered = {
        str(choice.environment.id): choice for choice in reads.choices(user_id, api_clients.info(client), wanted)
    }
    chosen = offered.get(environment_id)
    if chosen is None:
        raise errors.EnvironmentNotOffered(param="environment")
    environment = chosen.environment
    with transaction.atomic():
        # Two windows of one person may decide at once; the app's row is what both lock.
        ApiClient.objects.select_for_update(no_key=True).get(pk=client.pk)
        row = UserConsent.objects.filter(
            user_id=user_id, client=client, environment_id=environment.id, revoked_at__isnull=True
        ).first()
        if row is None:
            row = UserConsent.objects.create(
                user_id=user_id, client=client, environment_id=environment.id, scopes=wanted
            )
            _audit(actor, "consent.granted", row, client, environment.organization_id, scopes=wanted)
        elif not set(wanted) <= set(row.scopes):
            added = sorted(set(wanted) - set(row.scopes))
            row.scopes = sorted({*row.scopes, *wanted})
            row.save(update_fields=["scopes"])
            _audit(actor, "consent.widened", row, client, environment.organization_id, added=added)
    return row, environment


def withdraw(actor: Actor, *, user_id: UUID, consent_id: str) -> None:
    """The member ends it. Every token from it is dead at once. Raises `ResourceMissing`."""
    _end(actor, UserConsent.objects.filter(user_id=user_id), consent_id)


def revoke(caller: Caller, *, consent_id: str) -> None:
    """The organization ends it, whoever of its members gave it. Raises `ResourceMissing`."""
    _end(caller.actor, UserConsent.objects.filter(environment_id=caller.environment.id), consent_id)


def end_all(actor: Actor, client: ApiClient, *, reason: str) -> int:
    """End every consent to an app, each in the log of the organization it opened. Inside a transaction."""
    rows = UserConsent.objects.select_related("environment").filter(client=client, revoked_at__isnull=True)
    found = list(rows.select_for_update(of=("self",), no_key=True))
    for row in found:
        _audit(actor, "consent.revoked", row, client, row.environment.organization_id, reason=reason)
    _kill(found)
    return len(found)


def mark_used(latest: Mapping[str, datetime]) -> None:
    """Note when apps last acted on consents, by public id: one statement, at most one write a minute for each."""
    used = {identifier: moment for key, moment in latest.items() if (identifier := ids.decode(PREFIX, key))}
    if not used:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE connect_user_consent c SET last_used_at = u.moment"
            " FROM unnest(%s::uuid[], %s::timestamptz[]) AS u(id, moment)"
            " WHERE c.id = u.id AND (c.last_used_at IS NULL OR c.last_used_at < u.moment - interval '1 minute')",
            [list(used), list(used.values())],
        )


def end_of_member(user_id: UUID, organization_id: UUID) -> None:
    """Whoever leaves an organization takes along the apps that they let into it. In the caller's transaction."""
    among = UserConsent.objects.filter(
        user_id=user_id, environment__organization_id=organization_id, revoked_at__isnull=True
    )
    _kill(list(among.select_for_update(of=("self",), no_key=True)))


# A token that is being issued holds its code's row and looks at the consent's key; the locks here leave the key alone,
# so that neither waits for the other. What is issued in that moment rests on a withdrawn consent, and opens nothing.


def _end(actor: Actor, among: QuerySet[UserConsent], consent_id: str) -> None:
    with transaction.atomic():
        row = (
            among.select_for_update(of=("self",), no_key=True)
            .select_related("environment", "client")
            .filter(pk=ids.lookup(PREFIX, consent_id), revoked_at__isnull=True)
            .first()
        )
        if row is None:
            raise ResourceMissing(resource="consent", id=consent_id)
        _kill([row])
        _audit(actor, "consent.revoked", row, row.client, row.environment.organization_id)
    credentials.forget()


def _kill(rows: list[UserConsent]) -> None:
    """Mark the consents, and take away all that was made from them, so that nothing waits for a clean-up."""
    now, found = clock.wall(), [row.pk for row in rows]
    UserConsent.objects.filter(pk__in=found).update(revoked_at=now)
    for model in (OAuthGrant, OAuthDeviceGrant):
        model.objects.filter(consent_id__in=found).delete()
    OAuthRefreshToken.objects.filter(consent_id__in=found, revoked__isnull=True).update(revoked=now)
    OAuthAccessToken.objects.filter(consent_id__in=found).delete()
    OAuthIdToken.objects.filter(consent_id__in=found).delete()


def _audit(
    actor: Actor, action: str, row: UserConsent, client: ApiClient, organization_id: UUID, **data: object
) -> None:
    audit.record_for_organization(
        organization_id,
        actor=actor,
        action=action,
        target=ids.encode(PREFIX, row.id),
        environment_id=row.environment_id,
        app=client.name,
        client_id=client.client_id,
        **data,
    )
