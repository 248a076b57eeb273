"""Attempts to agree, the same for consents and orders: redirect only."""

from __future__ import annotations

import urllib.parse
from typing import Any

from django.http import HttpResponse

from sandbox_bank import authorisations
from sandbox_bank.api.endpoints import Ask, answer
from sandbox_bank.models import Authorisation, Consent, Payment
from sandbox_bank.refusals import Refusal


def tpp_name(ask: Ask) -> str:
    """What the bank's pages call the third party."""
    return ask.header("TPP-Brand-Logging-Information")[:140] or "Facturino Connect"


def check_way_back(ask: Ask) -> tuple[str, str]:
    """Where the customer goes afterwards, and where when they refused."""
    back = ask.header("TPP-Redirect-URI")
    refused = ask.header("TPP-Nok-Redirect-URI") or back
    for name, address in (("TPP-Redirect-URI", back), ("TPP-Nok-Redirect-URI", refused)):
        parts = urllib.parse.urlsplit(address)
        if parts.scheme not in {"http", "https"} or not parts.hostname or len(address) > 2000:
            raise Refusal("FORMAT_ERROR", f"{name} is missing or no address.", path=name)
    if ask.header("TPP-Redirect-Preferred").lower() == "false":
        raise Refusal("PARAMETER_NOT_SUPPORTED", "This bank redirects its customers.", path="TPP-Redirect-Preferred")
    return back, refused


def links_of(ask: Ask, subject: Consent | Payment, path: str) -> dict[str, Any]:
    """Where to go on. An attempt is begun at once, unless the third party wants to do that itself."""
    links: dict[str, Any] = {"self": ask.link(path), "status": ask.link(f"{path}/status")}
    if ask.header("TPP-Explicit-Authorisation-Preferred").lower() == "true":
        return {"startAuthorisation": ask.link(f"{path}/authorisations"), **links}
    attempt = authorisations.of(subject).first() or authorisations.start(subject)
    return {**_links(ask, attempt, path), **links}


def started(ask: Ask, attempt: Authorisation, path: str) -> HttpResponse:
    """The answer to an attempt that was begun."""
    body = {
        "scaStatus": attempt.sca_status,
        "authorisationId": attempt.authorisation_id,
        "_links": _links(ask, attempt, path),
    }
    return answer(body, status=201, ASPSP_SCA_Approach="REDIRECT")


def _links(ask: Ask, attempt: Authorisation, path: str) -> dict[str, Any]:
    return {
        "scaRedirect": {"href": authorisations.page_url(attempt)},
        "scaStatus": ask.link(f"{path}/authorisations/{attempt.authorisation_id}"),
    }
