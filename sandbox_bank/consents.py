"""Consents: what a third party may see, of which accounts, and until when."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

from sandbox_bank import clock, ibans
from sandbox_bank.models import Account, Consent, Customer
from sandbox_bank.refusals import Refusal

LISTS = ("accounts", "balances", "transactions")
WHOLE = ("allPsd2", "availableAccounts", "availableAccountsWithBalance")
RIGHTS_OF_WHOLE = {
    "allPsd2": ("accounts", "balances", "transactions"),
    "availableAccounts": ("accounts",),
    "availableAccountsWithBalance": ("accounts", "balances"),
}
UNCONFIRMED_LIFE = timedelta(hours=24)


def create(body: Any, *, tpp: str, request_id: str, redirect_uri: str, refused_uri: str) -> Consent:
    """Take a consent that its customer has still to agree to. The same request sent again is the same consent."""
    access, today = _access(_field(body, "access", dict)), clock.today()
    frequency = _field(body, "frequencyPerDay", int)
    recurring = _field(body, "recurringIndicator", bool)
    _field(body, "combinedServiceIndicator", bool)
    if frequency < 1:
        raise Refusal("FORMAT_ERROR", "frequencyPerDay is 1 or more.", path="frequencyPerDay")
    try:
        asked = date.fromisoformat(_field(body, "validUntil", str))
    except ValueError:
        raise Refusal("FORMAT_ERROR", "validUntil is a date: 2027-01-31.", path="validUntil") from None
    if asked < today:
        raise Refusal("FORMAT_ERROR", f"validUntil is in the past; today is {today}.", path="validUntil")
    values = {
        "consent_id": str(uuid.uuid4()),
        "tpp": tpp,
        "access": access,
        "recurring": recurring,
        "valid_until": min(asked, today + timedelta(days=clock.bank().max_consent_days)),
        "frequency": min(frequency, clock.bank().calls_per_day) if recurring else 1,
        "redirect_uri": redirect_uri,
        "refused_uri": refused_uri,
        "last_action": today,
        "created_at": clock.now(),
    }
    return Consent.objects.get_or_create(request_id=request_id, defaults=values)[0]


def find(consent_id: str, *, status: int) -> Consent:
    """The consent with its status as of now. `status` is what an unknown one is refused with."""
    found = Consent.objects.filter(consent_id=consent_id).select_related("customer").first()
    if found is None:
        raise Refusal("CONSENT_UNKNOWN", "There is no such consent.", status=status)
    ended = found.status == "valid" and found.valid_until < clock.today()
    forgotten = found.status == "received" and found.created_at + UNCONFIRMED_LIFE < clock.now()
    if ended or forgotten:
        set_status(found, "expired")
    return found


def usable(consent_id: str) -> Consent:
    """The consent of a read. Everything but a valid one is refused."""
    found = find(consent_id, status=400)
    if found.status == "expired":
        raise Refusal("CONSENT_EXPIRED", "The consent has expired.")
    if found.status != "valid":
        raise Refusal("CONSENT_INVALID", f"The consent is {found.status}.")
    return found


def set_status(consent: Consent, status: str) -> None:
    """Write down how the consent stands."""
    consent.status, consent.last_action = status, clock.today()
    consent.save(update_fields=["status", "last_action"])


def is_choice(consent: Consent) -> bool:
    """Whether the customer picks the accounts on the bank's page."""
    return not any(name in consent.access for name in WHOLE) and not any(consent.access.get(name) for name in LISTS)


def offered(consent: Consent, customer: Customer) -> list[Account]:
    """The customer's accounts the consent is about: all of them, or those it names."""
    owned = list(Account.objects.filter(customer=customer).exclude(status="deleted").order_by("pk"))
    named = {reference["iban"] for name in LISTS for reference in consent.access.get(name) or []}
    return [account for account in owned if account.iban in named] if named else owned


