"""Banks for staff: what can be corrected in the catalogue, what can be seen of customers' data, and what cannot."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from banks import clients
from banks.clients.fake import FakeConnector
from banks.domain import interfaces
from banks.domain.errors import IncidentOver
from banks.domain.interfaces import InterfaceInvalid
from banks.domain.profiles import Capabilities
from banks.models import (
    BankAccount,
    BankPayment,
    BankTransaction,
    Connection,
    Institution,
    InstitutionHealth,
    InstitutionIncident,
    LinkSession,
)
from banks.pages import status
from banks.selectors import institutions as selectors
from banks.services import incidents
from banks.services import institutions as catalogue
from connect.kit import clock, ids, tenancy
from connect.kit.caller import Caller
from tests.banks import rows

INTERFACE = {
    "base_url": "https://api.bank.example/psd2",
    "capabilities": {"payments": True, "history_days": 730, "approaches": ["redirect"]},
    "payment_products": {"mkd": "domestic-credit-transfers"},
    "headers": {"X-Tenant": "mk"},
}


@pytest.fixture
def bank(db: None) -> Institution:
    return Institution.objects.get(slug="stopanska-mk")


def page_of(row: Any) -> str:
    return f"/admin/banks_catalog/{row._meta.model_name}/{row.pk}/change/"


def entered(**given: Any) -> dict[str, str]:
    """The form as a browser sends it."""
    usual = {"accounts": "unknown", "payments": "unknown", "pending": "unknown", "base_url": "", "confidence": ""}
    values = {"is_enabled": "on", "native_name": "", **usual, **given}
    return {name: value for name, value in values.items() if value is not None}


def test_a_bank_can_be_reached_once_staff_entered_its_interface(staff_client: Client, bank: Institution) -> None:
    answer = staff_client.post(
        page_of(bank),
        entered(
            native_name="Стопанска банка",
            base_url="https://api.bank.example/psd2",
            payments="true",
            history_days="730",
            approaches=["redirect"],
            payment_products="mkd domestic-credit-transfers\r\n",
            headers="X-Tenant: mk",
        ),
    )
    assert answer.status_code == 302, answer.content
    bank.refresh_from_db()
    assert (bank.interface, bank.native_name, bank.is_enabled) == (INTERFACE, "Стопанска банка", True)
    with clients.replaced("berlin_group", FakeConnector()):
        profile = selectors.profile(bank)
    assert profile is not None
    assert (profile.base_url, profile.capabilities.history_days) == ("https://api.bank.example/psd2", 730)


def test_its_name_at_home_is_searched_and_it_can_be_taken_off_the_list(
    staff_client: Client, bank: Institution, api: Any
) -> None:
    assert api.get("/v1/banking/institutions", {"query": "народна"}).json()["data"] == []
    staff_client.post(page_of(bank), entered(native_name="Народна штедилница"))
    (found,) = api.get("/v1/banking/institutions", {"query": "narodna"}).json()["data"]
    assert (found["slug"], found["native_name"]) == ("stopanska-mk", "Народна штедилница")
    staff_client.post(page_of(bank), entered(is_enabled=None))
    assert api.get("/v1/banking/institutions", {"query": "stobmk2x"}).json()["data"] == []
    assert api.get("/v1/banking/institutions/stopanska-mk").status_code == 200


@pytest.mark.parametrize(
    ("given", "field", "reason"),
    [
        ({"base_url": "http://x.example"}, "base_url", "begins with https://"),
        ({"base_url": "https://me:secret@x.example"}, "base_url", "no user name"),
        ({"base_url": "https://x.example/psd2/v1/"}, "base_url", "ends before /v1"),
        ({"base_url": "https://x.example:port"}, "base_url", "no address"),
        ({"history_days": "0"}, "history_days", "greater than or equal to 1"),
        ({"overlap_days": "91"}, "overlap_days", "less than or equal to 90"),
        ({"approaches": ["telepathy"]}, "approaches", "Select a valid choice"),
        ({"payment_products": "MKD domestic"}, "payment_products", "no lower-case currency"),
        ({"payment_products": "mkd ../consents"}, "payment_products", "no name of a payment product"),
        ({"payment_products": "mkd"}, "payment_products", "is no pair"),
        ({"headers": "X A: b"}, "headers", "cannot be sent"),
        ({"headers": "X-A"}, "headers", "is no pair"),
        ({"confidence": "certain"}, "confidence", "Select a valid choice"),
        ({"confidence": "high"}, "confidence_note", "Say why"),
    ],
)
def test_an_interface_that_no_connector_can_use_is_refused(
    staff_client: Client, bank: Institution, given: Any, field: str, reason: str
) -> None:
    before = Institution.objects.filter(pk=bank.pk).values().get()
    answer = staff_client.post(page_of(bank), entered(**given))
    assert answer.status_code == 200
    (told,) = answer.context["adminform"].form.errors[field]
    assert reason in told
    assert Institution.objects.filter(pk=bank.pk).values().get() == before


def test_the_form_shows_what_is_stored_and_saving_it_unchanged_changes_nothing(
    staff_client: Client, bank: Institution
) -> None:
    kept = {**INTERFACE, "confidence": "low", "confidence_note": "from hearsay"}
    Institution.objects.filter(pk=bank.pk).update(interface=kept)
    form = staff_client.get(page_of(bank)).context["adminform"].form
    words = {True: "true", False: "false", None: "unknown"}
    sent = {name: form[name].value() for name in form.fields}
    sent |= {name: words[sent[name]] for name in ("accounts", "payments", "pending")}
    answer = staff_client.post(page_of(bank), {name: value for name, value in sent.items() if value is not None})
    assert answer.status_code == 302
    bank.refresh_from_db()
    assert bank.interface == kept


def test_what_staff_say_of_the_confidence_is_what_apps_read_also_after_the_catalogue_is_loaded(
    staff_client: Client, bank: Institution, api: Any
) -> None:
    def read() -> str:
        return api.get("/v1/banking/institutions/stopanska-mk").json()["integration_confidence"]

    assert read() == "high"
    staff_client.post(page_of(bank), entered(confidence="low", confidence_note="their sandbox is gone since May"))
    assert read() == "low"
    catalogue.load_catalogue(using="default")
    assert read() == "low"
    staff_client.post(page_of(bank), entered())
    assert read() == "high"


def test_every_capability_of_a_profile_can_be_entered() -> None:
    known = {field.name for field in dataclasses.fields(Capabilities)}
    assert set(interfaces.InterfaceCapabilities.__struct_fields__) == known
    interfaces.check({"base_url": "http://127.0.0.1:8010"}, plain_http=True)
    with pytest.raises(InterfaceInvalid):
        interfaces.check({"base_url": "http://127.0.0.1:8010"}, plain_http=False)


def test_facts_cannot_be_changed_and_nothing_is_added_or_deleted(staff_client: Client, bank: Institution) -> None:
    staff_client.post(page_of(bank), entered(name="Mine", bic="MINE", country="RS", slug="mine"))
    bank.refresh_from_db()
    assert (bank.name, bank.slug, bank.country) == ("Stopanska banka AD Skopje", "stopanska-mk", "MK")
    assert staff_client.post("/admin/banks_catalog/institution/add/", entered()).status_code == 403
    assert staff_client.post(page_of(bank).replace("change", "delete"), {"post": "yes"}).status_code == 403


def test_an_incident_is_told_of_and_health_is_only_shown(staff_client: Client, bank: Institution) -> None:
    began = clock.wall() - timedelta(hours=1)
    incident = InstitutionIncident.objects.create(id=ids.new(), institution_id=bank.id, status="down", began_at=began)
    health = InstitutionHealth.objects.create(
        id=ids.new(), institution_id=bank.id, operation="accounts", window_start=began, successes=3
    )
    answer = staff_client.post(page_of(incident), {"note": "The bank works on it.", "status": "healthy"})
    assert answer.status_code == 302, answer.content
    incident.refresh_from_db()
    assert (incident.note, incident.status) == ("The bank works on it.", "down")
    assert staff_client.get(page_of(health)).status_code == 200
    assert staff_client.post(page_of(health), {"successes": "9"}).status_code == 403


def incident_page(bank: Institution) -> str:
    return f"/admin/banks_catalog/institution/{ids.encode('inst', bank.pk)}/open_incident/"


def test_an_incident_that_staff_open_is_on_the_status_page_until_they_resolve_it(
    staff_client: Client, bank: Institution
) -> None:
    """No call was made, and calls that succeed do not end it: what they know is not in the figures."""
    assert b"stays until" in staff_client.get(incident_page(bank)).content
    answer = staff_client.post(incident_page(bank), {"status": "down", "note": "The bank moves its data centre."})
    incident = InstitutionIncident.objects.get()
    assert answer["Location"] == f"/admin/banks_catalog/institutionincident/{incident.pk}/change/"
    status.forget()
    page = staff_client.get("/status").content.decode()
    assert "Stopanska banka" in page
    assert "The bank moves its data centre." in page
    InstitutionHealth.objects.create(
        id=ids.new(), institution_id=bank.id, operation="accounts", window_start=clock.wall(), successes=50
    )
    assert incidents.judge([bank]) == 0
    resolve = f"/admin/banks_catalog/institutionincident/{incident.pk}/resolve/"
    assert b"The bank moves" in staff_client.get(resolve).content
    staff_client.post(resolve, {"note": "They have moved."})
    incident.refresh_from_db()
    assert incident.ended_at is not None
    assert (incident.note, incident.announced_at) == ("They have moved.", None)
    status.forget()
    page = staff_client.get("/status").content.decode()
    assert "They have moved." in page
    assert f"{incident.ended_at:%d.%m.%Y %H:%M}" in page


def test_a_bank_has_one_incident_and_one_end_of_it(staff_client: Client, bank: Institution) -> None:
    staff_client.post(incident_page(bank), {"status": "degraded", "note": "Slow."})
    again = staff_client.post(incident_page(bank), {"status": "down", "note": "Down."})
    assert again.status_code == 422
    assert b"has an incident already" in again.content
    assert staff_client.post(incident_page(bank), {"status": "healthy", "note": "x"}).status_code == 422
    incident = InstitutionIncident.objects.get()
    assert (incident.status, incident.note) == ("degraded", "Slow.")
    incidents.resolve(incident_id=incident.pk, note="")
    with pytest.raises(IncidentOver):
        incidents.resolve(incident_id=incident.pk, note="again")
    resolve = f"/admin/banks_catalog/institutionincident/{incident.pk}/resolve/"
    assert staff_client.post(resolve, {"note": "again"}).status_code == 403
    assert b"/resolve" not in staff_client.get(page_of(incident)).content


def test_incidents_need_their_permission(client: Client, staff: Any, bank: Institution) -> None:
    client.force_login(staff("banks_catalog.view_institution", "banks_catalog.view_institutionincident"))
    assert b"open_incident" not in client.get(page_of(bank)).content
    assert client.post(incident_page(bank), {"status": "down", "note": "x"}).status_code == 403
    assert not InstitutionIncident.objects.exists()


@pytest.mark.parametrize("address", ["institution/nothing/open_incident/", "institutionincident/nothing/change/"])
def test_an_address_of_nothing_is_no_fault(staff_client: Client, address: str) -> None:
    assert staff_client.get(f"/admin/banks_catalog/{address}").status_code in {302, 404}


def test_who_may_only_look_cannot_change(client: Client, staff: Any, bank: Institution) -> None:
    Institution.objects.filter(pk=bank.pk).update(interface=INTERFACE)
    client.force_login(staff("banks_catalog.view_institution"))
    assert b"https://api.bank.example/psd2" in client.get(page_of(bank)).content
    assert client.post(page_of(bank), entered(native_name="x")).status_code == 403
    client.force_login(staff("connect.view_apikey", email="other@platform.example"))
    assert client.get(page_of(bank)).status_code == 403


@pytest.mark.parametrize("query", ["СТОПАНСКА", "stobmk2x", "stopanska-mk"])
def test_a_bank_is_found_in_either_script(staff_client: Client, bank: Institution, query: str) -> None:
    found = staff_client.get("/admin/banks_catalog/institution/", {"q": query}).context["cl"].result_list
    assert bank in list(found)


def test_no_account_number_no_owner_and_no_secret_is_shown(staff_client: Client, door: Any, environment: Any) -> None:
    """Lists, pages and search of every kind of bank data."""
    caller = Caller.system(environment, "tests")
    with tenancy.use_environment(environment):
        rows.everything(caller)
        token = rows.public_token(caller)
        kept = [
            model.objects.order_by("-id").first()
            for model in (LinkSession, Connection, BankAccount, BankTransaction, BankPayment)
        ]
        session, payment = kept[0], kept[-1]
    secret = (session.secret_hash, session.secret_sealed, session.public_token_hash, session.public_token_sealed)
    secret += (payment.secret_hash, payment.state_hash, rows.SEALED)
    hidden = ["MK07999000000012325", "MK07200002785123453", "00000001234", "Ана Петровска", token]
    hidden += [form for value in secret for form in (bytes(value).hex(), repr(bytes(value)))]
    shown = ""
    for row in kept:
        page = f"banks/{row._meta.model_name}/"
        for where in (page, f"{page}{row.pk}/change/", f"{page}?q={row.pk}"):
            answer = staff_client.get(door(where))
            assert answer.status_code == 200, where
            text = answer.content.decode()
            assert [value for value in hidden if value in text] == [], where
            shown += text
    assert "MK … 2325" in shown
    assert "MK … 3453" in shown
    for guess in ({"iban__startswith": "MK"}, {"secret_hash__startswith": "a"}, {"handle_sealed__startswith": "a"}):
        for model in ("bankaccount", "linksession", "connection"):
            assert staff_client.get(door(f"banks/{model}/"), guess).status_code in {302, 400}
