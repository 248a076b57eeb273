"""The history of a person's sign-ins: where one looks for what was not oneself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from connect.selectors import sign_ins as selectors
from connect.selectors.sign_ins import SignInInfo
from dashboard.pages.access import user_id

OUTCOMES: Final[dict[str, tuple[Any, str]]] = {
    "succeeded": (_("Signed in"), "good"),
    "failed": (_("Failed"), "bad"),
    "locked": (_("Refused: too many attempts"), "warn"),
}
"""Word and badge tone by outcome."""
METHODS: Final[dict[str, Any]] = {
    "password": _("Password"),
    "totp": _("Password and app code"),
    "recovery_code": _("Password and recovery code"),
    "passkey": _("Passkey"),
    "trusted_device": _("Password on a remembered device"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """An attempt as the list draws it."""

    info: SignInInfo
    outcome: Any
    tone: str
    method: Any


@require_safe
@login_required
def sign_ins(request: HttpRequest) -> HttpResponse:
    """Fifty attempts, newest first; `before` is the id of the last one on the page before."""
    found, has_more = selectors.page(user_id(request), before=request.GET.get("before", ""))
    rows = [Row(info, *OUTCOMES[info.outcome], METHODS.get(info.method, info.method)) for info in found]
    context = {"rows": rows, "older": found[-1].id if has_more else "", "is_first": "before" not in request.GET}
    return render(request, "account_pages/sign_ins.html", context)
