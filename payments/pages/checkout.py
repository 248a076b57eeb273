"""The hosted payment page: one address that shows the order, takes the payment, and says what became of it.

Every view asks the session how things stand and shows that. So a refresh, the back button and a second tab are
harmless: what is paid is shown as paid. The page works without cookies and scripts. It needs no CSRF token either: no
browser carries an authority here that another site could borrow, because the secret in the address is all there is.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any, Final

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import translation
from django.views.decorators.http import require_http_methods, require_safe

from connect.api import execution
from connect.domain import redirects
from connect.domain.errors import IdempotencyKeyInUse
from connect.domain.tiers import TooManyPayments
from connect.kit import clock
from connect.kit.addresses import client_address
from connect.kit.caller import Actor, Caller
from connect.kit.errors import DomainError, LockTimeout, MissingParameterTarget
from connect.kit.tenancy import use_environment
from connect.pages import hosted, languages
from connect.services import idempotency, limits
from payments.domain import errors
from payments.pages import words
from payments.pages.forms import PayForm
from payments.selectors import checkout_visits
from payments.selectors.checkout_visits import Visit
from payments.services import checkout_payments, payment_attempts, processor_calls

_LOOK_AGAIN: Final = (
    errors.CheckoutSessionNotOpen,
    errors.PaymentIntentUnexpectedState,
    errors.SetupIntentUnexpectedState,
    LockTimeout,
    IdempotencyKeyInUse,
)
"""Refusals after which the session itself says best how things stand: somebody else was faster."""

def _find(token: str) -> Visit | None:
    known = hosted.split(token)
    if known is None:
        return None
    environment, secret = known
    with use_environment(environment):
        return checkout_visits.get(environment, secret, now=clock.wall())


def _missing(request: HttpRequest) -> HttpResponse:
    return _show(request, "missing", None, status=404)


_visited = hosted.opened(_find, _missing, locale=lambda visit: visit.locale)


@require_http_methods(["GET", "HEAD", "POST"])
@_visited
def page(request: HttpRequest, token: str, visit: Visit) -> HttpResponse:
    """Show the session as it stands; a POST of the form pays."""
    if request.method == "POST" and visit.is_open and not visit.is_busy:
        return _pay(request, token, visit)
    if request.method == "POST":
        return _redirect_to(request, token, visit)
    if visit.is_complete:
        return _show(request, "done", visit)
    if visit.is_busy:
        return _show(request, "processing", visit)
    if not visit.is_open:
        return _show(request, "expired", visit)
    form = PayForm(visit, initial={**PayForm.initial_of(visit.known), "key": secrets.token_urlsafe(16)})
    notice = words.of_error(visit.last_error) if visit.last_error else None
    return _show(request, "pay", visit, form=form, notice=notice)


@require_safe
@_visited
def back(request: HttpRequest, token: str, visit: Visit) -> HttpResponse:
    """Where the payer returns to from the bank's page: on to the shop when paid, else to the page."""
    return _redirect_to(request, token, visit)


# --- paying -----------------------------------------------------------------------------------------------------------


def _pay(request: HttpRequest, token: str, visit: Visit) -> HttpResponse:
    form = PayForm(visit, request.POST)
    if not form.is_valid():
        return _show(request, "pay", visit, form=form)
    try:
        limits.attempt_payment(client_address(request))
        reply = _submit(request, token, visit, form)
    except _LOOK_AGAIN:
        return _look_again(request, token)
    except TooManyPayments:
        return _show(request, "pay", visit, form=form, notice=words.TOO_OFTEN)
    except errors.PayByBankUnavailable:
        return _show(request, "pay", visit, form=form, notice=words.NO_BANK)
    except (errors.RawCardsRefused, errors.SandboxInLive, MissingParameterTarget):  # the last: its customer is gone
        return _show(request, "pay", visit, form=form, notice=words.UNAVAILABLE)
    except errors.CardError as refused:
        return _refused(request, visit, form, refused)
    if reply.status == errors.PaymentProcessorUnavailable.status:
        return _show(request, "pay", visit, form=form, notice=words.UNREACHABLE)
    return _look_again(request, token)


def _submit(request: HttpRequest, token: str, visit: Visit, form: PayForm) -> execution.Reply:
    """Claim, call, record, under a key made of this form and what was typed into it."""
    details, card = form.details(), form.card()
    typed = msgspec.json.encode([form.cleaned_data["key"], details, card, form.by_bank], order="deterministic")
    # Keyed: a card number has so few digits that a bare hash of it could be turned back.
    digest = hmac.digest(settings.SECRET_KEY.encode(), typed, hashlib.sha256).hex()
    caller = Caller(
        visit.environment,
        Actor("system", "checkout"),
        account=visit.account_id,
        request_id=getattr(request, "request_id", ""),
        idempotency_key=f"checkout:{visit.session_id}:{digest}",
        api_version=visit.environment.api_version,
    )
    return_url = f"{settings.FC_PUBLIC_URL.rstrip('/')}{reverse('checkout:return', args=[token])}"
    return execution.external(
        caller,
        idempotency.claim(caller, method="POST", path="/checkout", parameters={}),
        begin=lambda caller: checkout_payments.begin(
            caller,
            session_id=visit.session_id,
            details=details,
            card=card,
            by_bank=form.by_bank,
            language=translation.get_language() or "en",
            return_url=return_url + languages.query(request),
        ),
        resume=lambda caller, attempt_id: checkout_payments.resume(caller, attempt_id, mode=visit.mode),
        call=processor_calls.perform,
        record=payment_attempts.record,
        render=lambda outcome: msgspec.json.encode({"id": outcome.id, "status": outcome.status}),
    )


def _refused(request: HttpRequest, visit: Visit, form: PayForm, refused: DomainError) -> HttpResponse:
    """A card that cannot be right, or that its bank does not let be kept: the form again, with what was typed."""
    text = words.of_code(refused.code, refused.data.get("decline_code"))
    field = words.AT_FIELD.get(refused.code)
    if field in form.fields:
        form.add_error(field, str(text))
        return _show(request, "pay", visit, form=form)
    form.forget_card()
    return _show(request, "pay", visit, form=form, notice=text)


# --- answers ----------------------------------------------------------------------------------------------------------


def _look_again(request: HttpRequest, token: str) -> HttpResponse:
    """After a submission: to where the session, read anew, says that the payer belongs."""
    visit = _find(token)
    assert visit is not None, "sessions are never deleted"
    return _redirect_to(request, token, visit)


def _redirect_to(request: HttpRequest, token: str, visit: Visit) -> HttpResponse:
    """On to the shop when all is done, to the bank when it asks, else to the page, which says how things stand."""
    here = reverse("checkout:page", args=[token]) + languages.query(request)
    if visit.is_complete and visit.success_url:
        return HttpResponseRedirect(visit.success_url)
    if request.method == "POST" and visit.is_open and _is_ours(visit.action_url):
        # A bank's own page is reached by a link on ours: a form may only lead to addresses known when it was shown.
        return HttpResponseRedirect(f"{visit.action_url}{languages.query(request)}")
    return HttpResponseRedirect(here)


def _is_ours(url: str | None) -> bool:
    return url is not None and redirects.origin(url) == redirects.origin(settings.FC_PUBLIC_URL)


def _show(request: HttpRequest, name: str, visit: Visit | None, *, status: int = 200, **context: Any) -> HttpResponse:
    return hosted.show(
        request,
        f"checkout/{name}.html",
        status=status,
        forms_lead_to=[visit.success_url if visit else None],
        visit=visit,
        left=hosted.left(visit.expires_at, clock.wall()) if visit else "",
        **context,
    )
