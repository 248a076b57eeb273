"""The audit log: both logs as one list, its filters, its pages, its file; and that important acts are in it."""

import ast
import csv
import html
import io
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from banks.services import link_sessions
from connect.kit import clock, ids
from connect.kit.caller import Actor, Caller
from connect.kit.tenancy import use_environment
from connect.models import AuditEntry, OrganizationAuditEntry, User
from connect.services import api_keys, audit, test_clocks
from dashboard.pages import audit_log
from dashboard.pages.audit_words import ACTIONS
from dashboard.pages.spreadsheets import harmless
from payments.services import checkout_sessions, customers
from tests.matrix import recipes
from tests.oauth.tokens import register

ROOT = Path(__file__).resolve().parents[2]


def address(name="audit_log", mode="test"):
    return reverse(f"dashboard:{name}", args=["acme", mode])


def text_of(answer, status=200):
    assert answer.status_code == status, answer.content.decode()[:2000]
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split()))


def shown(client, **filters):
    """What the list shows with these filters: action and place, newest first."""
    answer = client.get(address(), filters)
    assert answer.status_code == 200
    return [(line.entry.action, line.entry.where) for line in answer.context["lines"]]


@pytest.fixture
def acts(environments, caller):
    """One act in each of the logs, oldest first: organization, its test key, test, live; and one of another organization."""
    OrganizationAuditEntry.objects.all().delete()
    ana = Actor("user", ids.encode("usr", User.objects.get(email="owner@acme.example").pk))
    audit.record_for_organization(caller.environment.organization_id, actor=ana, action="organization.updated")
    api_keys.create(replace(caller, actor=ana), name="Laptop", scopes=["*"])
    for kind in ("test", "live"):
        environment = environments[f"acme/{kind}"]
        with use_environment(environment):
            audit.record(replace(caller, environment=environment, actor=ana), action="customer.deleted", target="cus_1")
    other = environments["other/test"]
    audit.record_for_organization(other.organization_id, actor=ana, action="organization.updated")
    with use_environment(other):
        audit.record(Caller.system(other, "tests"), action="customer.deleted", target="cus_1")


ALL = [
    ("customer.deleted", "live"),
    ("customer.deleted", "test"),
    ("api_key.created", "test"),
    ("organization.updated", "organization"),
]


@pytest.mark.usefixtures("acts")
def test_both_logs_are_one_list_in_either_mode(pages):
    assert shown(pages) == ALL
    page = text_of(pages.get(address(mode="live"))).partition("Download as CSV")[2]
    assert page.index("Customer deleted Live") < page.index("API key created Test") < page.index("Settings changed")
    assert "owner@acme.example" in page


@pytest.mark.usefixtures("acts")
@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"where": "organization"}, ALL[3:]),
        ({"where": "test"}, ALL[1:3]),
        ({"where": "live"}, ALL[:1]),
        ({"where": "moon"}, ALL),
        ({"action": "customer.deleted"}, ALL[:2]),
        ({"actor": "owner@acme.example"}, ALL),
        ({"actor": "Owner@Acme.Example", "action": "api_key.created"}, ALL[2:3]),
        ({"actor": "nobody@acme.example"}, []),
        ({"actor": "key_tests"}, []),
        ({"target": "cus_1", "where": "test"}, ALL[1:2]),
        ({"since": "2100-01-01T00:00"}, []),
        ({"until": "2100-01-01T00:00"}, ALL),
        ({"until": "2000-01-01T00:00"}, []),
        ({"since": "no moment"}, ALL),
    ],
)
def test_filters_are_in_the_address(pages, filters, expected):
    assert shown(pages, **filters) == expected


def test_paging_walks_through_all_logs_there_and_back(pages, environments, caller, monkeypatch):
    """Forty acts in turns over three logs: every page holds the next ones, each act once."""
    monkeypatch.setattr("dashboard.pages.lists.PAGE_SIZE", 7)
    OrganizationAuditEntry.objects.all().delete()
    for number in range(40):
        kind = ("test", "live", "")[number % 3]
        if kind:
            with use_environment(environments[f"acme/{kind}"]):
                audit.record(caller, action="tests.noted", target=f"n{number}")
        else:
            audit.record_for_organization(
                caller.environment.organization_id, actor=caller.actor, action="tests.noted", target=f"n{number}"
            )
    forth, query = [], ""
    while query is not None:
        answer = pages.get(f"{address()}?{query}")
        forth.append([line.entry.target for line in answer.context["lines"]])
        query, newer = answer.context["pager"].older, answer.context["pager"].newer
    found = [target for part in forth for target in part]
    assert found == [f"n{number}" for number in reversed(range(40))]
    back, query = [forth[-1]], newer
    while query is not None:
        answer = pages.get(f"{address()}?{query}")
        back.insert(0, [line.entry.target for line in answer.context["lines"]])
        query = answer.context["pager"].newer
    assert [target for part in back for target in part] == found


