"""Who may open which page. The table is checked against the URL resolver: a page nobody listed fails the test."""

import pytest
from django.test import Client
from django.urls import reverse

from connect.domain import permissions
from connect.domain.permissions import Role
from dashboard import urls

OF_AN_ORGANIZATION = {
    "home": "home:read",
    "search": "home:read",
    "object": "payments:read",
    "request_logs": "logs:read",
    "request_log": "logs:read",
    "payments": "payments:read",
    "payment": "payments:read",
    "payment_capture": "payments:write",
    "payment_cancel": "payments:write",
    "payment_refund": "payments:write",
    "checkout_sessions": "checkout:read",
    "checkout_session": "checkout:read",
    "checkout_session_new": "checkout:write",
    "checkout_session_expire": "checkout:write",
    "balance": "balance:read",
    "balance_export": "balance:read",
    "ledger_accounts": "ledger:read",
    "ledger_account": "ledger:read",
    "ledger_drift": "ledger:read",
    "ledger_transactions": "ledger:read",
    "ledger_transaction": "ledger:read",
    "customers": "customers:read",
    "customer": "customers:read",
    "customer_new": "customers:write",
    "customer_edit": "customers:write",
    "customer_delete": "customers:write",
    "events": "events:read",
    "event": "events:read",
    "event_resend": "events:write",
    "webhook_endpoints": "webhook_endpoints:read",
    "webhook_endpoint": "webhook_endpoints:read",
    "webhook_endpoint_new": "webhook_endpoints:write",
    "webhook_endpoint_edit": "webhook_endpoints:write",
    "webhook_endpoint_rotate": "webhook_endpoints:write",
    "webhook_endpoint_switch": "webhook_endpoints:write",
    "webhook_endpoint_delete": "webhook_endpoints:write",
    "webhook_endpoint_test": "webhook_endpoints:write",
    "webhook_endpoint_replay": "webhook_endpoints:write",
    "webhook_delivery": "webhook_endpoints:read",
    "webhook_delivery_resend": "webhook_endpoints:write",
    "webhook_inbox": "webhook_endpoints:read",
    "bank_connections": "banks:view",
    "bank_connection": "banks:view",
    "bank_accounts": "banks:view",
    "bank_account": "banks:view",
    "bank_transactions": "banks:view",
    "bank_transactions_export": "banks:view",
    "bank_transaction": "banks:view",
    "institutions": "banks:view",
    "institution": "banks:view",
    "sandbox_bank": "banks:view",
    "link_sessions": "banks:view",
    "link_session": "banks:view",
    "bank_connection_refresh": "banks:manage",
    "bank_connection_renew": "banks:manage",
    "bank_connection_remove": "banks:manage",
    "link_session_new": "banks:manage",
    "link_session_cancel": "banks:manage",
    "api_keys": "api_keys:read",
    "api_key_new": "api_keys:write",
    "api_key_roll": "api_keys:write",
    "api_key_revoke": "api_keys:write",
    "support_access": "support_access:write",
    "support_access_revoke": "support_access:write",
}
"""Page → the permission it needs."""

ELSEWHERE = {"start", "theme", "mailbox", "mailbox_message", "organization_new", "preparing"}
"""Pages outside of any organization's mode; each has its own test."""

OBJECTS = {"payment": ["pi_0000000000000000000000"], "api_key_roll": ["key_0000000000000000000000"]}
OBJECTS |= {"object": ["pi_0000000000000000000000"], "request_log": ["req_0000000000000000000000"]}
OBJECTS |= {name: ["cus_0000000000000000000000"] for name in ("customer", "customer_edit", "customer_delete")}
OBJECTS |= {"ledger_account": ["lacct_0000000000000000000000"]}
OBJECTS |= {"ledger_transaction": ["ltxn_0000000000000000000000"]}
OBJECTS |= {f"payment_{name}": OBJECTS["payment"] for name in ("capture", "cancel", "refund")}
OBJECTS |= {name: ["evt_0000000000000000000000"] for name in ("event", "event_resend")}
OBJECTS |= {name: ["whd_0000000000000000000000"] for name in ("webhook_delivery", "webhook_delivery_resend")}
OBJECTS |= {
    name: ["we_0000000000000000000000"]
    for name in OF_AN_ORGANIZATION
    if name.startswith("webhook_endpoint") and name not in ("webhook_endpoints", "webhook_endpoint_new")
}
OBJECTS |= {name: ["cs_0000000000000000000000"] for name in ("checkout_session", "checkout_session_expire")}
OBJECTS |= {
    name: ["conn_0000000000000000000000"]
    for name in ("bank_connection", "bank_connection_refresh", "bank_connection_renew", "bank_connection_remove")
}
OBJECTS |= {name: ["lks_0000000000000000000000"] for name in ("link_session", "link_session_cancel")}
OBJECTS |= {"bank_account": ["bka_0000000000000000000000"], "bank_transaction": ["btx_0000000000000000000000"]}
OBJECTS |= {"institution": ["inst_0000000000000000000000"]}
OBJECTS |= {"support_access_revoke": ["sgr_0000000000000000000000"]}
OBJECTS["api_key_revoke"] = OBJECTS["api_key_roll"]


