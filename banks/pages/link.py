"""`/link/<token>`: the page on which a customer links their bank account, from the choice of a bank to the last word.

Every view asks the session how things stand and shows that. So a refresh, the back button, a second tab and another
device are harmless: whoever comes finds the visit where it is.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from banks.clients.connector import Psu
from banks.domain import errors
from banks.domain.link_state import CONSENT_DAYS, Status
from banks.pages import words
from banks.selectors import link_sessions, link_visits
from banks.selectors.link_visits import Bank, Visit
from banks.services import link_sessions as sessions
from banks.services import link_visits as visits
from banks.services.link_visits import Busy, WaysBack
from connect.domain import redirects
from connect.kit.addresses import client_address
from connect.kit.caller import Actor, Caller, EnvironmentRef
from connect.kit.errors import LockTimeout
from connect.kit.tenancy import use_environment
from connect.pages import hosted, languages

LOOKS: Final = 10
"""How often the page looks by itself whether the bank answers; then the customer decides."""
_LOOK_AGAIN: Final = (errors.LinkSessionNotOpen, Busy, LockTimeout)
"""Refusals after which the session itself says best how things stand: somebody else was faster."""


def _find(token: str) -> Visit | None:
    known = hosted.split(token)
    if known is None:
        return None
    environment, secret = known
    with use_environment(environment):
        now = _caller(environment).clock
        return link_visits.get(environment, secret, now=now.wall(), business=now.business())


def _find_by_state(token: str) -> tuple[Visit, str] | None:
    """The visit that the bank sends its customer back to, and the token of its page."""
    known = hosted.split(token)
    if known is None:
        return None
    environment, state = known
    with use_environment(environment):
        row = link_sessions.by_state(state)
        page_token = link_sessions.token(_caller(environment), row) if row else None
    visit = _find(page_token) if page_token else None
    return (visit, page_token) if visit and page_token else None


def _missing(request: HttpRequest) -> HttpResponse:
    return hosted.show(request, "link/missing.html", status=404)


_visited = hosted.opened(_find, _missing, locale=lambda visit: visit.locale)
_returned = hosted.opened(_find_by_state, _missing, locale=lambda found: found[0].locale)


@require_http_methods(["GET", "HEAD", "POST"])
@_visited
def page(request: HttpRequest, token: str, visit: Visit) -> HttpResponse:
    """Show the session as it stands; a POST agrees, chooses or cancels."""
    if request.method == "POST":
        return _act(request, token, visit)
    if not visit.is_open:
        return _show_end(request, visit)
    if visit.is_waiting:
        return _wait(request, visit, _here(request, token, request.GET), seconds=2)
    if visit.status == Status.CHOOSING:
        return _show(request, "choose", visit, forms_lead_to=[visit.return_url])
    picks = "bank" in request.GET or "another" in request.GET
    if visit.status == Status.AT_BANK and not picks:
        return _look(request, token, visit)
    return _show_start(request, visit)


@require_safe
@_returned
def back(request: HttpRequest, _: str, found: tuple[Visit, str]) -> HttpResponse:
    """Where the bank sends its customer, in whichever browser: ask the bank, then on to the page."""
    return _ask_bank(request, found[1], found[0], refused=False)


@require_safe
@_returned
def refused(request: HttpRequest, _: str, found: tuple[Visit, str]) -> HttpResponse:
    """Where the bank sends a customer who did not agree."""
    return _ask_bank(request, found[1], found[0], refused=True)


# --- what a customer does ---------------------------------------------------------------------------------------------


def _act(request: HttpRequest, token: str, visit: Visit) -> HttpResponse:
    action = request.POST.get("action")
    caller = _caller(visit.environment, visit, request)
    try:
        if action == "agree":
            return _agree(request, token, visit, caller)
        if action == "choose":
            with use_environment(visit.environment):
                visits.choose(caller, session_id=visit.session_id, chosen=request.POST.getlist("account"))
        elif action == "cancel":
            with use_environment(visit.environment):
                sessions.cancel(caller, session_id=visit.session_id)
    except errors.AccountsNotChosen:
        return _show(request, "choose", visit, forms_lead_to=[visit.return_url], notice=words.NONE_CHOSEN)
    except _LOOK_AGAIN:
        pass
    return _onward(request, token)


def _agree(request: HttpRequest, token: str, visit: Visit, caller: Caller) -> HttpResponse:
    slug = request.POST.get("bank", "")
    state = f"{visit.environment.short_id}.{sessions.state_of(token.partition('.')[2])}"
    root, query = settings.FC_PUBLIC_URL.rstrip("/"), languages.query(request)
    ways = WaysBack(
        back=f"{root}{reverse('link:back', args=[state])}{query}",
        refused=f"{root}{reverse('link:refused', args=[state])}{query}",
    )
    try:
        visits.send_to_bank(caller, session_id=visit.session_id, institution=slug, ways=ways, psu=_psu(request))
    except errors.InstitutionUnavailable:
        return _show_picker(request, visit, notice=words.UNAVAILABLE)
    return _onward(request, token, bank=slug)


def _ask_bank(request: HttpRequest, token: str, visit: Visit, *, refused: bool, looks: int = 0) -> HttpResponse:
    """Ask the bank how the consent stands, and go where that leads; without an answer the page looks again."""
    caller = _caller(visit.environment, visit, request)
    try:
        answered = visits.came_back(caller, session_id=visit.session_id, psu=_psu(request), refused=refused)
    except _LOOK_AGAIN:
        answered = True
    now = _find(token)
    assert now is not None, "sessions are never deleted"
    if now.status != Status.AT_BANK or now.is_waiting or not now.is_open:
        return _onward(request, token)
    if not answered:
        return HttpResponseRedirect(_here(request, token, {"look": str(looks + 1)}))
    return HttpResponseRedirect(_here(request, token, {"unfinished": "1"}))


def _look(request: HttpRequest, token: str, visit: Visit) -> HttpResponse:
    """A visit that is at the bank: the way on, or the next look at a bank that has not answered."""
    looks = request.GET.get("look", "")[:3]
    if not looks.isdecimal() or int(looks) > LOOKS:
        notice: Any = words.NOT_YET if "unfinished" in request.GET else None
        if looks or visit.last_error:
            notice = words.of_failure(visit.last_error or "institution_down")
        again = _here(request, token, {"look": "1", "now": "1"})
        return _show(request, "at_bank", visit, notice=notice, again=again, forms_lead_to=[visit.return_url])
    if request.GET.get("now") == "1":
        return _ask_bank(request, token, visit, refused=False, looks=int(looks))
    return _wait(request, visit, _here(request, token, {"look": looks, "now": "1"}), seconds=3)


# --- answers ----------------------------------------------------------------------------------------------------------


def _onward(request: HttpRequest, token: str, bank: str = "") -> HttpResponse:
    """To where the session, read anew, says that the customer belongs: the bank, the app, or the page."""
    visit = _find(token)
    assert visit is not None, "sessions are never deleted"
    if visit.way_back:
        return HttpResponseRedirect(visit.way_back)
    if visit.status == Status.AT_BANK and bank and not visit.last_error and _leads_to(visit.bank, visit.bank_url):
        return HttpResponseRedirect(visit.bank_url or "")
    return HttpResponseRedirect(_here(request, token, {"bank": bank} if bank and visit.last_error else {}))


def _leads_to(bank: Bank | None, url: str | None) -> bool:
    """Whether the form that was sent may lead to `url`: its page could name the origin of the bank's interface only.

    A bank whose own pages are elsewhere is reached by a link on ours.
    """
    if bank is None or bank.address is None or url is None:
        return False
    return redirects.origin(url) is not None and redirects.origin(url) == redirects.origin(bank.address)


def _wait(request: HttpRequest, visit: Visit, again: str, *, seconds: int) -> HttpResponse:
    """A page that goes on by itself, without a script; nothing on it can be lost by that."""
    response = _show(request, "waiting", visit, again=again)
    response.headers["Refresh"] = f"{seconds}; url={again}"
    return response


def _show_end(request: HttpRequest, visit: Visit) -> HttpResponse:
    if visit.status == Status.COMPLETE:
        return _show(request, "done", visit)
    return _show(request, "canceled" if visit.status == Status.CANCELED else "expired", visit)


def _show_start(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The consent for the bank that is named, else the choice of one."""
    slug = request.GET.get("bank", "")
    bank = visit.bank if not slug and "another" not in request.GET else None
    if visit.renews:
        bank = visit.bank
    elif slug:
        with use_environment(visit.environment):
            bank = link_visits.bank(visit, slug)
    if bank is None:
        return _show_picker(request, visit)
    if not bank.is_available:
        return _show_picker(request, visit, notice=words.UNAVAILABLE)
    return _show(
        request,
        "consent",
        visit,
        bank=bank,
        consent_days=min(CONSENT_DAYS, bank.consent_days),
        standing=words.STANDINGS[bank.standing],
        notice=words.of_failure(visit.last_error) if visit.last_error else None,
        keep=_query(bank=slug),
        forms_lead_to=[bank.address, visit.return_url],
    )


