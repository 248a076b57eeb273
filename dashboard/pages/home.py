"""The first page: what to do next, and the money there is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from banks.selectors import bank_overview
from connect.kit.pages import Page
from connect.selectors import api_keys as api_key_selectors
from connect.selectors import organizations as organization_selectors
from dashboard.pages import curl
from dashboard.pages.access import OrganizationPage, organization_page, render, user_id
from payments.selectors import balance as balance_selectors
from payments.selectors import payment_intents as payment_intent_selectors
from payments.shapes.payment_intents import PaymentIntentOut

NEWEST_COUNT: Final = 5


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the first-run list."""

    title: str
    text: str
    is_done: bool
    is_next: bool = False
    url: str = ""
    action: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """The money of one currency, in minor units."""

    currency: str
    available_minor: int
    pending_minor: int


@require_safe
@login_required
def start(request: HttpRequest) -> HttpResponse:
    """Leads a signed-in person to their first organization's test mode, or to making one."""
    organizations = organization_selectors.for_user(user_id(request))
    if not organizations:
        return HttpResponseRedirect(reverse("dashboard:organization_new"))
    return HttpResponseRedirect(reverse("dashboard:home", args=[organizations[0].slug, "test"]))


@require_safe
@organization_page(permission="home:read")
def home(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """Balance and the first-run list, each as far as the role may read it."""
    keys = api_key_selectors.for_environment(page.environment) if page.allows("api_keys:read") else None
    newest = _newest_payments(page) if page.allows("payments:read") else []
    steps = _steps(
        request,
        page,
        has_key=None if keys is None else any(key.revoked_at is None for key in keys),
        payment=newest[0] if newest else None,
    )
    context = {
        "banks": bank_overview.counts(page.caller) if page.allows("banks:view") else None,
        "balances": balances(page) if page.allows("balance:read") else [],
        "payments": newest,
        "steps": steps,
        "steps_done": sum(step.is_done for step in steps),
        "steps_left": any(not step.is_done for step in steps),
    }
    return render(request, page, "dashboard/home.html", context)


def balances(page: OrganizationPage) -> list[Figures]:
    """The balances of the environment, by currency."""
    balance = balance_selectors.now(page.caller)
    pending = {amount.currency: amount.amount for amount in balance.pending}
    return [Figures(each.currency, each.amount, pending.get(each.currency, 0)) for each in balance.available]


def _newest_payments(page: OrganizationPage) -> list[PaymentIntentOut]:
    found, _ = payment_intent_selectors.page(page.caller, Page(limit=NEWEST_COUNT))
    return found


def _steps(
    request: HttpRequest, page: OrganizationPage, *, has_key: bool | None, payment: PaymentIntentOut | None
) -> list[Step]:
    """What leads from nothing to a payment one can follow; the first thing still open carries the primary button.

    `has_key` is None for who may not know: keys are then none of their steps.
    """
    key = Step(
        title=gettext("Create an API key"),
        text=gettext("Your app signs in with it. The secret is shown once, so have a place for it."),
        is_done=bool(has_key),
        url=page.url("api_key_new") if page.allows("api_keys:write") and not has_key else "",
        action=gettext("Create key"),
    )
    steps = [
        *([] if has_key is None else [key]),
        Step(
            title=gettext("Take a first payment"),
            text=gettext("Put the secret into FC_SECRET_KEY and send this from a terminal.")
            if page.caller.livemode
            else gettext("Put the secret into FC_SECRET_KEY and send this from a terminal. It pays with a test card."),
            is_done=payment is not None,
            code="" if payment else curl.first_payment(request, livemode=page.caller.livemode),
        ),
        Step(
            title=gettext("Follow the money"),
            text=gettext("A payment's page shows its events and its lines in the double-entry ledger."),
            is_done=payment is not None and payment.status == "succeeded",
            url=page.url("payment", payment.id) if payment else "",
            action=gettext("Open the newest payment"),
        ),
    ]
    upcoming = next((index for index, step in enumerate(steps) if not step.is_done), None)
    return [replace(step, is_next=index == upcoming) for index, step in enumerate(steps)]
