"""What all calls of the interface have in common: their headers, their refusals, the log, and the faults."""

from __future__ import annotations

import ipaddress
import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from sandbox_bank import clock, faults, settings
from sandbox_bank.models import Call, Consent, Fault
from sandbox_bank.refusals import Refusal

HTML = "<!doctype html><html><head><title>Maintenance</title></head><body><h1>We will be back soon</h1></body></html>"


@dataclass
class Ask:
    """One call: what was asked, and what is learned about it for the log."""

    request: HttpRequest
    endpoint: str
    faults: dict[str, Fault] = field(default_factory=dict)
    account: str = ""
    counted: bool = False

    def header(self, name: str) -> str:
        """A header, or an empty text."""
        return self.request.headers.get(name, "").strip()

    @property
    def attended(self) -> bool:
        """Whether the customer sits before the screen: then their address is given."""
        return bool(self.header("PSU-IP-Address"))

    def json(self) -> Any:
        """The body."""
        if self.request.content_type != "application/json":
            raise Refusal("FORMAT_ERROR", "The body is JSON: Content-Type: application/json.")
        try:
            return json.loads(self.request.body)
        except ValueError:
            raise Refusal("FORMAT_ERROR", "The body is not JSON.") from None

    def count(self, consent: Consent, account: str = "") -> None:
        """Note a call without the customer against the daily limit of this endpoint and account."""
        if self.attended:
            return
        today = clock.today()
        used = Call.objects.filter(
            consent=consent.consent_id, day=today, endpoint=self.endpoint, account=account, counted=True
        ).count()
        if used >= consent.frequency:
            raise Refusal("ACCESS_EXCEEDED", f"{consent.frequency} calls a day without the customer are allowed.")
        self.counted, self.account = True, account

    def link(self, path: str) -> dict[str, str]:
        """A link to a part of the interface."""
        return {"href": path if "relative_links" in self.faults else f"{settings.BANK_URL}{path}"}


Handler = Callable[..., HttpResponse]


def answer(body: Any, *, status: int = 200, **headers: str) -> HttpResponse:
    """A JSON answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpResponse(
        json.dumps(body, ensure_ascii=False), status=status, content_type="application/json", headers=named
    )


def endpoint(name: str, **handlers: Handler) -> Callable[..., HttpResponseBase]:
    """A view: `endpoint("accounts", get=read)` with `read(ask, …)`. Everything but its methods is refused."""

    def view(request: HttpRequest, **parts: str) -> HttpResponseBase:
        ask = Ask(request, name, faults.draw(name))
        for kind in ("hang", "slow"):
            if kind in ask.faults:
                faults.wait(ask.faults[kind])
        answered = _spoiled(ask)
        if answered is None:
            try:
                _check(ask)
                handler = handlers.get((request.method or "").lower())
                if handler is None:
                    raise Refusal("SERVICE_INVALID", f"{request.method} is not possible here.")
                answered = handler(ask, **parts)
            except Refusal as refusal:
                answered = answer(refusal.body(), status=refusal.status)
                if refusal.retry_after:
                    answered["Retry-After"] = str(refusal.retry_after)
        answered["X-Request-ID"] = str(_uuid(ask.header("X-Request-ID")) or uuid.uuid4())
        answered["Cache-Control"] = "no-store"
        _log(ask, answered.status_code, parts)
        return _dripping(ask.faults["drip"], answered) if "drip" in ask.faults else answered

    view.csrf_exempt = True  # type: ignore[attr-defined]
    return view


def _check(ask: Ask) -> None:
    if _uuid(ask.header("X-Request-ID")) is None:
        raise Refusal("FORMAT_ERROR", "X-Request-ID is missing or no UUID.", path="X-Request-ID")
    if ask.attended:
        try:
            ipaddress.ip_address(ask.header("PSU-IP-Address"))
        except ValueError:
            raise Refusal("FORMAT_ERROR", "PSU-IP-Address is no address.", path="PSU-IP-Address") from None
    accepted = ask.header("Accept")
    if accepted and not any(kind in accepted for kind in ("application/json", "application/*", "*/*")):
        raise Refusal("REQUESTED_FORMATS_INVALID", "This bank answers in JSON.")


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _spoiled(ask: Ask) -> HttpResponse | None:
    """The answer of a fault that replaces the real one."""
    kind = next((kind for kind in faults.ANSWERS if kind in ask.faults), None)
    details = ask.faults[kind].details if kind else {}
    if kind == "down":
        return HttpResponse(HTML, status=503, content_type="text/html")
    if kind == "html":
        return HttpResponse(HTML, status=int(details.get("status", 200)), content_type="text/html")
    if kind == "malformed":
        return HttpResponse('{"accounts": [{"resourceId": ', content_type="application/json")
    if kind == "too_many":
        refusal = Refusal("ACCESS_EXCEEDED", "Too many calls.")
        return answer(refusal.body(), status=429, Retry_After=str(details.get("retry_after", 60)))
    if kind == "error":
        status = int(details.get("status", 500))
        refusal = Refusal(
            str(details.get("code", "INTERNAL_SERVER_ERROR")), str(details.get("text", "")), status=status
        )
        return answer(refusal.body(), status=status)
    return None


def _dripping(fault: Fault, answered: HttpResponse) -> StreamingHttpResponse:
    body, pause = answered.content, int(fault.details.get("ms", 200)) / 1000
    size = int(fault.details.get("bytes", 1))

    def drops() -> Iterator[bytes]:
        for start in range(0, len(body), size):
            if start and Fault.objects.filter(pk=fault.pk).exists():
                time.sleep(pause)
            yield body[start : start + size]

    headers = {name: value for name, value in answered.headers.items() if name != "Content-Length"}
    return StreamingHttpResponse(drops(), status=answered.status_code, headers=headers)


def _log(ask: Ask, status: int, parts: dict[str, str]) -> None:
    now = clock.now()
    Call.objects.create(
        at=now,
        day=now.date(),
        method=ask.request.method or "",
        path=ask.request.get_full_path()[:2000],
        endpoint=ask.endpoint,
        status=status,
        attended=ask.attended,
        counted=ask.counted and status < 400,
        request_id=ask.header("X-Request-ID")[:70],
        consent=(ask.header("Consent-ID") or parts.get("consent_id", ""))[:70],
        account=ask.account or parts.get("resource_id", "")[:36],
    )