def _show_picker(request: HttpRequest, visit: Visit, *, notice: Any = None) -> HttpResponse:
    query, country = request.GET.get("q", "").strip()[:100], request.GET.get("country", "")
    with use_environment(visit.environment):
        banks = link_visits.banks(visit, query, country)
    if notice is None and visit.last_error:
        notice = words.of_failure(visit.last_error)
    offered = visit.countries or words.COUNTRIES
    return _show(
        request,
        "pick",
        visit,
        banks=[(bank, words.STANDINGS[bank.standing], words.COUNTRIES.get(bank.country.lower(), "")) for bank in banks],
        countries=[(code, words.COUNTRIES[code]) for code in words.COUNTRIES if code in offered],
        query=query,
        country=country,
        notice=notice,
        keep=_query(another="1" if "another" in request.GET else "", q=query, country=country),
        forms_lead_to=[visit.return_url],
    )


def _show(request: HttpRequest, name: str, visit: Visit, *, forms_lead_to: Any = (), **context: Any) -> HttpResponse:
    return hosted.show(
        request,
        f"link/{name}.html",
        forms_lead_to=forms_lead_to,
        visit=visit,
        left=hosted.left(visit.expires_at, visit.seen_at),
        visit_path=request.path,
        language_query=languages.query(request),
        chosen_language=languages.chosen(request),
        **context,
    )


