"""Support access in the dashboard: an organization lets staff look into one environment for a time, and ends it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from connect.kit import clock, ids
from connect.kit.caller import Actor, Caller
from connect.kit.errors import ParameterInvalid
from connect.models import OrganizationAuditEntry, SupportGrant, User
from connect.selectors import support_grants as reads
from connect.services import support_grants, support_notices
from connect.tasks import send_support_notices


def address(name="support_access", *arguments, mode="test"):
    return reverse(f"dashboard:{name}", args=["acme", mode, *arguments])


@pytest.fixture
def owner_calls(environment):
    """A caller of Acme's owner in its test environment."""
    owner = User.objects.get(email="owner@acme.example")
    return Caller(environment, Actor("user", ids.encode("usr", owner.pk), owner.email))


@pytest.fixture
def staff_page(environment, db):
    """What a superuser is answered at the environment's staff pages."""
    client = Client()
    client.force_login(User.objects.create_superuser("staff@platform.example", "a password nobody types"))
    return lambda: client.get(f"/admin/e/{environment.short_id}/").status_code


def test_access_is_given_seen_and_taken_back_and_holds_at_once(pages, environment, staff_page, mailoutbox):
    assert "Nobody of support can look here" in pages.get(address()).content.decode()
    assert staff_page() == 403
    before = clock.wall()
    answer = pages.post(address(), {"hours": "24", "reason": "The refund of pi_123 hangs"})
    assert answer["Location"] == address()
    grant = SupportGrant.objects.get()
    assert timedelta(hours=23, minutes=59) < grant.expires_at - before < timedelta(hours=24, minutes=1)
    assert (grant.environment_id, grant.granted_by.email) == (environment.id, "owner@people.example")
    text = pages.get(address()).content.decode()
    assert "The refund of pi_123 hangs" in text
    assert "In force" in text
    assert staff_page() == 200
    end = address("support_access_revoke", ids.encode("sgr", grant.pk))
    assert end in text
    question = pages.get(end).content.decode()
    assert "given by owner@people.example" in question
    assert "is refused" in question
    assert staff_page() == 200
    assert pages.post(end)["Location"] == address()
    assert staff_page() == 403
    assert "Taken back" in pages.get(address()).content.decode()
    assert pages.get(end).status_code == pages.post(end).status_code == 404, "it has ended"
    noted = OrganizationAuditEntry.objects.filter(action__startswith="support_access.").order_by("id")
    assert [(entry.action, entry.target) for entry in noted] == [
        ("support_access.given", ids.encode("sgr", grant.pk)),
        ("support_access.revoked", ids.encode("sgr", grant.pk)),
    ]
    assert noted[0].data["reason"] == "The refund of pi_123 hangs"
    assert {entry.actor_id for entry in noted} == {ids.encode("usr", grant.granted_by_id)}


@pytest.mark.parametrize("given", [{}, {"hours": "2"}, {"hours": "never"}, {"hours": "1", "reason": "x" * 301}])
def test_a_refused_form_gives_nothing(pages, given):
    answer = pages.post(address(), given)
    assert answer.status_code == 422
    assert answer.context["form"].errors
    assert not SupportGrant.objects.exists()


def test_the_service_knows_the_three_times(owner_calls):
    for hours in support_grants.HOURS:
        support_grants.give(owner_calls, hours=hours)
    with pytest.raises(ParameterInvalid):
        support_grants.give(owner_calls, hours=24 * 365)
    with pytest.raises(ValueError, match="only a person"):
        support_grants.take_unasked(
            owner_calls.environment, actor=Actor("system", "a job"), reason="Nobody could be asked"
        )
    assert SupportGrant.objects.count() == 3


@pytest.mark.parametrize("role", ["developer", "analyst", "support"])
def test_who_may_not_give_access_sees_neither_page_nor_entry(pages_as, role):
    browser = pages_as(role)
    assert browser.get(address()).status_code == 403
    assert browser.post(address(), {"hours": "1"}).status_code == 403
    assert address() not in browser.get(reverse("dashboard:home", args=["acme", "test"])).content.decode()
    assert not SupportGrant.objects.exists()


def test_a_look_taken_unasked_stands_out_and_can_be_ended(pages, environment):
    person = User.objects.create_superuser("ana@platform.example", "a password nobody types")
    actor = Actor("user", ids.encode("usr", person.pk), person.email)
    taken = support_grants.take_unasked(environment, actor=actor, reason="Payments hang for everybody")
    assert reads.in_force(environment.id, person.pk) == taken
    text = pages.get(address()).content.decode()
    assert "Taken unasked by ana@platform.example of support" in text
    assert "Payments hang for everybody" in text
    end = address("support_access_revoke", taken.id)
    assert "ana@platform.example took it without being asked" in pages.get(end).content.decode()
    pages.post(end)
    assert reads.in_force(environment.id, person.pk) is None


def test_each_mode_has_its_own(pages, environments):
    pages.post(address(mode="live"), {"hours": "1"})
    assert "Nobody of support" in pages.get(address()).content.decode()
    assert "In force" in pages.get(address(mode="live")).content.decode()
    assert SupportGrant.objects.get().environment_id == environments["acme/live"].id


def test_owners_are_told_by_mail_of_what_was_given_and_of_its_end(owner_calls, mailoutbox):
    given = support_grants.give(owner_calls, hours=1, reason="See order 7")
    assert send_support_notices() == 1
    assert send_support_notices() == 0
    support_grants.revoke(owner_calls, grant_id=given.id)
    assert send_support_notices() == 1
    first, second = mailoutbox
    assert (first.bcc, first.to) == (["owner@acme.example"], [])
    assert first.subject == "Support may look into the test environment of Acme"
    assert "owner@acme.example let our support look" in first.body
    assert "See order 7" in first.body
    assert f"{given.expires_at:%d %b %Y, %H:%M} UTC" in first.body
    assert second.subject == "Support can no longer look into the test environment of Acme"
    assert support_notices.page_of("acme", "test") == f"{settings.FC_PUBLIC_URL}{address()}"
    assert support_notices.page_of("acme", "test") in first.body


def test_a_mail_that_could_not_leave_is_sent_when_its_lease_ends(owner_calls, mailoutbox, monkeypatch):
    support_grants.give(owner_calls, hours=1)

    def away(self):
        raise OSError("no route to the mail server")

    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.EmailMessage.send", away)
        assert send_support_notices() == 0
    assert send_support_notices() == 0, "leased"
    later = clock.wall() + support_notices.LEASE + timedelta(seconds=1)
    monkeypatch.setattr(clock, "wall", lambda: later)
    assert send_support_notices() == 1
    assert len(mailoutbox) == 1


def test_the_page_asks_the_database_little(pages, owner_calls, django_assert_max_num_queries):
    for _ in range(10):
        support_grants.give(owner_calls, hours=1)
    with django_assert_max_num_queries(12):
        pages.get(address())
