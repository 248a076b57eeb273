"""Invitations: a link that opens the door once, for seven days, for one address; and what is kept of it."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail.backends import locmem

from connect.domain import invitations as rules
from connect.domain.memberships import AlreadyMember, MemberOutOfReach
from connect.domain.tiers import INVITATIONS, TooManyInvitations
from connect.kit.errors import ParameterInvalid, ResourceMissing
from connect.models import Invitation, Organization, OrganizationAuditEntry
from connect.services import invitations as services
from connect.services import memberships


def secret_in(message):
    return re.search(r"/invitations/([\w-]+)", message.body)[1]


@pytest.fixture
def boss(person, acting):
    return acting(person("boss", "admin"))


def age(invitation_id, **delta):
    """Let the invitation be this much older."""
    for row in Invitation.objects.all():
        row.expires_at -= timedelta(**delta)
        row.save()


def test_only_the_hash_of_the_secret_is_kept(boss):
    sent = services.invite(boss, email=" Ana@People.Example ", role="developer")
    (message,) = mail.outbox
    secret = secret_in(message)
    assert message.to == ["ana@people.example"]
    assert "Acme" in message.subject
    assert sent.is_mailed
    row = Invitation.objects.get()
    assert bytes(row.secret_hash) == rules.digest(secret)
    kept = [str(each) for each in (*Invitation.objects.values_list(), *OrganizationAuditEntry.objects.values_list())]
    assert not any(secret in text for text in kept)


def test_a_subject_cannot_be_broken_into_headers(boss):
    Organization.objects.filter(slug="acme").update(name="Acme\nBcc: victim@example.com")
    services.invite(boss, email="ana@people.example", role="developer")
    assert "\n" not in mail.outbox[0].subject


def test_accepting_makes_a_member_once(boss, person, roles):
    services.invite(boss, email="ana@people.example", role="analyst")
    ana, secret = person("ana"), secret_in(mail.outbox[0])
    services.accept(secret=secret, user_id=ana.pk)
    assert roles()["ana"] == "analyst"
    with pytest.raises(rules.InvitationUsed):
        services.accept(secret=secret, user_id=ana.pk)
    actions = OrganizationAuditEntry.objects.order_by("-id").values_list("action", flat=True)
    assert list(actions[:2]) == ["invitation.accepted", "invitation.sent"]


def test_it_is_for_one_address(boss, person, roles):
    services.invite(boss, email="ana@people.example", role="analyst")
    eve, secret = person("eve"), secret_in(mail.outbox[0])
    with pytest.raises(rules.InvitationForAnother):
        services.accept(secret=secret, user_id=eve.pk)
    assert "eve" not in roles()
    from allauth.account.models import EmailAddress

    EmailAddress.objects.create(user=eve, email="ana@people.example", verified=False)
    with pytest.raises(rules.InvitationForAnother):
        services.accept(secret=secret, user_id=eve.pk)
    EmailAddress.objects.update(verified=True)
    services.accept(secret=secret, user_id=eve.pk)
    assert roles()["eve"] == "analyst"


def test_it_lasts_seven_days(boss, person, roles):
    sent = services.invite(boss, email="ana@people.example", role="analyst")
    ana, secret = person("ana"), secret_in(mail.outbox[0])
    age(sent.invitation.id, days=7)
    with pytest.raises(rules.InvitationExpired):
        services.accept(secret=secret, user_id=ana.pk)
    assert "ana" not in roles()


def test_a_new_mail_ends_the_old_link(boss, person, roles):
    sent = services.invite(boss, email="ana@people.example", role="analyst")
    ana = person("ana")
    with pytest.raises(rules.InvitationJustSent):
        services.resend(boss, invitation_id=sent.invitation.id)
    age(sent.invitation.id, days=8)
    services.resend(boss, invitation_id=sent.invitation.id)
    old, new = map(secret_in, mail.outbox)
    with pytest.raises(rules.InvitationMissing):
        services.accept(secret=old, user_id=ana.pk)
    services.accept(secret=new, user_id=ana.pk)
    assert roles()["ana"] == "analyst"


def test_a_withdrawn_one_opens_nothing(boss, person, roles):
    sent = services.invite(boss, email="ana@people.example", role="analyst")
    services.withdraw(boss, invitation_id=sent.invitation.id)
    with pytest.raises(rules.InvitationWithdrawn):
        services.accept(secret=secret_in(mail.outbox[0]), user_id=person("ana").pk)
    assert "ana" not in roles()
    for act in (services.resend, services.withdraw):
        with pytest.raises(ResourceMissing):
            act(boss, invitation_id=sent.invitation.id)


def test_who_may_be_invited(boss, person, acting):
    person("ana", "analyst")
    with pytest.raises(AlreadyMember):
        services.invite(boss, email="ana@people.example", role="analyst")
    with pytest.raises(ParameterInvalid):
        services.invite(boss, email="nobody", role="analyst")
    services.invite(boss, email="bob@people.example", role="analyst")
    with pytest.raises(rules.AlreadyInvited):
        services.invite(boss, email="bob@people.example", role="support")
    with pytest.raises(MemberOutOfReach):
        services.invite(boss, email="eve@people.example", role="owner")
    with pytest.raises(MemberOutOfReach):
        services.invite(acting(person("dev", "developer")), email="eve@people.example", role="support")
    assert (len(mail.outbox), Invitation.objects.count()) == (1, 1)


def test_there_is_an_end_to_them(boss, monkeypatch):
    monkeypatch.setattr(rules, "OPEN_MAX", 2)
    for number in range(2):
        services.invite(boss, email=f"p{number}@people.example", role="analyst")
    with pytest.raises(rules.InvitationLimit):
        services.invite(boss, email="p2@people.example", role="analyst")


def test_an_invitation_whose_mail_does_not_leave_is_kept(boss, monkeypatch):
    def away(self, messages):
        raise ConnectionRefusedError

    monkeypatch.setattr(locmem.EmailBackend, "send_messages", away)
    sent = services.invite(boss, email="ana@people.example", role="analyst")
    assert not sent.is_mailed
    assert Invitation.objects.count() == 1


def test_nobodys_mailbox_is_filled_by_inviting_again_and_again(boss):
    with pytest.raises(TooManyInvitations) as refused:
        for _ in range(2 * INVITATIONS.burst):
            sent = services.invite(boss, email="victim@elsewhere.example", role="analyst")
            services.withdraw(boss, invitation_id=sent.invitation.id)
    assert refused.value.status == 429
    assert len(mail.outbox) == Invitation.objects.count() == INVITATIONS.burst
    assert services.invite(boss, email="somebody@else.example", role="analyst").is_mailed


@pytest.mark.parametrize("how", ["removed", "left", "demoted", "handed over"])
def test_an_invitation_is_worth_what_its_sender_may_give(person, acting, place, how):
    """Whoever is put out, or made less, cannot come back by a link that they sent before."""
    owner, sender = person("owen", "owner"), person("sam", "owner")
    sent = services.invite(acting(sender), email="sam@private.example", role="owner")
    kept = services.invite(acting(owner), email="ana@people.example", role="owner")
    if how == "removed":
        memberships.remove(acting(owner), member_id=place(sender))
    elif how == "left":
        memberships.leave(acting(sender))
    elif how == "demoted":
        memberships.change_role(acting(owner), member_id=place(sender), role="admin")
    else:
        memberships.transfer_ownership(acting(sender), member_id=place(owner))
    with pytest.raises(rules.InvitationWithdrawn):
        services.accept(secret=secret_in(mail.outbox[0]), user_id=person("back").pk)
    notes = OrganizationAuditEntry.objects.filter(action="invitation.withdrawn")
    assert list(notes.values_list("target", flat=True)) == [sent.invitation.id]
    assert services.withdraw(acting(owner), invitation_id=kept.invitation.id)


def test_somebody_made_less_keeps_the_invitations_that_they_could_still_send(person, acting, place):
    owner, sender = person("owen", "owner"), person("sam", "owner")
    services.invite(acting(sender), email="one@people.example", role="owner")
    services.invite(acting(sender), email="two@people.example", role="analyst")
    memberships.change_role(acting(owner), member_id=place(sender), role="admin")
    assert list(Invitation.objects.filter(withdrawn_at=None).values_list("email", flat=True)) == ["two@people.example"]
    memberships.change_role(acting(owner), member_id=place(sender), role="developer")
    assert not Invitation.objects.filter(withdrawn_at=None).exists()


def test_whoever_sends_an_invitation_again_answers_for_it(person, acting, place, roles):
    owner, sender = person("owen", "owner"), person("sam", "admin")
    sent = services.invite(acting(sender), email="ana@people.example", role="analyst")
    age(sent.invitation.id, minutes=2)
    services.resend(acting(owner), invitation_id=sent.invitation.id)
    memberships.remove(acting(owner), member_id=place(sender))
    services.accept(secret=secret_in(mail.outbox[1]), user_id=person("ana").pk)
    assert roles()["ana"] == "analyst"
    assert "owen@people.example invites you" in mail.outbox[1].body
