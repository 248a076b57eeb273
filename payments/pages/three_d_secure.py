"""`/3ds/<environment>.<secret>`: the page of the sandbox's card issuer, where a payer authenticates.

A real issuer has its own; this one plays it for the cards of `payments.domain.test_instruments`. It works without
cookies and scripts, and its policy lets the form lead to the merchant's own address and nowhere else. It needs no CSRF
token: no browser carries an authority here that another site could borrow, the secret in the address is all there is.
"""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from connect.api import execution
from connect.domain import redirects
from connect.kit.caller import Actor, Caller
from connect.kit.errors import LockTimeout
from connect.kit.tenancy import use_environment
from connect.pages import languages
from connect.selectors import environments, organizations
from payments.domain.three_d_secure import Answer
from payments.selectors import authentications
from payments.services import payment_attempts, payment_intents, processor_calls, three_d_secure
from payments.services.three_d_secure import Challenge


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def challenge(request: HttpRequest, token: str) -> HttpResponse:
    """Shows what is to be agreed to, takes the answer, and sends the payer back to the merchant when it is over."""
    caller, secret = _caller(request, token)
    payee = organizations.name(caller.environment.organization_id)
    here = request.path + languages.query(request)
    if request.method == "POST":
        try:
            found = _answered(request, caller, secret, payee)
        except LockTimeout:
            return _redirect(here)  # somebody else is at it, in another tab perhaps: show what came of that
        if found.phase == "over":
            return _redirect(found.way_back or here)
    else:
        found = _visited(caller, secret, payee)
        if found.phase == "over" and found.way_back:
            return _redirect(found.way_back)
    return _show(request, found, payee)


def _caller(request: HttpRequest, token: str) -> tuple[Caller, str]:
    """Who the payer of this address belongs to. Anything that is not such an address is simply not there."""
    short_id, _, secret = token.partition(".")
    environment = environments.by_short_id(short_id)
    if environment is None or environment.livemode:
        raise Http404
    with use_environment(environment):
        account = authentications.account_of(secret)
    if account is None:
        raise Http404
    actor = Actor("system", "three_d_secure")
    request_id = getattr(request, "request_id", "")
    caller = Caller(environment, actor, account, request_id=request_id, api_version=environment.api_version)
    return caller, secret


def _visited(caller: Caller, secret: str, payee: str) -> Challenge:
    def visit() -> Challenge:
        with use_environment(caller.environment):
            return three_d_secure.visit(caller, secret=secret, payee=payee)

    return execution.retrying(visit)


def _answered(request: HttpRequest, caller: Caller, secret: str, payee: str) -> Challenge:
    """Take the answer; where the payment goes on by itself, go on with it before the payer leaves."""
    given = request.POST.get("answer", "")
    answer = Answer(given) if given in set(Answer) else Answer.CODE
    shown: list[Challenge] = []

    def keep(found: Any) -> bytes:
        if isinstance(found, Challenge):
            shown.append(found)
        return b""

    execution.external(
        caller,
        None,  # no key: the authentication itself can be answered once only
        begin=lambda caller: three_d_secure.begin_answer(
            caller, secret=secret, payee=payee, answer=answer, code=request.POST.get("code", "")
        ),
        resume=payment_intents.resume,
        call=processor_calls.perform,
        record=payment_attempts.record,
        render=keep,
    )
    return shown[-1] if shown else _visited(caller, secret, payee)


def _show(request: HttpRequest, found: Challenge, payee: str) -> HttpResponse:
    language = languages.of(request, None)
    context = {
        "challenge": found,
        "payee": payee,
        "here": request.path + languages.query(request),
        "language": language,
        "languages": languages.choices(language),
    }
    with translation.override(language):
        response = render(request, "three_d_secure/challenge.html", context)
    response.headers["Content-Language"] = language
    # Browsers hold a form's policy against the redirects that follow it, too.
    targets = {redirects.origin(url) for url in found.leads_to}
    response._csp_replace = {  # type: ignore[attr-defined]  # noqa: SLF001 - django-csp's way to say it per response
        "script-src": ["'none'"],
        "connect-src": ["'none'"],
        "form-action": ["'self'", *sorted(target for target in targets if target)],
    }
    return response


def _redirect(target: str) -> HttpResponse:
    response = HttpResponseRedirect(target)
    response.status_code = 303
    return response