def grant(consent: Consent, customer: Customer, accounts: list[Account]) -> None:
    """The customer agreed to these accounts."""
    row = clock.bank()
    if row.expire_former_consents and consent.recurring:
        former = Consent.objects.filter(customer=customer, tpp=consent.tpp, recurring=True, status="valid")
        former.exclude(pk=consent.pk).update(status="expired", last_action=clock.today())
    consent.customer = customer
    consent.grants = [
        {
            "account": account.pk,
            "resource": str(uuid.uuid5(uuid.UUID(consent.consent_id), account.iban))
            if row.new_resource_ids
            else account.resource_id,
            "rights": _rights(consent, account),
        }
        for account in accounts
    ]
    if is_choice(consent):
        asked = [name for name in LISTS if name in consent.access] or list(LISTS)
        references = [{"iban": account.iban, "currency": account.currency} for account in accounts]
        consent.access = dict.fromkeys(asked, references)
    consent.save()
    set_status(consent, "valid")


def account_of(consent: Consent, resource_id: str, right: str) -> Account:
    """The account a read names, if the consent gives this right to it."""
    for one in consent.grants:
        if one["resource"] == resource_id:
            if right not in one["rights"]:
                raise Refusal("CONSENT_INVALID", f"The consent does not reach the {right} of this account.")
            account = Account.objects.get(pk=one["account"])
            if account.status == "blocked":
                raise Refusal("SERVICE_BLOCKED", "The account is blocked; its holder has to ask the bank.")
            return account
    if Account.objects.filter(resource_id=resource_id).exists():
        raise Refusal("CONSENT_INVALID", "The consent does not reach this account.")
    raise Refusal("RESOURCE_UNKNOWN", "There is no such account.", status=404)


def asked_rights(consent: Consent) -> list[str]:
    """What the third party will see, as the bank's page lists it."""
    for name in WHOLE:
        if name in consent.access:
            return list(RIGHTS_OF_WHOLE[name])
    named = [name for name in LISTS if name in consent.access]
    return ["accounts", *(name for name in named if name != "accounts")] if named else list(LISTS)


def _rights(consent: Consent, account: Account) -> list[str]:
    if is_choice(consent) or any(name in consent.access for name in WHOLE):
        return asked_rights(consent)
    given = {name for name in LISTS if any(one["iban"] == account.iban for one in consent.access.get(name) or [])}
    return sorted(given | {"accounts"})


def _access(access: dict[str, Any]) -> dict[str, Any]:
    for name in WHOLE:
        if name in access:
            if access[name] not in {"allAccounts", "allAccountsWithOwnerName"}:
                raise Refusal(
                    "FORMAT_ERROR", f"{name} is allAccounts or allAccountsWithOwnerName.", path=f"access.{name}"
                )
            if len(access) > 1:
                raise Refusal("FORMAT_ERROR", f"{name} stands alone.", path="access")
            return access
    if stranger := next((name for name in access if name not in (*LISTS, "additionalInformation")), None):
        raise Refusal("PARAMETER_NOT_SUPPORTED", f"This bank does not know {stranger}.", path=f"access.{stranger}")
    named = [len(access[name]) for name in LISTS if isinstance(access.get(name), list)]
    if len(named) != len([name for name in LISTS if name in access]) or (any(named) and not all(named)):
        raise Refusal("FORMAT_ERROR", "Lists of accounts are all filled, or all empty.", path="access")
    for name in LISTS:
        for reference in access.get(name, []):
            iban = reference.get("iban") if isinstance(reference, dict) else None
            if not isinstance(iban, str) or not ibans.is_right(iban):
                raise Refusal("FORMAT_ERROR", "An account is named by its IBAN.", path=f"access.{name}")
    return access


def _field(body: Any, name: str, kind: type) -> Any:
    value = body.get(name) if isinstance(body, dict) else None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise Refusal("FORMAT_ERROR", f"{name} is missing or of the wrong type.", path=name)
    return value
