"""Who comes in, where they end up, what they leave behind in the audit log, and under which policy they look."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from connect.admin.policy import CONTENT_SECURITY_POLICY
from connect.kit import ids


def looks() -> list[Any]:
    from connect.models import OrganizationAuditEntry

    return list(OrganizationAuditEntry.objects.filter(action__startswith="staff.").order_by("id"))


@pytest.mark.parametrize("page", ["/admin/", "/admin/connect/user/", "/admin/login/", None, "payments/charge/"])
def test_a_stranger_gets_the_products_own_sign_in(client: Client, door: Any, page: str | None) -> None:
    path = page if page and page.startswith("/") else door(page or "")
    response = client.get(path)
    assert response.status_code == 302
    assert response["Location"] == f"/accounts/login/?next={path}"
    assert looks() == []


@pytest.mark.parametrize("page", ["/admin/", "/admin/login/", "/admin/connect/apikey/", None])
def test_a_developer_is_told_that_this_is_for_staff(client: Client, door: Any, page: str | None) -> None:
    from connect.models import User

    client.force_login(User.objects.get(email="owner@acme.example"))
    response = client.get(page or door())
    assert response.status_code == 403
    assert b"Staff only" in response.content
    assert looks() == []


def test_a_former_member_of_staff_is_turned_away_at_once(staff: Any, client: Client, door: Any) -> None:
    user = staff()
    client.force_login(user)
    assert client.get(door()).status_code == 200
    user.is_staff = False
    user.save()
    assert client.get(door()).status_code == 403


def test_a_password_is_never_taken_by_the_admin(staff: Any, client: Client) -> None:
    """A POST to Django's own login address signs nobody in: second factors and lock-out cannot be passed by."""
    staff()
    client.post("/admin/login/", {"username": "staff@platform.example", "password": "a password nobody types"})
    assert "_auth_user_id" not in client.session


def test_signing_in_leads_back_to_the_page(staff: Any, client: Client, door: Any) -> None:
    from allauth.account.models import EmailAddress

    user = staff()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    sign_in = client.get(door("payments/charge/"))["Location"]
    answer = client.post(sign_in, {"login": user.email, "password": "a password nobody types"})
    assert answer["Location"] == door("payments/charge/")


def test_signing_out_ends_the_session_from_within_an_environment(staff_client: Client, door: Any) -> None:
    assert staff_client.get(door("logout/")).status_code == 405
    assert staff_client.post(door("logout/"))["Location"] == "/accounts/login/"
    assert "_auth_user_id" not in staff_client.session
    assert staff_client.get(door()).status_code == 302


def test_a_password_is_changed_where_everybody_changes_theirs(staff_client: Client, door: Any) -> None:
    for page in ("/admin/password_change/", door("password_change/"), door("password_change/done/")):
        assert staff_client.get(page)["Location"] == "/accounts/password/change/"


def test_staff_see_what_their_permissions_name(staff: Any, client: Client, door: Any) -> None:
    client.force_login(staff("connect.view_environment", "payments.view_charge"))
    assert client.get(door("payments/charge/")).status_code == 200
    assert client.get(door("connect_tenant/event/")).status_code == 200
    assert client.get(door("payments/customer/")).status_code == 403
    assert client.get("/admin/connect/user/").status_code == 403
    assert b"Customers" not in client.get(door()).content


def test_staff_without_the_permission_enter_no_environment(staff: Any, client: Client, door: Any) -> None:
    client.force_login(staff("payments.view_charge"))
    assert client.get(door("payments/charge/")).status_code == 403
    assert b"/admin/e/" not in client.get("/admin/").content


@pytest.mark.parametrize("short_id", ["aaaaaaaaaaaa", "acme", "test", "public", "x' OR 1=1"])
def test_an_environment_that_does_not_exist_is_not_found(staff_client: Client, short_id: str) -> None:
    assert staff_client.get(f"/admin/e/{short_id}/").status_code == 404
    assert looks() == []


def test_an_environment_without_schema_is_not_found(staff_client: Client, environments: Any) -> None:
    from connect.models import Environment

    environment = environments["other/live"]
    Environment.objects.filter(pk=environment.id).update(status=Environment.Status.PENDING)
    assert staff_client.get(f"/admin/e/{environment.short_id}/").status_code == 404


