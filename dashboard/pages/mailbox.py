"""The development mailbox. Where mail is really sent, these pages do not exist."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dashboard import mail


@require_safe
@never_cache
def mailbox(request: HttpRequest) -> HttpResponse:
    """The mails of this installation, newest first."""
    _require_open()
    return render(request, "dashboard/mailbox.html", {"mails": mail.newest()})


@require_safe
@never_cache
def message(request: HttpRequest, name: str) -> HttpResponse:
    """One mail with its links."""
    _require_open()
    found = mail.get(name)
    if found is None:
        raise Http404
    return render(request, "dashboard/mailbox_message.html", {"mail": found})


def _require_open() -> None:
    if not mail.is_mailbox_open():
        raise Http404
