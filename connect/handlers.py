"""Where libraries call us: one service call each, no rules of our own."""

from __future__ import annotations

import base64
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from connect.domain.tiers import SignInUnavailable, TooManySignIns
from connect.kit import secretbox
from connect.kit.addresses import client_address
from connect.services import limits

_PLACE = "public.mfa_authenticator.data"


class SealedMFAAdapter(DefaultMFAAdapter):
    """allauth keeps second factors in clear; here they are sealed at rest."""

    def encrypt(self, text: str) -> str:
        """Seal a secret before it is stored."""
        return base64.b64encode(secretbox.seal(text.encode(), place=_PLACE)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Open a stored secret; raises `SealBroken` for one that was not sealed here."""
        return secretbox.unseal(base64.b64decode(encrypted_text), place=_PLACE).decode()


class LimitedAccountAdapter(DefaultAccountAdapter):
    """Counts attempts to sign in by our atomic limiter; allauth's own is read-then-write and can be outrun.

    Without Valkey nobody can sign in: an attempt that cannot be counted is refused.
    """

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Take one attempt of the address and of the account; the refusal shows on the form."""
        account = credentials.get("email") or credentials.get("username") or ""
        try:
            limits.attempt_sign_in(client_address(request), account)
        except (TooManySignIns, SignInUnavailable) as refusal:
            raise ValidationError(refusal.text) from refusal
        super().pre_authenticate(request, **credentials)
