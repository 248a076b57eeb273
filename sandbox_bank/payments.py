"""Orders to pay: handed in, agreed to, and then through the statuses of a script."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction

from sandbox_bank import clock, entries, ibans, money
from sandbox_bank.models import Account, Customer, Payment
from sandbox_bank.refusals import Refusal

PRODUCTS = {
    "sepa-credit-transfers": "EUR",
    "domestic-mkd-credit-transfers": "MKD",
    "domestic-rsd-credit-transfers": "RSD",
    "domestic-all-credit-transfers": "ALL",
}
DEFAULT_SCRIPT = ["ACSC"]
SETTLED = frozenset({"ACSC", "ACCC"})
OVER = SETTLED | {"RJCT", "CANC"}
ON_ITS_WAY = frozenset({"ACTC", "ACCP", "ACSP", "ACWC", "ACWP", "ACFC", "PDNG", "PATC"})
STATUSES = OVER | ON_ITS_WAY | {"RCVD"}


def product_currency(service: str, product: str) -> str:
    """The currency of a product of this bank."""
    if service != "payments":
        raise Refusal("PRODUCT_UNKNOWN", "This bank takes single payments only.")
    if product not in PRODUCTS:
        raise Refusal("PRODUCT_UNKNOWN", f"This bank knows {', '.join(PRODUCTS)}.")
    return PRODUCTS[product]


def create(product: str, body: Any, *, tpp: str, request_id: str, redirect_uri: str, refused_uri: str) -> Payment:
    """Take an order that its customer has still to agree to. The same request sent again is the same order."""
    if not isinstance(body, dict):
        raise Refusal("FORMAT_ERROR", "The body is an object.")
    amount, currency = _amount(body.get("instructedAmount"))
    if currency != PRODUCTS[product]:
        raise Refusal("PRODUCT_INVALID", f"{product} is in {PRODUCTS[product]}.", path="instructedAmount.currency")
    _text(body, "creditorName", 70, required=True)
    _text(body, "endToEndIdentification", 35)
    _text(body, "remittanceInformationUnstructured", 140)
    if not ibans.is_right(_iban(body, "creditorAccount")):
        raise Refusal("FORMAT_ERROR", "The creditor's IBAN has wrong check digits.", path="creditorAccount.iban")
    debtor_iban = _iban(body, "debtorAccount")
    debtor = Account.objects.filter(iban=debtor_iban).first() if debtor_iban else None
    if debtor_iban and debtor is None:
        raise Refusal("PAYMENT_FAILED", "There is no such account at this bank.", path="debtorAccount.iban")
    if debtor and debtor.currency != currency:
        raise Refusal("PAYMENT_FAILED", f"The account is in {debtor.currency}.", path="debtorAccount.iban")
    values = {
        "payment_id": str(uuid.uuid4()),
        "debtor": debtor,
        "tpp": tpp,
        "product": product,
        "order": body,
        "amount": amount,
        "currency": currency,
        "redirect_uri": redirect_uri,
        "refused_uri": refused_uri,
        "created_at": clock.now(),
    }
    return Payment.objects.get_or_create(request_id=request_id, defaults=values)[0]


def find(product: str, payment_id: str) -> Payment:
    """An order by its id."""
    found = Payment.objects.filter(payment_id=payment_id, product=product).first()
    if found is None:
        raise Refusal("RESOURCE_UNKNOWN", "There is no such payment.", status=404)
    return found


def payable_from(payment: Payment, customer: Customer) -> list[Account]:
    """The customer's accounts the order can be paid from."""
    found = Account.objects.filter(customer=customer, currency=payment.currency, status="enabled").order_by("pk")
    return list(found.filter(pk=payment.debtor_id) if payment.debtor_id else found)


