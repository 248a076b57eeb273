"""What a session holds, sealed: the table and its backups tell nobody who is signed in, nor what waits to be confirmed.

Django signs session data and keeps it readable; among it is the key of an authenticator app until that is switched on.
"""

from __future__ import annotations

from typing import Any, Final

from django.core.signing import JSONSerializer

from connect.kit import secretbox

_PLACE: Final = "public.django_session.session_data"


class SealedSerializer:
    """For `SESSION_SERIALIZER`. What a key sealed that is gone is an empty session: its person signs in again."""

    def dumps(self, obj: Any) -> bytes:
        """JSON, sealed."""
        return secretbox.seal(JSONSerializer().dumps(obj), place=_PLACE)

    def loads(self, data: bytes) -> Any:
        """What was sealed. Raises `SealBroken`."""
        return JSONSerializer().loads(secretbox.unseal(data, place=_PLACE))
