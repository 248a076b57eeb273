"""Access tokens without the way through a browser: for tests of what a token may do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from oauth2_provider.models import set_token_value

from connect.domain import oauth
from connect.domain.scopes import SCOPES
from connect.kit import clock, ids
from connect.kit.caller import Actor
from connect.models import ApiClient, OAuthAccessToken, UserConsent
from connect.selectors.api_clients import ApiClientInfo
from connect.services import api_clients, consents


@dataclass(frozen=True)
class Issued:
    """A token, the app that holds it, and the consent it rests on."""

    token: str
    app: ApiClientInfo
    consent: UserConsent | None

    @property
    def consent_id(self) -> str:
        assert self.consent is not None
        return ids.encode("cons", self.consent.id)


def register(caller: Any, **given: Any) -> ApiClientInfo:
    """An app of the caller's environment that may ask for everything."""
    fields = {
        "name": "Ledger Lens",
        "redirect_uris": ["https://app.example.com/callback"],
        "grant_types": list(oauth.GRANT_TYPES),
        "scopes": list(SCOPES),
        **given,
    }
    return api_clients.create(caller, **fields)[0]


def issue(
    caller: Any, user: Any, *scopes: str, app: ApiClientInfo | None = None, expires: datetime | None = None
) -> Issued:
    """The token that `user` would have let the app get for the caller's environment."""
    app = app or register(caller)
    actor = Actor("user", ids.encode("usr", user.pk), user.email)
    environment_id = str(caller.environment.id)
    consent, _ = consents.grant(actor, user_id=user.pk, client_id=app.id, environment_id=environment_id, scopes=scopes)
    row = OAuthAccessToken(
        user=user,
        scope=" ".join(scopes),
        expires=expires or clock.wall() + timedelta(minutes=15),
        application=ApiClient.objects.get(client_id=app.id),
        environment_id=consent.environment_id,
        consent=consent,
    )
    token = oauth.generate(oauth.ACCESS_TOKEN)
    set_token_value(row, token)
    row.save()
    return Issued(token, app, consent)
