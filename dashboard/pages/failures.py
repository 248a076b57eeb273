"""What a page says when it failed: a fault of ours, or servers that cannot be reached for a moment."""

from __future__ import annotations

import sys
from typing import Final

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views.decorators.csrf import requires_csrf_token

from connect.kit.valkey import ValkeyError

RETRY_SECONDS: Final = 5


@requires_csrf_token
def failed(_request: HttpRequest) -> HttpResponse:
    """Django's `handler500`. Without its servers a page is 503 and says when to come back: nothing is broken.

    Signing in needs Valkey, which counts the attempts; so without it nobody can, and is told so here.
    """
    if isinstance(sys.exc_info()[1], ValkeyError | OperationalError | InterfaceError):
        text = loader.get_template("503.html").render({}, None)
        return HttpResponse(text, status=503, headers={"Retry-After": str(RETRY_SECONDS)})
    return HttpResponse(loader.get_template("500.html").render({}, None), status=500)
