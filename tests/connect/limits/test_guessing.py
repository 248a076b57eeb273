"""Wrong keys and attempts to sign in: counted per address, with and without Valkey."""

from __future__ import annotations

import pytest

from connect.domain.tiers import FAILED_CREDENTIALS, SignInUnavailable, TooManyFailedCredentials, TooManySignIns
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
