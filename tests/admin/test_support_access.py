"""Staff look into an environment while its organization lets them, or for an hour in an emergency that is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from connect.kit import clock, ids
from connect.models import OrganizationAuditEntry, SupportGrant

WHY = "Payments of the shop hang, ticket 4711"


@pytest.fixture
def closed(environment: Any) -> Any:
    """`closed("payments/charge/")` is a page of an environment that lets nobody in."""
    return lambda page="": f"/admin/e/{environment.short_id}/{page}"


def actions() -> list[str]:
    found = OrganizationAuditEntry.objects.filter(action__startswith="s").order_by("id")
    return list(found.values_list("action", flat=True))


@pytest.mark.parametrize("page", ["", "payments/charge/", "search/?s=charge", "jsi18n/"])
def test_without_leave_not_even_a_superuser_sees_a_page_and_reads_how_to_ask(
    staff_client: Client, closed: Any, page: str
) -> None:
    answer = staff_client.get(closed(page))
    assert answer.status_code == 403
    text = answer.content.decode()
    assert "Ask the organization to let you in" in text
    assert f"{settings.FC_PUBLIC_URL}/o/acme/test/support-access" in text
    assert "owner@acme.example" in text
    assert "Charges" not in text
    assert actions() == ["staff.turned_away"]
    assert "'unsafe-eval'" in answer["Content-Security-Policy"], "the policy of the theme"


def test_a_post_without_leave_does_nothing(staff_client: Client, closed: Any) -> None:
    answer = staff_client.post(closed("payments/paymentattempt/settle_open/"), {"confirmed": "yes"})
    assert answer.status_code == 403
    assert actions() == ["staff.turned_away"]


def test_a_member_of_staff_can_leave_without_leave(staff_client: Client, closed: Any) -> None:
    assert staff_client.post(closed("logout/"))["Location"] == "/accounts/login/"
    assert "_auth_user_id" not in staff_client.session


def test_leave_opens_its_environment_only_until_it_ends_or_is_taken_back(
    staff_client: Client, closed: Any, environments: Any, let_in: Any
) -> None:
    grant = let_in(environments["acme/test"])
    assert staff_client.get(closed("payments/charge/")).status_code == 200
    assert b"owner@acme.example lets support look here until" in staff_client.get(closed()).content
    assert staff_client.get(f"/admin/e/{environments['acme/live'].short_id}/").status_code == 403
    row = SupportGrant.objects.get(pk=ids.lookup("sgr", grant.id))
    row.expires_at = clock.wall()
    row.save()
    assert staff_client.get(closed()).status_code == 403
    row.expires_at, row.revoked_at = clock.wall() + timedelta(hours=1), clock.wall()
    row.save()
    assert staff_client.get(closed()).status_code == 403


def test_an_emergency_opens_it_for_an_hour_to_one_person_and_is_told(
    staff_client: Client, staff: Any, client: Client, closed: Any, environment: Any, mailoutbox: Any
) -> None:
    from connect.tasks import send_support_notices

    assert b"take-access" in staff_client.get(closed()).content
    before = clock.wall()
    answer = staff_client.post(closed("take-access"), {"reason": WHY})
    assert answer["Location"] == closed()
    assert b"You took access without being asked" in staff_client.get(closed()).content
    grant = SupportGrant.objects.get()
    assert timedelta(minutes=59) < grant.expires_at - before < timedelta(minutes=61)
    entry = OrganizationAuditEntry.objects.get(action="support_access.taken")
    assert (entry.environment_id, entry.data["reason"]) == (environment.id, WHY)
    assert send_support_notices() == 1
    (mail,) = mailoutbox
    assert mail.bcc == ["owner@acme.example"]
    assert "without being asked" in mail.subject
    assert "staff@platform.example" in mail.body
    assert WHY in mail.body
    assert f"{settings.FC_PUBLIC_URL}/o/acme/test/support-access" in mail.body
    client.force_login(staff(email="colleague@platform.example"))
    assert client.get(closed()).status_code == 403


@pytest.mark.parametrize("reason", ["", "   ", "because", "x" * 301])
def test_an_emergency_without_a_reason_opens_nothing(staff_client: Client, closed: Any, reason: str) -> None:
    answer = staff_client.post(closed("take-access"), {"reason": reason})
    assert answer.status_code == 422
    assert "reason" in answer.context["form"].errors
    assert not SupportGrant.objects.exists()
    assert staff_client.get(closed("take-access")).status_code == 405


def test_an_emergency_needs_its_permission(staff: Any, client: Client, closed: Any) -> None:
    client.force_login(staff("connect.view_environment"))
    page = client.get(closed())
    assert page.status_code == 403
    assert b"take-access" not in page.content
    assert client.post(closed("take-access"), {"reason": WHY}).status_code == 403
    client.force_login(staff("connect.add_supportgrant", email="other@platform.example"))
    assert client.post(closed("take-access"), {"reason": WHY}).status_code == 403
    assert not SupportGrant.objects.exists()


def test_a_stranger_and_a_developer_take_nothing(client: Client, closed: Any) -> None:
    from connect.models import User

    assert client.post(closed("take-access"), {"reason": WHY}).status_code == 302
    client.force_login(User.objects.get(email="owner@acme.example"))
    assert client.post(closed("take-access"), {"reason": WHY}).status_code == 403
    assert not SupportGrant.objects.exists()


def test_the_first_page_and_the_lists_say_who_lets_staff_in(
    staff_client: Client, environment: Any, let_in: Any
) -> None:
    assert b"ask first" in staff_client.get("/admin/", {"q": environment.short_id}).content
    grant = let_in(environment, hours=24)
    assert b"ask first" not in staff_client.get("/admin/", {"q": environment.short_id}).content
    page = staff_client.get(f"/admin/connect/environment/{ids.encode('env', environment.id)}/change/").content
    assert b"given by owner@acme.example" in page
    for state, number in (("active", 1), ("over", 0), ("taken", 0)):
        found = staff_client.get("/admin/connect/supportgrant/", {"state": state}).context["cl"].result_list
        assert len(found) == number, state
    row = SupportGrant.objects.get()
    assert staff_client.post(f"/admin/connect/supportgrant/{grant.id}/change/", {"reason": "mine"}).status_code == 403
    assert staff_client.post(f"/admin/connect/supportgrant/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert SupportGrant.objects.filter(pk=row.pk, reason=row.reason).exists()
