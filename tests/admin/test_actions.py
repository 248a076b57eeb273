"""What staff may do: each through a service, with its permission, its question and its trace."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from connect.kit import clock, ids, tenancy


@pytest.fixture
def orphan(api: Any, environment: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a payment whose process died after the processor had taken the money, its lease run out."""
    from payments.models import PaymentAttempt
    from payments.services import payment_outcomes

    def died(*args: Any, **kwargs: Any) -> None:
        raise SystemExit

    body = {"amount": 4200, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}
    with monkeypatch.context() as patch:
        patch.setattr(payment_outcomes, "record", died)
        with pytest.raises(SystemExit):
            api.post("/v1/payment_intents", body)
    with tenancy.use_environment(environment):
        attempt = PaymentAttempt.objects.get(state=PaymentAttempt.State.OPEN)
        PaymentAttempt.objects.filter(pk=attempt.pk).update(lease_until=clock.wall() - timedelta(seconds=1))
        return ids.encode("pi", attempt.payment_intent_id)


SETTLE = "payments/paymentattempt/settle_open/"


def test_asking_first_changes_nothing(staff_client: Client, door: Any, orphan: str, api: Any) -> None:
    page = staff_client.get(door(SETTLE))
    assert b"about 1 open attempts" in page.content
    assert api.get(f"/v1/payment_intents/{orphan}").json()["status"] == "processing"


def test_open_attempts_are_settled_outside_of_a_transaction(
    staff_client: Client, door: Any, orphan: str, api: Any, environment: Any
) -> None:
    """The processor's client refuses to run inside one, so the outcome proves where the call was made."""
    from connect.models import AuditEntry, OrganizationAuditEntry

    answer = staff_client.post(door(SETTLE), {"confirmed": "yes"})
    assert answer["Location"] == door("payments/paymentattempt/")
    assert api.get(f"/v1/payment_intents/{orphan}").json()["status"] == "succeeded"
    with tenancy.use_environment(environment):
        entry = AuditEntry.objects.get(action="payment_attempts.settled")
    assert entry.data == {"asked": 1}
    assert entry.actor_id.startswith("usr_")
    assert OrganizationAuditEntry.objects.filter(action="staff.acted", data__path=door(SETTLE)).count() == 1
    assert b"asked about 1 attempts" in staff_client.get(answer["Location"]).content


def test_settling_needs_its_permission(staff: Any, client: Client, door: Any, orphan: str, api: Any) -> None:
    client.force_login(staff("connect.view_environment", "payments.view_paymentattempt"))
    page = client.get(door("payments/paymentattempt/"))
    assert page.status_code == 200
    assert b"Settle open attempts" not in page.content
    assert client.get(door(SETTLE)).status_code == 403
    assert client.post(door(SETTLE), {"confirmed": "yes"}).status_code == 403
    assert api.get(f"/v1/payment_intents/{orphan}").json()["status"] == "processing"


def test_settling_is_refused_without_a_token_of_the_form(staff: Any, door: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff())
    assert client.post(door(SETTLE), {"confirmed": "yes"}).status_code == 403


@pytest.fixture
def key(environment: Any) -> Any:
    from connect.models import ApiKey

    return ApiKey.objects.get(environment_id=environment.id)


def test_revoking_a_key_asks_and_then_stops_it(staff_client: Client, key: Any, api: Any, environment: Any) -> None:
    from connect.models import OrganizationAuditEntry

    chosen = {"action": "revoke", "_selected_action": [str(key.pk)]}
    question = staff_client.post("/admin/connect/apikey/", chosen)
    assert b"stop working" in question.content
    assert api.get("/v1/payment_intents").status_code == 200
    staff_client.post("/admin/connect/apikey/", {**chosen, "confirmed": "yes"})
    assert api.get("/v1/payment_intents").status_code == 401
    entry = OrganizationAuditEntry.objects.get(action="api_key.revoked")
    assert (entry.target, entry.environment_id) == (ids.encode("key", key.pk), environment.id)
    again = staff_client.post("/admin/connect/apikey/", {**chosen, "confirmed": "yes"}, follow=True)
    assert b"0 of 1 keys revoked" in again.content


def test_revoking_needs_its_permission(staff: Any, client: Client, key: Any, api: Any) -> None:
    client.force_login(staff("connect.view_apikey"))
    client.post("/admin/connect/apikey/", {"action": "revoke", "_selected_action": [str(key.pk)], "confirmed": "yes"})
    assert api.get("/v1/payment_intents").status_code == 200


@pytest.fixture
def organization(environment: Any) -> Any:
    from connect.models import Organization

    return Organization.objects.get(pk=environment.organization_id)


def test_a_tier_is_changed_through_the_service_and_noted(staff_client: Client, organization: Any) -> None:
    from connect.models import OrganizationAuditEntry

    page = f"/admin/connect/organization/{ids.encode('org', organization.pk)}/change/"
    assert staff_client.post(page, {"name": "Acme", "tier": "growth", "slug": "taken-over"}).status_code == 302
    organization.refresh_from_db()
    assert (organization.tier, organization.slug) == ("growth", "acme")
    entry = OrganizationAuditEntry.objects.get(action="organization.updated")
    assert entry.data == {"before": {"tier": "enterprise"}, "after": {"tier": "growth"}}


def test_an_unknown_tier_is_refused_by_form_and_service(staff_client: Client, organization: Any) -> None:
    from connect.kit.caller import Actor
    from connect.kit.errors import ParameterInvalid
    from connect.services import organizations

    page = f"/admin/connect/organization/{organization.pk}/change/"
    assert staff_client.post(page, {"name": "Acme", "tier": "platinum"}).status_code == 200
    with pytest.raises(ParameterInvalid, match="platinum"):
        organizations.update(
            organization_id=organization.pk, actor=Actor("system", "tests"), name="Acme", tier="platinum"
        )
    organization.refresh_from_db()
    assert organization.tier == "enterprise"


def test_a_tier_needs_its_permission(staff: Any, client: Client, organization: Any) -> None:
    client.force_login(staff("connect.view_organization"))
    page = f"/admin/connect/organization/{organization.pk}/change/"
    assert client.get(page).status_code == 200
    assert client.post(page, {"name": "Acme", "tier": "growth"}).status_code == 403


def test_only_superusers_give_rights(staff: Any, client: Client) -> None:
    """Whoever may change people or groups could otherwise give every right to themselves."""
    from django.contrib.auth.models import Group

    user = staff("connect.view_user", "connect.change_user", "auth.view_group", "auth.change_group")
    group = Group.objects.create(name="support")
    client.force_login(user)
    assert client.get(f"/admin/connect/user/{user.pk}/change/").status_code == 200
    assert client.post(f"/admin/connect/user/{user.pk}/change/", {"is_superuser": "on"}).status_code == 403
    assert client.post(f"/admin/auth/group/{group.pk}/change/", {"name": "support"}).status_code == 403
    user.refresh_from_db()
    assert not user.is_superuser


def test_a_superuser_makes_somebody_staff(staff_client: Client) -> None:
    from django.contrib.admin.models import LogEntry

    from connect.models import User

    person = User.objects.get(email="owner@other.example")
    fields = {"name": "Ana", "locale": "en", "time_zone": "Europe/Skopje", "is_active": "on", "is_staff": "on",
              "email": "stolen@other.example"}  # fmt: skip
    assert staff_client.post(f"/admin/connect/user/{person.pk}/change/", fields).status_code == 302
    person.refresh_from_db()
    assert (person.is_staff, person.email) == (True, "owner@other.example")
    assert LogEntry.objects.get().object_id == str(person.pk)
