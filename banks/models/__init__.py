"""Every model of banks, one file per resource."""

from banks.models.accounts import BankAccount
from banks.models.bank_payments import BankPayment
from banks.models.connections import Change, Connection
from banks.models.institutions import Institution, InstitutionHealth, InstitutionIncident
from banks.models.link_sessions import LinkSession
from banks.models.transactions import BankTransaction

__all__ = [
    "BankAccount",
    "BankPayment",
    "BankTransaction",
    "Change",
    "Connection",
    "Institution",
    "InstitutionHealth",
    "InstitutionIncident",
    "LinkSession",
]
