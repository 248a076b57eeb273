"""Which URLs an endpoint may have, and which addresses are never called."""

from __future__ import annotations

import ipaddress

import pytest

from connect.domain import addresses
from connect.domain.addresses import AddressRefused, PrivateHosts

HOSTILE = [
    # the machine itself, in every spelling that a resolver understands
    "http://127.0.0.1/", "http://127.1/", "http://127.0.1/", "http://2130706433/", "http://0x7f000001/",
    "http://0x7f.0.0.1/", "http://0177.0.0.1/", "http://017700000001/", "http://127.0.0.1./", "http://0/",
    "http://0.0.0.0/", "http://localhost/", "http://localhost./", "http://LOCALHOST/", "http://api.localhost/",
    "http://[::1]/", "http://[::]/", "http://[0:0:0:0:0:0:0:1]/", "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/", "http://[::127.0.0.1]/", "http://[::ffff:0:127.0.0.1]/",
    # letters and dots that become plain ones
    "http://１２７.０.０.１/", "http://127。0。0。1/", "http://①②⑦.⓪.⓪.①/", "http://ｌｏｃａｌｈｏｓｔ/",
    # IPv4 carried through IPv6
    "http://[64:ff9b::7f00:1]/", "http://[64:ff9b::a9fe:a9fe]/", "http://[64:ff9b:1::a00:1]/",
    "http://[2002:7f00:1::]/", "http://[2002:a9fe:a9fe::1]/", "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "http://[2a00:1450:4001:80b::5efe:7f00:1]/",
    # inner networks and metadata services
    "http://10.0.0.1/", "http://172.16.0.1/", "http://192.168.1.1/", "http://169.254.169.254/latest/meta-data/",
    "http://100.64.0.1/", "http://100.100.100.200/", "http://168.63.129.16/", "http://192.0.0.192/",
    "http://198.18.0.1/", "http://224.0.0.1/", "http://255.255.255.255/", "http://203.0.113.9/",
    "http://[fe80::1]/", "http://[fe80::1%25eth0]/", "http://[fc00::1]/", "http://[fd00:ec2::254]/",
    "http://[fec0::1]/", "http://[ff02::1]/", "http://[2001:db8::1]/", "http://[3fff::1]/", "http://[4000::1]/",
    # URLs that two readers read differently, and other protocols
    "http://example.com@127.0.0.1/", "http://127.0.0.1#@example.com/", "http://example.com:80@127.0.0.1:80/",
    "http://127.0.0.1\\@example.com/", "http://example.com\t@127.0.0.1/", " http://127.0.0.1/", "http://127%2e0.0.1/",
    "http:///127.0.0.1/", "http:127.0.0.1", "//127.0.0.1/", "http://", "http://./", "http://exa mple.com/",
    "http://[::1/", "http://[v1.x]/", "http://example.com:0/", "http://example.com:99999/", "http://example.com:٨٠/",
    "http://example.com:6379x/", "http://smtp.example.com:25/", "https://example.com/#secret", "http://intranet/",
    "file:///etc/passwd", "gopher://127.0.0.1:6379/_FLUSHALL", "ftp://127.0.0.1/", "unix:///run/valkey.sock",
    "javascript:alert(1)", "http://-example.com/", "http://exa_mple..com/", f"http://example.com/{'a' * 2048}",
    "http://" + "a" * 64 + ".example.com/",
]  # fmt: skip


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_url_is_refused_with_a_reason(url: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        addresses.parse(url)
    assert str(refused.value)


@pytest.mark.parametrize(
    ("url", "spelled", "host", "port"),
    [
        ("https://Example.COM", "https://example.com/", "example.com", 443),
        ("https://example.com./hook?a=1&b=%20", "https://example.com/hook?a=1&b=%20", "example.com", 443),
        ("http://example.com:80/", "http://example.com/", "example.com", 80),
        ("https://example.com:8443/a/../b", "https://example.com:8443/a/../b", "example.com", 8443),
        ("https://bücher.example/ć?ж=1", "https://xn--bcher-kva.example/%C4%87?%D0%B6=1", "xn--bcher-kva.example", 443),
        ("https://фактура.срб/", "https://xn--80aa3ayjgd.xn--90a3ac/", "xn--80aa3ayjgd.xn--90a3ac", 443),
        ("https://my_host.example.com/", "https://my_host.example.com/", "my_host.example.com", 443),
        ("https://8.8.8.8/", "https://8.8.8.8/", "8.8.8.8", 443),
        (
            "https://[2A00:1450:4001:080b::200e]/",
            "https://[2a00:1450:4001:80b::200e]/",
            "2a00:1450:4001:80b::200e",
            443,
        ),
    ],
)
def test_a_public_url_has_one_spelling(url: str, spelled: str, host: str, port: int) -> None:
    target = addresses.parse(url)
    assert (target.url, target.host, target.port) == (spelled, host, port)


def test_every_network_of_the_table_is_refused_at_both_ends() -> None:
    for text, _ in addresses.FORBIDDEN:
        network = ipaddress.ip_network(text)
        for address in (network.network_address, network.broadcast_address):
            assert addresses.refusal(address), address


def test_the_table_refuses_whatever_the_standard_library_calls_not_global() -> None:
    """Ours is the stricter one: neighbours of every registered network, as both see them."""
    for text, _ in addresses.FORBIDDEN:
        network = ipaddress.ip_network(text)
        for number in (int(network.network_address) - 1, int(network.broadcast_address) + 1):
            if 0 <= number < 2**network.max_prefixlen:
                address = type(network.network_address)(number)
                if not address.is_global:
                    assert addresses.refusal(address), address


@pytest.mark.parametrize("text", ["1.1.1.1", "9.255.255.255", "11.0.0.0", "172.32.0.0", "192.167.255.255",
                                  "223.255.255.255", "2a00::1", "2600:1f18::5", "2001:4860:4860::8888"])  # fmt: skip
def test_public_addresses_are_not_refused(text: str) -> None:
    assert addresses.refusal(ipaddress.ip_address(text)) is None


@pytest.mark.parametrize(
    ("patterns", "url", "passes"),
    [
        (["localhost:*"], "http://localhost:8000/", True),
        (["localhost:*"], "http://127.0.0.1:8000/", False),
        (["127.0.0.1:9000"], "http://127.0.0.1:9000/", True),
        (["127.0.0.1:9000"], "http://127.0.0.1:9001/", False),
        (["127.0.0.1:*"], "http://2130706433/", False),
        (["127.0.0.1:*"], "http://127.0.0.1@10.0.0.1/", False),
        (["[::1]:*"], "http://[::1]:8000/", True),
        (["[::1]:*"], "http://[0:0::1]:8000/", True),
        (["*.docker.internal:*"], "http://app.docker.internal:80/", True),
        (["*.docker.internal:*"], "http://docker.internal.evil.example:22/", False),
        (["web"], "http://web:8000/", True),
        (["mail:25"], "http://mail:25/", True),
        ([], "http://localhost:8000/", False),
    ],
)
def test_private_hosts_open_only_what_their_patterns_name(patterns: list[str], url: str, passes: bool) -> None:
    allowed = PrivateHosts.of(patterns)
    if passes:
        assert addresses.parse(url, allowed)
    else:
        with pytest.raises(AddressRefused):
            addresses.parse(url, allowed)
