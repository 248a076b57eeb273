"""Forgetting what apps were given and can no longer use.

Nothing depends on it: what is over is refused while it is still there.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.db.models import QuerySet

from connect.domain import oauth, retention
from connect.kit import clock
from connect.models import OAuthAccessToken, OAuthDeviceGrant, OAuthGrant, OAuthIdToken, OAuthRefreshToken

BATCH: Final = 1_000
BATCHES_MAX: Final = 200
_A_DAY: Final = timedelta(days=1)


def forget_old() -> int:
    """Delete in batches, each a transaction of its own; returns how many rows.

    An access token stays while its refresh token may be used: how long that is, counts from its end.
    """
    now = clock.wall()
    kept = retention.OAUTH_TOKENS.kept or timedelta()
    over: tuple[QuerySet[Any], ...] = (
        OAuthGrant.objects.filter(expires__lt=now - _A_DAY),
        OAuthDeviceGrant.objects.filter(expires__lt=now - _A_DAY),
        OAuthRefreshToken.objects.filter(created__lt=now - kept),
        OAuthAccessToken.objects.filter(expires__lt=now - _A_DAY, refresh_token__isnull=True),
        OAuthAccessToken.objects.filter(expires__lt=now - oauth.REFRESH_TOKEN_IDLE - _A_DAY),
        OAuthIdToken.objects.filter(expires__lt=now - _A_DAY, access_token__isnull=True),
    )
    return sum(_delete(rows) for rows in over)


def _delete(rows: QuerySet[Any]) -> int:
    deleted = 0
    for _ in range(BATCHES_MAX):
        found = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
        rows.model._default_manager.filter(pk__in=found).delete()  # noqa: SLF001 - Django's documented name
        deleted += len(found)
        if len(found) < BATCH:
            break
    return deleted
