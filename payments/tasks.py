"""Background jobs of payments. Each tick asks which environments have work and queues one message for each of them."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from connect.kit.caller import Caller
from connect.kit.tenancy import use_environment
from connect.selectors import environments, sweeps
from payments.services import balance_transactions, payment_attempts


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


@shared_task(name="payments.find_due_balances")
def find_due_balances() -> int:
    """Queue `settle_balances` for every environment with money that becomes available."""
    condition = "status = 'pending' AND available_on <= clock_timestamp()"
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
    caller, settled = Caller.system(environment, "payments.settle_balances"), 0
    while True:
        with use_environment(environment):
            count = balance_transactions.settle_due(caller)
        settled += count
        if count < balance_transactions.BATCH:
            return settled
