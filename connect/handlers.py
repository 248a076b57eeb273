"""Where libraries call us: one service call each, no rules of our own."""

from __future__ import annotations

import base64

from allauth.mfa.adapter import DefaultMFAAdapter

from connect.kit import secretbox

_PLACE = "public.mfa_authenticator.data"


class SealedMFAAdapter(DefaultMFAAdapter):
    """allauth keeps second factors in clear; here they are sealed at rest."""

    def encrypt(self, text: str) -> str:
        """Seal a secret before it is stored."""
        return base64.b64encode(secretbox.seal(text.encode(), place=_PLACE)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Open a stored secret; raises `SealBroken` for one that was not sealed here."""
        return secretbox.unseal(base64.b64decode(encrypted_text), place=_PLACE).decode()
