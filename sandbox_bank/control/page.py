"""The control as a page, for people: what there is, and a form for what is done most."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from sandbox_bank import faults, pages
from sandbox_bank.control import commands
from sandbox_bank.refusals import Refusal

Reader = Callable[[str], Any]
SHOWN_CALLS = 40


def _ticked(text: str) -> bool:
    return text == "on"


def _days(text: str) -> int:
    return int(text) * 86_400


def _read(name: str, read: Reader, text: str) -> Any:
    try:
        return read(text)
    except ValueError:
        raise commands.Wrong(f"{name} is a number, and {text} is none.") from None


FORMS: Mapping[str, tuple[Callable[..., Any], Mapping[str, Reader]]] = {
    "reset": (commands.reset, {}),
    "clock": (commands.set_clock, {"offset_seconds": _days}),
    "misbehave": (
        commands.misbehave,
        {"kind": str, "endpoint": str, "times": int, "seconds": float, "ms": int},
    ),
    "behave": (commands.behave, {}),
    "add_transaction": (
        commands.add_transaction,
        {"account": str, "amount": str, "pending": _ticked, "counterparty": str, "remittance": str},
    ),
    "book_transaction": (commands.book_transaction, {"transaction": str}),
    "set_consent": (commands.set_consent, {"consent": str, "status": str}),
    "set_payment": (commands.set_payment, {"payment": str, "status": str, "reason": str}),
    "script_payments": (commands.script_payments, {"statuses": str.split}),
}
ENDPOINTS = ("consents", "accounts", "account", "balances", "transactions", "transaction", "payments")


def show(request: HttpRequest, error: str = "") -> HttpResponse:
    """Everything there is, with what can be done to it."""
    answered = pages.page(
        request,
        "control",
        status=400 if error else 200,
        language="en",
        error=error,
        kinds=faults.KINDS,
        endpoints=ENDPOINTS,
        pending=commands.pending(),
        calls=commands.log()["calls"][-SHOWN_CALLS:][::-1],
        **commands.state(),
    )
    # Without a referrer a browser sends `Origin: null` with the forms, which the guard takes for somebody else's page.
    answered["Referrer-Policy"] = "same-origin"
    return answered


def do(request: HttpRequest) -> HttpResponse:
    """One form of the page. A field that is left empty is left out."""
    function, readers = FORMS.get(request.POST.get("form", ""), (None, {}))
    try:
        if function is None:
            raise commands.Wrong("There is no such form.")
        filled = [(name, read) for name, read in readers.items() if request.POST.get(name)]
        given = {name: _read(name, read, request.POST[name]) for name, read in filled}
        function(**given)
    except (commands.Wrong, Refusal, TypeError, ValueError) as wrong:
        return show(request, str(wrong))
    return HttpResponseRedirect("/control/")


do.csrf_exempt = True  # type: ignore[attr-defined]  # sandbox_bank.middleware turns other sites away
