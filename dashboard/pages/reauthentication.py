"""Asking again who it is, before secrets are shown or made, and before somebody is let in or given more rights.

    @organization_page(permission="api_keys:write")
    @needs_proof
    def new(request, page): …

A form is opened only under a fresh proof: the person is led to the page that asks for a password, code or passkey, and
from there back. So what they type is sent in time; a form left open for too long is refused, nothing is changed, and
they come back to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext

from connect.domain import proofs

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def needs_proof(view: View[P]) -> View[P]:
    """Wraps a view of a signed-in person, below the decorator that is its door: only who may come in is asked."""

    @wraps(view)
    def proved(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if has_proof(request):
            return view(request, *args, **kwargs)
        if _is_sending(request):
            messages.warning(
                request,
                gettext("Nothing was changed: it is a while since you showed who you are. Then send the form again."),
            )
        return _ask(request)

    return cast("View[P]", proved)


def has_proof(request: HttpRequest) -> bool:
    """The same question for a form of one button, which nobody could come back to."""
    return proofs.is_fresh(request.session, now=time.time(), sending=_is_sending(request))


def _is_sending(request: HttpRequest) -> bool:
    return request.method not in {"GET", "HEAD"}


def _ask(request: HttpRequest) -> HttpResponse:
    url = f"{reverse('account_reauthenticate')}?{urlencode({'next': request.get_full_path()})}"
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)
