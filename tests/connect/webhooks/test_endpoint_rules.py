"""Which addresses are taken, and when an endpoint is given up: plain tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connect.domain import private_hosts
from connect.domain.errors import UrlInvalid
from connect.domain.webhook_endpoints import FailureRun, after_failure, is_given_up, normal_url

LOCAL = ("localhost:*", "127.0.0.1:8787", "[::1]:*", "*.test.example:80")


def normal(text, *, is_test=True, allowed=()):
    return normal_url(text, is_test=is_test, allowed=allowed)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://shop.example.com", "https://shop.example.com/"),
        ("https://SHOP.Example.com/Hooks?A=b", "https://shop.example.com/Hooks?A=b"),
        ("https://shop.example.com:443/x", "https://shop.example.com:443/x"),
        ("https://shop.example.com:8443/x#part", "https://shop.example.com:8443/x"),
        ("https://shop.example.com/a%20b?c=%C3%A9&d=(e)/f", "https://shop.example.com/a%20b?c=%C3%A9&d=(e)/f"),
        ("https://shop.example.com./x", "https://shop.example.com/x"),
        ("https://продавница.мкд/куки", "https://xn--80aafgw3adhj0e.xn--d1alf/%D0%BA%D1%83%D0%BA%D0%B8"),
        ("https://faß.de/", "https://xn--fa-hia.de/"),
    ],
)
def test_a_public_address_is_kept_in_its_normal_form(given, kept):
    assert normal(given) == kept
    assert normal(given, is_test=False) == kept


REFUSED = [
    "http://shop.example.com/", "ftp://shop.example.com/", "shop.example.com", "https://", "https:///x", "",
    "https://user:pass@shop.example.com/", "https://user@shop.example.com/", "https://@shop.example.com/",
    "https://shop.example.com:22/", "https://shop.example.com:0/", "https://shop.example.com:99999/",
    "https://shop.example.com:25/", "https://shop.example.com:1023/", "https://shop.example.com:x/",
    "https://127.0.0.1/", "https://10.0.0.1/", "https://8.8.8.8/", "https://[::1]/", "https://[::ffff:10.0.0.1]/",
    "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://127.1/", "https://0177.0.0.1/",
    "https://localhost/", "https://LOCALHOST./", "https://db.internal/", "https://a.localhost/", "https://printer.local/",
    "https://intranet/", "https://shop..example.com/", "https://-shop.example.com/", "https://shop.exa mple.com/",
    "https://shop.example.com/a b", "https://shop.example.com\\@evil.example/", "https://shop.example.com/\n",
    "https://①②⑦.0.0.1/", "https://shop.example.com%2f@evil.example/", "https://[::1", "https://x" * 900,
]  # fmt: skip


@pytest.mark.parametrize("given", REFUSED)
def test_no_other_address_is_taken(given):
    with pytest.raises(UrlInvalid) as refused:
        normal(given)
    assert refused.value.text.startswith("Not a valid address for webhooks. ")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("http://localhost:4242/h", "http://localhost:4242/h"),
        ("http://LOCALHOST/h", "http://localhost/h"),
        ("http://127.0.0.1:8787", "http://127.0.0.1:8787/"),
        ("http://[::1]:9000/h", "http://[::1]:9000/h"),
        ("http://a.test.example/h", "http://a.test.example/h"),
    ],
)
def test_allowed_private_hosts_are_for_test_environments_only(given, kept):
    assert normal(given, allowed=LOCAL) == kept
    for is_test, allowed in ((False, LOCAL), (True, ())):
        with pytest.raises(UrlInvalid):
            normal(given, is_test=is_test, allowed=allowed)


@pytest.mark.parametrize("given", ["http://127.0.0.1:8788/", "http://127.0.0.2:8787/", "http://test.example/"])
def test_a_pattern_allows_exactly_its_hosts_and_ports(given):
    with pytest.raises(UrlInvalid):
        normal(given, allowed=LOCAL)


def test_patterns_of_hosts():
    assert private_hosts.is_allowed("::1", 1, LOCAL)
    assert private_hosts.is_allowed("b.a.test.example", 80, LOCAL)
    assert not private_hosts.is_allowed("xtest.example", 80, LOCAL)
    assert not private_hosts.is_allowed("localhost", 1, [])


# --- giving up --------------------------------------------------------------------------------------------------------

START = datetime(2026, 11, 1, tzinfo=UTC)


def run_of(*hours):
    run = FailureRun()
    for hour in hours:
        run = after_failure(run, START + timedelta(hours=hour))
    return run


@pytest.mark.parametrize(
    ("hours", "since"),
    [
        ((), None),
        ((0,), None),
        ((0, 13), None),  # twice is not several
        ((0, 1, 2, 3, 11.9), None),  # one bad morning
        ((0, 1, 12), 12),
        ((0, 6, 18, 30), 18),
        ((0, 30, 60, 90), None),  # too rare to say
        ((0, 25, 26, 38), 38),
    ],
)
def test_the_clock_starts_once_failure_lasts(hours, since):
    run = run_of(*hours)
    assert run.since == (None if since is None else START + timedelta(hours=since))
    assert run.count >= bool(hours)


def test_an_endpoint_is_given_up_after_five_days_on_the_clock():
    run = run_of(0, 1, 12)
    started = START + timedelta(hours=12)
    assert not is_given_up(run, started + timedelta(days=5, seconds=-1))
    assert is_given_up(run, started + timedelta(days=5))
    assert not is_given_up(run_of(0, 1), START + timedelta(days=50))
