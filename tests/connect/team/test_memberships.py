"""Roles, removal, leaving and ownership: who reaches whom, what is written down, and who is told."""

import pytest
from django.core import mail

from connect.domain.errors import NameInvalid
from connect.domain.memberships import LastOwner, MemberOutOfReach, RoleUnknown, SecondFactorMissing
from connect.domain.permissions import Role
from connect.kit.errors import ParameterInvalid, ParameterMissing, ResourceMissing
from connect.models import ApiClient, Membership, Organization, OrganizationAuditEntry, UserConsent
from connect.services import memberships, organizations
from connect.services.organizations import Details
from tests.oauth.tokens import register

HOSTILE = "  Acme\u202e \nBcc:\u200b x\x1b[0m "
"""A line break, a word that turns the rest of a line around, one that nobody sees, and one that a terminal obeys."""
REACH = {
    ("owner", "owner"): True,
    ("owner", "admin"): True,
    ("owner", "support"): True,
    ("admin", "owner"): False,
    ("admin", "admin"): True,
    ("admin", "support"): True,
    ("developer", "support"): False,
    ("analyst", "support"): False,
    ("support", "analyst"): False,
}
"""Whether somebody of the first role may change or remove somebody of the second."""


def log():
    rows = OrganizationAuditEntry.objects.filter(organization_id=Organization.objects.get(slug="acme").id)
    return [(row.action, row.data) for row in rows.exclude(action__startswith="api_key.").order_by("id")][1:]


@pytest.mark.parametrize(("actor", "target"), REACH)
def test_who_reaches_whom(person, acting, place, roles, actor, target):
    one, other = person("one", actor), person("other", target)
    for act in (
        lambda: memberships.change_role(acting(one), member_id=place(other), role="developer"),
        lambda: memberships.remove(acting(one), member_id=place(other)),
    ):
        if REACH[actor, target]:
            act()
        else:
            before = roles(), log()
            with pytest.raises(MemberOutOfReach):
                act()
            assert (roles(), log()) == before
            assert mail.outbox == []


@pytest.mark.parametrize("actor", [role for role in Role if role != Role.OWNER])
def test_only_an_owner_makes_owners(person, acting, place, roles, actor):
    one, other = person("one", actor), person("other", "admin")
    for member in (one, other):
        with pytest.raises(MemberOutOfReach):
            memberships.change_role(acting(one), member_id=place(member), role="owner")
    with pytest.raises(MemberOutOfReach):
        memberships.transfer_ownership(acting(one), member_id=place(other))
    assert (roles()["one"], roles()["other"]) == (actor, "admin")


def test_a_change_of_role_is_written_down_and_told(person, acting, place, roles):
    boss, ana = person("boss", "owner"), person("ana", "analyst")
    memberships.change_role(acting(boss), member_id=place(ana), role="developer")
    assert roles()["ana"] == "developer"
    assert log() == [
        ("member.role_changed", {"email": "ana@people.example", "before": "analyst", "after": "developer"})
    ]
    (told,) = mail.outbox
    assert told.to == ["ana@people.example"]
    assert told.subject == "Your role in Acme is now Developer"
    memberships.change_role(acting(boss), member_id=place(ana), role="developer")
    assert len(log()) == len(mail.outbox) == 1, "without a difference nothing is written"


def test_a_role_that_does_not_exist_is_refused(person, acting, place):
    boss, ana = person("boss", "owner"), person("ana", "analyst")
    with pytest.raises(RoleUnknown):
        memberships.change_role(acting(boss), member_id=place(ana), role="king")


def test_removal_ends_what_apps_may_do_in_their_name(person, acting, place, roles, environment):
    boss, ana = person("boss", "admin"), person("ana", "developer")
    client = ApiClient.objects.create(name="An app", client_id="app", organization_id=environment.organization_id)
    consents = [
        UserConsent.objects.create(user=user, client=client, environment_id=environment.id, scopes=["payments:read"])
        for user in (ana, boss)
    ]
    memberships.remove(acting(boss), member_id=place(ana))
    assert "ana" not in roles()
    assert [each.revoked_at is None for each in UserConsent.objects.filter(pk__in=[c.pk for c in consents])].count(
        False
    ) == 1
    assert UserConsent.objects.get(user=ana).revoked_at is not None
    assert log() == [("member.removed", {"email": "ana@people.example", "role": "developer"})]
    assert [told.to for told in mail.outbox] == [["ana@people.example"]]


def test_the_last_owner_stays(person, acting, place, roles):
    boss = person("boss", "owner")
    Membership.objects.filter(user__email="owner@acme.example").update(role="admin")
    for act in (
        lambda: memberships.leave(acting(boss)),
        lambda: memberships.remove(acting(boss), member_id=place(boss)),
        lambda: memberships.change_role(acting(boss), member_id=place(boss), role="admin"),
    ):
        with pytest.raises(LastOwner):
            act()
    assert roles()["boss"] == "owner"
    memberships.change_role(acting(boss), member_id=place(person("ana", "support")), role="owner")
    memberships.leave(acting(boss))
    assert "boss" not in roles()