# --- what all of it needs ---------------------------------------------------------------------------------------------


def _caller(environment: EnvironmentRef, visit: Visit | None = None, request: HttpRequest | None = None) -> Caller:
    caller = Caller(environment, Actor("system", "link"), api_version=environment.api_version)
    if visit is None:
        return caller
    return Caller(
        environment,
        caller.actor,
        account=visit.account_id,
        request_id=getattr(request, "request_id", ""),
        api_version=environment.api_version,
    )


def _psu(request: HttpRequest) -> Psu:
    return Psu(
        present=True,
        ip_address=client_address(request) or None,
        user_agent=request.headers.get("User-Agent", "")[:300] or None,
    )


def _here(request: HttpRequest, token: str, parameters: Any) -> str:
    """The page's address with these parameters, in the language that was chosen."""
    given = {name: parameters[name] for name in parameters if name != languages.PARAMETER}
    code = languages.chosen(request)
    query = urlencode({**given, languages.PARAMETER: code} if code else given)
    return reverse("link:page", args=[token]) + (f"?{query}" if query else "")


def _query(**parameters: str) -> str:
    """What a link to another language keeps: `bank=…&`, or nothing."""
    kept = urlencode({name: value for name, value in parameters.items() if value})
    return f"{kept}&" if kept else ""
