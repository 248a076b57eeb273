"""Where a payer comes back to from the pages of a payment by bank: it is concluded here, then they go on."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from banks.selectors import bank_payments as standings
from banks.selectors.bank_payments import Standing
from connect.api import execution
from connect.kit import clock
from connect.kit.caller import Actor, Caller, EnvironmentRef
from connect.kit.errors import LockTimeout
from connect.kit.tenancy import use_environment
from connect.pages import hosted, languages
from connect.selectors import organizations
from payments.services import bank_settlements, payment_attempts, payment_intents, processor_calls


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Who comes back, from which payment."""

    environment: EnvironmentRef
    merchant: str
    payment: Standing

    @property
    def livemode(self) -> bool:
        """Whether the money is real."""
        return self.environment.livemode


def _find(token: str) -> Visit | None:
    known = hosted.split(token)
    if known is None:
        return None
    environment, secret = known
    with use_environment(environment):
        payment = standings.by_secret(secret, now=clock.wall())
    if payment is None:
        return None
    return Visit(environment=environment, merchant=organizations.name(environment.organization_id), payment=payment)


def _missing(request: HttpRequest) -> HttpResponse:
    return hosted.show(request, "pay/missing.html", status=404)


@require_safe
@hosted.opened(_find, _missing)
def back(request: HttpRequest, token: str, visit: Visit) -> HttpResponse:
    """Conclude the payment, and send the payer to the merchant, or to the page that says what came of it."""
    page = f"/pay/{token}" + languages.query(request)
    if not visit.payment.has_left_the_payer:
        return HttpResponseRedirect(page)
    caller = Caller(
        visit.environment,
        Actor("system", "pay_by_bank"),
        visit.payment.account_id,
        request_id=getattr(request, "request_id", ""),
        api_version=visit.environment.api_version,
    )
    try:
        _conclude(caller, visit.payment.attempt)
    except LockTimeout:
        return _wait(request, visit)
    with use_environment(visit.environment):
        way = bank_settlements.way_back(caller, attempt_id=visit.payment.attempt)
    if way.result is None:
        return _wait(request, visit)
    return HttpResponseRedirect(way.url or page + ("&" if "?" in page else "?") + "over=1")


def _conclude(caller: Caller, attempt_id: str) -> None:
    execution.external(
        caller,
        None,  # no key: a payment can be concluded once only
        begin=lambda caller: bank_settlements.begin(caller, attempt_id=attempt_id),
        resume=payment_intents.resume,
        call=processor_calls.perform,
        record=payment_attempts.record,
        render=lambda _: b"",
    )


def _wait(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Somebody else is at it this very moment: look again shortly."""
    here = request.get_full_path()
    return hosted.show(request, "pay/waiting.html", visit=visit, payment=visit.payment, again=here, seconds=2)
