"""Wrong keys and attempts to sign in: counted per address, with and without Valkey."""

from __future__ import annotations

from contextlib import nullcontext
from uuid import uuid4

import pytest

from connect.domain import tiers
from connect.domain.tiers import (
    FAILED_CREDENTIALS,
    SignInUnavailable,
    TooManyDevices,
    TooManyFailedCredentials,
    TooManyInvitations,
    TooManyOrganizations,
    TooManySignIns,
)
from connect.kit import valkey
from connect.services import limits


def use_up(address):
    for _ in range(FAILED_CREDENTIALS.burst):
        limits.refuse_guessing(address)
        limits.count_failed_credential(address)


@pytest.mark.parametrize("down", [False, True], ids=["valkey", "without"])
def test_guessing_is_refused(valkey_down, down):
    """Twenty wrong keys, then none; another address goes on; with Valkey away, this process counts."""
    if down:
        valkey_down()
    use_up("192.0.2.1")
    with pytest.raises(TooManyFailedCredentials) as refused:
        limits.refuse_guessing("192.0.2.1")
    assert 1 <= refused.value.retry_after <= 2
    limits.refuse_guessing("192.0.2.2")


def test_asking_costs_nothing():
    """A good key from an address takes nothing from its allowance."""
    for _ in range(100):
        limits.refuse_guessing("192.0.2.1")
    use_up("192.0.2.1")


def test_local_memory_is_bounded():
    """However many addresses guess while Valkey is away, the process keeps so many."""
    failures = limits.LocalFailures(FAILED_CREDENTIALS)
    for number in range(failures.SIZE + 10):
        failures.wait(f"2001:db8::{number:x}", take=True)
    assert len(failures) <= failures.SIZE


def test_sign_in_per_account():
    """Ten attempts on one account, from wherever and however spelled, then none; another account is free."""
    for number in range(10):
        limits.attempt_sign_in(f"192.0.2.{number}", "Ana@acme.example")
    with pytest.raises(TooManySignIns):
        limits.attempt_sign_in("192.0.2.99", " ana@ACME.example")
    limits.attempt_sign_in("192.0.2.99", "boris@acme.example")


def test_sign_in_per_address():
    """Ten accounts from one address, then none."""
    for number in range(10):
        limits.attempt_sign_in("192.0.2.1", f"user{number}@acme.example")
    with pytest.raises(TooManySignIns):
        limits.attempt_sign_in("192.0.2.1", "another@acme.example")


def test_a_network_of_one_caller_is_one_address():
    """Whoever has an IPv6 address has 2^64 of them: they share one allowance, and so does an IPv4 address written as IPv6."""
    for number in range(10):
        limits.attempt_sign_in(f"2001:db8:0:1::{number:x}", f"user{number}@acme.example")
    with pytest.raises(TooManySignIns):
        limits.attempt_sign_in("2001:db8:0:1:ffff::1", "another@acme.example")
    limits.attempt_sign_in("2001:db8:0:2::1", "another@acme.example")
    use_up("::ffff:192.0.2.1")
    with pytest.raises(TooManyFailedCredentials):
        limits.refuse_guessing("192.0.2.1")


def test_a_known_device_has_an_allowance_of_its_own():
    """Strangers use up an account's, not that of the devices its person has signed in on; that one ends, too."""
    for number in range(10):
        limits.attempt_sign_in(f"192.0.2.{number}", "ana@acme.example")
    for number in range(10):
        limits.attempt_sign_in(f"198.51.100.{number}", "ana@acme.example", is_known_device=True)
    with pytest.raises(TooManySignIns):
        limits.attempt_sign_in("198.51.100.99", "ana@acme.example", is_known_device=True)


@pytest.mark.parametrize("down", [False, True], ids=["valkey", "without"])
def test_mails_organizations_and_devices_are_not_made_without_end(valkey_down, down):
    """What costs somebody else a mail, or us a schema or a row, ends somewhere; without Valkey it goes on."""
    if down:
        valkey_down()
    for rate, act, refusal in (
        (tiers.INVITATIONS, lambda: limits.attempt_invitation("org_a", "ana@new.example"), TooManyInvitations),
        (
            tiers.INVITATIONS_SENT,
            lambda: limits.attempt_invitation("org_b", f"{uuid4()}@x.example"),
            TooManyInvitations,
        ),
        (tiers.ORGANIZATIONS, lambda: limits.attempt_organization("usr_a"), TooManyOrganizations),
        (tiers.DEVICES, lambda: limits.attempt_device("192.0.2.1"), TooManyDevices),
    ):
        for _ in range(rate.burst):
            act()
        with nullcontext() if down else pytest.raises(refusal):
            act()
    limits.attempt_organization("usr_b")


def test_accounts_are_not_stored_in_clear():
    """Valkey never learns who signs in."""
    limits.attempt_sign_in("192.0.2.1", "ana@acme.example")
    assert not [key for key in valkey.client().keys("*") if b"ana" in key]


def test_sign_in_fails_closed(valkey_down):
    """Attempts that cannot be counted are not let through."""
    valkey_down()
    with pytest.raises(SignInUnavailable) as refused:
        limits.attempt_sign_in("192.0.2.1", "ana@acme.example")
    assert refused.value.status == 503
