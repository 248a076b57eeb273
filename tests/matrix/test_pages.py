"""Who may open which page: every page of the resolver against every role, a stranger and nobody.

`connect.domain.permissions` is the table. A page without a recipe fails, and so does a new part of the product that is
neither the API, nor the dashboard, nor named below with the reason why it has no roles.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.test import Client
from django.urls import reverse

from banks.domain import institution_ids
from banks.domain.profiles import SANDBOX
from banks.services import link_sessions
from connect.domain import permissions
from connect.domain.permissions import Role
from connect.kit import clock, ids
from connect.kit.tenancy import use_environment
from connect.models import (
    ApiClient,
    ApiKey,
    Environment,
    Invitation,
    Membership,
    Organization,
    OrganizationAuditEntry,
    SavedFilter,
    User,
    UserConsent,
)  # fmt: skip
from connect.services import api_keys, support_grants
from tests.banks import rows as bank_rows
from tests.conftest import Api
from tests.matrix import recipes
from tests.matrix.routes import METHODS, routes
from tests.oauth import tokens as oauth_tokens

ELSEWHERE = {
    "/accounts": "signing in, by django-allauth: a person's own pages, no organization's",
    "/healthz": "for machines",
    "/readyz": "for machines",
    "/metrics": "for machines, with a token of its own",
    "/admin": "staff only; tests/admin",
    "/c": "for payers, who have no account: the secret in the address is all; tests/checkout",
    "/pay": "for payers, as /c; tests/payments/test_pay_by_bank.py",
    "/pbb": "for payers, as /c; tests/payments/test_pay_by_bank.py",
    "/link": "for an app's customers, who have no account: the secret in the address is all; tests/banks/link",
    "/consents": "for an app's customers, by a signed address; tests/banks/link",
    "/webhook-inbox": "for machines; its address is the credential",
    "/static": "files",
    "/oauth": "for apps, and for people of any role who decide about one; tests/oauth",
    "/.well-known": "for machines: what OAuth's clients read; tests/oauth",
    "/docs": "for everybody: the documentation; tests/docs/test_portal.py",
    "/status": "for everybody: how banks are doing; tests/banks/test_status_page.py",
    "/3ds": "a payer's, who has no role but an address nobody else knows; tests/payments/test_three_d_secure_pages.py",
}


@dataclass(frozen=True)
class Page:
    """`permission` is None for a page of the person's own. `arguments` makes what its path names, beside organization
    and mode. `form` is what a POST sends to succeed, or reads that from the page; without it the page has none.
    """

    permission: str | None
    arguments: Callable[[Any, Any], dict[str, str]] | None = None
    form: Mapping[str, Any] | Callable[[Client, str], Mapping[str, Any]] | None = None
    methods: frozenset[str] = field(default=frozenset({"GET"}))


def _key(api: Any, caller: Any) -> dict[str, str]:
    return {"key_id": api_keys.create(caller, name="For a page", scopes=["*"])[0].id}


def _support_grant(api: Any, caller: Any) -> dict[str, str]:
    return {"grant_id": support_grants.give(caller, hours=1).id}


def _payment(api: Any, caller: Any) -> dict[str, str]:
    return {"payment_id": recipes.intent(api)}


def _charge(api: Any, caller: Any) -> dict[str, str]:
    return {"object_id": recipes.charge(api)}


def _request(api: Any, caller: Any) -> dict[str, str]:
    """A request that was made and has been written to the log."""
    from connect.services import request_log_drain, request_logs

    made = api.get("/v1/balance")["Request-Id"]
    request_logs.buffer.flush()
    request_log_drain.drain()
    return {"request_id": made}


def _customer(api: Any, caller: Any) -> dict[str, str]:
    return {"customer_id": recipes.customer(api)}


def _held(api: Any, caller: Any) -> dict[str, str]:
    return {"payment_id": recipes.held_intent(api)}


def _paid(api: Any, caller: Any) -> dict[str, str]:
    intent = api.get(f"/v1/charges/{recipes.charge(api)}").json()["payment_intent"]
    return {"payment_id": intent}


def _account(api: Any, caller: Any) -> dict[str, str]:
    return {"account_id": recipes.account(api)}


def _transaction(api: Any, caller: Any) -> dict[str, str]:
    return {"transaction_id": recipes.transaction(api)}


def _event(api: Any, caller: Any) -> dict[str, str]:
    return {"event_id": recipes.event(api)}


def _event_for_an_endpoint(api: Any, caller: Any) -> dict[str, str]:
    recipes.endpoint(api)
    return _event(api, caller)


def _chosen_endpoint(client: Client, path: str) -> dict[str, str]:
    """The first endpoint that the page offers; one that does not exist where it offers none."""
    offered = re.search(r'value="(we_\w+)"', client.get(path).content.decode())
    return {**ONCE, "endpoint": offered[1] if offered else "we_0000000000000000000000"}


def _endpoint(api: Any, caller: Any) -> dict[str, str]:
    return {"endpoint_id": recipes.endpoint(api)}


def _delivery(api: Any, caller: Any) -> dict[str, str]:
    identifier = recipes.delivered_endpoint(api)
    return {"delivery_id": api.get(f"/v1/webhook_endpoints/{identifier}/deliveries").json()["data"][0]["id"]}


def _session(api: Any, caller: Any) -> dict[str, str]:
    return {"session_id": recipes.checkout_session(api)}


def _bank_row(caller: Any, make: Callable[[Any], Any], prefix: str) -> str:
    """The id of a row of bank data: what comes from a bank has no request of ours that makes it."""
    with use_environment(caller.environment):
        return ids.encode(prefix, make(bank_rows.connection()).id)


def _connection(api: Any, caller: Any) -> dict[str, str]:
    return {"connection_id": _bank_row(caller, lambda connection: connection, "conn")}


def _bank_account(api: Any, caller: Any) -> dict[str, str]:
    return {"bank_account_id": _bank_row(caller, bank_rows.account, "bka")}


def _bank_transaction(api: Any, caller: Any) -> dict[str, str]:
    return {"transaction_id": _bank_row(caller, lambda made: bank_rows.transaction(bank_rows.account(made)), "btx")}


def _institution(api: Any, caller: Any) -> dict[str, str]:
    """The sandbox bank: the one that a test environment has and a live one has not."""
    return {"institution_id": ids.encode(institution_ids.PREFIX, institution_ids.of_slug(SANDBOX))}


def _link_session(api: Any, caller: Any) -> dict[str, str]:
    with use_environment(caller.environment):
        return {"session_id": link_sessions.create(caller).id}


def _member(api: Any, caller: Any) -> dict[str, str]:
    """An analyst of the caller's organization."""
    person = User.objects.create_user(f"{ids.new()}@people.example", "a password nobody types")
    organization_id = caller.environment.organization_id
    row = Membership.objects.create(organization_id=organization_id, user=person, role=Role.ANALYST)
    return {"member_id": ids.encode("mem", row.id)}


