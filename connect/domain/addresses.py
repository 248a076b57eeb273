"""Where a webhook may be sent: what a URL must look like, and which addresses nobody may make us call.

The table is our own. Python's `ipaddress.is_global` takes NAT64, 6to4 and IPv4-compatible addresses for global ones,
and behind each of them an inner address can hide. For IPv6 only what is handed out to the public (2000::/3) is let
through, less the exceptions below; so whatever is not in the table is refused as well.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final
from urllib.parse import quote, urlsplit

import idna

from connect.domain import private_hosts

Address = IPv4Address | IPv6Address

URL_LENGTH_MAX: Final = 2048
FORBIDDEN: Final[tuple[tuple[str, str], ...]] = (
    # What clouds answer their own machines on, where no other row holds it.
    ("168.63.129.16/32", "a cloud's metadata service"),
    ("100.100.100.200/32", "a cloud's metadata service"),
    ("169.254.169.254/32", "a cloud's metadata service"),
    ("fd00:ec2::254/128", "a cloud's metadata service"),
    # IPv4, after IANA's registry of special purposes.
    ("0.0.0.0/8", "this network"),
    ("10.0.0.0/8", "a private network"),
    ("100.64.0.0/10", "a provider's inner network"),
    ("127.0.0.0/8", "the machine itself"),
    ("169.254.0.0/16", "a link-local network"),
    ("172.16.0.0/12", "a private network"),
    ("192.0.0.0/24", "reserved for protocols"),
    ("192.0.2.0/24", "reserved for documentation"),
    ("192.31.196.0/24", "reserved for name servers"),
    ("192.52.193.0/24", "reserved for tunnels"),
    ("192.88.99.0/24", "reserved for tunnels"),
    ("192.168.0.0/16", "a private network"),
    ("192.175.48.0/24", "reserved for name servers"),
    ("198.18.0.0/15", "reserved for benchmarks"),
    ("198.51.100.0/24", "reserved for documentation"),
    ("203.0.113.0/24", "reserved for documentation"),
    ("224.0.0.0/4", "a multicast group"),
    ("240.0.0.0/4", "reserved"),
    # IPv6 that carries IPv4 inside: the inner address is what would be reached.
    ("::/128", "no address"),
    ("::1/128", "the machine itself"),
    ("::ffff:0:0/96", "an IPv4 address in IPv6 clothes"),
    ("::ffff:0:0:0/96", "an IPv4 address in IPv6 clothes"),
    ("::/96", "an IPv4 address in IPv6 clothes"),
    ("64:ff9b::/96", "a translated IPv4 address"),
    ("64:ff9b:1::/48", "a translated IPv4 address"),
    ("2001::/32", "a tunnelled IPv4 address"),
    ("2002::/16", "a tunnelled IPv4 address"),
    # IPv6 of other special purposes.
    ("100::/64", "reserved for discarding"),
    ("2001::/23", "reserved for protocols"),
    ("2001:db8::/32", "reserved for documentation"),
    ("2620:4f:8000::/48", "reserved for name servers"),
    ("3ffe::/16", "no longer handed out"),
    ("3fff::/20", "reserved for documentation"),
    ("5f00::/16", "reserved for routers"),
    ("fc00::/7", "a private network"),
    ("fe80::/10", "a link-local network"),
    ("fec0::/10", "a private network"),
    ("ff00::/8", "a multicast group"),
)

_NETWORKS: Final = tuple((ipaddress.ip_network(text), reason) for text, reason in FORBIDDEN)
_PUBLIC_IPV6: Final = ipaddress.ip_network("2000::/3")
_ISATAP: Final = frozenset({0x00005EFE, 0x02005EFE})  # the interface ids under which IPv4 hides in any network
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_IN_A_PATH: Final = "/%:@!$&'()*+,;=~-._"
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
# Of ASCII: space and control characters, and the backslash, which browsers read as a slash and others do not.
_UNSAFE: Final = re.compile(r"[\x00-\x20\x7f-\xa0\\]")


class AddressRefused(ValueError):
    """A URL or an address that must not be called. The text says why, and fits an error message as it stands."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart once, so that no second reader can see another host in it.

    `host` is ASCII in lower case, without brackets and without a last dot; `address` is set where it is an address.
    `path` holds the query as well and begins with a slash.
    """

    scheme: str
    host: str
    port: int
    path: str
    address: Address | None = None

    @property
    def authority(self) -> str:
        """Host and port as they stand in a URL; a port that the scheme implies is left out."""
        host = f"[{self.host}]" if isinstance(self.address, IPv6Address) else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL in its one spelling."""
        return f"{self.scheme}://{self.authority}{self.path}"


