"""`/v1/accounts`"""

from __future__ import annotations

import urllib.parse
import uuid
from datetime import date
from typing import Any

from django.http import HttpResponse

from sandbox_bank import clock, consents, entries
from sandbox_bank.api.endpoints import Ask, answer
from sandbox_bank.models import Account, Consent, Entry
from sandbox_bank.refusals import Refusal

LARGEST_PAGE = 500


def list_all(ask: Ask) -> HttpResponse:
    """The accounts of a consent."""
    consent = _consent(ask)
    ask.count(consent)
    with_balance = _flag(ask, "withBalance")
    accounts = {
        account.pk: account for account in Account.objects.filter(pk__in=[one["account"] for one in consent.grants])
    }
    shown = [_account(ask, accounts[one["account"]], one, with_balance) for one in consent.grants]
    return answer({"accounts": shown})


def details(ask: Ask, resource_id: str) -> HttpResponse:
    """One account."""
    consent = _consent(ask)
    account = consents.account_of(consent, resource_id, "accounts")
    ask.count(consent, resource_id)
    granted = next(one for one in consent.grants if one["resource"] == resource_id)
    return answer({"account": _account(ask, account, granted, _flag(ask, "withBalance"))})


def balances(ask: Ask, resource_id: str) -> HttpResponse:
    """What is in the books, and what can be spent."""
    consent = _consent(ask)
    account = consents.account_of(consent, resource_id, "balances")
    ask.count(consent, resource_id)
    return answer({"account": _reference(account), "balances": entries.shown_balances(account)})


def transactions(ask: Ask, resource_id: str) -> HttpResponse:
    """A page of an account's entries. All that is pending stands on the first."""
    consent = _consent(ask)
    account = consents.account_of(consent, resource_id, "transactions")
    query = ask.request.GET
    status = query.get("bookingStatus", "")
    if status not in {"booked", "pending", "both"}:
        known = status in {"information", "all"}
        code = "PARAMETER_NOT_SUPPORTED" if known else "FORMAT_ERROR"
        raise Refusal(code, "bookingStatus is booked, pending or both.", path="bookingStatus")
    for name in ("entryReferenceFrom", "deltaList"):
        if name in query:
            raise Refusal("PARAMETER_NOT_SUPPORTED", "This bank has no delta lists; use dateFrom.", path=name)
    since, until = _period(ask)
    index, size = _whole(ask, "pageIndex", 0, None), _whole(ask, "itemsPerPage", 1, clock.bank().page_size)
    size = min(size, LARGEST_PAGE)
    if index == 0:
        ask.count(consent, resource_id)
    base = f"/v1/accounts/{resource_id}"
    report: dict[str, Any] = {"_links": {"account": ask.link(base)}}
    if status != "pending":
        rows = list(
            entries.select(account, pending=False, since=since, until=until)[index * size : (index + 1) * size + 1]
        )
        report["booked"] = [shown for entry in rows[:size] for shown in _twisted(ask, entry)]
        if len(rows) > size or "loop" in ask.faults:
            following = 0 if "loop" in ask.faults else index + 1
            asked = urllib.parse.urlencode({**query.dict(), "pageIndex": following})
            report["_links"]["next"] = ask.link(f"{base}/transactions?{asked}")
    if status != "booked":
        waiting = entries.select(account, pending=True, since=since, until=until) if index == 0 else []
        report["pending"] = [shown for entry in waiting for shown in _twisted(ask, entry)]
    body: dict[str, Any] = {"account": _reference(account), "transactions": report}
    if _flag(ask, "withBalance") and "balances" in _rights(consent, resource_id):
        body["balances"] = entries.shown_balances(account)
    return answer(body)


def transaction(ask: Ask, resource_id: str, transaction_id: str) -> HttpResponse:
    """One entry."""
    consent = _consent(ask)
    account = consents.account_of(consent, resource_id, "transactions")
    entry = Entry.objects.filter(account=account, transaction_id=transaction_id).first()
    if entry is None:
        raise Refusal("RESOURCE_UNKNOWN", "There is no such transaction.", status=404)
    ask.count(consent, resource_id)
    return answer({"transactionsDetails": entries.shown(entry)})


def _consent(ask: Ask) -> Consent:
    consent_id = ask.header("Consent-ID")
    if not consent_id:
        raise Refusal("FORMAT_ERROR", "Consent-ID is missing.", path="Consent-ID")
    return consents.usable(consent_id)


def _rights(consent: Consent, resource_id: str) -> list[str]:
    return next(one["rights"] for one in consent.grants if one["resource"] == resource_id)


def _account(ask: Ask, account: Account, granted: dict[str, Any], with_balance: bool) -> dict[str, Any]:
    base, rights = f"/v1/accounts/{granted['resource']}", granted["rights"]
    shown: dict[str, Any] = {
        "resourceId": granted["resource"],
        "iban": account.iban,
        "bban": account.bban,
        "currency": account.currency,
        "ownerName": account.customer.name,
        "name": account.name,
        "product": account.product,
        "cashAccountType": account.cash_account_type,
        "status": account.status,
        "usage": "PRIV",
        "_links": {name: ask.link(f"{base}/{name}") for name in ("balances", "transactions") if name in rights},
    }
    if with_balance and "balances" in rights:
        shown["balances"] = entries.shown_balances(account)
    return shown


def _reference(account: Account) -> dict[str, str]:
    return {"iban": account.iban, "currency": account.currency}


def _twisted(ask: Ask, entry: Entry) -> list[dict[str, Any]]:
    """An entry as it is shown, as often as it is shown."""
    shown = entries.shown(entry)
    if "reissued_ids" in ask.faults:
        shown |= {"transactionId": uuid.uuid4().hex, "entryReference": uuid.uuid4().hex}
    if "not_provided_ids" in ask.faults:
        shown |= dict.fromkeys(("transactionId", "entryReference", "endToEndId"), "NOTPROVIDED")
    if "blank_ids" in ask.faults:
        shown |= dict.fromkeys(("transactionId", "entryReference", "endToEndId"), "")
    if "unsigned_amounts" in ask.faults:
        amount = shown["transactionAmount"]
        shown["transactionAmount"] = {**amount, "amount": amount["amount"].lstrip("-")}
    return [shown, shown] if "duplicates" in ask.faults else [shown]


def _period(ask: Ask) -> tuple[date | None, date | None]:
    since, until = _day(ask, "dateFrom"), _day(ask, "dateTo")
    if since is None and ask.request.GET.get("bookingStatus") != "pending":
        raise Refusal("FORMAT_ERROR", "dateFrom is missing.", path="dateFrom")
    if since and (since > clock.today() or (until and until < since)):
        raise Refusal("PERIOD_INVALID", "The period begins after it ends, or in the future.", path="dateFrom")
    return since, until


def _day(ask: Ask, name: str) -> date | None:
    text = ask.request.GET.get(name)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Refusal("FORMAT_ERROR", f"{name} is a date: 2027-01-31.", path=name) from None


def _flag(ask: Ask, name: str) -> bool:
    text = ask.request.GET.get(name, "false").lower()
    if text not in {"true", "false"}:
        raise Refusal("FORMAT_ERROR", f"{name} is true or false.", path=name)
    return text == "true"


def _whole(ask: Ask, name: str, least: int, default: int | None) -> int:
    text = ask.request.GET.get(name, str(default if default is not None else least))
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < least:
        raise Refusal("FORMAT_ERROR", f"{name} is a whole number, {least} or more.", path=name)
    return int(text)
