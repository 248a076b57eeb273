"""Break something: what goes wrong on bad days, on purpose and in test mode only.

Every button does what an app, a customer or a bank would do, through the services that they use, so what follows is
real: the payment, its events, the deliveries, the connection that cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from banks.services import sandbox_bank
from connect.domain.webhook_endpoints import EVERY_EVENT
from connect.kit import clock
from connect.kit.caller import Caller
from connect.kit.errors import MissingParameterTarget, ResourceMissing
from connect.kit.outcomes import Refused, Waiting
from connect.kit.pages import Page
from connect.kit.tenancy import use_environment
from connect.selectors import events as event_selectors
from connect.selectors import test_clocks as clock_selectors
from connect.selectors import webhook_deliveries as delivery_selectors
from connect.selectors import webhook_endpoints as endpoint_selectors
from connect.services import test_clocks, webhook_endpoints, webhook_inbox, webhook_resends
from connect.shapes.test_clocks import TestClockOut
from connect.shapes.webhook_endpoints import WebhookDeliveryOut, WebhookEndpointOut
from dashboard.pages import actions
from dashboard.pages.access import OrganizationPage, organization_page, render
from dashboard.pages.actions import ActionForm
from payments.selectors import payment_intents as payment_selectors
from payments.services import customers, payment_attempts, payment_intents, processor_calls

EVENTS_SHOWN: Final = 8
POLL_SECONDS: Final = 5
AHEAD: Final = timedelta(days=7)
"""How far a clock is moved: as long as a card's issuer holds money for us."""
BROKEN_STATUS: Final = 500
TEST_EVENT: Final = "payment_intent.succeeded"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a button did: `what` is its name, `id` the object it made or touched, if there is one."""

    what: str
    id: str
    title: str | Promise
    text: str | Promise
    tone: str = ""


class BreakForm(ActionForm):
    """Which button was pressed, and for which clock."""

    what = forms.ChoiceField(choices=[(name, name) for name in ("decline", "bank_down", "bank_up", "webhooks_fail",
                                                                "webhooks_heal", "hold", "advance")])  # fmt: skip
    test_clock = forms.CharField(required=False, max_length=64)


Run = Callable[[HttpRequest, OrganizationPage, BreakForm], Any]


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="sandbox:write", opens_environment=False)
def break_something(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """The panel; a POST presses one of its buttons and leads back to what came of it."""
    if page.environment.livemode:
        raise Http404
    if request.method == "POST":
        return _press(request, page)
    # The newest events are asked for alone, again and again. The bank is another process: no transaction is open yet.
    bank = None if request.headers.get("HX-Target") == "results" else sandbox_bank.look()
    with use_environment(page.environment):
        panel = _panel(request, page, bank) if bank else {}
        context = {**panel, "events": _newest_events(page), "poll_seconds": POLL_SECONDS}
        return render(request, page, "dashboard/break_something.html", context)


def _press(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    form = BreakForm(request.POST)
    back = page.url("break_something")
    made = _BUTTONS[form.cleaned_data["what"]](request, page, form) if form.is_valid() else None
    if made is None:
        actions.tell_errors(request, form)
        return HttpResponseRedirect(back)
    what = form.cleaned_data["what"]
    return HttpResponseRedirect(f"{back}?{urlencode({'done': what, 'id': made['id']})}#{what}")


def _panel(request: HttpRequest, page: OrganizationPage, bank: sandbox_bank.SandboxBank) -> dict[str, Any]:
    failing = _failing(page)
    clocks, _more = clock_selectors.page(page.caller, Page(limit=1))
    return {
        "form": BreakForm(),
        "outcome": _outcome(page, request.GET.get("done", ""), request.GET.get("id", "")),
        "bank": bank,
        "down_minutes": sandbox_bank.DOWN_SECONDS // 60,
        "failing": failing,
        "clock": clocks[0] if clocks else None,
        "ahead_days": AHEAD.days,
    }


def _newest_events(page: OrganizationPage) -> list[Any]:
    found, _more = event_selectors.page(page.caller, Page(limit=EVENTS_SHOWN))
    return [(event, event.data.object.get("id", "")) for event in found]


# --- the buttons ------------------------------------------------------------------------------------------------------


def _decline(request: HttpRequest, page: OrganizationPage, form: BreakForm) -> Any:
    """A payment with the test card that is always declined."""
    return _pay(request, page, form, lambda caller: payment_intents.create_and_confirm(
        caller, amount=25_00, currency="eur", payment_method="pm_card_chargeDeclinedInsufficientFunds",
        description="Declined on purpose",
    ))  # fmt: skip


def _hold(request: HttpRequest, page: OrganizationPage, form: BreakForm) -> Any:
    """A customer who lives by a test clock, and money held on their card: what becomes of it is a matter of time."""

    def begin(caller: Caller) -> Waiting:
        made = test_clocks.create(caller, frozen_time=clock.wall().replace(microsecond=0), name="Break something")
        customer = customers.create(caller, name="Ana of the test clock", test_clock=made.id)
        return payment_intents.create_and_confirm(
            caller, amount=49_00, currency="eur", customer=customer.id, payment_method="pm_card_visa",
            capture_method="manual", description="Held until somebody captures it",
        )  # fmt: skip

    return _pay(request, page, form, begin)


def _pay(request: HttpRequest, page: OrganizationPage, form: BreakForm, begin: Callable[[Caller], Any]) -> Any:
    return actions.external(
        request,
        page,
        form,
        begin=begin,
        resume=lambda caller, attempt: _as_fact(payment_intents.resume(caller, attempt)),
        call=processor_calls.perform,
        record=lambda caller, waiting, answer: _as_fact(payment_attempts.record(caller, waiting, answer)),
    )


def _as_fact(outcome: Any) -> Any:
    """A decline is what was asked for here, so it is no refusal of the form."""
    return outcome.error.data.get("payment_intent", outcome) if isinstance(outcome, Refused) else outcome


def _bank_down(request: HttpRequest, page: OrganizationPage, form: BreakForm) -> Any:
    return _set_bank(request, page, form, down=True)


def _bank_up(request: HttpRequest, page: OrganizationPage, form: BreakForm) -> Any:
    return _set_bank(request, page, form, down=False)


def _set_bank(request: HttpRequest, page: OrganizationPage, form: BreakForm, *, down: bool) -> Any:
    return actions.external(
        request,
        page,
        form,
        begin=lambda caller: sandbox_bank.begin(caller, down=down),
        resume=sandbox_bank.resume,
        call=sandbox_bank.perform,
        record=sandbox_bank.record,
    )


def _webhooks_fail(request: HttpRequest, page: OrganizationPage, form: BreakForm) -> Any:
    """An endpoint that answers 500, made or enabled again, and an event on its way to it."""

    def work(caller: Caller) -> WebhookDeliveryOut:
        broken = _failing(page)
        if broken is None:
            broken = webhook_endpoints.create(
                caller, url=_broken_address(page), enabled_events=[EVERY_EVENT], description="Answers 500 on purpose"
            )
        elif broken.status != "enabled":
            webhook_endpoints.update(caller, endpoint_id=broken.id, disabled=False)
        return webhook_resends.send_test(caller, endpoint_id=broken.id, type=TEST_EVENT)

    return actions.local(request, page, form, work)


def _webhooks_heal(request: HttpRequest, page: OrganizationPage, form: BreakForm) -> Any:
    """The same endpoint answers 200 from now on: what is still tried again arrives."""

    def work(caller: Caller) -> WebhookEndpointOut:
        broken = _failing(page)
        if broken is None:
            raise MissingParameterTarget(resource="webhook_endpoint", id=_broken_address(page), param="what")
        return webhook_endpoints.update(caller, endpoint_id=broken.id, url=webhook_inbox.address(page.environment))

    return actions.local(request, page, form, work)


def _advance(request: HttpRequest, page: OrganizationPage, form: BreakForm) -> Any:
    """Moves a clock seven days ahead; what becomes due on the way happens."""

    def begin(caller: Caller) -> Waiting:
        known = clock_selectors.get(caller, form.cleaned_data["test_clock"])
        ahead = clock.from_unix(known.frozen_time) + AHEAD
        return test_clocks.begin_advance(caller, clock_id=known.id, frozen_time=ahead)

    return actions.external(
        request, page, form, begin=begin, resume=test_clocks.resume, call=test_clocks.advance, record=test_clocks.shown
    )


_BUTTONS: Final[dict[str, Run]] = {
    "decline": _decline,
    "bank_down": _bank_down,
    "bank_up": _bank_up,
    "webhooks_fail": _webhooks_fail,
    "webhooks_heal": _webhooks_heal,
    "hold": _hold,
    "advance": _advance,
}


def _broken_address(page: OrganizationPage) -> str:
    return f"{webhook_inbox.address(page.environment)}?status={BROKEN_STATUS}"


def _failing(page: OrganizationPage) -> WebhookEndpointOut | None:
    """The endpoint that answers 500 on purpose, if there is one."""
    address = _broken_address(page)
    return next((known for known in endpoint_selectors.every(page.caller) if known.url == address), None)


# --- what came of it --------------------------------------------------------------------------------------------------


def _outcome(page: OrganizationPage, what: str, identifier: str) -> Outcome | None:
    """What the button that was pressed did, read from the object itself; None for an address nobody was led to."""
    if what not in _BUTTONS:
        return None
    try:
        return _TOLD[what](page, identifier)
    except ResourceMissing:
        return None


def _told_payment(page: OrganizationPage, identifier: str) -> Outcome:
    intent = payment_selectors.get(page.caller, identifier)
    error = intent.last_payment_error
    text: str | Promise
    if error is None:
        text = _("The money is held on the card and not taken. Advance the clock: the issuer lets go after seven days.")
        return Outcome("hold", identifier, _("A payment is held"), text, "good")
    text = gettext("The API answered 402 with the code %(code)s: %(message)s") % {
        "code": error.get("decline_code") or error["code"],
        "message": error["message"],
    }
    return Outcome("decline", identifier, _("The payment was declined"), text, "warn")


def _told_bank(what: str) -> Callable[[OrganizationPage, str], Outcome]:
    def told(_page: OrganizationPage, identifier: str) -> Outcome:
        if what == "bank_up":
            return Outcome(what, identifier, _("The bank is back"), _("Connections are read again when they are due."))
        text = (
            _("Its newest connection is being read now, and cannot be: its data stays, with its age and an error.")
            if identifier
            else _("Nobody has linked it here yet. Link it, and see what a customer meets while their bank is away.")
        )
        return Outcome(what, identifier, _("The bank answers every call with 503"), text, "warn")

    return told


def _told_delivery(page: OrganizationPage, identifier: str) -> Outcome:
    delivery = delivery_selectors.get(page.caller, identifier)
    text = _("The endpoint answers 500. It is tried again after 5 seconds, 5 minutes, 30 minutes, and so on for days.")
    return Outcome("webhooks_fail", delivery.id, _("An event is on its way to a broken endpoint"), text, "warn")


def _told_endpoint(page: OrganizationPage, identifier: str) -> Outcome:
    endpoint = endpoint_selectors.get(page.caller, identifier)
    text = _("What it missed is sent with the next try. Or send it at once: open a delivery and choose Send again.")
    return Outcome("webhooks_heal", endpoint.id, _("The endpoint answers 200 again"), text, "good")


def _told_clock(page: OrganizationPage, identifier: str) -> Outcome:
    known: TestClockOut = clock_selectors.get(page.caller, identifier)
    if known.status == "internal_failure":
        text = _("Something that became due on the way failed. The event says so; advance the clock again.")
        return Outcome("advance", identifier, _("The clock stopped"), text, "bad")
    text = _("What became due on the way has happened: read it in the newest events.")
    return Outcome("advance", identifier, _("The clock was moved seven days ahead"), text, "good")


_TOLD: Final[dict[str, Callable[[OrganizationPage, str], Outcome]]] = {
    "decline": _told_payment,
    "hold": _told_payment,
    "bank_down": _told_bank("bank_down"),
    "bank_up": _told_bank("bank_up"),
    "webhooks_fail": _told_delivery,
    "webhooks_heal": _told_endpoint,
    "advance": _told_clock,
}