def address(name: str, slug: str = "acme", mode: str = "test") -> str:
    return reverse(f"dashboard:{name}", args=[slug, mode, *OBJECTS.get(name, [])])


def test_every_page_is_in_the_table():
    assert {pattern.name for pattern in urls.urlpatterns} == set(OF_AN_ORGANIZATION) | ELSEWHERE


@pytest.mark.parametrize("name", sorted(OF_AN_ORGANIZATION))
def test_signing_in_comes_first_and_leads_back(db, name):
    answer = Client().get(address(name))
    assert answer.status_code == 302
    assert answer["Location"] == f"/accounts/login/?next={address(name)}"


@pytest.mark.parametrize("role", [role.value for role in Role])
def test_each_role_opens_exactly_what_the_permission_table_grants(pages_as, role):
    client = pages_as(role)
    for name, permission in OF_AN_ORGANIZATION.items():
        granted = {200, 404} if name in OBJECTS else {200}  # past the door, an object that does not exist is a 404
        expected = granted if permissions.allows(role, permission) else {403}
        assert client.get(address(name)).status_code in expected, (role, name)


@pytest.mark.parametrize("role", [role.value for role in Role])
def test_the_rail_offers_only_what_opens(pages_as, role):
    client = pages_as(role)
    rail = client.get(address("home")).context["page"].navigation
    links = [item.url for group in rail for item in group.items]
    assert links
    assert [client.get(link).status_code for link in links] == [200] * len(links)


@pytest.mark.parametrize("name", sorted(OF_AN_ORGANIZATION))
def test_a_stranger_cannot_tell_an_organization_from_none(pages_as, name):
    client = pages_as("")
    theirs, nobodys = client.get(address(name)), client.get(address(name, slug="nobody-at-all"))
    assert (theirs.status_code, nobodys.status_code) == (404, 404)


@pytest.mark.parametrize("name", sorted(OF_AN_ORGANIZATION))
def test_a_member_of_one_organization_is_a_stranger_to_another(pages, name):
    assert pages.get(address(name, slug="other")).status_code == 404


def test_there_are_two_modes_only(pages):
    assert pages.get(address("home", mode="staging")).status_code == 404


def test_the_mode_is_said_in_words(pages):
    assert "Test mode: no real money moves here." in pages.get(address("home")).content.decode()
    assert "Live mode: money here is real." in pages.get(address("home", mode="live")).content.decode()


@pytest.mark.parametrize("name", ["home", "payments", "api_keys"])
def test_pages_are_never_kept_and_run_no_inline_code(pages, name):
    answer = pages.get(address(name))
    assert "no-store" in answer["Cache-Control"]
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    page = answer.content.decode()
    assert " style=" not in page
    assert "<style" not in page
    assert page.count("<script") == page.count('<script src="/static/')


def test_the_front_door_leads_to_the_persons_own_organization(pages):
    assert pages.get("/")["Location"] == address("home")


def test_a_person_without_an_organization_is_asked_to_make_one(pages_as):
    client = pages_as("")
    assert client.get("/")["Location"] == reverse("dashboard:organization_new")
    made = client.post(reverse("dashboard:organization_new"), {"name": "Furra e Re"})
    assert made["Location"] == address("home", slug="furra-e-re")
    waiting = client.get(made["Location"])
    assert waiting["Location"] == reverse("dashboard:preparing", args=["furra-e-re"])
    assert "Preparing Furra e Re" in client.get(waiting["Location"]).content.decode()
    assert client.get(waiting["Location"], headers={"HX-Request": "true"}).status_code == 204


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "Кафе"}, "slug"),
        ({"name": "Acme two", "slug": "acme"}, "slug"),
        ({"name": "A", "slug": "-a-"}, "slug"),
    ],
)
def test_an_organization_needs_a_name_and_a_free_address(pages_as, given, field):
    answer = pages_as("").post(reverse("dashboard:organization_new"), given)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]


def test_waiting_is_for_members_and_ends_when_the_environment_is_ready(pages, pages_as):
    path = reverse("dashboard:preparing", args=["acme"])
    assert pages.get(path)["Location"] == address("home")
    assert pages.get(path, headers={"HX-Request": "true"})["HX-Redirect"] == address("home")
    assert pages_as("").get(path).status_code == 404