def test_ownership_goes_over_in_one_step(person, acting, place, roles):
    boss, ana = person("boss", "owner"), person("ana", "analyst")
    memberships.transfer_ownership(acting(boss), member_id=place(ana))
    assert (roles()["boss"], roles()["ana"]) == ("admin", "owner")
    assert log()[-1][0] == "organization.ownership_transferred"
    with pytest.raises(MemberOutOfReach):
        memberships.transfer_ownership(acting(boss), member_id=place(boss))


def test_a_member_of_another_organization_is_missing(person, acting, place, environments):
    boss, stranger = person("boss", "owner"), person("stranger")
    row = Membership.objects.create(organization=Organization.objects.get(slug="other"), user=stranger, role="analyst")
    from connect.kit import ids

    with pytest.raises(ResourceMissing):
        memberships.remove(acting(boss), member_id=ids.encode("mem", row.pk))
    with pytest.raises(ResourceMissing):
        memberships.remove(acting(stranger), member_id=place(boss))


# --- settings ---------------------------------------------------------------------------------------------------------

WHOLE = Details("Acme DOO", "MK", "7012345", "https://acme.example", "help@acme.example")


def test_settings_are_kept_with_what_changed(person, acting):
    boss = acting(person("boss", "admin"))
    organizations.change(boss, name=" Acme 2 ", details=WHOLE)
    row = Organization.objects.get(slug="acme")
    assert (row.name, row.legal_name, row.country) == ("Acme 2", "Acme DOO", "MK")
    (action, data) = log()[-1]
    assert action == "organization.updated"
    assert data["before"]["name"] == "Acme"
    assert data["after"]["support_email"] == "help@acme.example"
    organizations.change(boss, name="Acme 2", details=WHOLE)
    assert len(log()) == 1, "without a difference nothing is written"


@pytest.mark.parametrize(
    ("details", "param"),
    [
        (Details(country="XX"), "country"),
        (Details(registration_number="<b>"), "registration_number"),
        (Details(website="javascript:alert(1)"), "website"),
        (Details(support_email="nobody"), "support_email"),
        (Details(legal_name="A" * 201), "legal_name"),
    ],
)
def test_a_detail_that_cannot_be_is_refused_by_name(person, acting, details, param):
    with pytest.raises(ParameterInvalid) as refused:
        organizations.change(acting(person("boss", "owner")), name="Acme", details=details)
    assert refused.value.param == param
    assert log() == []


def test_settings_are_for_those_who_may(person, acting):
    for role in (Role.DEVELOPER, Role.ANALYST, Role.SUPPORT):
        with pytest.raises(MemberOutOfReach):
            organizations.change(acting(person(role, role)), name="Mine", details=Details())
    with pytest.raises(NameInvalid):
        organizations.change(acting(person("boss", "owner")), name=" ", details=Details())


def test_an_organization_in_live_mode_keeps_saying_who_it_is(person, acting):
    from connect.kit import clock

    Organization.objects.filter(slug="acme").update(activated_at=clock.wall())
    with pytest.raises(ParameterMissing) as refused:
        organizations.change(acting(person("boss", "owner")), name="Acme", details=Details(legal_name="Acme DOO"))
    assert refused.value.param == "country"


def test_who_has_no_second_factor_cannot_ask_it_of_others(person, acting):
    boss = person("boss", "owner")
    with pytest.raises(SecondFactorMissing):
        organizations.require_second_factor(acting(boss), required=True)
    assert not Organization.objects.get(slug="acme").requires_mfa
    from allauth.mfa.models import Authenticator

    Authenticator.objects.create(user=boss, type=Authenticator.Type.RECOVERY_CODES, data={})
    with pytest.raises(SecondFactorMissing):
        organizations.require_second_factor(acting(boss), required=True)
    Authenticator.objects.create(user=boss, type=Authenticator.Type.TOTP, data={})
    organizations.require_second_factor(acting(boss), required=True)
    assert Organization.objects.get(slug="acme").requires_mfa
    assert log()[-1][0] == "organization.second_factor_required"


def test_a_name_holds_nothing_that_cannot_be_seen(person, acting, caller):
    boss = person("boss", "owner")
    organizations.change(acting(boss), name=HOSTILE, details=Details())
    assert Organization.objects.get(slug="acme").name == "Acme Bcc: x[0m"
    made = organizations.create(owner_id=boss.pk, name=HOSTILE, slug="hostile")
    assert made.name == Organization.objects.get(slug="hostile").name == "Acme Bcc: x[0m"
    assert register(caller, name=HOSTILE).name == "Acme Bcc: x[0m"
    with pytest.raises(NameInvalid):
        organizations.create(owner_id=boss.pk, name="\u202e\u200b", slug="empty")
