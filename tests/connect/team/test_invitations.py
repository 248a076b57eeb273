"""Invitations: a link that opens the door once, for seven days, for one address; and what is kept of it."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail.backends import locmem

from connect.domain import invitations as rules
from connect.domain.memberships import AlreadyMember, MemberOutOfReach
from connect.kit.errors import ParameterInvalid, ResourceMissing
from connect.models import Invitation, Organization, OrganizationAuditEntry
from connect.services import invitations as services


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
