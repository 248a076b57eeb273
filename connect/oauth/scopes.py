"""What django-oauth-toolkit asks about scopes and tokens: our lists, in its words."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from oauth2_provider.scopes import BaseScopes

from connect.domain import oauth
from connect.domain.scopes import IDENTITY, SCOPES


class Scopes(BaseScopes):
    """An app may ask for the scopes it is registered with, and about the person; `*` is never an app's."""

    def get_all_scopes(self) -> dict[str, str]:
        """Every scope with the sentence that a person reads."""
        identity = IDENTITY if settings.OAUTH2_PROVIDER["OIDC_ENABLED"] else {}
        return {**identity, **SCOPES}

    def get_available_scopes(
        self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        """Those of an app; without one, all there are."""
        if application is None:
            return list(self.get_all_scopes())
        own = [scope for scope in application.scopes if scope in SCOPES]
        if getattr(request, "grant_type", None) == "client_credentials":
            return own  # nobody is there whom it could ask about
        return [*(scope for scope in self.get_all_scopes() if scope in IDENTITY), *own]

    def get_default_scopes(self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any) -> list[str]:
        """Whoever asks for nothing in particular asks for all that the app may, and not for who the person is."""
        return [scope for scope in self.get_available_scopes(application, request) if scope not in IDENTITY]


def access_token(request: Any) -> str:  # noqa: ARG001 - the library's signature
    """A new access token."""
    return oauth.generate(oauth.ACCESS_TOKEN)


def refresh_token(request: Any) -> str:  # noqa: ARG001
    """A new refresh token."""
    return oauth.generate(oauth.REFRESH_TOKEN)
