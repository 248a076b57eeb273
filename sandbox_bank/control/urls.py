"""Addresses of the control: JSON in, JSON out; a wrong request is answered with 400 and `error`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from sandbox_bank.control import commands, page
from sandbox_bank.refusals import Refusal

Command = Callable[..., dict[str, Any]]


def command(function: Command) -> Callable[..., HttpResponse]:
    """A view that hands the fields of the body, or of the query, to a command."""

    def view(request: HttpRequest, **parts: Any) -> HttpResponse:
        try:
            given = json.loads(request.body or b"{}") if request.method == "POST" else request.GET.dict()
            return JsonResponse(function(**{**given, **parts}))
        except (commands.Wrong, Refusal, TypeError, ValueError) as error:
            return JsonResponse({"error": str(error)}, status=400)

    view.csrf_exempt = True  # type: ignore[attr-defined]
    return view


urlpatterns = [
    path("", page.show),
    path("do", page.do),
    path("reset", command(commands.reset)),
    path("state", command(commands.state)),
    path("log", command(commands.log)),
    path("clock", command(commands.set_clock)),
    path("switches", command(commands.set_switches)),
    path("misbehave", command(commands.misbehave)),
    path("behave", command(commands.behave)),
    path("authorise", command(commands.authorise)),
    path("transactions", command(commands.add_transaction)),
    path("transactions/list", command(commands.transactions)),
    path("transactions/<str:transaction>/change", command(commands.change_transaction)),
    path("transactions/<str:transaction>/book", command(commands.book_transaction)),
    path("transactions/<str:transaction>/remove", command(commands.remove_transaction)),
    path("accounts/<str:account>", command(commands.set_account)),
    path("consents/<str:consent>", command(commands.set_consent)),
    path("payments/script", command(commands.script_payments)),
    path("payments/<str:payment>", command(commands.set_payment)),
    path("users/<str:user>", command(commands.set_customer)),
]