def test_no_row_is_seen_through_another_environment(
    staff_client: Client, environments: Any, paid: Any, api_as: Any, let_in: Any
) -> None:
    """The same person, the same moment, the other schema: neither lists nor addresses show the payment."""
    for name in ("acme/live", "other/test", "other/live"):
        let_in(environments[name])
        door = f"/admin/e/{environments[name].short_id}/payments/paymentintent/"
        assert list(staff_client.get(door).context["cl"].result_list) == []
        assert list(staff_client.get(door, {"q": paid["id"]}).context["cl"].result_list) == []
        assert staff_client.get(f"{door}{paid['id']}/change/").status_code == 302  # "doesn't exist", as Django says it


def test_every_look_is_noted_before_it_happens(staff_client: Client, staff: Any, environment: Any, door: Any) -> None:
    from connect.models import User

    person = User.objects.get(email="staff@platform.example")
    pages = ["", "payments/customer/?q=mira%40shop.example", "payments/charge/ch_none/change/", "payments/nothing/"]
    for page in pages:
        staff_client.get(door(page))
    noted = looks()
    assert [entry.data["path"] for entry in noted] == [door(page).partition("?")[0] for page in pages]
    assert noted[1].data["query"] == "q=mira%40shop.example"
    assert noted[2].target == "ch_none"
    for entry in noted:
        assert entry.action == "staff.looked"
        assert (entry.organization_id, entry.environment_id) == (environment.organization_id, environment.id)
        assert (entry.actor_kind, entry.actor_id) == ("user", ids.encode("usr", person.pk))


def test_a_refused_look_is_noted_too(staff: Any, client: Client, door: Any) -> None:
    client.force_login(staff("connect.view_environment"))
    assert client.get(door("payments/customer/")).status_code == 403
    assert [entry.target for entry in looks()] == ["payments_customer_changelist"]


def test_the_words_of_the_scripts_are_not_a_look(staff_client: Client, door: Any) -> None:
    assert staff_client.get(door("jsi18n/")).status_code == 200
    assert looks() == []


def test_when_the_look_cannot_be_noted_nothing_is_shown(
    staff_client: Client, door: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from connect.services import audit

    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(audit, "record_for_organization", full)
    with pytest.raises(OSError, match="no space"):
        staff_client.get(door())


def test_the_log_of_looks_can_be_read_and_names_names(staff_client: Client, environment: Any, door: Any) -> None:
    staff_client.get(door())
    text = staff_client.get(
        "/admin/connect/organizationauditentry/", {"q": ids.encode("env", environment.id)}
    ).content.decode()
    assert "staff.looked" in text
    assert "Acme" in text
    assert environment.schema_name in text


@pytest.mark.parametrize(
    "question",
    [
        "connect/user/?password__startswith=md5",
        "connect/apikey/?secret_hash__gt=a",
        "connect/apiclient/?client_secret__startswith=p",
        "connect/organization/?memberships__user__password__startswith=md5",
    ],
)
def test_a_hash_cannot_be_guessed_letter_by_letter(staff_client: Client, question: str) -> None:
    """Django lets the query string filter by any field of the model; here only by the filters on offer."""
    assert staff_client.get(f"/admin/{question}").status_code == 400


def policy(response: Any) -> dict[str, list[str]]:
    parts = response["Content-Security-Policy"].split("; ")
    return {name: values for name, *values in (part.split(" ") for part in parts)}


def test_the_admin_has_a_policy_of_its_own_for_its_theme(staff_client: Client, door: Any) -> None:
    for page in ("/admin/", "/admin/connect/organization/", door(), door("payments/charge/")):
        assert policy(staff_client.get(page)) == CONTENT_SECURITY_POLICY
    assert "'unsafe-inline'" not in CONTENT_SECURITY_POLICY["script-src"]


def test_everywhere_else_the_policy_stays_strict(staff_client: Client, client: Client, door: Any) -> None:
    strict = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    missing = staff_client.get(door("payments/nothing/"))
    assert missing.status_code == 404
    for response in (
        missing,
        client.get("/accounts/login/"),
        client.get("/admin/"),
        staff_client.get("/organizations/new"),
    ):
        found = policy(response)
        assert found["script-src"] == strict["script-src"] == ["'self'"]
        assert found["style-src"] == strict["style-src"] == ["'self'"]
