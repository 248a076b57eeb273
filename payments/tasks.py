"""Background jobs of payments. Each tick asks which environments have work and queues one message for each of them."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from connect.kit.caller import Caller
from connect.selectors import environments, sweeps
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
    found = list(sweeps.environments_where("payments_payment_attempt", condition))
    for environment in found:
        settle_attempts.delay(str(environment.id))
    return len(found)


@shared_task(name="payments.settle_attempts")
def settle_attempts(environment_id: str) -> int:
    """Ask the processor about the environment's open attempts and record the answers."""
    environment = environments.by_id(UUID(environment_id))
    if environment is None:
        return 0
    return payment_attempts.settle_open(Caller.system(environment, "payments.settle_attempts"))


@shared_task(name="payments.find_bank_payments")
def find_bank_payments() -> int:
    """Queue `follow_bank_payments` for every environment with a payment by bank that has to be looked at."""
    condition = "check_at <= clock_timestamp()"
    found = list(sweeps.environments_where("banks_payment", condition))
    for environment in found:
        follow_bank_payments.delay(str(environment.id))
    return len(found)


@shared_task(name="payments.follow_bank_payments")
def follow_bank_payments(environment_id: str) -> int:
    """Ask the banks about the environment's payments whose payers have not come back; returns how many."""
    environment = environments.by_id(UUID(environment_id))
    if environment is None:
        return 0
    return bank_settlements.follow_due(Caller.system(environment, "payments.follow_bank_payments"))


@shared_task(name="payments.find_due_balances")
def find_due_balances() -> int:
    """Queue `settle_balances` for every environment with money that becomes available."""
    condition = "status = 'pending' AND available_on <= clock_timestamp() AND test_clock_id IS NULL"
    found = list(sweeps.environments_where("payments_balance_transaction", condition))
    for environment in found:
        settle_balances.delay(str(environment.id))
    return len(found)


@shared_task(name="payments.settle_balances")
def settle_balances(environment_id: str) -> int:
    """Move due money from pending to available, a batch in each transaction."""
    environment = environments.by_id(UUID(environment_id))
    if environment is None:
        return 0
    return balance_transactions.settle_all_due(Caller.system(environment, "payments.settle_balances"))


@shared_task(name="payments.find_overdue_checkouts")
def find_overdue_checkouts() -> int:
    """Queue `expire_checkouts` for every environment with an open session whose time has run out."""
    condition = "status = 'open' AND expires_at <= clock_timestamp()"
    found = list(sweeps.environments_where("payments_checkout_session", condition))
    for environment in found:
        expire_checkouts.delay(str(environment.id))
    return len(found)


@shared_task(name="payments.expire_checkouts")
def expire_checkouts(environment_id: str) -> int:
    """Expire the environment's sessions whose time has run out; returns how many."""
    environment = environments.by_id(UUID(environment_id))
    if environment is None:
        return 0
    return checkout_sessions.expire_due(Caller.system(environment, "payments.expire_checkouts"))


@shared_task(name="payments.find_due_receipts")
def find_due_receipts() -> int:
    """Queue `send_receipts` for every environment with a receipt to mail."""
    condition = "receipt_due_at <= clock_timestamp()"
    found = list(sweeps.environments_where("payments_checkout_session", condition))
    for environment in found:
        send_receipts.delay(str(environment.id))
    return len(found)


@shared_task(name="payments.send_receipts")
def send_receipts(environment_id: str) -> int:
    """Mail the environment's receipts that are due; returns how many."""
    environment = environments.by_id(UUID(environment_id))
    if environment is None:
        return 0
    return checkout_receipts.send_due(Caller.system(environment, "payments.send_receipts"))


@shared_task(name="payments.find_expired_holds")
def find_expired_holds() -> int:
    """Queue `expire_holds` for every environment with a hold that ran out before it was captured."""
    condition = (
        "capture_before <= clock_timestamp() AND NOT captured AND NOT refunded AND capture_before IS NOT NULL"
        " AND test_clock_id IS NULL"
    )
    found = list(sweeps.environments_where("payments_charge", condition))
    for environment in found:
        expire_holds.delay(str(environment.id))
    return len(found)


@shared_task(name="payments.expire_holds")
def expire_holds(environment_id: str) -> int:
    """Let go of the environment's holds that ran out; returns how many."""
    environment = environments.by_id(UUID(environment_id))
    if environment is None:
        return 0
    return holds.expire_due(Caller.system(environment, "payments.expire_holds"))


@shared_task(name="payments.find_due_refunds")
def find_due_refunds() -> int:
    """Queue `check_refunds` for every environment with a refund whose processor is to be asked again."""
    condition = "check_at <= clock_timestamp() AND test_clock_id IS NULL"
    found = list(sweeps.environments_where("payments_refund", condition))
    for environment in found:
        check_refunds.delay(str(environment.id))
    return len(found)


@shared_task(name="payments.check_refunds")
def check_refunds(environment_id: str) -> int:
    """Ask the processor what became of the environment's refunds; returns how many were asked about."""
    environment = environments.by_id(UUID(environment_id))
    if environment is None:
        return 0
    return refund_checks.check_due(Caller.system(environment, "payments.check_refunds"))