def _invitation(api: Any, caller: Any) -> dict[str, str]:
    """One that waits, sent long enough ago to be sent again."""
    row = Invitation.objects.create(
        organization_id=caller.environment.organization_id,
        email=f"{ids.new()}@people.example",
        role=Role.ANALYST,
        secret_hash=ids.new().bytes,
        expires_at=clock.wall() + timedelta(days=6),
    )
    return {"invitation_id": ids.encode("inv", row.id)}


def _chosen_owner(client: Client, path: str) -> dict[str, str]:
    """The first member that the page offers; one that does not exist where it offers none."""
    offered = re.search(r'value="(mem_\w+)"', client.get(path).content.decode())
    return {"confirmation": "Acme", "member": offered[1] if offered else "mem_0000000000000000000000"}


def _with_second_factor(client: Client, path: str) -> dict[str, str]:
    """Whoever asks it of others has one."""
    if person := client.session.get("_auth_user_id"):
        Authenticator.objects.get_or_create(user_id=person, type=Authenticator.Type.TOTP, defaults={"data": {}})
    return {}


def _without_live(client: Client, path: str) -> dict[str, str]:
    """Acme's live environment becomes somebody else's, so that Acme can open one."""
    other = Organization.objects.create(name="Elsewhere", slug=f"elsewhere-{ids.new()}")
    Environment.objects.filter(organization__slug="acme", kind="live").update(organization=other)
    return {
        "legal_name": "Acme DOO", "country": "MK", "registration_number": "7012345", "website": "https://acme.example",
        "support_email": "help@acme.example", "is_true": "on",
    }  # fmt: skip


def _app(api: Any, caller: Any) -> dict[str, str]:
    return {"client_id": oauth_tokens.register(caller).id}


def _consent(api: Any, caller: Any) -> dict[str, str]:
    """A consent of the organization's owner."""
    owner = User.objects.filter(memberships__organization_id=caller.environment.organization_id).earliest("date_joined")
    return {"consent_id": oauth_tokens.issue(caller, owner, "customers:read").consent_id}


