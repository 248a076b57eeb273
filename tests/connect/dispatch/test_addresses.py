"""Which URLs an endpoint may have, and which addresses are never called."""

from __future__ import annotations

import ipaddress

import pytest

from connect.domain import addresses
from connect.domain.addresses import AddressRefused
from tests.connect.dispatch import hostile


@pytest.mark.parametrize("url", [*(f"http://{host}/" for host in hostile.HOSTS), *hostile.URLS])
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
        (["mail:25"], "http://mail:25/", True),
        ([], "http://localhost:8000/", False),
    ],
)
def test_private_hosts_open_only_what_their_patterns_name(patterns: list[str], url: str, passes: bool) -> None:
    if passes:
        assert addresses.parse(url, patterns)
    else:
        with pytest.raises(AddressRefused):
            addresses.parse(url, patterns)
