"""Paying by bank: the page on which a payer chooses a bank, and where the bank sends them back to.

Every view asks the payment how it stands, and the bank where it has the order, and shows that. So a refresh, the back
button and a second tab are harmless: there is one order, and what is paid is shown as paid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods, require_safe

from banks.clients.connector import Psu
from banks.models import Institution
from banks.pages import pay_words
from banks.selectors import bank_payments as selectors
from banks.selectors import institutions
from banks.selectors.bank_payments import Standing
from banks.services import bank_payments
from connect.domain import redirects
from connect.domain.tiers import TooManyPayments
from connect.kit import clock, ids
from connect.kit.addresses import client_address
from connect.kit.caller import Actor, Caller, EnvironmentRef
from connect.kit.tenancy import use_environment
from connect.pages import hosted, languages
from connect.selectors import organizations
from connect.services import limits

LOOKS: Final = 3
"""So often a payer who comes back waits for the bank before they go on to the merchant, who is told later."""
LOOK_SECONDS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A payment as its page shows it: who is paid, and how it stands."""

    environment: EnvironmentRef
    merchant: str
    payment: Standing

    @property
    def livemode(self) -> bool:
        """Whether the money is real."""
        return self.environment.livemode

    @property
    def url(self) -> str:
        """The payment's own page, without a host."""
        return f"/pay/{selectors.token(self.environment, self.payment.id)}"

    @property
    def caller(self) -> Caller:
        """Who asks the bank."""
        return Caller(
            self.environment,
            Actor("system", "pay_by_bank"),
            self.payment.account_id,
            api_version=self.environment.api_version,
        )


def _find_page(token: str) -> Visit | None:
    known = hosted.split(token)
    if known is None:
        return None
    environment, secret = known
    with use_environment(environment):
        return _visit(environment, selectors.by_secret(secret, now=clock.wall()))


def _find_state(token: str) -> Visit | None:
    known = hosted.split(token)
    if known is None:
        return None
    environment, state = known
    with use_environment(environment):
        return _visit(environment, selectors.by_state(state, now=clock.wall()))


def _visit(environment: EnvironmentRef, payment: Standing | None) -> Visit | None:
    if payment is None:
        return None
    merchant = organizations.name(environment.organization_id)
    return Visit(environment=environment, merchant=merchant, payment=payment)


def _missing(request: HttpRequest) -> HttpResponse:
    return hosted.show(request, "pay/missing.html", status=404)


@require_http_methods(["GET", "HEAD", "POST"])
@hosted.opened(_find_page, _missing)
def page(request: HttpRequest, token: str, visit: Visit) -> HttpResponse:  # noqa: ARG001 - the visit knows it
    """Show the payment as it stands; a POST sends it to the chosen bank, or gives it up."""
    if request.method == "POST":
        return _submit(request, visit)
    payment = _looked_at(request, visit)
    if payment.has_left_the_payer:
        return _show(request, visit, payment, "over", text=pay_words.of_end(payment), is_last="over" in request.GET)
    if payment.is_being_sent:
        return _wait(request, visit, payment, again=visit.url)
    if payment.is_sent:
        refused = "refused" in request.GET
        return _show(request, visit, payment, "at_bank", refused=refused)
    return _choose(request, visit, payment)


@require_safe
@hosted.opened(_find_state, _missing)
def back(request: HttpRequest, token: str, visit: Visit) -> HttpResponse:
    """Where the bank sends the payer: on to the merchant once it has decided, else to wait, or to the page."""
    return _came_back(request, token, visit, refused=False)


@require_safe
@hosted.opened(_find_state, _missing)
def refused(request: HttpRequest, token: str, visit: Visit) -> HttpResponse:
    """Where the bank sends a payer who did not agree; the bank's word counts all the same."""
    return _came_back(request, token, visit, refused=True)


def _came_back(request: HttpRequest, token: str, visit: Visit, *, refused: bool) -> HttpResponse:
    payment = _looked_at(request, visit)
    look = request.GET.get("look", "0")[:3]
    looks = int(look) if look.isdecimal() else LOOKS
    if payment.is_over or (payment.has_left_the_payer and looks >= LOOKS):
        return _redirect(_on(request, payment.return_url or visit.url))
    if payment.has_left_the_payer:
        again = f"/pay/back/{token}?look={looks + 1}" + languages.query(request).replace("?", "&")
        return _wait(request, visit, payment, again=again)
    return _redirect(_on(request, f"{visit.url}?refused=1" if refused else visit.url))