ONCE = {"idempotency_key": "0123456789abcdef" * 2}
"""What the form of an action carries, so that it acts once."""
HOOK = {**ONCE, "url": "https://shop.example.com/hooks", "which": "all"}
APP = {
    "name": "Ledger Lens",
    "client_type": "confidential",
    "grant_types": ["authorization-code"],
    "redirect_uris": "https://app.example.com/callback",
    "scopes": ["customers:read"],
}
FORM = frozenset({"GET", "POST"})
PAGES = {
    "dashboard:home": Page("home:read"),
    "dashboard:first_steps": Page("home:read"),
    "dashboard:first_key": Page("api_keys:write", form=ONCE, methods=frozenset({"POST"})),
    "dashboard:first_endpoint": Page("webhook_endpoints:write", form=ONCE, methods=frozenset({"POST"})),
    "dashboard:break_something": Page("sandbox:write", form={**ONCE, "what": "decline"}, methods=FORM),
    "dashboard:search": Page("home:read"),
    "dashboard:object": Page("payments:read", _charge),
    "dashboard:request_logs": Page("logs:read"),
    "dashboard:request_log": Page("logs:read", _request),
    "dashboard:usage": Page("usage:read"),
    "dashboard:usage_export": Page("usage:read"),
    "dashboard:payments": Page("payments:read"),
    "dashboard:payment": Page("payments:read", _payment),
    "dashboard:payment_capture": Page("payments:write", _held, {**ONCE, "amount": "25.00"}, FORM),
    "dashboard:payment_cancel": Page("payments:write", _held, ONCE, FORM),
    "dashboard:payment_refund": Page("payments:write", _paid, {**ONCE, "amount": "5.00"}, FORM),
    "dashboard:checkout_sessions": Page("checkout:read"),
    "dashboard:checkout_session": Page("checkout:read", _session),
    "dashboard:checkout_session_new": Page(
        "checkout:write",
        form={**ONCE, "name": "Espresso", "amount": "9.90", "currency": "eur", "life": "60"},
        methods=FORM,
    ),
    "dashboard:checkout_session_expire": Page("checkout:write", _session, ONCE, FORM),
    "dashboard:balance": Page("balance:read"),
    "dashboard:balance_export": Page("balance:read"),
    "dashboard:ledger_accounts": Page("ledger:read"),
    "dashboard:ledger_account": Page("ledger:read", _account),
    "dashboard:ledger_drift": Page("ledger:read"),
    "dashboard:ledger_transactions": Page("ledger:read"),
    "dashboard:ledger_transaction": Page("ledger:read", _transaction),
    "dashboard:customers": Page("customers:read"),
    "dashboard:customer": Page("customers:read", _customer),
    "dashboard:customer_new": Page("customers:write", form={**ONCE, "name": "Ana"}, methods=FORM),
    "dashboard:customer_edit": Page("customers:write", _customer, {**ONCE, "name": "Ana"}, FORM),
    "dashboard:customer_delete": Page("customers:write", _customer, ONCE, FORM),
    "dashboard:bank_connections": Page("banks:view"),
    "dashboard:bank_connection": Page("banks:view", _connection),
    "dashboard:bank_connection_refresh": Page("banks:manage", _connection, ONCE, FORM),
    "dashboard:bank_connection_renew": Page("banks:manage", _connection, ONCE, FORM),
    "dashboard:bank_connection_remove": Page(
        "banks:manage", _connection, {**ONCE, "confirmation": "Sandbox Bank"}, FORM
    ),
    "dashboard:bank_accounts": Page("banks:view"),
    "dashboard:bank_account": Page("banks:view", _bank_account),
    "dashboard:bank_transactions": Page("banks:view"),
    "dashboard:bank_transactions_export": Page("banks:view"),
    "dashboard:bank_transaction": Page("banks:view", _bank_transaction),
    "dashboard:institutions": Page("banks:view"),
    "dashboard:institution": Page("banks:view", _institution),
    "dashboard:sandbox_bank": Page("banks:view"),
    "dashboard:link_sessions": Page("banks:view"),
    "dashboard:link_session": Page("banks:view", _link_session),
    "dashboard:link_session_new": Page("banks:manage", form=ONCE, methods=FORM),
    "dashboard:link_session_cancel": Page("banks:manage", _link_session, ONCE, FORM),
    "dashboard:events": Page("events:read"),
    "dashboard:event": Page("events:read", _event),
    "dashboard:event_resend": Page("events:write", _event_for_an_endpoint, _chosen_endpoint, FORM),
    "dashboard:webhook_endpoints": Page("webhook_endpoints:read"),
    "dashboard:webhook_endpoint": Page("webhook_endpoints:read", _endpoint),
    "dashboard:webhook_endpoint_new": Page("webhook_endpoints:write", form=HOOK, methods=FORM),
    "dashboard:webhook_endpoint_edit": Page(
        "webhook_endpoints:write", _endpoint, {**HOOK, "description": "changed"}, FORM
    ),
    "dashboard:webhook_endpoint_rotate": Page("webhook_endpoints:write", _endpoint, {**ONCE, "overlap": "3600"}, FORM),
    "dashboard:webhook_endpoint_switch": Page("webhook_endpoints:write", _endpoint, ONCE, FORM),
    "dashboard:webhook_endpoint_delete": Page("webhook_endpoints:write", _endpoint, ONCE, FORM),
    "dashboard:webhook_endpoint_test": Page(
        "webhook_endpoints:write", _endpoint, {**ONCE, "type": "charge.succeeded"}, FORM
    ),
    "dashboard:webhook_endpoint_replay": Page(
        "webhook_endpoints:write", _endpoint, {**ONCE, "since": "2026-01-01T00:00", "scope": "all"}, FORM
    ),
    "dashboard:webhook_delivery": Page("webhook_endpoints:read", _delivery),
    "dashboard:webhook_delivery_resend": Page("webhook_endpoints:write", _delivery, ONCE, FORM),
    "dashboard:webhook_inbox": Page("webhook_endpoints:read"),
    "dashboard:palette": Page("home:read"),
    "dashboard:saved_filters": Page(
        "home:read",
        form={"action": "save", "list": "payments", "name": "Paid", "query": "status=succeeded"},
        methods=FORM,
    ),
    "dashboard:api_keys": Page("api_keys:read"),
    "dashboard:api_key_new": Page("api_keys:write", form={"name": "A", "access": "full", "expires": "0"}, methods=FORM),
    "dashboard:api_key_roll": Page("api_keys:write", _key, {"overlap": "0"}, FORM),
    "dashboard:api_key_revoke": Page("api_keys:write", _key, {}, FORM),
    "dashboard:team": Page("team:read"),
    "dashboard:team_roles": Page("team:read"),
    "dashboard:invitation_new": Page(
        "team:write", form={"email": "new@people.example", "role": "analyst"}, methods=FORM
    ),
    "dashboard:invitation_resend": Page("team:write", _invitation, {}, FORM),
    "dashboard:invitation_withdraw": Page("team:write", _invitation, {}, FORM),
    "dashboard:member_role": Page("team:write", _member, {"role": "support"}, FORM),
    "dashboard:member_remove": Page("team:write", _member, {}, FORM),
    "dashboard:team_leave": Page("team:read", form={"confirmation": "Acme"}, methods=FORM),
    "dashboard:ownership_transfer": Page("organization:transfer", form=_chosen_owner, methods=FORM),
    "dashboard:audit_log": Page("audit:read"),
    "dashboard:audit_export": Page("audit:read"),
    "dashboard:settings": Page("settings:read"),
    "dashboard:settings_edit": Page("settings:write", form={"name": "Acme renamed"}, methods=FORM),
    "dashboard:settings_second_factor": Page("settings:write", form=_with_second_factor, methods=FORM),
    "dashboard:activation": Page("settings:read"),
    "dashboard:activation_details": Page("live:activate", form=_without_live, methods=FORM),
    "dashboard:api_clients": Page("api_clients:read"),
    "dashboard:api_client": Page("api_clients:read", _app),
    "dashboard:api_client_new": Page("api_clients:write", form=APP, methods=FORM),
    "dashboard:api_client_edit": Page("api_clients:write", _app, {**APP, "name": "Changed"}, FORM),
    "dashboard:api_client_roll": Page("api_clients:write", _app, {"overlap": "0"}, FORM),
    "dashboard:api_client_delete": Page("api_clients:write", _app, {"confirmation": "Ledger Lens"}, FORM),
    "dashboard:consents": Page("consents:read"),
    "dashboard:consent_revoke": Page("consents:write", _consent, {}, FORM),
    "dashboard:support_access": Page("support_access:write", form={"hours": "24"}, methods=FORM),
    "dashboard:support_access_revoke": Page("support_access:write", _support_grant, {}, FORM),
}
"""Pages of an organization's mode, each with the permission it needs."""
OWN_PAGES = {
    "dashboard:start": Page(None),
    "dashboard:organization_new": Page(None, form={"name": "Furra e Re"}, methods=FORM),
    "dashboard:preparing": Page(None),
    "dashboard:account": Page(
        None, form={"name": "Ana", "locale": "sq", "time_zone": "Europe/Tirane", "theme": "dark"}, methods=FORM
    ),
    "dashboard:account_sessions": Page(None),
    "dashboard:account_sessions_end_others": Page(None, form={}, methods=frozenset({"POST"})),
    "dashboard:account_session_end": Page(None, form={}, methods=frozenset({"POST"})),
    "dashboard:account_sign_ins": Page(None),
    "dashboard:second_factor": Page(None),
    "dashboard:account_apps": Page(None),
    "dashboard:account_app_withdraw": Page(None, form={}, methods=FORM),
}
PARTS = {
    "dashboard:account_app_withdraw": {"consent_id": ids.encode("cons", ids.new())},
    "dashboard:preparing": {"org_slug": "acme"}, "dashboard:second_factor": {"org_slug": "acme"},
    "dashboard:account_session_end": {"session_id": 1},
}  # fmt: skip
"""Pages of the person: whoever is signed in. `PARTS` is what their paths name."""
SHARED = {"dashboard:institution"}
"""Pages of what is the same for every organization: banks."""
OF_BOTH_MODES = {
    f"dashboard:{name}" for name in ("invitation_resend", "invitation_withdraw", "member_role", "member_remove")
}
"""Pages of what is the same in both modes of one organization: its team."""
OPEN_PAGES = {
    f"dashboard:{name}"
    for name in (
        "theme", "language", "mailbox", "mailbox_message", "account_verification", "invitation", "key_report",
    )
}  # fmt: skip
"""Pages that ask nobody who they are: a colour, a language, the mailbox that exists in development only, sending the
confirmation of an address once more (tests/login/test_sign_up.py), what is behind a mailed link
(tests/dashboard/test_invitation_pages.py), and the report of a leaked key (tests/dashboard/test_key_reports.py)."""

