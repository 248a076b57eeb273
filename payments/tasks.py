"""Background jobs of payments. Each tick asks which environments have work and queues one message for each of them."""

from __future__ import annotations

from celery import shared_task

from connect.services import jobs
from payments.services import (
    balance_transactions,
    bank_settlements,
    checkout_receipts,
    checkout_sessions,
    holds,
    payment_attempts,
    refund_checks,
)


@shared_task(name="payments.find_open_attempts")
def find_open_attempts() -> int:
    """Queue `settle_attempts` for every environment with an open attempt whose lease has run out."""
    condition = "state = 'open' AND lease_until < clock_timestamp()"
    return jobs.queue(settle_attempts, "payments_payment_attempt", condition)


@shared_task(name="payments.settle_attempts")
def settle_attempts(environment_id: str) -> int:
    """Ask the processor about the environment's open attempts and record the answers."""
    return jobs.run(settle_attempts, environment_id, payment_attempts.settle_open)


@shared_task(name="payments.find_bank_payments")
def find_bank_payments() -> int:
    """Queue `follow_bank_payments` for every environment with a payment by bank that has to be looked at."""
    condition = "check_at <= clock_timestamp()"
    return jobs.queue(follow_bank_payments, "banks_payment", condition)


@shared_task(name="payments.follow_bank_payments")
def follow_bank_payments(environment_id: str) -> int:
    """Ask the banks about the environment's payments whose payers have not come back; returns how many."""
    return jobs.run(follow_bank_payments, environment_id, bank_settlements.follow_due)


@shared_task(name="payments.find_due_balances")
def find_due_balances() -> int:
    """Queue `settle_balances` for every environment with money that becomes available."""
    condition = "status = 'pending' AND available_on <= clock_timestamp() AND test_clock_id IS NULL"
    return jobs.queue(settle_balances, "payments_balance_transaction", condition)


@shared_task(name="payments.settle_balances")
def settle_balances(environment_id: str) -> int:
    """Move due money from pending to available, a batch in each transaction."""
    return jobs.run(settle_balances, environment_id, balance_transactions.settle_all_due)


@shared_task(name="payments.find_overdue_checkouts")
def find_overdue_checkouts() -> int:
    """Queue `expire_checkouts` for every environment with an open session whose time has run out."""
    condition = "status = 'open' AND expires_at <= clock_timestamp()"
    return jobs.queue(expire_checkouts, "payments_checkout_session", condition)


@shared_task(name="payments.expire_checkouts")
def expire_checkouts(environment_id: str) -> int:
    """Expire the environment's sessions whose time has run out; returns how many."""
    return jobs.run(expire_checkouts, environment_id, checkout_sessions.expire_due)


@shared_task(name="payments.find_due_receipts")
def find_due_receipts() -> int:
    """Queue `send_receipts` for every environment with a receipt to mail."""
    condition = "receipt_due_at <= clock_timestamp()"
    return jobs.queue(send_receipts, "payments_checkout_session", condition)


@shared_task(name="payments.send_receipts")
def send_receipts(environment_id: str) -> int:
    """Mail the environment's receipts that are due; returns how many."""
    return jobs.run(send_receipts, environment_id, checkout_receipts.send_due)


@shared_task(name="payments.find_expired_holds")
def find_expired_holds() -> int:
    """Queue `expire_holds` for every environment with a hold that ran out before it was captured."""
    condition = (
        "capture_before <= clock_timestamp() AND NOT captured AND NOT refunded AND capture_before IS NOT NULL"
        " AND test_clock_id IS NULL"
    )
    return jobs.queue(expire_holds, "payments_charge", condition)


@shared_task(name="payments.expire_holds")
def expire_holds(environment_id: str) -> int:
    """Let go of the environment's holds that ran out; returns how many."""
    return jobs.run(expire_holds, environment_id, holds.expire_due)


@shared_task(name="payments.find_due_refunds")
def find_due_refunds() -> int:
    """Queue `check_refunds` for every environment with a refund whose processor is to be asked again."""
    condition = "check_at <= clock_timestamp() AND test_clock_id IS NULL"
    return jobs.queue(check_refunds, "payments_refund", condition)


@shared_task(name="payments.check_refunds")
def check_refunds(environment_id: str) -> int:
    """Ask the processor what became of the environment's refunds; returns how many were asked about."""
    return jobs.run(check_refunds, environment_id, refund_checks.check_due)
