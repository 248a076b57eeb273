"""Whether a person may be sent to an address that an app gave."""

from __future__ import annotations

from django.conf import settings

from connect.domain import redirects
from connect.domain.errors import RedirectRefused
from connect.kit.caller import Caller


def require_allowed(caller: Caller, name: str, url: str | None) -> None:
    """Raise `RedirectRefused`, naming the parameter, where nobody may be redirected to `url`; None is no redirect."""
    local_hosts = settings.FC_PRIVATE_HOSTS_ALLOWED
    if url is None or redirects.is_allowed(url, livemode=caller.livemode, local_hosts=local_hosts):
        return
    hint = "In a live environment nothing else is allowed."
    if not caller.livemode:
        shown = ", ".join(local_hosts) or "none"
        hint = f"In a test environment http:// is allowed for the hosts in FC_PRIVATE_HOSTS_ALLOWED ({shown})."
    raise RedirectRefused(param=name, hint=hint)
