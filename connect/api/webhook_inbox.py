"""The address of the webhook inbox. It takes what comes, and can be told to fail: `?status=503`, to watch retries."""

from __future__ import annotations

from typing import Final

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from connect.domain.webhook_deliveries import BODY_MAX
from connect.services import webhook_inbox

_STATUSES: Final = range(200, 600)


@csrf_exempt  # its callers are machines, and its address is the credential
@require_POST
def receive(request: HttpRequest, token: str) -> HttpResponse:
    """Keep the request and answer 200, or the status that the address asks for."""
    environment = webhook_inbox.environment_at(token)
    if environment is None:
        return HttpResponse("There is no inbox at this address.\n", status=404, content_type="text/plain")
    try:
        body = request.body
    except RequestDataTooBig:
        body = b""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if len(body) > BODY_MAX or (not body and length != "0"):
        return HttpResponse("The inbox takes up to 64 kB.\n", status=413, content_type="text/plain")
    asked = request.GET.get("status", "")
    status = int(asked) if asked.isascii() and asked.isdecimal() and int(asked[:4]) in _STATUSES else 200
    headers = {name.lower(): value for name, value in request.headers.items()}
    webhook_inbox.receive(environment, headers=headers, body=body, answer=status)
    return HttpResponse("Kept.\n", status=status, content_type="text/plain")
