"""What banks answer, read into `banks.domain.bank_data`: pure, and raising nothing but `BadResponse`.

The standard leaves the sign open, and its own examples give an outgoing payment as `+256.67`. So the direction follows
from a minus; else from which counterparty is named; else from an indicator; else from the kind of transaction; else it
is money in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final, Literal

from banks.clients.connector import BadResponse, ConsentState
from banks.domain.bank_data import (
    AccountData,
    BalanceData,
    BalanceKind,
    EntryData,
    EntryStatus,
    ExchangeData,
    PartyData,
)
from connect.kit import currencies

Json = Mapping[str, Any]

_AMOUNT: Final = re.compile(r"(?P<sign>[+-]?)(?P<whole>[0-9]{1,14})(?:\.(?P<part>[0-9]{1,6}))?", re.ASCII)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_BLANKS: Final = re.compile(r"\s+")
_UNSTORABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_MEANINGLESS: Final = frozenset({"NOTPROVIDED", "NOT PROVIDED", "NULL", "N/A"})
_BALANCES: Final = {
    "interimBooked": BalanceKind.BOOKED, "closingBooked": BalanceKind.BOOKED, "openingBooked": BalanceKind.BOOKED,
    "interimAvailable": BalanceKind.AVAILABLE, "forwardAvailable": BalanceKind.AVAILABLE,
    "authorised": BalanceKind.AVAILABLE, "expected": BalanceKind.EXPECTED,
}  # fmt: skip
"""By the standard's names, the one that is nearest to now first where several mean the same."""
_ACCOUNT_STATUSES: Final[dict[str, Literal["enabled", "blocked", "deleted"]]] = {
    "enabled": "enabled", "blocked": "blocked", "deleted": "deleted",
}  # fmt: skip
_CONSENT_STATUSES: Final[dict[str, Literal["pending", "valid", "refused", "expired", "revoked"]]] = {
    "received": "pending", "partiallyAuthorised": "pending", "valid": "valid", "rejected": "refused",
    "revokedByPsu": "revoked", "terminatedByTpp": "revoked", "expired": "expired",
}  # fmt: skip
_INDICATED: Final = {"DBIT": True, "DEBIT": True, "D": True, "CRDT": False, "CREDIT": False, "C": False}
_OUTGOING_CODES: Final = frozenset({"ICDT", "RDDT", "CCRD", "CWDL", "FEES", "CHRG", "COMM"})
"""Families and sub-families of ISO 20022's transaction codes that are money out: transfers issued, direct debits
received, own cards, cash withdrawn, fees."""


