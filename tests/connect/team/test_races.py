"""Two at once: an organization keeps an owner, an invitation makes one member, live mode is opened once."""

import re

import pytest
from django.core import mail

from connect.models import Environment, Membership, OrganizationAuditEntry
from connect.services import activation, invitations, memberships
from connect.services.organizations import Details

pytestmark = pytest.mark.django_db(transaction=True)
WHOLE = Details("Acme DOO", "MK", "7012345", "https://acme.example", "help@acme.example")


@pytest.fixture
def owners(person):
    """The only two owners of Acme."""
    Membership.objects.filter(user__email="owner@acme.example").delete()
    return person("ana", "owner"), person("bob", "owner")


@pytest.mark.parametrize("turn", range(5))
def test_two_owners_demote_each_other_and_one_owner_stays(owners, acting, place, roles, together, turn):
    ana, bob = owners
    places = place(ana), place(bob)
    outcomes = together(
        lambda: memberships.change_role(acting(ana), member_id=places[1], role="admin"),
        lambda: memberships.change_role(acting(bob), member_id=places[0], role="admin"),
    )
    assert outcomes == {"done": 1, "MemberOutOfReach": 1}
    assert sorted(roles().values()) == ["admin", "owner"]


def test_two_owners_leave_and_one_stays(owners, acting, roles, together):
    ana, bob = owners
    outcomes = together(lambda: memberships.leave(acting(ana)), lambda: memberships.leave(acting(bob)))
    assert outcomes == {"done": 1, "LastOwner": 1}
    assert list(roles().values()) == ["owner"]


def test_two_owners_remove_each_other_and_one_stays(owners, acting, place, roles, together):
    ana, bob = owners
    places = place(ana), place(bob)
    outcomes = together(
        lambda: memberships.remove(acting(ana), member_id=places[1]),
        lambda: memberships.remove(acting(bob), member_id=places[0]),
    )
    assert outcomes == {"done": 1, "ResourceMissing": 1}
    assert list(roles().values()) == ["owner"]


def test_one_invitation_accepted_many_times_makes_one_member(person, acting, together):
    invitations.invite(acting(person("boss", "owner")), email="ana@people.example", role="analyst")
    secret = re.search(r"/invitations/([\w-]+)", mail.outbox[0].body)[1]
    ana = person("ana")
    outcomes = together(*[lambda: invitations.accept(secret=secret, user_id=ana.pk)] * 6)
    assert outcomes == {"done": 1, "InvitationUsed": 5}
    assert Membership.objects.filter(user=ana).count() == 1
    assert OrganizationAuditEntry.objects.filter(action="invitation.accepted").count() == 1


def test_one_address_invited_many_times_gets_one_invitation(person, acting, together):
    boss = acting(person("boss", "owner"))
    outcomes = together(*[lambda: invitations.invite(boss, email="ana@people.example", role="analyst")] * 4)
    assert outcomes == {"done": 1, "AlreadyInvited": 3}
    assert len(mail.outbox) == 1


def test_live_mode_is_opened_once(person, acting, together, environments):
    Environment.objects.filter(organization__slug="acme", kind="live").delete()
    boss = acting(person("boss", "owner"))
    outcomes = together(*[lambda: activation.activate(boss, details=WHOLE)] * 4)
    assert outcomes == {"done": 1, "LiveAlreadyOpen": 3}
    assert Environment.objects.filter(organization__slug="acme", kind="live").count() == 1
    assert OrganizationAuditEntry.objects.filter(action="live.activated").count() == 1