@pytest.mark.usefixtures("acts")
def test_the_file_holds_the_same_acts(pages):
    answer = pages.get(address("audit_export"), {"where": "test"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [(row["action"], row["where"]) for row in rows] == ALL[1:3]
    assert rows[0]["actor"] == "owner@acme.example"
    assert set(rows[0]) == set(audit_log.COLUMNS)


def test_nothing_in_the_file_is_a_formula(pages, caller):
    audit.record_for_organization(
        caller.environment.organization_id,
        actor=Actor("user", "=cmd|' /C calc'!A0"),
        action="+evil",
        target="@SUM(1)",
    )
    text = pages.get(address("audit_export")).content.decode()
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert "'@SUM(1)" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_a_text_that_could_be_a_formula_is_none(start):
    assert harmless(f"{start}1+1") == f"'{start}1+1"
    assert harmless(f"1{start}1") == f"1{start}1"


def test_the_file_has_an_end(pages, caller, monkeypatch):
    monkeypatch.setattr(audit_log, "EXPORT_MAX", 6)
    monkeypatch.setattr(audit_log, "BATCH", 3)
    for number in range(9):
        audit.record_for_organization(
            caller.environment.organization_id, actor=caller.actor, action="tests.noted", target=f"n{number}"
        )
    rows = list(csv.DictReader(io.StringIO(pages.get(address("audit_export")).content.decode())))
    assert [row["target"] for row in rows] == ["n8", "n7", "n6", "n5", "n4", "n3"]


def test_details_are_text_and_lead_to_what_they_are_about(pages, environment, caller):
    with use_environment(environment):
        audit.record(caller, action="customer.deleted", target="cus_" + "0" * 22, name="<script>alert(1)</script>")
    page = pages.get(address()).content.decode()
    assert "<script>alert(1)" not in page
    assert reverse("dashboard:customer", args=["acme", "test", "cus_" + "0" * 22]) in page


def test_an_empty_log_teaches_and_an_empty_search_leads_back(pages):
    OrganizationAuditEntry.objects.all().delete()
    assert "Nothing was changed yet" in text_of(pages.get(address()))
    assert "Show all entries" in text_of(pages.get(address(), {"action": "api_key.rolled"}))


def test_what_people_do_to_money_is_written_down_and_what_apps_do_is_not(pages, api, environment):
    """Refund, capture, cancel: through the dashboard each leaves an entry; the same through the API leaves none."""
    paid = api.get(f"/v1/charges/{recipes.charge(api)}").json()["payment_intent"]
    captured, canceled = recipes.held_intent(api), recipes.held_intent(api)
    api.post("/v1/refunds", {"payment_intent": paid, "amount": 100})
    api.delete(f"/v1/customers/{recipes.customer(api)}")
    customer = recipes.customer(api)
    with use_environment(environment):
        assert not AuditEntry.objects.exists()
    for number, (name, identifier, form) in enumerate((
        ("payment_refund", paid, {"amount": "5.00"}),
        ("payment_capture", captured, {"amount": "25.00"}),
        ("payment_cancel", canceled, {}),
        ("customer_delete", customer, {}),
    )):  # fmt: skip
        path = reverse(f"dashboard:{name}", args=["acme", "test", identifier])
        assert pages.post(path, {"idempotency_key": f"{number:032x}", **form}).status_code == 302, name
    with use_environment(environment):
        kept = [(row.action, row.target, row.actor_kind) for row in AuditEntry.objects.order_by("id")]
    assert kept == [
        ("payment.refunded", paid, "user"),
        ("payment.captured", captured, "user"),
        ("payment.canceled", canceled, "user"),
        ("customer.deleted", customer, "user"),
    ]


def test_what_people_make_is_written_down_and_what_apps_make_is_not(caller, environment):
    """Customers, checkout links, link sessions, test clocks; with the names of what changed, and nothing about a payer."""
    person = replace(caller, actor=Actor("user", "usr_1", label="ana@acme.example"))
    line = {"price_data": {"currency": "eur", "unit_amount": 500, "product_data": {"name": "Tea"}}, "quantity": 1}
    targets = []
    for who in (caller, person):
        with use_environment(environment):
            made = customers.create(who, email="payer@private.example")
            customers.update(who, customer_id=made.id, name="Payer", phone="1")
            page = checkout_sessions.create(who, mode="payment", line_items=[line])
            checkout_sessions.expire(who, session_id=page.id)
            link = link_sessions.create(who, countries=["MK"])
            link_sessions.cancel(who, session_id=link.id)
            frozen = test_clocks.create(who, frozen_time=clock.wall())
            test_clocks.begin_advance(who, clock_id=frozen.id, frozen_time=clock.wall() + timedelta(days=1))
            test_clocks.delete(who, clock_id=test_clocks.create(who, frozen_time=clock.wall()).id)
            targets = [made.id, made.id, page.id, page.id, link.id, link.id, frozen.id, frozen.id]
    with use_environment(environment):
        kept = list(AuditEntry.objects.order_by("id"))
    assert [(row.action, row.target, row.actor_kind) for row in kept][:8] == [
        (action, target, "user")
        for action, target in zip(
            ("customer.created", "customer.updated", "checkout_session.created", "checkout_session.expired",
             "link_session.created", "link_session.canceled", "test_clock.created", "test_clock.advanced"),
            targets, strict=True,
        )
    ]  # fmt: skip
    assert [row.action for row in kept[8:]] == ["test_clock.created", "test_clock.deleted"]
    assert kept[1].data == {"changed": ["name", "phone"]}
    assert not any("private.example" in str(row.data) for row in kept)


def test_the_request_of_a_key_and_of_an_app_can_be_opened_and_that_of_a_person_is_none(pages, environment, caller):
    app = register(caller)
    actors = (caller.actor, Actor("api_client", app.id, label=app.name), Actor("user", "usr_1"))
    requests = [ids.encode("req", ids.new()) for _ in actors]
    with use_environment(environment):
        for actor, request_id in zip(actors, requests, strict=True):
            audit.record(replace(caller, actor=actor, request_id=request_id), action="webhook_endpoint.created")
    answer = pages.get(address(), {"action": "webhook_endpoint.created"})
    linked = [
        reverse("dashboard:request_log", args=["acme", "test", each]) in answer.content.decode() for each in requests
    ]
    assert linked == [True, True, False]
    assert [line.actor for line in answer.context["lines"]][1] == "Ledger Lens", "an app is told by its name"


def test_a_refused_refund_leaves_no_entry(pages, api, environment):
    paid = api.get(f"/v1/charges/{recipes.charge(api)}").json()["payment_intent"]
    path = reverse("dashboard:payment_refund", args=["acme", "test", paid])
    assert pages.post(path, {"idempotency_key": "0" * 32, "amount": "99999.00"}).status_code == 422
    with use_environment(environment):
        assert not AuditEntry.objects.exists()


def test_every_act_that_is_written_has_words():
    """Found in the source: what is handed to the audit services as `action`, and the names handed to their helpers."""
    written = set()
    for app in ("connect", "banks", "payments", "ledger", "dashboard"):
        for path in (ROOT / app).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            if "audit" not in text:
                continue
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Call):
                    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                    values = [word.value for word in node.keywords if word.arg == "action"]
                    values += node.args[1:2] if name.startswith(("_note", "_audit")) else []
                    constants = [part for value in values for part in ast.walk(value)]
                    written |= {
                        part.value
                        for part in constants
                        if isinstance(part, ast.Constant) and isinstance(part.value, str)
                    }
    written = {action for action in written if re.fullmatch(r"[a-z_]+\.[a-z_]+", action)}
    assert len(written) > 20
    assert written - set(ACTIONS) == set()


def test_time_filters_are_exact(pages, caller):
    now = clock.wall().astimezone(ZoneInfo("Europe/Skopje"))  # the person's zone
    audit.record_for_organization(caller.environment.organization_id, actor=caller.actor, action="tests.noted")
    before, after = (f"{now + timedelta(minutes=minutes):%Y-%m-%dT%H:%M}" for minutes in (-1, 2))
    assert shown(pages, action="tests.noted", since=before, until=after) == [("tests.noted", "organization")]
    assert shown(pages, action="tests.noted", since=after) == []
