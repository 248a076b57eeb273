"""Registering apps, and what becomes of them. These are public rows: call them outside of `use_environment`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from connect.domain import errors, names, oauth, scopes
from connect.kit import clock, ids
from connect.kit.caller import Actor, Caller
from connect.kit.errors import ParameterInvalid, ResourceMissing
from connect.models import ApiClient
from connect.selectors import credentials
from connect.selectors.api_clients import PREFIX, ApiClientInfo, info
from connect.services import audit, consents


def create(
    caller: Caller,
    *,
    name: str,
    redirect_uris: Iterable[str],
    grant_types: Iterable[str],
    scopes: Iterable[str],
    is_public: bool = False,
    description: str = "",
    homepage: str = "",
    privacy_url: str = "",
    terms_url: str = "",
) -> tuple[ApiClientInfo, str | None]:
    """Register an app in the caller's environment. Returns it and its secret, which can never be read again; a public
    app has none.

    Raises `NameInvalid`, `RedirectUriInvalid`, `AppNeedsRedirectUri`, `AppGrantInvalid`, `ScopeUnknown` and
    `ParameterInvalid`.
    """
    secret = None if is_public else oauth.generate(oauth.CLIENT_SECRET)
    ways = _checked_ways(grant_types, is_public=is_public)
    row = ApiClient(
        client_id=ids.encode(PREFIX, ids.new()),
        client_type=ApiClient.CLIENT_PUBLIC if is_public else ApiClient.CLIENT_CONFIDENTIAL,
        client_secret=oauth.digest(secret) if secret else "",
        hash_client_secret=False,
        algorithm=ApiClient.RS256_ALGORITHM,
        organization_id=caller.environment.organization_id,
        environment_id=caller.environment.id,
        created_by_id=ids.decode("usr", caller.actor.id) if caller.actor.kind == "user" else None,
        description=description.strip(),
        homepage=homepage,
        privacy_url=privacy_url,
        terms_url=terms_url,
        **_checked(caller, name=name, redirect_uris=redirect_uris, grant_types=ways, scopes=scopes),
    )
    with transaction.atomic():
        row.save(force_insert=True)
        _audit(caller.actor, "api_client.created", row, scopes=row.scopes, redirect_uris=row.redirect_uris.split())
    return info(row), secret


def update(
    caller: Caller,
    *,
    client_id: str,
    name: str,
    redirect_uris: Iterable[str],
    grant_types: Iterable[str],
    scopes: Iterable[str],
    description: str = "",
    homepage: str = "",
    privacy_url: str = "",
    terms_url: str = "",
) -> ApiClientInfo:
    """Change what an app says of itself and may ask for. Scopes taken away are lost to its tokens at once.

    What people read before they decide was verified by staff: a new name or homepage has to be verified again.
    """
    with transaction.atomic():
        row = _locked(caller, client_id)
        ways = _checked_ways(grant_types, is_public=row.client_type == ApiClient.CLIENT_PUBLIC)
        changed = {
            **_checked(caller, name=name, redirect_uris=redirect_uris, grant_types=ways, scopes=scopes),
            "description": description.strip(),
            "homepage": homepage,
            "privacy_url": privacy_url,
            "terms_url": terms_url,
        }
        before = {field: getattr(row, field) for field in changed}
        if {"name", "homepage"} & {field for field in changed if changed[field] != before[field]}:
            row.verified_at = None
        for field, value in changed.items():
            setattr(row, field, value)
        row.save()
        differing = sorted(field for field in changed if changed[field] != before[field])
        _audit(caller.actor, "api_client.updated", row, changed=differing)
    credentials.forget()
    return info(row)


def roll(caller: Caller, *, client_id: str, overlap_seconds: int) -> tuple[ApiClientInfo, str]:
    """A new secret; the old one works `overlap_seconds` longer, 7 days at most.

    Raises `ResourceMissing`, and `AppHasNoSecret` for a public app.
    """
    if not 0 <= overlap_seconds <= 7 * 86400:
        raise ParameterInvalid("The old secret can stay valid for at most 7 days.", param="overlap_seconds")
    secret = oauth.generate(oauth.CLIENT_SECRET)
    with transaction.atomic():
        row = _locked(caller, client_id)
        if row.client_type == ApiClient.CLIENT_PUBLIC:
            raise errors.AppHasNoSecret
        overlaps = overlap_seconds > 0
        row.previous_secret = row.client_secret if overlaps else ""
        row.previous_secret_expires_at = clock.wall() + timedelta(seconds=overlap_seconds) if overlaps else None
        row.client_secret = oauth.digest(secret)
        row.save()
        _audit(caller.actor, "api_client.rolled", row, overlap_seconds=overlap_seconds)
    return info(row), secret


def delete(caller: Caller, *, client_id: str) -> int:
    """End an app with all its tokens; returns how many consents ended with it. Raises `ResourceMissing`."""
    with transaction.atomic():
        row = _locked(caller, client_id)
        ended = consents.end_all(caller.actor, row, reason="The app was deleted.")
        _audit(caller.actor, "api_client.deleted", row, consents_ended=ended)
        row.delete()
    credentials.forget()
    return ended


def _locked(caller: Caller, client_id: str) -> ApiClient:
    row = (
        ApiClient.objects.select_for_update().filter(environment_id=caller.environment.id, client_id=client_id).first()
    )
    if row is None:
        raise ResourceMissing(resource="api_client", id=client_id)
    return row


def _checked_ways(given: Iterable[str], *, is_public: bool) -> list[str]:
    ways = sorted(set(given))
    if not ways or not set(ways) <= oauth.GRANT_TYPES.keys() or (is_public and oauth.CLIENT_CREDENTIALS in ways):
        raise errors.AppGrantInvalid(param="grant_types")
    return ways


def _checked(
    caller: Caller, *, name: str, redirect_uris: Iterable[str], grant_types: list[str], scopes: Iterable[str]
) -> dict[str, Any]:
    name = names.cleaned(name)
    if not 1 <= len(name) <= 80:
        raise errors.NameInvalid(param="name", maximum=80)
    uris = list(dict.fromkeys(redirect_uris))
    if len(uris) > oauth.REDIRECT_URIS_MAX:
        raise ParameterInvalid(f"At most {oauth.REDIRECT_URIS_MAX} redirect URIs.", param="redirect_uris")
    for uri in uris:
        fault = oauth.redirect_uri_fault(uri, livemode=caller.livemode, local_hosts=settings.FC_PRIVATE_HOSTS_ALLOWED)
        if fault:
            raise errors.RedirectUriInvalid(uri=uri, reason=fault, param="redirect_uris")
    if oauth.CODE in grant_types and not uris:
        raise errors.AppNeedsRedirectUri(param="redirect_uris")
    return {
        "name": name,
        "redirect_uris": " ".join(uris),
        "grant_types": grant_types,
        "authorization_grant_type": grant_types[
            0
        ],  # the library's own column holds one; `allows_grant_type` reads ours
        "scopes": _checked_scopes(scopes),
    }


def _checked_scopes(given: Iterable[str]) -> list[str]:
    wanted = set(given)
    for scope in sorted(wanted - scopes.SCOPES.keys()):  # full access is never an app's
        raise errors.ScopeUnknown(scope=scope, param="scopes")
    return sorted(wanted)


def _audit(actor: Actor, action: str, row: ApiClient, **data: object) -> None:
    audit.record_for_organization(
        row.organization_id,
        actor=actor,
        action=action,
        target=row.client_id,
        environment_id=row.environment_id,
        name=row.name,
        **data,
    )
