"""Paying by bank: the payer's bank moves the money at our request. Its books are the bank payments of `banks`.

The first request opens a payment and answers with our page, on which the payer chooses a bank. Once the payer has left
it, a second request (`follows` names the first) is answered with what the bank says. Every answer is read from the
payment's row, which is unique by the first attempt; so the same request answers the same, in any process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError

from banks.domain.bank_payment_state import Status
from banks.selectors import bank_payments as selectors
from banks.selectors.bank_payments import Standing
from banks.services import bank_payments
from connect.kit import clock
from connect.kit.caller import Actor, Caller
from connect.kit.errors import DomainError
from connect.kit.money import Money
from connect.kit.tenancy import use_environment
from connect.selectors import environments, organizations
from payments.clients.processor import (
    ActionRequired,
    AnyRequest,
    Approved,
    AuthorizeRequest,
    CancelRefundRequest,
    CaptureRequest,
    Declined,
    GuardedProcessor,
    IncrementRequest,
    NotFound,
    Outcome,
    Pending,
    ProcessorTimeout,
    RefundRequest,
    SetUpRequest,
    StatusOutcome,
    VoidRequest,
)
from payments.domain import errors

RETURN_PATH: Final = "/pbb/return/"
"""Our address to which the payer comes back from the bank's pages; the token of the payment's page follows."""
TEST_COLLECTION: Final = ("Sandbox Merchant", "MK07999000000090022")
"""Where test payments go: an account at the sandbox bank."""


@dataclass(frozen=True, slots=True)
class CollectionAccount:
    """The account that payments by bank are made to."""

    name: str
    iban: str


def collection_account(*, livemode: bool) -> CollectionAccount:
    """Where the money goes; raises `PayByBankUnavailable` in live when nobody said where (`FC_COLLECTION_ACCOUNT`)."""
    if not livemode:
        return CollectionAccount(*TEST_COLLECTION)
    name, _, iban = settings.FC_COLLECTION_ACCOUNT.partition(";")
    if not name.strip() or not iban.strip():
        raise errors.PayByBankUnavailable(
            reason="this installation has no account to collect to (FC_COLLECTION_ACCOUNT).", param="payment_method"
        )
    return CollectionAccount(name.strip(), iban.replace(" ", ""))


class PayByBankProcessor(GuardedProcessor):
    """Takes payments through the payer's bank. It holds nothing, keeps no instrument and gives nothing back."""

    name: ClassVar[str] = "pay_by_bank"

    def refuse_unsuitable(self, request: AnyRequest) -> None:
        """Raise `PayByBankNotKept` for a set-up, `PayByBankUnavailable` where there is no account to collect to."""
        if isinstance(request, SetUpRequest):
            raise errors.PayByBankNotKept
        collection_account(livemode=request.livemode)

    def _authorize(self, request: AuthorizeRequest) -> Outcome:
        try:
            return self._said(request) if request.follows else self._opened(request)
        except (OperationalError, InterfaceError) as lost:
            raise ProcessorTimeout(f"our books were away: {lost}") from lost

    def _status(self, request: AnyRequest) -> StatusOutcome:
        if not isinstance(request, AuthorizeRequest):
            return NotFound()
        try:
            known = _find(request)
            if known is None:
                return NotFound()
            if request.follows:
                return _outcome(bank_payments.look(_caller(request), known.id), request)
            return _page(request, known)
        except (OperationalError, InterfaceError) as lost:
            raise ProcessorTimeout(f"our books were away: {lost}") from lost

    def _opened(self, request: AuthorizeRequest) -> Outcome:
        caller, to = _caller(request), collection_account(livemode=request.livemode)
        payee = organizations.name(caller.environment.organization_id)
        named = request.instrument or None
        with use_environment(caller.environment):
            opened = bank_payments.open_payment(
                caller,
                attempt=request.attempt_id,
                amount=Money(request.amount_minor, request.currency),
                creditor_name=to.name,
                creditor_iban=to.iban,
                remittance=request.statement_descriptor or payee,
                account=named if named and named.startswith("bka_") else None,
                institution=named if named and not named.startswith("bka_") else None,
                return_path=RETURN_PATH,
            )
        return _page(request, opened)

    def _said(self, request: AuthorizeRequest) -> Outcome:
        known = _find(request)
        if known is None:
            raise ValueError(f"{request.follows} opened no payment by bank")
        return _outcome(known, request)

    # What no bank does for us. The services refuse all of it before an attempt is made.

    def _capture(self, request: CaptureRequest) -> Outcome:  # noqa: ARG002 - the contract's
        return _never(errors.PayByBankCapturesAtOnce())

    def _void(self, request: VoidRequest) -> Outcome:  # noqa: ARG002 - the contract's
        return _never(errors.PayByBankCapturesAtOnce())

    def _increment(self, request: IncrementRequest) -> Outcome:  # noqa: ARG002 - the contract's
        return _never(errors.PayByBankCapturesAtOnce())

    def _refund(self, request: RefundRequest) -> Outcome:
        return _never(errors.RefundByBankTransfer(charge=request.capture))

    def _cancel_refund(self, request: CancelRefundRequest) -> Outcome:
        return _never(errors.RefundByBankTransfer(charge=request.refund))

    def _set_up(self, request: SetUpRequest) -> Outcome:  # noqa: ARG002 - the contract's
        return _never(errors.PayByBankNotKept())


def _caller(request: AuthorizeRequest) -> Caller:
    environment = environments.by_short_id(request.environment)
    if environment is None:
        raise ValueError(f"no environment {request.environment!r} for {request.attempt_id}")
    return Caller(
        environment, Actor("system", "pay_by_bank"), UUID(request.account), api_version=environment.api_version
    )


def _find(request: AuthorizeRequest) -> Standing | None:
    caller = _caller(request)
    with use_environment(caller.environment):
        return selectors.by_attempt(request.follows or request.attempt_id, now=clock.wall())


def _page(request: AuthorizeRequest, known: Standing) -> ActionRequired:
    url = selectors.page_url(_caller(request).environment, known.id)
    return ActionRequired(authentication_id=str(known.id), redirect_url=url)


def _outcome(known: Standing, request: AuthorizeRequest) -> Outcome:
    """What the bank's word for a payment is to us: money only once it is settled."""
    match known.status:
        case Status.SUCCEEDED:
            return Approved(
                reference=known.end_to_end_id,
                amount_minor=request.amount_minor,
                captured=True,
                settles_at_once=True,
                authenticated=True,
                bank_name=known.bank_name,
                account_last4=known.last4,
            )
        case Status.FAILED | Status.CANCELED:
            error = _refusal(known)
            return Declined(
                code=error.code,
                message=error.message,
                reference=known.end_to_end_id,
                bank_name=known.bank_name,
                account_last4=known.last4,
            )
    return Pending(reference=known.end_to_end_id, recheck_seconds=bank_payments.recheck_seconds(known.age_seconds))


def _refusal(known: Standing) -> type[errors.CardError]:
    if known.failure == "expired":
        return errors.ProviderTimeout
    return errors.ProviderDecline if known.status == Status.FAILED else errors.CustomerDecline


def _never(error: DomainError) -> Declined:
    return Declined(code=error.code, message=error.text)