def accept(payment: Payment, customer: Customer, debtor: Account) -> None:
    """The customer agreed. Without enough money the order is refused; else the script begins."""
    row = clock.bank()
    payment.customer, payment.debtor = customer, debtor
    payment.script = list(row.payment_script or DEFAULT_SCRIPT)
    payment.save()
    first, *payment.script = payment.script
    if entries.balances(debtor).available < payment.amount:
        reject(payment, "AM04 InsufficientFunds")
    else:
        set_status(payment, first, row.payment_reason)


@transaction.atomic
def read_status(payment: Payment) -> Payment:
    """The status as of now; the script then goes one step on."""
    answered = Payment.objects.get(pk=payment.pk)
    payment = Payment.objects.select_for_update(of=("self",)).get(pk=payment.pk)
    if payment.script and payment.status not in OVER:
        following, *payment.script = payment.script
        set_status(payment, following, clock.bank().payment_reason)
    return answered


def reject(payment: Payment, reason: str) -> None:
    """The bank does not carry the order out."""
    set_status(payment, "RJCT", reason)


def cancel(payment: Payment, reason: str = "") -> None:
    """The order is withdrawn. What is settled stays."""
    if payment.status in OVER:
        raise Refusal("CANCELLATION_INVALID", f"The payment is {payment.status}; it cannot be canceled any more.")
    set_status(payment, "CANC", reason)


@transaction.atomic
def set_status(payment: Payment, status: str, reason: str = "") -> None:
    """Write down the status; the customer's account follows: pending on its way, booked once settled."""
    payment.status = status
    payment.reason = reason if status in {"RJCT", "CANC"} else ""
    if status in OVER:
        payment.script = []
    if payment.debtor and status in ON_ITS_WAY | SETTLED and payment.debit is None:
        payment.debit = entries.add(payment.debtor, amount=-payment.amount, pending=True, **_line(payment))
    if payment.debit and status in SETTLED and payment.debit.pending:
        payment.debit = entries.book(payment.debit)
        _credit(payment)
    if payment.debit and status in {"RJCT", "CANC"} and payment.debit.pending:
        payment.debit.delete()
        payment.debit = None
    payment.save()


def shown(payment: Payment) -> dict[str, Any]:
    """An order as it was handed in, and how it stands."""
    debtor = {"iban": payment.debtor.iban, "currency": payment.currency} if payment.debtor else {}
    return {"debtorAccount": debtor, **payment.order, "transactionStatus": payment.status}


def _line(payment: Payment) -> dict[str, Any]:
    return {
        "end_to_end_id": payment.order.get("endToEndIdentification", ""),
        "counterparty": payment.order["creditorName"],
        "counterparty_iban": payment.order["creditorAccount"]["iban"],
        "remittance": payment.order.get("remittanceInformationUnstructured", ""),
        "bank_code": "PMNT-ICDT-ESCT",
    }


def _credit(payment: Payment) -> None:
    creditor = Account.objects.filter(iban=payment.order["creditorAccount"]["iban"], currency=payment.currency).first()
    if creditor and payment.debtor:
        line = {
            **_line(payment),
            "counterparty": payment.debtor.customer.name,
            "counterparty_iban": payment.debtor.iban,
        }
        entries.add(creditor, amount=payment.amount, **line)


def _amount(value: Any) -> tuple[int, str]:
    minor = money.read(value.get("amount")) if isinstance(value, dict) else None
    if minor is None or minor <= 0:
        raise Refusal("FORMAT_ERROR", "The amount is above zero, with two decimals at most.", path="instructedAmount")
    return minor, str(value.get("currency"))


def _text(body: dict[str, Any], name: str, longest: int, *, required: bool = False) -> None:
    value = body.get(name)
    if value is None and not required:
        return
    if not isinstance(value, str) or not value.strip() or len(value) > longest:
        raise Refusal("FORMAT_ERROR", f"{name} has 1 to {longest} characters.", path=name)


def _iban(body: dict[str, Any], name: str) -> str:
    value = body.get(name) or {}
    iban = value.get("iban", "") if isinstance(value, dict) else ""
    return iban if isinstance(iban, str) else ""
