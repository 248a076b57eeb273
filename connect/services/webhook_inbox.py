"""The webhook inbox: an address of our own in every test environment that takes webhooks and shows what arrived.

The address is derived from the environment and the installation's `SECRET_KEY`, so that nothing has to be stored to
know it again. Live environments have none.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from django.conf import settings
from django.db import connection
from django.utils.crypto import salted_hmac

from connect.domain import webhook_deliveries as domain
from connect.domain import webhook_signatures
from connect.kit import clock
from connect.kit.caller import Caller, EnvironmentRef
from connect.kit.clock import unix
from connect.kit.ids import base62
from connect.kit.secretbox import SealBroken
from connect.kit.tenancy import use_environment
from connect.models import InboxMessage, WebhookEndpoint
from connect.selectors import environments
from connect.services import webhook_endpoints

PATH: Final = "/webhook-inbox/"
KEPT: Final = 200
"""Messages kept in each environment; the oldest go first."""
_JOB: Final = "connect.webhook_inbox"


class _Event(msgspec.Struct):
    id: Any = None
    type: Any = None


def address(environment: EnvironmentRef) -> str:
    """The whole address of the environment's inbox."""
    return f"{settings.FC_PUBLIC_URL.rstrip('/')}{PATH}{environment.short_id}.{_secret(environment)}"


def environment_at(token: str) -> EnvironmentRef | None:
    """The test environment behind `<short id>.<secret>`, or None."""
    short_id, _, secret = token.partition(".")
    environment = environments.by_short_id(short_id)
    if environment is None or environment.livemode:
        return None
    return environment if hmac.compare_digest(secret.encode(), _secret(environment).encode()) else None


def receive(environment: EnvironmentRef, *, headers: Mapping[str, str], body: bytes, answer: int) -> None:
    """Keep a request, with the verdict on its signatures. `headers` have lower-case names; `answer` is what we say."""
    caller = Caller.system(environment, _JOB)
    now = clock.wall()
    event = _read(body)
    with use_environment(environment):
        verdict = webhook_signatures.verify(headers, body, secrets=_secrets(caller), now=unix(now))
        InboxMessage.objects.create(
            received_at=now,
            headers=domain.kept_headers(headers),
            body=domain.readable(body),
            event_id=_text(event.id, 64),
            event_type=_text(event.type, 80),
            verdict=verdict,
            answered_status=answer,
        )
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM connect_inbox_message WHERE id <="
                " (SELECT id FROM connect_inbox_message ORDER BY id DESC OFFSET %s LIMIT 1)",
                [KEPT],
            )


def _secrets(caller: Caller) -> list[str]:
    """Those of every endpoint that leads here, whatever follows the path."""
    found: list[str] = []
    own = f"{PATH}{caller.environment.short_id}."
    for row in WebhookEndpoint.objects.filter(deleted_at=None, url__contains=own):
        try:
            found += webhook_endpoints.secrets(caller, row)
        except SealBroken:
            continue  # it cannot have signed either
    return found


def _secret(environment: EnvironmentRef) -> str:
    digest = salted_hmac("connect.webhook_inbox", environment.id.hex, algorithm="sha256").digest()
    return base62(int.from_bytes(digest[:16], "big"), 22)


def _read(body: bytes) -> _Event:
    try:
        return msgspec.json.decode(body, type=_Event)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _Event()


def _text(value: Any, length: int) -> str:
    return domain.readable(value.encode(errors="replace"))[:length] if isinstance(value, str) else ""
