"""The first page: what to do next, the money there is, and how requests, deliveries and banks are doing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from banks.domain import institution_ids
from banks.domain.profiles import SANDBOX
from banks.selectors import bank_overview
from banks.selectors.bank_overview import Glance
from connect.domain import scopes
from connect.domain.webhook_endpoints import EVERY_EVENT
from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.money_text import format_money
from connect.kit.outcomes import Waiting
from connect.kit.pages import Page
from connect.kit.tenancy import use_environment
from connect.selectors import activity as activity_selectors
from connect.selectors import first_steps as first_step_selectors
from connect.selectors import organizations as organization_selectors
from connect.selectors.api_keys import ApiKeyInfo
from connect.services import api_keys, webhook_endpoints, webhook_inbox
from dashboard import charts, periods
from dashboard.charts import Chart, Series
from dashboard.pages import actions, curl
from dashboard.pages.access import OrganizationPage, organization_page, render, user_id
from dashboard.pages.actions import ActionForm
from dashboard.pages.reauthentication import has_proof
from dashboard.pages.usage import requests_chart
from dashboard.periods import Period
from payments.selectors import balance as balance_selectors
from payments.selectors import payment_intents as payment_intent_selectors
from payments.selectors import volume as volume_selectors
from payments.selectors.volume import Volume
from payments.shapes.payment_intents import PaymentIntentOut

NEWEST_COUNT: Final = 5
POLL_SECONDS: Final = 4
"""How often the first-run list looks whether something was done, while something is open."""
FIRST_KEY: Final = "First key"
NO_CONTENT: Final = 204


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the first-run list. `url` is a link and `form` the address of a POST; a line has one of them at most.

    `code` is to be sent from a terminal; a `core` step is part of every integration.
    """

    name: str
    title: str | Promise
    text: str | Promise
    is_done: bool
    core: bool = True
    url: str = ""
    form: str = ""
    action: str | Promise = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class FirstRun:
    """The list as it stands."""

    steps: list[Step]

    @property
    def done(self) -> int:
        """How many are done."""
        return sum(step.is_done for step in self.steps)

    @property
    def is_open(self) -> bool:
        """Whether something is left."""
        return self.done < len(self.steps)

    @property
    def is_urgent(self) -> bool:
        """Whether something is left that every integration needs: the list is then unfolded."""
        return any(step.core and not step.is_done for step in self.steps)

    @property
    def next(self) -> str:
        """The name of the first step that is open; it carries the primary button."""
        return next((step.name for step in self.steps if not step.is_done), "")

    @property
    def state(self) -> str:
        """What is done, as the page tells it when it asks whether anything has changed."""
        return "".join(str(int(step.is_done)) for step in self.steps)


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
    """Everything at a glance, each as far as the role may read it; `period` and `currency` choose what charts show."""
    return _home(request, page)