OF_AN_ORGANIZATION = [route for route in routes() if route.path.startswith("/o/{org_slug}/{mode}")]


def test_every_page_has_a_recipe():
    parts = [route for route in routes() if not route.path.startswith("/v1")]
    dashboard = {route.name for route in parts if not any(_under(route.path, prefix) for prefix in ELSEWHERE)}
    assert dashboard == set(PAGES) | set(OWN_PAGES) | OPEN_PAGES
    assert {route.name for route in OF_AN_ORGANIZATION} == set(PAGES)


def _under(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")


def test_every_permission_of_a_page_is_in_the_table():
    assert {page.permission for page in PAGES.values()} <= set(permissions.PERMISSIONS)


@pytest.fixture
def browser(db: None) -> Callable[[str], Client]:
    """`browser("analyst")` is signed in with that role in Acme, `browser("")` belongs to Other only, as its owner."""

    def sign_in(role: str) -> Client:
        client = Client(raise_request_exception=False)
        if role:
            person = User.objects.create_user(f"{role}@matrix.example", "a password nobody types")
            Membership.objects.create(organization=Organization.objects.get(slug="acme"), user=person, role=role)
        else:
            person = User.objects.get(email="owner@other.example")
        client.force_login(person)
        return client

    return sign_in


@pytest.fixture
def address(api: Api, caller: Any) -> Callable[..., str]:
    """The address of a page, with what it names made afresh."""

    def of(name: str, slug: str = "acme", mode: str = "test") -> str:
        page = PAGES[name]
        more = page.arguments(api, caller) if page.arguments else {}
        return reverse(name, kwargs={"org_slug": slug, "mode": mode, **more})

    return of


def public_state() -> tuple[Any, ...]:
    """What the forms could change: keys, apps, consents, saved filters, and the organization's audit log."""
    return (
        list(ApiClient.objects.order_by("id").values_list("id", "name", "client_secret", "scopes")),
        list(UserConsent.objects.order_by("id").values_list("id", "revoked_at")),
        list(ApiKey.objects.order_by("id").values_list("id", "revoked_at", "expires_at", "rolled_to_id")),
        list(SavedFilter.objects.order_by("id").values_list("id", "name", "query")),
        OrganizationAuditEntry.objects.count(),
    )


def send(client: Client, method: str, path: str, page: Page) -> Any:
    if method != "POST":
        return client.generic(method, path)
    return client.post(path, page.form(client, path) if callable(page.form) else page.form)


@pytest.mark.parametrize("role", [role.value for role in Role])
@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_role_opens_exactly_what_the_table_grants(name, role, browser, address, state, cell):
    page, client = PAGES[name], browser(role)
    granted = permissions.allows(role, page.permission)
    for method in sorted(page.methods):
        path = address(name)
        before = (state(), public_state())
        answer = send(client, method, path, page)
        if granted:
            assert answer.status_code in ({200} if method == "GET" else {200, 302}), (method, answer.content[:300])
            assert method == "GET" or (state(), public_state()) != before, "a form that succeeds changes something"
            cell("pages granted")
        else:
            assert answer.status_code == 403, method
            assert (state(), public_state()) == before
            cell("pages refused")


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_stranger_learns_nothing(name, browser, address, state, cell):
    """An organization that is not theirs, one that does not exist, and a mode that does not: all are the same 404."""
    page, stranger = PAGES[name], browser("")
    for method in sorted(page.methods):
        paths = [
            address(name),
            address(name, mode="live"),
            address(name, slug="nobody-at-all"),
            address(name, mode="x"),
        ]
        before = (state(), public_state())
        answers = [send(stranger, method, path, page) for path in paths]
        assert [answer.status_code for answer in answers] == [404] * len(paths)
        assert len({_without_token(answer) for answer in answers}) == 1
        assert (state(), public_state()) == before
        cell("pages refused to strangers")


def _without_token(answer: Any) -> bytes:
    return answer.content.replace(answer["Request-Id"].encode(), b"")


@pytest.mark.parametrize("name", sorted(name for name, page in PAGES.items() if page.arguments))
def test_an_object_of_another_environment_is_on_no_page(name, browser, api_as, environments, address, state, cell):
    """Through a member's own pages, what another organization or the other mode made is a 404."""
    page, owner = PAGES[name], browser("owner")
    theirs = reverse(name, kwargs={"org_slug": "acme", "mode": "live", **_arguments_of(address(name))})
    other = page.arguments(api_as("other", "test"), _caller(environments["other/test"]))
    foreign = reverse(name, kwargs={"org_slug": "acme", "mode": "test", **other})
    for method in sorted(page.methods):
        before = (state(), public_state())
        for path in (theirs,) if name in SHARED else (foreign,) if name in OF_BOTH_MODES else (theirs, foreign):
            assert send(owner, method, path, page).status_code == 404, path
            cell("pages refused to strangers")
        assert (state(), public_state()) == before


def _arguments_of(path: str) -> dict[str, str]:
    from django.urls import resolve

    return {name: value for name, value in resolve(path).kwargs.items() if name not in {"org_slug", "mode"}}


def _caller(environment: Any) -> Any:
    from connect.kit.caller import Caller

    return Caller.system(environment, "tests.matrix")


@pytest.mark.parametrize("name", sorted(PAGES | OWN_PAGES))
def test_nobody_is_asked_to_sign_in_first(name, address, state, cell):
    page = (PAGES | OWN_PAGES)[name]
    path = address(name) if name in PAGES else reverse(name, kwargs=PARTS.get(name, {}))
    for method in sorted(page.methods):
        before = (state(), public_state())
        answer = send(Client(), method, path, page)
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse(settings.LOGIN_URL))
        assert (state(), public_state()) == before
        cell("pages refused to nobody")


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_takes_the_methods_it_has(name, browser, address, cell):
    page, owner, path = PAGES[name], browser("owner"), address(name)
    for method in set(METHODS) - page.methods:
        assert owner.generic(method, path).status_code == 405, method
        cell("methods not offered")


@pytest.mark.parametrize("name", sorted(name for name, page in (PAGES | OWN_PAGES).items() if "POST" in page.methods))
def test_a_form_of_another_site_is_refused(name, address, state, cell):
    """Without the token that only our own page holds, a POST changes nothing, whoever is signed in."""
    page = (PAGES | OWN_PAGES)[name]
    path = address(name) if name in PAGES else reverse(name, kwargs=PARTS.get(name, {}))
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(User.objects.get(email="owner@acme.example"))
    before = (state(), public_state())
    assert send(browser, "POST", path, page).status_code == 403
    assert (state(), public_state()) == before
    cell("forged forms refused")