# --- sending ----------------------------------------------------------------------------------------------------------


def _submit(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Send the order to the chosen bank and the payer after it, or end the payment; then look how it stands."""
    here = _on(request, visit.url)
    if request.POST.get("action") == "cancel":
        with use_environment(visit.environment):
            bank_payments.give_up(payment_id=visit.payment.id)
        return _redirect(here)
    bank = _chosen(visit, request.POST.get("institution", ""))
    if bank is None:
        return _choose(request, visit, visit.payment, notice=pay_words.CHOOSE)
    try:
        limits.attempt_payment(client_address(request))
    except TooManyPayments:
        return _choose(request, visit, visit.payment, notice=pay_words.TOO_OFTEN)
    with use_environment(visit.environment):
        claimed = bank_payments.claim(
            visit.caller, payment_id=visit.payment.id, institution=bank, address=client_address(request)
        )
    if claimed is None:
        return _redirect(here)
    answer = bank_payments.send(claimed, _psu(request))
    with use_environment(visit.environment):
        payment = bank_payments.sent(visit.caller, claimed, answer)
    if payment.bank_url and not payment.has_left_the_payer and _origin(bank) == redirects.origin(payment.bank_url):
        return _redirect(payment.bank_url)
    return _redirect(here)  # a form may only lead to addresses known when it was shown: a link there goes on


def _chosen(visit: Visit, institution: str) -> Institution | None:
    identifier = ids.decode("inst", institution)
    banks = selectors.payable(visit.payment.amount.currency, livemode=visit.livemode)
    return next((row for row in banks if row.id == identifier), None)


# --- showing ----------------------------------------------------------------------------------------------------------


def _choose(request: HttpRequest, visit: Visit, payment: Standing, *, notice: Any = None) -> HttpResponse:
    """The banks to choose from; only the one that was named before, unless another one is asked for."""
    query, asks = request.GET.get("q", "")[:60], "choose" in request.GET
    banks = selectors.payable(payment.amount.currency, livemode=visit.livemode, query=query)
    named = [row for row in banks if row.id == payment.institution_id]
    is_named = bool(named) and not asks and not payment.failure
    has_others = len(banks) > len(named)
    if is_named:
        banks = named
    if notice is None and payment.failure:
        notice = pay_words.of_failure(payment.failure)
    return _show(
        request,
        visit,
        payment,
        "choose",
        forms_lead_to=tuple({_origin(row) for row in banks}),
        banks=[{"id": ids.encode("inst", row.id), "name": row.native_name or row.name} for row in banks],
        is_named=is_named,
        has_others=has_others,
        query=query,
        keep=urlencode({"choose": "1", "q": query}) + "&" if asks else "",
        notice=notice,
        left=hosted.left(payment.expires_at, clock.wall()),
    )


def _show(request: HttpRequest, visit: Visit, payment: Standing, name: str, **context: Any) -> HttpResponse:
    return hosted.show(request, f"pay/{name}.html", visit=visit, payment=payment, **context)


def _wait(request: HttpRequest, visit: Visit, payment: Standing, *, again: str) -> HttpResponse:
    """A page that looks again by itself: by a header, which needs no script."""
    response = _show(request, visit, payment, "waiting", again=again)
    response.headers["Refresh"] = f"{LOOK_SECONDS}; url={again}"
    return response


def _looked_at(request: HttpRequest, visit: Visit) -> Standing:
    """How the payment stands now: the bank is asked where it has the order, and time over is over."""
    payment = visit.payment
    if payment.is_sent and not payment.is_over:
        return bank_payments.look(visit.caller, payment.id, psu=_psu(request))
    if not payment.is_over and payment.expires_at <= clock.wall():
        with use_environment(visit.environment):
            return bank_payments.expire(payment_id=payment.id)
    return payment


def _psu(request: HttpRequest) -> Psu:
    return Psu(
        present=True, ip_address=client_address(request), user_agent=request.headers.get("User-Agent", "")[:300] or None
    )


def _origin(bank: Institution) -> str | None:
    profile = institutions.profile(bank)
    return redirects.origin(profile.base_url) if profile else None


def _on(request: HttpRequest, url: str) -> str:
    """The address, in the language that was chosen."""
    chosen = languages.query(request)
    return url + (chosen.replace("?", "&") if "?" in url else chosen)


def _redirect(url: str) -> HttpResponse:
    response = HttpResponseRedirect(url)
    response.status_code = 303
    return response
