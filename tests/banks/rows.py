"""Rows of bank data as ingestion leaves them, for tests of what is read. Ids come in the order of the calls."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from banks.domain import institution_ids
from banks.domain.names import fold
from banks.models import BankAccount, BankPayment, BankTransaction, Connection, LinkSession
from banks.selectors import link_sessions
from banks.services import link_tokens
from connect.kit import ids
from connect.kit.caller import PLATFORM_ACCOUNT, Caller

NOW: Final = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
SEALED: Final = b"sealed: what opens the consent"


def connection(**given: Any) -> Connection:
    """An active connection at the sandbox bank, in the open environment."""
    values = {
        "account_id": PLATFORM_ACCOUNT,
        "created_at": NOW,
        "institution_id": institution_ids.of_slug("sandbox-bank"),
        "connector": "berlin_group",
        "status": "active",
        "permissions": ["accounts", "balances", "transactions"],
        "history_days": 90,
        "handle_sealed": SEALED,
        "consent_until": date(2027, 2, 18),
        "consented_at": NOW,
        "synced_at": NOW,
    }
    return Connection.objects.create(**{**values, **given})


def account(of: Connection, **given: Any) -> BankAccount:
    """An account in denars with 1,250.00 booked."""
    iban = given.get("iban", "MK07999000000012325")
    values = {
        "account_id": of.account_id,
        "created_at": NOW,
        "connection_id": of.id,
        "resource_id": "acc-1",
        "identity_hash": hashlib.sha256(str(iban).encode()).digest(),
        "iban": iban,
        "name": "Тековна сметка",
        "owner_name": "Ана Петровска",
        "currency": "mkd",
        "balances": [{"kind": "booked", "amount": 125_000, "currency": "mkd", "as_of": None}],
        "balances_at": NOW,
    }
    return BankAccount.objects.create(**{**values, **given})


def transaction(of: BankAccount, **given: Any) -> BankTransaction:
    """A booked entry of 100.00 in."""
    values: dict[str, Any] = {
        "account_id": of.account_id,
        "created_at": NOW,
        "bank_account_id": of.id,
        "connection_id": of.connection_id,
        "status": "booked",
        "amount_minor": 10_000,
        "currency": of.currency,
        "booking_date": date(2026, 11, 19),
        "counterparty_name": "ЕВН Македонија",
        "remittance": "Сметка за струја",
        "fingerprint": b"f" * 16,
        "content_hash": b"c" * 16,
        "fetched_at": NOW,
        "updated_at": NOW,
        **given,
    }
    values.setdefault("sort_date", values["booking_date"] or NOW.date())
    words = (values.get("counterparty_name"), values.get("remittance"), values.get("reference_value"))
    values.setdefault("search_text", fold(" ".join(word for word in words if word)))
    return BankTransaction.objects.create(**values)


def payment(**given: Any) -> BankPayment:
    """An order of 12.50 EUR that waits for its payer."""
    values = {
        "account_id": PLATFORM_ACCOUNT,
        "created_at": NOW,
        "attempt": f"patt_{secrets.token_hex(8)}",
        "status": "requires_action",
        "amount_minor": 1250,
        "currency": "eur",
        "creditor_name": "Продавница",
        "creditor_iban": "MK07200002785123453",
        "debtor_iban": "MK07999000000012325",
        "remittance": "Нарачка 7",
        "end_to_end_id": secrets.token_hex(8),
        "secret_hash": secrets.token_bytes(32),
        "state_hash": secrets.token_bytes(32),
        "handle_sealed": SEALED,
        "expires_at": NOW,
    }
    return BankPayment.objects.create(**{**values, **given})


def everything(caller: Caller) -> None:
    """One row of every kind that staff can look at."""
    public_token(caller)
    transaction(account(connection()), counterparty_account="MK07200002785123453")
    payment()


def public_token(caller: Caller) -> str:
    """What an app exchanges: the token of a completed link session whose connection nobody has seen yet."""
    made = connection(account_id=caller.account, status="pending")
    session = LinkSession(
        account_id=caller.account,
        created_at=NOW,
        secret_hash=secrets.token_bytes(32),
        secret_sealed=b"sealed",
        mode="link",
        status="complete",
        institution_id=made.institution_id,
        connection_id=made.id,
        history_days=90,
        expires_at=NOW,
    )
    link_tokens.issue(caller, session)
    session.save(force_insert=True)
    token = link_sessions.shape(caller, session).public_token
    assert token is not None
    return token


def identifier(value: UUID, prefix: str) -> str:
    """The public id of a row."""
    return ids.encode(prefix, value)
