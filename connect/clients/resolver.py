"""Name resolution for webhooks: a name counts only when every address behind it may be called.

The connector connects to exactly the addresses that were checked here, so a name server that answers differently a
moment later (DNS rebinding) changes nothing. The URL keeps its name: `Host`, SNI and the certificate's check follow it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult

from connect.domain import addresses, private_hosts

THREADS: Final = 32
"""Look-ups under way at once. A name server that never answers holds one for a few seconds: the connector asks once
for all who wait for the same name."""

Lookup = Callable[[str, int], Sequence[str]]


class Refused(OSError):
    """A name leads where nobody may be sent. An `OSError`, as the connector expects of a resolver."""


def system_lookup(host: str, port: int) -> Sequence[str]:
    """All addresses of a name, by the machine's own resolver. Blocks; raises `OSError`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return [str(entry[4][0]) for entry in found]


class GuardedResolver(AbstractResolver):
    """Asks `lookup` and refuses the whole name when one of its addresses is refused.

    `allowed` are patterns of `connect.domain.private_hosts`.
    """

    def __init__(self, allowed: Sequence[str], lookup: Lookup = system_lookup) -> None:
        self._allowed, self._lookup = allowed, lookup
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="resolver")

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - both families are checked and tried
    ) -> list[ResolveResult]:
        """The checked addresses, in the resolver's order. Raises `Refused`, or `OSError` when there are none."""
        found = await asyncio.get_running_loop().run_in_executor(self._threads, self._lookup, host, port)
        checked = []
        for text in dict.fromkeys(found):
            address = ipaddress.ip_address(text)
            reason = addresses.refusal(address)
            if reason and not private_hosts.is_allowed(host, port, self._allowed):
                raise Refused(f"{host} leads to {text}, which is {reason}")
            checked.append(
                ResolveResult(
                    hostname=host,
                    host=text,
                    port=port,
                    family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
                    proto=0,
                    flags=socket.AI_NUMERICHOST,
                )
            )
        if not checked:
            raise OSError(f"{host} has no address")
        return checked

    async def close(self) -> None:
        """Let the threads go; a look-up that still waits ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)
