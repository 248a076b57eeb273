"""Where a person is signed in, and ending it."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST, require_safe

from connect.selectors import user_sessions as selectors
from connect.services import user_sessions as services
from dashboard.pages.access import user_id


@require_safe
@login_required
def sessions(request: HttpRequest) -> HttpResponse:
    """Every session that still works."""
    found = selectors.for_user(user_id(request), current_key=request.session.session_key or "")
    others = sum(not session.is_current for session in found)
    return render(request, "account_pages/sessions.html", {"sessions": found, "others": others})


@require_POST
@login_required
def end(request: HttpRequest, session_id: int) -> HttpResponse:
    """Ends one session; somebody else's is not there. The current one is ended by signing out."""
    current = request.session.session_key or ""
    chosen = next(
        (session for session in selectors.for_user(user_id(request), current_key=current) if session.id == session_id),
        None,
    )
    if chosen is None:
        raise Http404
    if chosen.is_current:
        return HttpResponseRedirect(reverse("account_logout"))
    services.end(user_id(request), session_id=session_id)
    messages.success(request, gettext("The session is ended. Whoever used it is signed out."))
    return HttpResponseRedirect(reverse("dashboard:account_sessions"))


@require_POST
@login_required
def end_others(request: HttpRequest) -> HttpResponse:
    """Ends every session but this one."""
    ended = services.end_others(user_id(request), current_key=request.session.session_key or "")
    messages.success(
        request,
        ngettext("%(count)d other session is ended.", "%(count)d other sessions are ended.", ended) % {"count": ended},
    )
    return HttpResponseRedirect(reverse("dashboard:account_sessions"))
