"""A third party that holds every answer of the bank against the Berlin Group's own description."""

from __future__ import annotations

import functools
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from tests.sandbox_bank.live import SandboxBank

DESCRIPTION = Path(__file__).parent / "data" / "vendor" / "psd2-api_v1.3.12-2022-07-06.yaml"
BACK, REFUSED = "https://app.example/back", "https://app.example/refused"
DOMESTIC = [f"domestic-{currency}-credit-transfers" for currency in ("mkd", "rsd", "all")]
PAYMENTS = "/v1/payments/sepa-credit-transfers"
CHOICE = {"accounts": [], "balances": [], "transactions": []}
ANYBODY = "MK07300000000042425"


@functools.cache
def description() -> OpenAPI:
    """The description with this bank's domestic products, which the standard leaves to each country."""
    loaded = yaml.load(DESCRIPTION.read_text(encoding="utf-8"), yaml.CSafeLoader)
    loaded["components"]["parameters"]["paymentProduct"]["schema"]["enum"] += DOMESTIC
    loaded["servers"] = [{"url": "http://bank.test"}]
    return OpenAPI.from_dict(loaded)


@dataclass
class ThirdParty:
    """Calls of the interface; `present` says whether the customer sits before the screen."""

    bank: SandboxBank
    client: httpx.Client
    present: bool = True
    consent: str = ""

    def call(
        self, method: str, path: str, body: Any = None, *, checked: bool = True, **headers: str | None
    ) -> httpx.Response:
        """One call. A header that is None is left out; a link of the bank may be given as it is."""
        path = path.removeprefix(self.bank.url)
        named = {
            "X-Request-ID": str(uuid.uuid4()),
            "PSU-IP-Address": "192.0.2.7" if self.present else None,
            "Consent-ID": self.consent or None,
            "TPP-Redirect-URI": BACK if method == "POST" else None,
            "TPP-Nok-Redirect-URI": REFUSED if method == "POST" else None,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        sent = {name: value for name, value in named.items() if value is not None}
        answered = self.client.request(method, f"{self.bank.url}{path}", json=body, headers=sent)
        if checked:
            self.check(answered)
        return answered

    def check(self, answered: httpx.Response) -> None:
        """The answer is one that the description allows, and repeats the request's id."""
        request = answered.request
        asked = MockRequest(
            "http://bank.test", request.method.lower(), request.url.path, args=dict(request.url.params),
            headers=dict(request.headers), data=request.content or None, content_type="application/json",
        )  # fmt: skip
        headers = {name.title(): value for name, value in answered.headers.items()}
        kind = answered.headers.get("content-type", "").partition(";")[0]
        shown = MockResponse(answered.content, answered.status_code, headers, kind)
        description().validate_response(asked, shown)
        if len(request.headers.get("x-request-id", "")) == 36:
            assert answered.headers["x-request-id"] == request.headers["x-request-id"]

    def get(self, path: str, **headers: str | None) -> Any:
        """The JSON of a call that has to go well."""
        answered = self.call("GET", path, **headers)
        assert answered.status_code == 200, answered.text
        return answered.json()

    def begin(self, access: dict[str, Any] | None = None, *, checked: bool = True, **other: Any) -> httpx.Response:
        """Ask for a consent."""
        body = {
            "access": CHOICE if access is None else access, "recurringIndicator": True, "validUntil": "9999-12-31",
            "frequencyPerDay": 4, "combinedServiceIndicator": False, **other,
        }  # fmt: skip
        return self.call("POST", "/v1/consents", body, checked=checked)

    def agreed(self, access: dict[str, Any] | None = None, user: str = "user_good", **other: Any) -> ThirdParty:
        """With a consent that a customer agreed to, from now on."""
        begun = self.begin(access, **other)
        assert begun.status_code == 201, begun.text
        self.bank.authorise(consent=begun.json()["consentId"], user=user)
        self.consent = begun.json()["consentId"]
        return self

    def account(self, currency: str = "MKD") -> str:
        """The path of the first account in a currency."""
        found = next(one for one in self.get("/v1/accounts")["accounts"] if one["currency"] == currency)
        return f"/v1/accounts/{found['resourceId']}"

    def entries(self, account: str, status: str = "both", since: str = "2000-01-01", **headers: str | None) -> Any:
        """The first page of entries."""
        return self.get(f"{account}/transactions?bookingStatus={status}&dateFrom={since}", **headers)


def order(**other: Any) -> dict[str, Any]:
    """An order to pay 12.30 EUR."""
    return {
        "instructedAmount": {"currency": "EUR", "amount": "12.30"}, "creditorAccount": {"iban": "DE89370400440532013000"},
        "creditorName": "Müller & Söhne", "endToEndIdentification": "E2E-1",
        "remittanceInformationUnstructured": "Invoice 7", **other,
    }  # fmt: skip
