"""`/v1/consents`"""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse

from sandbox_bank import authorisations, consents
from sandbox_bank.api.authorisations import check_way_back, links_of, started, tpp_name
from sandbox_bank.api.endpoints import Ask, answer
from sandbox_bank.models import Consent
from sandbox_bank.refusals import Refusal


def path(consent: Consent) -> str:
    """Where a consent stands."""
    return f"/v1/consents/{consent.consent_id}"


def create(ask: Ask) -> HttpResponse:
    """Begin a consent."""
    back, refused = check_way_back(ask)
    if not ask.attended:
        raise Refusal("FORMAT_ERROR", "PSU-IP-Address is missing.", path="PSU-IP-Address")
    request_id = ask.header("X-Request-ID")
    consent = consents.create(
        ask.json(), tpp=tpp_name(ask), request_id=request_id, redirect_uri=back, refused_uri=refused
    )
    body = {
        "consentStatus": consent.status,
        "consentId": consent.consent_id,
        "_links": links_of(ask, consent, path(consent)),
    }
    return answer(body, status=201, Location=path(consent), ASPSP_SCA_Approach="REDIRECT")


def read(ask: Ask, consent_id: str) -> HttpResponse:
    """What was agreed to."""
    consent = consents.find(consent_id, status=403)
    body: dict[str, Any] = {
        "access": consent.access,
        "recurringIndicator": consent.recurring,
        "validUntil": consent.valid_until.isoformat(),
        "frequencyPerDay": consent.frequency,
        "lastActionDate": consent.last_action.isoformat(),
        "consentStatus": consent.status,
    }
    if consent.status == "valid":
        body["_links"] = {"account": ask.link("/v1/accounts")}
    return answer(body)


def status(ask: Ask, consent_id: str) -> HttpResponse:
    """How it stands."""
    return answer({"consentStatus": consents.find(consent_id, status=403).status})


def delete(ask: Ask, consent_id: str) -> HttpResponse:
    """The third party gives it back. One that is over stays as it is."""
    consent = consents.find(consent_id, status=403)
    if consent.status in {"received", "valid", "partiallyAuthorised"}:
        consents.set_status(consent, "terminatedByTpp")
    return HttpResponse(status=204)


def authorise(ask: Ask, consent_id: str) -> HttpResponse:
    """Begin another attempt to agree."""
    consent = consents.find(consent_id, status=403)
    return started(ask, authorisations.start(consent), path(consent))


def list_authorisations(ask: Ask, consent_id: str) -> HttpResponse:
    """All attempts."""
    found = authorisations.of(consents.find(consent_id, status=403))
    return answer({"authorisationIds": [one.authorisation_id for one in found]})


def sca_status(ask: Ask, consent_id: str, authorisation_id: str) -> HttpResponse:
    """How one attempt stands."""
    found = authorisations.find(consents.find(consent_id, status=403), authorisation_id)
    return answer({"scaStatus": found.sca_status})