@require_safe
@organization_page(permission="home:read")
def first_steps(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """The first-run list alone; 204 when what is done is still what `seen` says, so that nothing moves on the page.

    Asked for by a person, the address is the home page.
    """
    if request.headers.get("HX-Request") != "true":
        return _home(request, page)
    first_run = _first_run(request, page, _newest_payments(page))
    if request.GET.get("seen") == first_run.state:
        return HttpResponse(status=NO_CONTENT)
    context = {"first_run": first_run, "poll_seconds": POLL_SECONDS, "form": ActionForm(), "announce": True}
    return render(request, page, "dashboard/first_steps.html", context)


@require_POST
@organization_page(permission="api_keys:write", opens_environment=False)
@sensitive_variables("made")
def first_key(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """Makes a test key in one click and shows its secret, this once, in the commands of the list.

    A key is a public row: it is made between the transaction that claims the form and the one that keeps its answer.
    """
    if page.environment.livemode:
        raise Http404  # what a live key may do is for a person to choose
    if not has_proof(request):
        return HttpResponseRedirect(page.url("api_key_new"))  # the form that asks who it is, and leads back to itself
    form = ActionForm(request.POST)
    made: dict[str, Any] | None = None
    if form.is_valid():
        made = actions.external(
            request,
            page,
            form,
            begin=_will_make_key,
            resume=lambda caller, _: _will_make_key(caller),
            call=lambda waiting: api_keys.create(waiting.call, name=FIRST_KEY, scopes=[scopes.ALL]),
            record=_key_made,
        )
    if made is None:
        return _refused(request, page, form)
    with use_environment(page.environment):
        return _home(request, page, key_id=made["id"], secret=made["secret"])


@require_POST
@organization_page(permission="webhook_endpoints:write", opens_environment=False)
def first_endpoint(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """Connects the built-in inbox to every event, in one click."""
    if page.environment.livemode:
        raise Http404
    form, address = ActionForm(request.POST), webhook_inbox.address(page.environment)
    made = form.is_valid() and actions.local(
        request,
        page,
        form,
        lambda caller: webhook_endpoints.create(
            caller, url=address, enabled_events=[EVERY_EVENT], description=_("The built-in inbox")
        ),
    )
    if not made:
        return _refused(request, page, form)
    messages.success(request, _("The inbox is connected: it gets every event from now on. Make a payment to see one."))
    return HttpResponseRedirect(page.url("home"))


def balances(page: OrganizationPage) -> list[Figures]:
    """The balances of the environment, by currency."""
    balance = balance_selectors.now(page.caller)
    pending = {amount.currency: amount.amount for amount in balance.pending}
    return [Figures(each.currency, each.amount, pending.get(each.currency, 0)) for each in balance.available]


@sensitive_variables("secret")
def _home(request: HttpRequest, page: OrganizationPage, *, key_id: str = "", secret: str = "") -> HttpResponse:
    newest = _newest_payments(page) if page.allows("payments:read") else []
    banks = bank_overview.at_a_glance(page.caller) if page.allows("banks:view") else None
    period = periods.of(request.GET.get("period", ""))
    context = {
        "balances": balances(page) if page.allows("balance:read") else [],
        "banks": banks,
        "charts": _charts(request, page, period),
        "first_run": _first_run(request, page, newest, banks=banks, secret=secret),
        "form": ActionForm(),
        "key_id": key_id,
        "payments": newest,
        "period": period,
        "poll_seconds": POLL_SECONDS,
        "secret": secret,
        "can_see_usage": page.allows("usage:read"),
        "can_break": not page.environment.livemode and page.allows("sandbox:write"),
    }
    return render(request, page, "dashboard/home.html", context)


def _refused(request: HttpRequest, page: OrganizationPage, form: ActionForm) -> HttpResponse:
    """Back to the page, with what stood against it."""
    actions.tell_errors(request, form)
    return HttpResponseRedirect(page.url("home"))


def _will_make_key(caller: Caller) -> Waiting:
    return Waiting(resume=FIRST_KEY, call=caller)


@sensitive_variables("made")
def _key_made(_caller: Caller, _waiting: Waiting, made: tuple[ApiKeyInfo, str]) -> dict[str, str]:
    return {"id": made[0].id, "secret": made[1]}


def _newest_payments(page: OrganizationPage) -> list[PaymentIntentOut]:
    found, _more = payment_intent_selectors.page(page.caller, Page(limit=NEWEST_COUNT))
    return found


# --- charts -----------------------------------------------------------------------------------------------------------


def _charts(request: HttpRequest, page: OrganizationPage, period: Period) -> dict[str, Any]:
    """The charts that the role may see, by name; `currencies` are those that have a volume."""
    found: dict[str, Any] = {}
    if page.allows("balance:read"):
        found |= _volume(request, page)
    sees_requests = page.allows("logs:read") or page.allows("usage:read")
    if sees_requests or page.allows("webhook_endpoints:read"):
        known = activity_selectors.by_time(
            page.caller, period.since, period.until, unit=period.unit, zone=period.zone_name
        )
        if sees_requests:
            found["requests"] = requests_chart(period, known.requests)
        if page.allows("webhook_endpoints:read"):
            found["deliveries"] = _deliveries_chart(period, known.deliveries)
    return found


def _volume(request: HttpRequest, page: OrganizationPage) -> dict[str, Any]:
    """Volume of one currency. It lives by the environment's test clock, if there is one, as payments do."""
    period = periods.of(request.GET.get("period", ""), now=page.caller.clock.business())
    known = volume_selectors.by_time(page.caller, period.since, period.until, unit=period.unit, zone=period.zone_name)
    currencies, asked = list(known), request.GET.get("currency", "").lower()
    currency = asked if asked in known else next(iter(currencies), "eur")
    volumes = [known.get(currency, {}).get(start, Volume()) for start in period.starts]
    language = translation.get_language() or "en"
    chart = charts.bar_chart(
        "volume",
        title=_("Volume of succeeded payments in %(currency)s") % {"currency": currency.upper()},
        places=_place(period),
        labels=[period.label(start) for start in period.starts],
        series=[Series(_("Taken"), "good", [each.taken_minor for each in volumes])],
        show=lambda minor: format_money(minor, currency, language),
    )
    return {
        "volume": chart,
        "volume_count": sum(each.payments for each in volumes),
        "currency": currency,
        "currencies": currencies,
    }


def _deliveries_chart(period: Period, known: Mapping[datetime, Counter[str]]) -> Chart:
    found = [known.get(start, Counter[str]()) for start in period.starts]
    return charts.bar_chart(
        "deliveries",
        title=_("Webhook deliveries"),
        places=_place(period),
        labels=[period.label(start) for start in period.starts],
        series=[
            Series(_("Delivered"), "good", [each["succeeded"] for each in found]),
            Series(_("Under way or canceled"), "warn", [each["pending"] + each["canceled"] for each in found]),
            Series(_("Given up"), "bad", [each["failed"] for each in found]),
        ],
    )


def _place(period: Period) -> str:
    return _("Hour") if period.unit == "hour" else _("Day")


# --- the first-run list -----------------------------------------------------------------------------------------------


def _first_run(
    request: HttpRequest,
    page: OrganizationPage,
    newest: list[PaymentIntentOut],
    *,
    banks: Glance | None = None,
    secret: str = "",
) -> FirstRun:
    """What leads from nothing to a payment one can follow; steps that the role cannot know of are left out."""
    known, livemode = first_step_selectors.of(page.caller), page.environment.livemode
    paid = next((payment for payment in newest if payment.status == "succeeded"), None)
    key = {"secret": secret} if secret else {}
    steps: list[Step] = []
    if page.allows("api_keys:read"):
        steps += [_key_step(page, is_done=known.has_key), _request_step(request, is_done=known.has_request, **key)]
    steps.append(
        Step(
            "payment",
            gettext_lazy("Take a first payment"),
            gettext_lazy("Send this: a live payment waits for a customer.")
            if livemode
            else gettext_lazy("Send this: it pays 25.00 EUR with a test card. No real money moves."),
            is_done=bool(newest),
            code="" if newest else curl.first_payment(request, livemode=livemode, **key),
        )
    )
    if page.allows("webhook_endpoints:read"):
        steps += _webhook_steps(page, has_endpoint=known.has_endpoint, arrived=known.arrived)
    if page.allows("banks:manage") and not livemode:
        steps.append(_bank_step(request, page, banks or bank_overview.at_a_glance(page.caller), **key))
    steps.append(
        Step(
            "money",
            gettext_lazy("Follow the money"),
            gettext_lazy(
                "A payment's page holds its whole chain: the request, the charge, the lines in the double-entry ledger,"
                " its events, and where they were delivered."
            ),
            is_done=paid is not None and (known.delivered or not page.allows("webhook_endpoints:read")),
            url=page.url("payment", newest[0].id) if newest else "",
            action=gettext_lazy("Open the newest payment"),
        )
    )
    return FirstRun(steps)


def _key_step(page: OrganizationPage, *, is_done: bool) -> Step:
    livemode = page.environment.livemode
    may = page.allows("api_keys:write") and not is_done
    return Step(
        "key",
        gettext_lazy("Create an API key"),
        gettext_lazy(
            "Your app signs in with it. The secret is shown once. Lost it? Roll the key under Developers, API keys."
        ),
        is_done=is_done,
        url=page.url("api_key_new") if may and livemode else "",
        form=page.url("first_key") if may and not livemode else "",
        action=gettext_lazy("Choose what a live key may do") if livemode else gettext_lazy("Create a test key"),
    )


def _request_step(request: HttpRequest, *, is_done: bool, secret: str = curl.KEY_VARIABLE) -> Step:
    return Step(
        "request",
        gettext_lazy("Make a first request"),
        gettext_lazy(
            "Send this from a terminal. FC_SECRET_KEY stands for your secret key: export it once, or write the key in"
            " its place."
        )
        if secret == curl.KEY_VARIABLE
        else gettext_lazy("Send this from a terminal. Your new key is in it."),
        is_done=is_done,
        code="" if is_done else curl.example(request, "/v1/balance", secret=secret),
    )


def _webhook_steps(page: OrganizationPage, *, has_endpoint: bool, arrived: bool) -> list[Step]:
    livemode = page.environment.livemode
    may = page.allows("webhook_endpoints:write") and not has_endpoint
    endpoint = Step(
        "endpoint",
        gettext_lazy("Hear of it: a webhook endpoint"),
        gettext_lazy("Events are sent to your app, signed. Give the address of your app.")
        if livemode
        else gettext_lazy(
            "Events are sent to your app, signed. Without an app yet, the built-in inbox takes them and shows them."
        ),
        is_done=has_endpoint,
        url=page.url("webhook_endpoint_new") if may and livemode else "",
        form=page.url("first_endpoint") if may and not livemode else "",
        action=gettext_lazy("Add an endpoint") if livemode else gettext_lazy("Connect the inbox"),
    )
    if livemode:
        return [endpoint]
    inbox = Step(
        "event",
        gettext_lazy("See the first event arrive"),
        gettext_lazy("Send the payment once more: seconds later its events are in the inbox, with their signatures."),
        is_done=arrived,
        url=page.url("webhook_inbox"),
        action=gettext_lazy("Open the inbox"),
    )
    return [endpoint, inbox]


def _bank_step(request: HttpRequest, page: OrganizationPage, banks: Glance, *, secret: str = curl.KEY_VARIABLE) -> Step:
    title = gettext_lazy("Link a bank")
    if banks.to_exchange and not banks.any:
        return Step(
            "bank",
            title,
            gettext_lazy("The customer is done. Exchange the session's one-time token: from then on the app owns it."),
            is_done=False,
            core=False,
            code=curl.exchange(request, banks.to_exchange, secret=secret),
        )
    sandbox = ids.encode(institution_ids.PREFIX, institution_ids.of_slug(SANDBOX))
    return Step(
        "bank",
        title,
        gettext_lazy(
            "Be the customer yourself: log in at Sandbox Bank as user_good with the password pass_good and the code"
            " 1234."
        ),
        is_done=banks.any,
        core=False,
        url=f"{page.url('link_session_new')}?bank={sandbox}",
        action=gettext_lazy("Link Sandbox Bank"),
    )
