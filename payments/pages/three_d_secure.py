"""`/3ds/<environment>.<secret>`: the page of the sandbox's card issuer, where a payer authenticates.

A real issuer has its own; this one plays it for the cards of `payments.domain.test_instruments`. It works without
JavaScript, and its policy lets the form lead to the merchant's own address and nowhere else.
"""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from connect.api import execution
from connect.kit.caller import Actor, Caller
from connect.kit.errors import LockTimeout
from connect.kit.tenancy import use_environment
from connect.selectors import environments, organizations
from payments.domain.three_d_secure import Answer, origin
from payments.selectors import authentications
from payments.services import payment_attempts, payment_intents, processor_calls, three_d_secure
from payments.services.three_d_secure import Challenge


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def challenge(request: HttpRequest, token: str) -> HttpResponse:
    """Shows what is to be agreed to, takes the answer, and sends the payer back to the merchant when it is over."""
    caller, secret = _caller(request, token)
    payee = organizations.name_of(caller.environment.organization_id)
    if request.method == "POST":
        try:
            found = _answered(request, caller, secret, payee)
        except LockTimeout:
            return _redirect(request.path)  # somebody else is at it, in another tab perhaps: show what came of that
        if found.phase == "over":
            return _redirect(found.way_back or request.path)
    else:
        found = _visited(caller, secret, payee)
        if found.phase == "over" and found.way_back:
            return _redirect(found.way_back)
    response = render(request, "three_d_secure/challenge.html", {"challenge": found, "payee": payee})
    target = origin(found.return_url) if found.return_url else None
    if target is not None:
        # Browsers hold a form's policy against the redirects that follow it, too.
        vars(response)["_csp_update"] = {"form-action": [target]}
    return response


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


def _redirect(target: str) -> HttpResponse:
    response = HttpResponseRedirect(target)
    response.status_code = 303
    return response
