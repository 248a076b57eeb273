"""Making, rolling and revoking API keys. These are public rows: call them outside of `use_environment`."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from django.db import connection, transaction
from django.utils.translation import gettext as _

from connect.domain import api_keys, errors, scopes
from connect.domain.permissions import PERMISSIONS
from connect.kit import clock, ids
from connect.kit.caller import Caller
from connect.kit.errors import ParameterInvalid, ResourceMissing
from connect.models import ApiKey
from connect.selectors import credentials, memberships
from connect.selectors.api_keys import PREFIX, ApiKeyInfo, info
from connect.services import audit, notices
from connect.services.notices import Letter


def create(
    caller: Caller,
    *,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime | None = None,
    ip_allowlist: Sequence[str] = (),
) -> tuple[ApiKeyInfo, str]:
    """Issue a key for the caller's environment. Returns it and its secret, which can never be read again.

    Raises `KeyNameRequired`, `ScopeUnknown`, and `ParameterInvalid` for addresses or an expiry that make no sense.
    """
    with transaction.atomic():
        row, secret = _issue(
            caller,
            name=_checked_name(name),
            scopes=_checked_scopes(scopes),
            expires_at=_checked_expiry(expires_at),
            ip_allowlist=_checked_networks(ip_allowlist),
        )
        _audit(caller, "api_key.created", row)
    return info(row), secret


def roll(caller: Caller, *, key_id: str, overlap_seconds: int) -> tuple[ApiKeyInfo, str]:
    """Replace a key by a new one with the same name and rights.

    The old one works `overlap_seconds` longer, 7 days at most. Raises `ResourceMissing` or `KeyRevoked`.
    """
    if not 0 <= overlap_seconds <= 7 * 86400:
        raise ParameterInvalid("The old key can stay valid for at most 7 days.", param="overlap_seconds")
    with transaction.atomic():
        old = _locked(caller, key_id)
        row, secret = _issue(
            caller, name=old.name, scopes=old.scopes, expires_at=None, ip_allowlist=list(old.ip_allowlist)
        )
        end = clock.wall() + timedelta(seconds=overlap_seconds)
        old.expires_at = min(old.expires_at, end) if old.expires_at else end
        old.rolled_to = row
        old.save(update_fields=["expires_at", "rolled_to"])
        _audit(caller, "api_key.rolled", row, old=key_id, overlap_seconds=overlap_seconds)
    credentials.forget()
    return info(row), secret


def revoke(caller: Caller, *, key_id: str) -> ApiKeyInfo:
    """End a key: every process refuses it within `credentials.CACHE_SECONDS`.

    Raises `ResourceMissing` or `KeyRevoked`.
    """
    with transaction.atomic():
        row = _locked(caller, key_id)
        row.revoked_at = clock.wall()
        row.save(update_fields=["revoked_at"])
        _audit(caller, "api_key.revoked", row)
    credentials.forget()
    return info(row)


def report_leaked(secret: str, *, reporter: str) -> bool:
    """End a key that somebody found where it does not belong; having it whole is proof enough.

    Tells whether there was a key to end. Owners and admins are told by mail; the secret itself is kept nowhere.
    `reporter` is the address it came from.
    """
    if not api_keys.is_well_formed(secret):
        return False
    with transaction.atomic():
        row = (
            ApiKey.objects.select_for_update(of=("self",))
            .select_related("environment__organization")
            .filter(secret_hash=api_keys.digest(secret), revoked_at=None)
            .first()
        )
        if row is None:
            return False
        environment = row.environment.ref()
        row.revoked_at = clock.wall()
        row.save(update_fields=["revoked_at"])
        _audit(Caller.system(environment, "leaked_key_report"), "api_key.reported_leaked", row, reporter=reporter)
    credentials.forget()
    people = memberships.recipients(environment.organization_id, PERMISSIONS["team:write"])
    notices.tell(people, partial(_leak_letter, row))
    return True


def mark_used(latest: Mapping[str, datetime]) -> None:
    """Note when keys were last used, by public id: in one statement, and at most one write a minute for each key."""
    used = {identifier: moment for key, moment in latest.items() if (identifier := ids.decode(PREFIX, key))}
    if not used:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE connect_api_key k SET last_used_at = u.moment"
            " FROM unnest(%s::uuid[], %s::timestamptz[]) AS u(id, moment)"
            " WHERE k.id = u.id AND (k.last_used_at IS NULL OR k.last_used_at < u.moment - interval '1 minute')",
            [list(used), list(used.values())],
        )


def _issue(
    caller: Caller, *, name: str, scopes: list[str], expires_at: datetime | None, ip_allowlist: list[str]
) -> tuple[ApiKey, str]:
    secret = api_keys.generate(caller.environment.kind)
    row = ApiKey.objects.create(
        environment_id=caller.environment.id,
        name=name,
        secret_hash=api_keys.digest(secret),
        prefix=secret[:8],
        last4=secret[-4:],
        scopes=scopes,
        ip_allowlist=ip_allowlist,
        created_by_id=ids.decode("usr", caller.actor.id) if caller.actor.kind == "user" else None,
        expires_at=expires_at,
    )
    return row, secret


def _locked(caller: Caller, key_id: str) -> ApiKey:
    row = (
        ApiKey.objects.select_for_update()
        .filter(environment_id=caller.environment.id, pk=ids.lookup(PREFIX, key_id))
        .first()
    )
    if row is None:
        raise ResourceMissing(resource="api_key", id=key_id)
    if row.revoked_at is not None:
        raise errors.KeyRevoked
    return row


def _checked_name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= 80:
        raise errors.KeyNameRequired(param="name")
    return name


def _checked_scopes(given: Iterable[str]) -> list[str]:
    wanted = frozenset(given)
    for scope in sorted(scopes.unknown(wanted)):
        raise errors.ScopeUnknown(scope=scope, param="scopes")
    if not wanted:
        raise ParameterInvalid("Choose at least one scope, or full access.", param="scopes")
    return [scopes.ALL] if scopes.ALL in wanted else sorted(wanted)


def _checked_expiry(expires_at: datetime | None) -> datetime | None:
    if expires_at is not None and expires_at <= clock.wall():
        raise ParameterInvalid("The expiry has to lie in the future.", param="expires_at")
    return expires_at


def _checked_networks(networks: Sequence[str]) -> list[str]:
    try:
        return [str(ipaddress.ip_network(network.strip(), strict=False)) for network in networks]
    except ValueError as error:
        raise ParameterInvalid(f"Not an address or network: {error}.", param="ip_allowlist") from error


def _audit(caller: Caller, action: str, row: ApiKey, **data: object) -> None:
    audit.record_for_organization(
        caller.environment.organization_id,
        actor=caller.actor,
        action=action,
        target=ids.encode(PREFIX, row.id),
        environment_id=caller.environment.id,
        name=row.name,
        **data,
    )


def _leak_letter(row: ApiKey) -> Letter:
    organization = row.environment.organization
    words = {
        "name": row.name,
        "key": f"{row.prefix}…{row.last4}",
        "organization": organization.name,
        "mode": row.environment.kind,
        "url": notices.address(f"/o/{organization.slug}/{row.environment.kind}/developers/api-keys"),
    }
    text = _(
        "Somebody found the API key “%(name)s” (%(key)s) of %(organization)s where it does not belong, and sent us its"
        " whole secret. We revoked it at once: every request with it is refused.\n\n"
        "Make a new key for the apps that used it, look through the request log for requests that are not yours, and"
        " take the old secret out of wherever it was published:\n%(url)s\n"
    )
    return Letter(_("API key revoked: “%(name)s” was found in public (%(mode)s)") % words, text % words)
