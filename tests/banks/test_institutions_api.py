"""The catalogue over the API: found by name in either script, by country, by account number; the sandbox in test only."""

from __future__ import annotations

import pytest

from banks import clients
from banks.clients.fake import FakeConnector
from banks.domain import ibans, institution_ids
from banks.models import Institution, InstitutionIncident
from banks.selectors import institutions as selectors
from connect.kit import clock, ids
from tests import paging

PATH = "/v1/banking/institutions"


def slugs(api, **query) -> list[str]:
    answer = api.get(PATH, {"limit": 100, **query})
    assert answer.status_code == 200, answer.content
    return [bank["slug"] for bank in answer.json()["data"]]


@pytest.fixture
def linkable(settings):
    """The sandbox bank can be linked: it has an address, and there is a connector that speaks its language."""
    settings.FC_SANDBOX_BANK_URL = "http://127.0.0.1:9"
    with clients.replaced("berlin_group", FakeConnector()):
        yield


def test_all_of_them_by_name_and_page_by_page(api):
    found = api.get(PATH, {"limit": 100}).json()["data"]
    names = [bank["name"].lower() for bank in found]
    assert len(found) == 90
    assert names == sorted(names)
    balkan = [bank["id"] for bank in found if bank["country"] == "mk"]
    paging.prove(api, PATH, balkan, {"country": "MK"})


@pytest.mark.parametrize("query", ["Стопанска", "stopanska", "STOPANSKA banka", "стопанска БАНКА"])
def test_a_name_is_found_in_either_script(api, query):
    assert slugs(api, query=query) == ["stopanska-bitola-mk", "stopanska-mk"]


def test_it_is_found_by_bic_and_slug_and_never_by_half_a_query(api):
    assert slugs(api, query="STOBMK2X") == ["stopanska-mk"]
    assert slugs(api, query="erste-rs") == ["erste-rs"]
    assert slugs(api, query="stopanska erste") == []
    assert slugs(api, query="-") == slugs(api, query="!?") == []


@pytest.mark.parametrize(
    ("number", "found"),
    [
        ("MK07200002785123453", ["stopanska-mk"]),
        ("mk07 2000 0278 5123 453", ["stopanska-mk"]),
        ("210-5015961024-57", ["nlb-mk"]),
        ("160-182039-69", ["banca-intesa-rs"]),
        ("AL47212110090000000235698741", ["credins-al"]),
    ],
)
def test_an_account_number_names_its_bank(api, number, found):
    assert slugs(api, iban=number) == found


def test_the_sandbox_keeps_accounts_in_every_country_and_an_unknown_code_names_nobody(api, api_as):
    for national, country in (("9990000000123", "mk"), ("9990000000000123", "rs")):
        number = f"{national}{98 - ibans.remainder97(national + '00'):02d}"
        assert slugs(api, iban=number) == ["sandbox-bank"]
        assert slugs(api, iban=ibans.from_local(number, country).text) == ["sandbox-bank"]
        assert slugs(api_as("acme", "live"), iban=number) == []
    assert slugs(api, iban=f"9980000000123{98 - ibans.remainder97('998000000012300'):02d}") == []


def test_the_bank_of_an_iban_for_other_parts(environment):
    iban = ibans.parse("MK07200002785123453")
    assert selectors.of_iban(iban, livemode=True).slug == "stopanska-mk"
    assert selectors.of_iban(ibans.parse("ME25505000012345678951"), livemode=False) is None


def test_a_wrong_account_number_is_refused_with_what_is_wrong(api):
    answer = api.get(PATH, {"iban": "MK07200002785123454"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "iban_invalid", "iban")
    assert "at least one character is wrong" in error["message"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"country": "mkd"}, "parameter_invalid"),
        ({"available": "maybe"}, "parameter_invalid"),
        ({"iban": ""}, "parameter_invalid_empty"),
        ({"bic": "STOBMK2X"}, "parameter_unknown"),
    ],
)
def test_a_filter_that_cannot_be_is_refused_by_name(api, query, code):
    error = api.get(PATH, query).json()["error"]
    assert (error["code"], error["param"]) == (code, next(iter(query)))


def test_available_are_those_that_can_be_linked_here(api, linkable):
    assert slugs(api, available="true") == ["sandbox-bank"]
    assert len(slugs(api, available="false")) == 89
    Institution.objects.filter(slug="erste-rs").update(interface={"base_url": "https://api.erste.example"})
    assert slugs(api, available="true") == ["erste-rs", "sandbox-bank"]
    Institution.objects.filter(slug="erste-rs").update(is_enabled=False)
    assert slugs(api, available="true") == ["sandbox-bank"]
    assert slugs(api, query="erste-rs") == []


def test_one_is_retrieved_by_id_and_by_slug(api, linkable):
    by_slug = api.get(f"{PATH}/sandbox-bank").json()
    assert by_slug == {
        "id": ids.encode("inst", institution_ids.of_slug("sandbox-bank")),
        "object": "banking.institution",
        "available": True,
        "bank_code": "999",
        "bic": "XXXXMK22",
        "connector": "berlin_group",
        "country": "mk",
        "identity_confidence": by_slug["identity_confidence"],
        "integration_confidence": by_slug["integration_confidence"],
        "livemode": False,
        "name": "Sandbox Bank",
        "native_name": by_slug["native_name"],
        "slug": "sandbox-bank",
        "status": "unknown",
        "website": by_slug["website"],
    }
    assert api.get(f"{PATH}/{by_slug['id']}").json() == by_slug


def test_how_it_is_doing_is_said(api):
    InstitutionIncident.objects.create(
        id=ids.new(), institution_id=institution_ids.of_slug("erste-rs"), status="down", began_at=clock.wall()
    )
    assert api.get(f"{PATH}/erste-rs").json()["status"] == "down"
    assert [bank["status"] for bank in api.get(PATH, {"query": "erste"}).json()["data"]] == ["down", "unknown"]


def test_live_mode_has_no_sandbox(api_as, linkable):
    live = api_as("acme", "live")
    assert "sandbox-bank" not in slugs(live)
    assert len(slugs(live)) == 89
    assert slugs(live, available="true") == []
    for name in ("sandbox-bank", ids.encode("inst", institution_ids.of_slug("sandbox-bank"))):
        answer = live.get(f"{PATH}/{name}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "resource_missing")


@pytest.mark.parametrize("wrong", ["nothing", "inst_1", "conn_0000000000000000000000", "Sandbox-Bank"])
def test_what_is_no_bank_is_missing(api, wrong):
    answer = api.get(f"{PATH}/{wrong}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "resource_missing")