def refusal(address: Address) -> str | None:
    """Why this address must not be called ("a private network"), or None when it is a public one."""
    if isinstance(address, IPv6Address) and address.scope_id:
        return "a link-local network"
    for network, reason in _NETWORKS:
        if address.version == network.version and address in network:
            return reason
    if isinstance(address, IPv6Address):
        if address not in _PUBLIC_IPV6:
            return "not a public address"
        if (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
            return "a tunnelled IPv4 address"
    return None


def parse(url: str, allowed: Iterable[str] = ()) -> Target:
    """Take a webhook's URL apart. Raises `AddressRefused` for what no endpoint may have.

    A host that is an address is checked here; a name can be checked only once it is resolved. `allowed` are patterns
    of `connect.domain.private_hosts`.
    """
    if len(url) > URL_LENGTH_MAX:
        raise AddressRefused(f"a URL has at most {URL_LENGTH_MAX} characters")
    if _UNSAFE.search(url):
        raise AddressRefused("a URL holds no spaces, control characters or backslashes; percent-encode them")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise AddressRefused(f"the URL cannot be read: {error}") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise AddressRefused("a URL begins with https:// or http://")
    if "@" in parts.netloc:
        raise AddressRefused("a URL of a webhook holds no user name or password; verify the signature instead")
    if parts.fragment or url.endswith("#"):
        raise AddressRefused("a URL of a webhook has no fragment; leave out # and what follows it")
    port = _DEFAULT_PORTS[parts.scheme] if port is None else port
    if not port:
        raise AddressRefused("a port is a number from 1 to 65535")
    name, address = _host(host, bracketed="[" in parts.netloc)
    path = quote(parts.path or "/", safe=_IN_A_PATH)
    query = f"?{quote(parts.query, safe=_IN_A_PATH + '?')}" if parts.query else ""
    target = Target(parts.scheme, name, port, path + query, address)
    if not private_hosts.is_allowed(name, port, allowed):
        _require_public(target)
    return target


def _require_public(target: Target) -> None:
    if target.address is not None:
        if reason := refusal(target.address):
            raise AddressRefused(f"{target.host} is {reason}; use a public address")
    elif "." not in target.host or target.host.endswith(".localhost"):
        raise AddressRefused(f"{target.host} is a name of an inner network; use a public one")
    if target.port < 1024 and target.port not in _DEFAULT_PORTS.values():
        raise AddressRefused(f"port {target.port} belongs to another protocol; use 443, 80 or one above 1023")


def _host(host: str, *, bracketed: bool) -> tuple[str, Address | None]:
    """The host in its one spelling, and as an address if it is one."""
    if bracketed:
        try:
            address = IPv6Address(host)
        except ValueError:
            raise AddressRefused("what stands in brackets is not an IPv6 address") from None
        if address.scope_id:
            raise AddressRefused("an address with a zone is known on one machine only")
        return str(address), address
    name = _ascii(host).removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressRefused("the host is neither a domain name nor an address")
    if not _NUMBER.fullmatch(labels[-1]):
        return name, None
    # A resolver reads 2130706433, 0x7f.1, 0177.0.0.1 and 127.1 as 127.0.0.1: only the usual spelling passes.
    try:
        return name, IPv4Address(name)
    except ValueError:
        raise AddressRefused(
            f"{name} ends in a number; write an IPv4 address as four decimal numbers without leading zeros"
        ) from None


def _ascii(host: str) -> str:
    """The host in ASCII and lower case. Full-width letters and dots become the plain ones before anything is judged."""
    if host.isascii():
        return host.lower()
    try:
        return idna.encode(host, uts46=True).decode().lower()
    except (idna.IDNAError, UnicodeError):
        raise AddressRefused("the host is not an internationalized domain name that can be encoded") from None
