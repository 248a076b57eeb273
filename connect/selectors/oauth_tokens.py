"""Whether an access token still stands: the one place that knows everything it rests on.

A token is as good as the app that holds it, the consent it came from, the person who gave that, and that person's place
in the organization. Whatever of these ends, ends the token, without anybody having to delete it.
"""

from __future__ import annotations

from django.db.models import OuterRef, Subquery

from connect.domain import oauth, permissions
from connect.domain.scopes import IDENTITY
from connect.models import Environment, Membership, OAuthAccessToken, UserConsent


def find(secret: str) -> OAuthAccessToken | None:
    """The token with this text, expired or not, if all it rests on still stands; one query.

    A suspended app's token is found: whoever calls says so, since its maker has to learn why nothing works.
    """
    if not oauth.is_well_formed(secret, oauth.ACCESS_TOKEN):
        return None
    row = (
        OAuthAccessToken.objects.select_related("application", "user", "consent", "environment__organization")
        .annotate(
            role=Subquery(
                Membership.objects.filter(
                    organization_id=OuterRef("environment__organization_id"), user_id=OuterRef("user_id")
                ).values("role")[:1]
            )
        )
        .filter(token_checksum=oauth.digest(secret))
        .first()
    )
    if row is None or row.application is None or row.environment is None:
        return None
    if row.consent is None:
        is_its_own = row.user_id is None and row.application.environment_id == row.environment_id
        return row if is_its_own else None
    return row if _stands(row.consent, row.role, row.environment) and row.user.is_active else None


def scopes_of(row: OAuthAccessToken) -> frozenset[str]:
    """What the token may do by now: what it was given, as far as the app may still ask for it and the consent holds."""
    granted = set(row.scope.split()) & {*row.application.scopes, *IDENTITY}
    return frozenset(granted if row.consent is None else granted & set(row.consent.scopes))


def consent_stands(consent: UserConsent | None) -> bool:
    """The same question for whoever exchanges a code or refreshes a token."""
    if consent is None:
        return False
    role = (
        Membership.objects.filter(
            organization_id=consent.environment.organization_id, user_id=consent.user_id, user__is_active=True
        )
        .values_list("role", flat=True)
        .first()
    )
    return _stands(consent, role, consent.environment)


def _stands(consent: UserConsent, role: str | None, environment: Environment) -> bool:
    if consent.revoked_at is not None or consent.environment_id != environment.id or role is None:
        return False
    return permissions.allows(role, oauth.permission_for(consent.scopes))
