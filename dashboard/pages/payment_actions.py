"""Capture, cancel and refund: each asks with the amount and the consequence, then goes the way the API goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from connect.kit.caller import Caller
from connect.kit.tenancy import use_environment
from connect.templatetags.money import money_filter
from dashboard.pages import actions
from dashboard.pages.access import OrganizationPage, organization_page, render
from dashboard.pages.actions import ActionForm
from dashboard.pages.payment_forms import CancelForm, CaptureForm, RefundForm
from payments.domain import payment_intent_state
from payments.domain.payment_intent_state import Action
from payments.selectors import charges as charge_selectors
from payments.selectors import payment_intents as payment_intent_selectors
from payments.services import payment_intents, payment_outcomes, processor_calls, refunds
from payments.shapes.charges import ChargeOut
from payments.shapes.payment_intents import PaymentIntentOut


@dataclass(frozen=True, slots=True)
class Possible:
    """What can be done to a payment as it stands; `refundable_minor` is 0 when nothing can be given back."""

    capture: bool
    cancel: bool
    refundable_minor: int


def possible(intent: PaymentIntentOut, charge: ChargeOut | None) -> Possible:
    """By the rules of the domain, so that no button leads to a refusal. `charge` is the latest one."""
    refundable = charge.amount_captured - charge.amount_refunded if charge and charge.paid else 0
    return Possible(
        capture=payment_intent_state.may(intent.status, Action.CAPTURE),
        cancel=payment_intent_state.may(intent.status, Action.CANCEL) and intent.status != "processing",
        refundable_minor=refundable,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="payments:write", opens_environment=False)
def capture(request: HttpRequest, page: OrganizationPage, payment_id: str) -> HttpResponse:
    """Take what is held, or a part of it."""
    intent, can = _look(page, payment_id)
    if not can.capture and request.method != "POST":
        return _too_late(request, page, payment_id)
    held = intent.amount_capturable or intent.amount
    form = CaptureForm(
        request.POST if request.method == "POST" else None, currency=intent.currency, capturable_minor=held
    )
    if request.method == "POST" and form.is_valid():
        amount = form.cleaned_data["amount"]
        done = _run(
            request, page, form, partial(payment_intents.begin_capture, intent_id=payment_id, amount_to_capture=amount)
        )
        if done is not None:
            return _done(
                request,
                page,
                payment_id,
                gettext("%(amount)s is captured.") % {"amount": money_filter(amount, intent.currency)},
            )
    return _form(
        request,
        page,
        form,
        payment_id,
        title=gettext("Capture %(amount)s?") % {"amount": money_filter(held, intent.currency)},
        text=gettext("The money is taken from the payer's card now. A captured payment can only be refunded."),
        action=gettext("Capture"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="payments:write", opens_environment=False)
def cancel(request: HttpRequest, page: OrganizationPage, payment_id: str) -> HttpResponse:
    """End a payment that took no money; what it holds is released."""
    intent, can = _look(page, payment_id)
    if not can.cancel and request.method != "POST":
        return _too_late(request, page, payment_id)
    form = CancelForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"] or None
        begin = partial(payment_intents.begin_cancel, intent_id=payment_id, cancellation_reason=reason)
        if _run(request, page, form, begin) is not None:
            return _done(request, page, payment_id, gettext("The payment is canceled."))
    return _form(
        request,
        page,
        form,
        payment_id,
        title=gettext("Cancel the payment of %(amount)s?") % {"amount": money_filter(intent.amount, intent.currency)},
        text=gettext(
            "%(amount)s held on the payer's card is released. "
            "A canceled payment cannot be paid any more, and this cannot be undone."
        )
        % {"amount": money_filter(intent.amount_capturable, intent.currency)}
        if intent.amount_capturable
        else gettext("No money has moved. A canceled payment cannot be paid any more, and this cannot be undone."),
        action=gettext("Cancel payment"),
        tone="danger",
        cancel=gettext("Keep it"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="payments:write", opens_environment=False)
def refund(request: HttpRequest, page: OrganizationPage, payment_id: str) -> HttpResponse:
    """Give back what is left of a payment, or a part of it."""
    intent, can = _look(page, payment_id)
    if not can.refundable_minor and request.method != "POST":
        return _too_late(request, page, payment_id)
    # A form that is sent again must reach its stored answer, even when nothing is left by then.
    most = can.refundable_minor if request.method != "POST" else intent.amount_received or intent.amount
    form = RefundForm(
        request.POST if request.method == "POST" else None, currency=intent.currency, refundable_minor=most
    )
    if request.method == "POST" and form.is_valid():
        amount, reason = form.cleaned_data["amount"], form.cleaned_data["reason"] or None
        begin = partial(refunds.begin_create, payment_intent=payment_id, amount=amount, reason=reason)
        made = _run(request, page, form, begin, resume=refunds.resume)
        if made is not None:
            text = money_filter(made.get("amount", amount), intent.currency)
            words = {
                "succeeded": gettext("%(amount)s is on its way back to the payer.") % {"amount": text},
                "pending": gettext("The refund of %(amount)s is under way; its outcome will show here.")
                % {"amount": text},
            }
            return _done(
                request,
                page,
                payment_id,
                words.get(made.get("status", ""), gettext("The refund of %(amount)s is recorded.") % {"amount": text}),
            )
    return _form(
        request,
        page,
        form,
        payment_id,
        title=gettext("Refund the payment of %(amount)s?") % {"amount": money_filter(intent.amount, intent.currency)},
        text=gettext(
            "%(amount)s can be given back. It comes out of your available balance, the fee of the payment "
            "is not returned, and a refund cannot be undone."
        )
        % {"amount": money_filter(can.refundable_minor, intent.currency)},
        action=gettext("Refund"),
        tone="danger",
        cancel=gettext("Keep it"),
    )


def _look(page: OrganizationPage, payment_id: str) -> tuple[PaymentIntentOut, Possible]:
    with use_environment(page.environment):
        intent = payment_intent_selectors.get(page.caller, payment_id)
        charges = charge_selectors.for_intent(page.caller, payment_id)
    return intent, possible(intent, charges[0] if charges else None)


def _run(
    request: HttpRequest,
    page: OrganizationPage,
    form: ActionForm,
    begin: Callable[[Caller], Any],
    *,
    resume: Callable[[Caller, str], Any] = payment_intents.resume,
) -> Any:
    return actions.external(
        request,
        page,
        form,
        begin=begin,
        resume=resume,
        call=processor_calls.perform,
        record=payment_outcomes.record,
    )


def _done(request: HttpRequest, page: OrganizationPage, payment_id: str, text: str) -> HttpResponse:
    messages.success(request, text)
    return HttpResponseRedirect(page.url("payment", payment_id))


def _too_late(request: HttpRequest, page: OrganizationPage, payment_id: str) -> HttpResponse:
    messages.warning(request, gettext("The payment has moved on: this can no longer be done to it."))
    return HttpResponseRedirect(page.url("payment", payment_id))


def _form(
    request: HttpRequest, page: OrganizationPage, form: ActionForm, payment_id: str, **words: str
) -> HttpResponse:
    back = page.url("payment", payment_id)
    context = {
        "form": form,
        "crumbs": [(gettext("Payments"), page.url("payments")), (payment_id, back)],
        "back": back,
        **words,
    }
    return render(request, page, "dashboard/form_page.html", context, status=422 if form.errors else 200)
