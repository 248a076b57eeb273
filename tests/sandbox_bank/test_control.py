"""What the control makes the bank do."""

from __future__ import annotations


def test_a_reset_bank_is_the_same_bank(sandbox_bank):
    before = sandbox_bank.state()["users"]
    sandbox_bank.control("transactions", {"account": sandbox_bank.iban(), "amount": "-12.30"})
    assert sandbox_bank.state()["users"] != before
    sandbox_bank.reset()
    assert sandbox_bank.state()["users"] == before
