"""What the ledger's endpoints read and answer alike."""

from __future__ import annotations

from uuid import UUID

from connect.api.fields import TextField
from connect.kit import ids
from connect.kit.caller import PLATFORM_ACCOUNT, Caller
from connect.kit.errors import ResourceMissing
from ledger.domain.accounts import PATH_LENGTH_MAX


def text(length: int) -> TextField:
    """An optional text; left out or unset it is empty."""
    return TextField(max_length=length, required=False, allow_blank=True)


def account_name(*, required: bool = True) -> TextField:
    """An account by its path or its id."""
    return TextField(max_length=PATH_LENGTH_MAX, required=required)


def identifier(prefix: str, resource: str, pk: str) -> UUID:
    """The UUID in an address; raises `ResourceMissing` for what cannot be an id."""
    found = ids.decode(prefix, pk)
    if found is None:
        raise ResourceMissing(resource=resource, id=pk)
    return found


def owner_of(caller: Caller) -> UUID | None:
    """Whose rows a caller reads: a connected account's own; for the environment itself, all of them."""
    return None if caller.account == PLATFORM_ACCOUNT else caller.account