def document(body: bytes) -> Json:
    """The JSON object that a bank sent; numbers with a point keep their digits."""
    try:
        found = json.loads(body, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadResponse("the answer is no JSON", code="no_json") from error
    return _object(found, "the answer")


def links(found: Json) -> Json:
    """`_links`, empty where there are none."""
    known = found.get("_links")
    return known if isinstance(known, Mapping) else {}


def link(found: Json, name: str) -> str | None:
    """The address under this name among the `_links`; some banks write it without `href`."""
    target = links(found).get(name)
    address = target.get("href") if isinstance(target, Mapping) else target
    return address.strip() or None if isinstance(address, str) else None


def required(found: Json, name: str) -> str:
    """A text without which the answer means nothing."""
    value = text(found.get(name), 200)
    if value is None:
        raise BadResponse(f"{name} is missing", code=f"no_{name}")
    return value


def consent_state(found: Json) -> ConsentState:
    """How a consent stands. A status that a bank added to the standard's is no end."""
    status = _CONSENT_STATUSES.get(required(found, "consentStatus"), "pending")
    return ConsentState(status=status, valid_until=_day(found.get("validUntil"), "validUntil"))


def accounts(found: Json) -> tuple[AccountData, ...]:
    """The answer of `/v1/accounts`."""
    return tuple(_account(_object(item, "an account")) for item in _list(found.get("accounts"), "accounts"))


def balances(found: Any) -> tuple[BalanceData, ...]:
    """A list of balances: one for each kind and currency, the nearest to now where the bank gives several."""
    best: dict[tuple[BalanceKind, str], tuple[int, BalanceData]] = {}
    ranks = list(_BALANCES)
    for item in _list(found, "balances"):
        entry = _object(item, "a balance")
        name = entry.get("balanceType")
        kind = _BALANCES.get(name) if isinstance(name, str) else None
        if kind is None:
            continue
        amount, currency = money(entry.get("balanceAmount"))
        rank = ranks.index(str(name))
        known = best.get((kind, currency))
        if known is None or rank < known[0]:
            data = BalanceData(kind=kind, amount_minor=amount, currency=currency, as_of=_balance_moment(entry))
            best[kind, currency] = (rank, data)
    return tuple(data for _, data in best.values())


def entries(report: Json, *, own_iban: str | None) -> tuple[EntryData, ...]:
    """The entries of an account report in the bank's order, what is booked first."""
    listed = (("booked", EntryStatus.BOOKED), ("pending", EntryStatus.PENDING))
    return tuple(
        _entry(_object(item, "an entry"), status, own_iban)
        for name, status in listed
        for item in _list([] if report.get(name) is None else report[name], name)
    )


def report_of(found: Json) -> Json:
    """The account report inside the answer of `/transactions`."""
    return _object(found.get("transactions"), "transactions")


def own_iban(found: Json) -> str | None:
    """The IBAN of the account that a report is about, where it says so."""
    account = found.get("account")
    return _iban(account.get("iban")) if isinstance(account, Mapping) else None


def money(found: Any) -> tuple[int, str]:
    """Minor units with their sign, and the lower-case currency, of `{"amount": "-12.30", "currency": "EUR"}`."""
    amount = _object(found, "an amount")
    currency = _currency(amount.get("currency"))
    _, minor = _minor(amount.get("amount"), currency)
    return minor, currency


def text(value: Any, longest: int) -> str | None:
    """A text as it can be kept: trimmed, without characters that no database keeps; None when it says nothing."""
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    found = _BLANKS.sub(" ", _UNSTORABLE.sub("", value)).strip()[:longest].strip()
    return None if not found or found.upper() in _MEANINGLESS else found


# --- accounts ---------------------------------------------------------------------------------------------------------


def _account(found: Json) -> AccountData:
    owners = [owner.get("name") for owner in _maybe_list(found.get("ownerNames")) if isinstance(owner, Mapping)]
    owner = found.get("ownerName") or next(iter(owners), None)
    return AccountData(
        resource_id=required({"resourceId": found.get("resourceId")}, "resourceId")[:100],
        iban=_iban(found.get("iban")),
        national_number=text(found.get("bban"), 34),
        currency=_currency(found.get("currency"), several=True),
        name=text(found.get("displayName"), 140) or text(found.get("name"), 140),
        owner_name=text(owner, 140),
        product=text(found.get("product"), 70),
        cash_account_type=text(found.get("cashAccountType"), 8),
        status=_ACCOUNT_STATUSES.get(str(found.get("status")), "enabled"),
        balances=balances(found["balances"]) if found.get("balances") is not None else (),
    )


def _iban(value: Any) -> str | None:
    found = text(value, 42)
    return found.replace(" ", "").upper()[:34] if found else None


def _balance_moment(found: Json) -> datetime | None:
    changed = text(found.get("lastChangeDateTime"), 40)
    if changed:
        try:
            moment = datetime.fromisoformat(changed)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            pass  # the date below says enough
    day = _maybe_day(found.get("referenceDate"))
    return datetime.combine(day, time(), UTC) if day else None


# --- entries ----------------------------------------------------------------------------------------------------------


def _entry(found: Json, status: EntryStatus, own: str | None) -> EntryData:
    amount = _object(found.get("transactionAmount"), "transactionAmount")
    currency = _currency(amount.get("currency"))
    sign, minor = _minor(amount.get("amount"), currency)
    goes_out = sign == "-" or _goes_out(found, own)
    booked, valued = _day(found.get("bookingDate"), "bookingDate"), _day(found.get("valueDate"), "valueDate")
    if status is EntryStatus.BOOKED:
        booked = booked or _day(found.get("transactionDate"), "transactionDate") or valued
        if booked is None:
            raise BadResponse("a booked entry has no date", code="no_bookingDate")
    return EntryData(
        status=status,
        amount_minor=-abs(minor) if goes_out else abs(minor),
        currency=currency,
        transaction_id=text(found.get("transactionId"), 100),
        entry_reference=text(found.get("entryReference"), 100),
        end_to_end_id=text(found.get("endToEndId"), 35),
        booking_date=booked,
        value_date=valued,
        counterparty=_party(found, "creditor" if goes_out else "debtor"),
        remittance=_remittance(found),
        structured_reference=_reference(found),
        purpose_code=text(found.get("purposeCode"), 35),
        bank_transaction_code=_bank_code(found),
        exchange=_exchange(found.get("currencyExchange"), currency),
        balance_after_minor=_balance_after(found.get("balanceAfterTransaction"), currency),
    )


def _goes_out(found: Json, own: str | None) -> bool:
    """The direction of an amount without a minus."""
    creditor, debtor = _party(found, "creditor"), _party(found, "debtor")
    if own and creditor.account != debtor.account and own in {creditor.account, debtor.account}:
        return debtor.account == own
    if (creditor == PartyData()) != (debtor == PartyData()):
        return debtor == PartyData()
    indicated = _INDICATED.get(str(found.get("creditDebitIndicator", "")).strip().upper())
    return bool(_OUTGOING_CODES & set((_bank_code(found) or "").upper().split("-"))) if indicated is None else indicated


def _party(found: Json, side: Literal["creditor", "debtor"]) -> PartyData:
    account = found.get(f"{side}Account")
    number = None
    if isinstance(account, Mapping):
        other = account.get("other")
        number = _iban(account.get("iban")) or next(
            (known for name in ("bban", "maskedPan", "msisdn") if (known := text(account.get(name), 34))), None
        )  # fmt: skip
        number = number or (text(other.get("identification"), 34) if isinstance(other, Mapping) else None)
    name = text(found.get(f"{side}Name"), 140) or text(found.get(f"ultimate{side.title()}"), 140)
    return PartyData(name=name, account=number, bic=text(found.get(f"{side}Agent"), 11))


def _bank_code(found: Json) -> str | None:
    return text(found.get("bankTransactionCode"), 70) or text(found.get("proprietaryBankTransactionCode"), 70)


def _remittance(found: Json) -> str | None:
    lines = _maybe_list(found.get("remittanceInformationUnstructuredArray"))
    joined = " ".join(line for item in lines if (line := text(item, 1_000)))
    return (
        text(found.get("remittanceInformationUnstructured"), 1_000)
        or text(joined, 1_000)
        or text(found.get("additionalInformation"), 1_000)
    )


def _reference(found: Json) -> str | None:
    several = _maybe_list(found.get("remittanceInformationStructuredArray"))
    for item in (found.get("remittanceInformationStructured"), *several):
        value = text(item.get("reference") if isinstance(item, Mapping) else item, 60)
        if value:
            return value
    return None


def _exchange(found: Any, currency: str) -> ExchangeData | None:
    """The first conversion that names another currency. Banks leave the amount out, or give one that is no amount."""
    for item in found if isinstance(found, list) else [found]:
        if not isinstance(item, Mapping):
            continue
        names = (item.get("sourceCurrency"), item.get("targetCurrency"), item.get("unitCurrency"))
        others = [name for each in names if (name := _maybe_currency(each)) and name != currency]
        if others:
            amount = None
            try:
                minor, known = money(item.get("instructedAmount"))
                amount = minor if known == others[0] else None
            except BadResponse:
                pass
            return ExchangeData(amount_minor=amount, currency=others[0], rate=text(item.get("exchangeRate"), 30))
    return None


def _balance_after(found: Any, currency: str) -> int | None:
    if not isinstance(found, Mapping):
        return None
    minor, known = money(found.get("balanceAmount"))
    return minor if known == currency else None


# --- values -----------------------------------------------------------------------------------------------------------


def _minor(value: Any, currency: str) -> tuple[str, int]:
    """The sign as it is written, and the minor units with it."""
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        value = str(value)
    found = _AMOUNT.fullmatch(value.strip()) if isinstance(value, str) else None
    exponent = currencies.exponent(currency)
    if found is None or (found["part"] or "")[exponent:].strip("0"):
        raise BadResponse("an amount is none, or has parts of a minor unit", code="bad_amount")
    minor = int(found["whole"] + (found["part"] or "")[:exponent].ljust(exponent, "0"))
    return found["sign"], -minor if found["sign"] == "-" else minor


def _currency(value: Any, *, several: bool = False) -> str:
    found = value.strip().lower() if isinstance(value, str) else ""
    if not (currencies.is_known(found) or (several and found == "xxx")):
        raise BadResponse("a currency is missing or not known", code="bad_currency")
    return found


def _maybe_currency(value: Any) -> str | None:
    found = value.strip().lower() if isinstance(value, str) else ""
    return found if currencies.is_known(found) else None


def _day(value: Any, name: str) -> date | None:
    """A date; None when there is none. One that is no date breaks the answer."""
    written = text(value, 40)
    if written is None:
        return None
    found = _maybe_day(written)
    if found is None:
        raise BadResponse(f"{name} is no date", code=f"bad_{name}")
    return found


def _maybe_day(value: Any) -> date | None:
    """A date, also where a bank writes a moment; None for anything else."""
    if not isinstance(value, str) or not _DATE.match(value.strip()):
        return None
    try:
        return date.fromisoformat(value.strip()[:10])
    except ValueError:
        return None


def _object(found: Any, what: str) -> Json:
    if not isinstance(found, Mapping):
        raise BadResponse(f"{what} is missing or no object", code="bad_shape")
    return found


def _list(found: Any, what: str) -> list[Any]:
    if not isinstance(found, list):
        raise BadResponse(f"{what} is missing or no list", code="bad_shape")
    return found


def _maybe_list(found: Any) -> Iterable[Any]:
    return found if isinstance(found, list) else ()


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
