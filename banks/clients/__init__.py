"""The connectors this installation knows, by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from banks.clients.berlin_group.connector import BerlinGroupConnector
from banks.clients.connector import Connector

_CONNECTORS: dict[str, Connector] = {}


def register(connector: Connector) -> None:
    """Make a connector known under its name. A name is stored with every connection, so it can never change hands."""
    if connector.name in _CONNECTORS:
        raise ValueError(f"a connector named {connector.name!r} is registered already")
    _CONNECTORS[connector.name] = connector


def is_installed(name: str) -> bool:
    """Whether a connector of that name is here."""
    return name in _CONNECTORS


def get(name: str) -> Connector:
    """The connector of that name; raises LookupError for one that is not installed here."""
    try:
        return _CONNECTORS[name]
    except KeyError:
        raise LookupError(f"no connector named {name!r}; installed: {', '.join(sorted(_CONNECTORS))}") from None


@contextmanager
def replaced(name: str, connector: Connector) -> Iterator[Connector]:
    """Let `connector` answer for `name` inside the block: for tests without a bank."""
    before = _CONNECTORS.get(name)
    _CONNECTORS[name] = connector
    try:
        yield connector
    finally:
        if before is None:
            del _CONNECTORS[name]
        else:
            _CONNECTORS[name] = before


register(BerlinGroupConnector())
