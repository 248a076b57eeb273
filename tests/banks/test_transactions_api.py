"""Bank transactions over the API: every filter, page by page, and nothing of a connection that is not there."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace

import pytest

from banks.models import Connection
from connect.kit import ids
from connect.kit.tenancy import use_environment
from tests import paging
from tests.banks import rows

PATH = "/v1/banking/transactions"
DAY = date(2026, 11, 10)
LIST = ("limit", 100)


@pytest.fixture
def books(environment):
    """Two accounts of one connection and one of another; the ids of their transactions, newest first."""
    with use_environment(environment):
        ana, other = rows.connection(), rows.connection()
        denars = rows.account(ana)
        euros = rows.account(ana, iban="MK07999000000098701", currency="eur")
        stranger = rows.account(other, iban="RS35999000000000000173", currency="rsd")
        made = [
            rows.transaction(
                denars if number % 3 else euros,
                amount_minor=(-1) ** number * (number + 1) * 1000,
                booking_date=DAY + timedelta(days=number),
                counterparty_name=("ЕВН Македонија", "Vodovod d.o.o.", "Čačanska")[number % 3],
                remittance=f"Фактура {number:03d}",
            )
            for number in range(9)
        ]
        made.append(rows.transaction(denars, status="pending", booking_date=None, amount_minor=-700))
        made.append(rows.transaction(denars, status="removed"))
        made.append(rows.transaction(stranger, amount_minor=-5))
        found = [rows.identifier(row.id, "btx") for row in made][::-1]
        return SimpleNamespace(
            all=[found[0], *found[2:]],
            removed=found[1],
            pending=found[2],
            by_row={rows.identifier(row.id, "btx"): row for row in made},
            denars=rows.identifier(denars.id, "bka"),
            euros=rows.identifier(euros.id, "bka"),
            ana=rows.identifier(ana.id, "conn"),
            other=rows.identifier(other.id, "conn"),
        )


def listed(api, **query):
    answer = api.get(PATH, {"limit": 100, **query})
    assert answer.status_code == 200, answer.content
    return [found["id"] for found in answer.json()["data"]]


def test_every_one_once_and_newest_first(api, books):
    paging.prove(api, PATH, books.all)


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ({"amount[gte]": 3000}, lambda row: row.amount_minor >= 3000),
        ({"amount[gt]": 3000}, lambda row: row.amount_minor > 3000),
        ({"amount[lt]": -1000, "amount[gte]": -6000}, lambda row: -6000 <= row.amount_minor < -1000),
        ({"amount[lte]": -700}, lambda row: row.amount_minor <= -700),
        ({"direction": "out"}, lambda row: row.amount_minor < 0),
        ({"direction": "in", "amount[gt]": 1000}, lambda row: row.amount_minor > 1000),
        ({"booking_date[gte]": "2026-11-14"}, lambda row: row.booking_date and row.booking_date >= date(2026, 11, 14)),
        ({"booking_date[lt]": "2026-11-14"}, lambda row: row.booking_date and row.booking_date < date(2026, 11, 14)),
        ({"booking_date[gt]": "2026-11-14", "booking_date[lte]": "2026-11-17"},
         lambda row: row.booking_date and date(2026, 11, 14) < row.booking_date <= date(2026, 11, 17)),
        ({"currency": "MKD"}, lambda row: row.currency == "mkd"),
        ({"status": "booked"}, lambda row: row.status == "booked"),
        ({"query": "vodovod"}, lambda row: row.counterparty_name == "Vodovod d.o.o."),
        ({"query": "евн"}, lambda row: row.counterparty_name == "ЕВН Македонија"),
        ({"query": "EVN makedonija"}, lambda row: row.counterparty_name == "ЕВН Македонија"),
        ({"query": "cacanska"}, lambda row: row.counterparty_name == "Čačanska"),
    ],
    ids=lambda given: str(given) if isinstance(given, dict) else "holds",
)  # fmt: skip
def test_a_filter_leaves_what_it_says_and_pages_alike(api, books, query, holds):
    wanted = [found for found in books.all if holds(books.by_row[found])]
    assert 0 < len(wanted) < len(books.all)
    paging.prove(api, PATH, wanted, query)


def test_filters_by_account_and_connection(api, books):
    of_ana = books.all[1:]
    paging.prove(api, PATH, of_ana, {"connection": books.ana})
    euros = [found for found in of_ana if books.by_row[found].currency == "eur"]
    paging.prove(api, PATH, euros, {"account": books.euros})
    assert listed(api, account=books.denars, connection=books.other) == []
    assert listed(api, account=ids.encode("bka", ids.new())) == []


def test_one_value_exactly_one_day_one_word(api, books):
    assert [books.by_row[found].amount_minor for found in listed(api, amount=-4000)] == [-4000]
    assert [books.by_row[found].booking_date.day for found in listed(api, booking_date="2026-11-13")] == [13]
    assert [books.by_row[found].remittance for found in listed(api, query="faktura 007")] == ["Фактура 007"]
    assert listed(api, query="faktura vodovod evn") == []
    assert listed(api, query="100%_") == []
    assert listed(api, query="--") == []


def test_pending_and_removed_ones_are_asked_for_by_status(api, books):
    assert listed(api, status="pending") == [books.pending]
    assert listed(api, status="removed") == [books.removed]
    assert books.removed not in listed(api)


@pytest.mark.parametrize(
    ("query", "param", "code"),
    [
        ({"booking_date": "19.11.2026"}, "booking_date", "parameter_invalid"),
        ({"booking_date[gte]": "2026-02-30"}, "booking_date[gte]", "parameter_invalid"),
        ({"booking_date[after]": "2026-02-01"}, "booking_date[after]", "parameter_invalid"),
        ({"amount[gte]": "1.5"}, "amount[gte]", "parameter_invalid_integer"),
        ({"direction": "sideways"}, "direction", "parameter_invalid"),
        ({"status": "posted"}, "status", "parameter_invalid"),
        ({"currency": "xyz"}, "currency", "parameter_invalid"),
        ({"account": "nonsense"}, "account", "resource_missing"),
        ({"query": ""}, "query", "parameter_invalid_empty"),
        ({"counterparty": "x"}, "counterparty", "parameter_unknown"),
    ],
    ids=str,
)
def test_a_filter_that_cannot_be_is_refused_by_name(api, query, param, code):
    answer = api.get(PATH, query)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, code, param)


def test_one_is_shown_field_by_field(api, environment):
    with use_environment(environment):
        of = rows.account(rows.connection())
        row = rows.transaction(
            of, amount_minor=-123_45, counterparty_account="MK07200002785123453", counterparty_bic="STOBMK2X",
            reference_scheme="rf", reference_value="RF18539007547034", end_to_end_id="inv-7", purpose_code="SALA",
            bank_transaction_code="PMNT-ICDT-ESCT", value_date=date(2026, 11, 20), balance_after_minor=1_000,
            exchange={"amount": -200, "currency": "eur", "rate": "61.5"}, institution_transaction_id="t-1",
            entry_reference="e-1",
        )  # fmt: skip
    name = rows.identifier(row.id, "btx")
    shown = api.get(f"{PATH}/{name}").json()
    assert shown == {
        "id": name,
        "object": "banking.transaction",
        "account": rows.identifier(of.id, "bka"),
        "amount": -12345,
        "balance_after": 1000,
        "bank_transaction_code": "PMNT-ICDT-ESCT",
        "booking_date": "2026-11-19",
        "connection": rows.identifier(of.connection_id, "conn"),
        "counterparty": {
            "account": "MK07200002785123453",
            "bic": "STOBMK2X",
            "name": "ЕВН Македонија",
            "name_latin": "EVN Makedonija",
        },
        "created": 1795161600,
        "currency": "mkd",
        "description": "Сметка за струја",
        "direction": "out",
        "end_to_end_id": "inv-7",
        "entry_reference": "e-1",
        "exchange": {"amount": -200, "currency": "eur", "rate": "61.5"},
        "fetched_at": 1795161600,
        "institution_transaction_id": "t-1",
        "livemode": False,
        "purpose_code": "SALA",
        "reference": {"scheme": "rf", "value": "RF18539007547034"},
        "status": "booked",
        "value_date": "2026-11-20",
        "version": 1,
    }
    whole = api.get(f"{PATH}/{name}", {"expand[]": "account.connection"}).json()
    assert whole["account"]["connection"]["object"] == "banking.connection"


@pytest.mark.parametrize("status", ["pending", "removed"])
def test_what_belongs_to_a_connection_that_is_not_there_is_not_there(api, books, environment, status):
    with use_environment(environment):
        changed = {"status": status, "removed_at": rows.NOW if status == "removed" else None}
        Connection.objects.filter(pk=ids.decode("conn", books.ana)).update(**changed)
    assert listed(api) == books.all[:1]
    for found in books.all[1:3]:
        assert api.get(f"{PATH}/{found}").status_code == 404
    refused = api.get(PATH, {"starting_after": books.all[1]})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "resource_missing")
    assert api.get(f"/v1/banking/accounts/{books.denars}").status_code == 404
    assert api.get("/v1/banking/accounts", {"connection": books.ana}).json()["data"] == []


def test_one_the_bank_took_back_can_still_be_retrieved(api, books):
    assert api.get(f"{PATH}/{books.removed}").json()["status"] == "removed"
