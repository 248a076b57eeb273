"""A code of an authenticator app is good for one use.

allauth remembers used codes in the cache for thirty seconds; the cache may be flushed, and a code may be good for
longer than that. So the step of time that a used code belongs to is kept with the seed, and only later ones count.
"""

from __future__ import annotations

from typing import Final

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import decrypt
from django.db import transaction

LAST_STEP: Final = "last_step"


def use_totp_code(authenticator_id: int, code: str) -> bool:
    """Use up a code that was found right; False when it, or a later one, was used before."""
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().get(pk=authenticator_id)
        step = _step_of(decrypt(row.data["secret"]), code)
        if step is None or step <= row.data.get(LAST_STEP, -1):
            return False
        row.data[LAST_STEP] = step
        row.save(update_fields=["data"])
    return True


def _step_of(secret: str, code: str) -> int | None:
    for step in totp.yield_hotp_counters_from_time():
        if compare_user_code(actual=code, expected=totp.format_hotp_value(totp.hotp_value(secret, step))):
            return step
    return None
