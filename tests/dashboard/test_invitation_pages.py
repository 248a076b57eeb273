"""The page behind a mailed invitation: somebody new, somebody known, somebody else, and links that are over."""

import html
import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse

from connect.models import Invitation, Membership, User

PASSWORD = "a long and unusual sentence"


def address(name="team", *arguments):
    return reverse(f"dashboard:{name}", args=["acme", "test", *arguments])


def text_of(answer, status=200):
    assert answer.status_code == status, answer.content.decode()[:2000]
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split()))


@pytest.fixture
def link(pages):
    """Ana is invited as developer; the path of the link she is sent."""
    answer = pages.post(address("invitation_new"), {"email": "ana@new.example", "role": "developer"})
    assert answer["Location"] == address()
    assert "The invitation to ana@new.example is on its way" in text_of(pages.get(address()))
    return re.search(r"https?://[^/\s]+(/invitations/[\w-]+)", mail.outbox[-1].body)[1]


def is_member(email):
    return Membership.objects.filter(user__email=email, organization__slug="acme").exists()


def test_somebody_new_makes_an_account_and_comes_back(link):
    """The mailed link proves the mailbox: no second mail, and the invitation is kept through signing up."""
    client, sent = Client(), len(mail.outbox)
    page = client.get(link)
    assert "owner@people.example invites you to Acme on Facturino Connect, as Developer" in text_of(page)
    signup = f"{reverse('account_signup')}?next={link}"
    assert signup.replace("/invitations", "%2Finvitations") in page.content.decode() or signup in html.unescape(
        page.content.decode().replace("%2F", "/")
    )
    form = client.get(signup)
    assert 'value="ana@new.example"' in form.content.decode()
    made = client.post(signup, {"email": "ana@new.example", "password1": PASSWORD, "password2": PASSWORD, "next": link})
    assert made["Location"] == link
    assert "Join Acme" in text_of(client.get(link))
    assert [message.to for message in mail.outbox[sent:] if "confirm" in message.subject.lower()] == []
    assert not is_member("ana@new.example"), "an account alone joins nothing"
    assert client.post(link)["Location"] == address("home")
    assert is_member("ana@new.example")
    assert "Welcome to Acme. You are Developer here." in text_of(client.get(address("home")))


def test_the_link_proves_the_invited_address_and_no_other(link):
    """Whoever types another address gets an account of that one, to be confirmed by mail as any. Were it made for the
    invited address, whoever owns that mailbox could lure somebody here and come into their account by a reset.
    """
    client, sent = Client(), len(mail.outbox)
    client.get(link)
    signup = f"{reverse('account_signup')}?next={link}"
    client.post(signup, {"email": "eve@new.example", "password1": PASSWORD, "password2": PASSWORD, "next": link})
    assert not User.objects.filter(email="ana@new.example").exists()
    assert EmailAddress.objects.values_list("email", "verified").get(user__email="eve@new.example") == (
        "eve@new.example", False,
    )  # fmt: skip
    assert [message.to for message in mail.outbox[sent:]] == [["eve@new.example"]], "the confirmation"
    assert client.get("/account").status_code == 302, "nobody is signed in before it"


def test_somebody_known_signs_in_and_joins(link):
    user = User.objects.create_user("ana@new.example", PASSWORD)
    client = Client()
    assert f"{reverse('account_login')}?next=" in client.get(link).content.decode()
    client.force_login(user)
    assert not is_member("ana@new.example"), "looking joins nothing"
    assert client.post(link)["Location"] == address("home")
    assert is_member("ana@new.example")
    assert client.get(link)["Location"] == address("home"), "the same link leads a member in"


def test_somebody_else_is_told_politely(link):
    client = Client()
    client.force_login(User.objects.create_user("eve@new.example", PASSWORD))
    for answer in (client.get(link), client.post(link)):
        shown = text_of(answer, 403)
        assert "It was sent to ana@new.example to join Acme, and you are signed in as eve@new.example" in shown
    assert not is_member("eve@new.example")
    assert client.post(reverse("account_logout"), {"next": link})["Location"] == link


def test_a_member_who_opens_somebody_elses_link_is_told_so(pages, link):
    assert "It was sent to ana@new.example" in text_of(pages.get(link), 403)
    assert pages.post(link).status_code == 403
    assert Invitation.objects.get().accepted_at is None


def test_a_visitor_cannot_join_without_signing_in(link):
    assert Client().post(link).status_code == 200
    assert Invitation.objects.get().accepted_at is None


@pytest.mark.parametrize("what", ["expired", "withdrawn", "accepted"])
def test_a_link_that_is_over_says_so(link, what):
    row = Invitation.objects.get()
    change = {"expired": {"expires_at": row.expires_at - timedelta(days=7)}}.get(what) or {f"{what}_at": row.created_at}
    Invitation.objects.update(**change)
    client = Client()
    client.force_login(User.objects.create_user("ana@new.example", PASSWORD))
    assert what in text_of(client.get(link), 410)
    assert client.post(link).status_code == 410
    assert not is_member("ana@new.example")


def test_a_link_that_never_was_says_nothing(db):
    assert "leads to no invitation" in text_of(Client().get("/invitations/nothing"), 404)


def test_invitations_are_sent_again_and_withdrawn_from_the_list(pages, link):
    (waiting,) = pages.get(address()).context["waiting"]
    identifier = waiting.invitation.id
    early = pages.post(address("invitation_resend", identifier))
    assert "less than a minute ago" in text_of(early, 422)
    Invitation.objects.update(expires_at=Invitation.objects.get().expires_at - timedelta(days=8))
    assert "Expired" in text_of(pages.get(address()))
    assert pages.post(address("invitation_resend", identifier)).status_code == 302
    assert Client().get(link).status_code == 404, "the old link is over"
    assert pages.post(address("invitation_withdraw", identifier)).status_code == 302
    assert pages.get(address()).context["waiting"] == []
    assert pages.get(address("invitation_resend", identifier)).status_code == 404


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"email": "nobody", "role": "analyst"}, "email"),
        ({"email": "owner@acme.example", "role": "analyst"}, "email"),
        ({"email": "ana@new.example", "role": "king"}, "role"),
    ],
)
def test_a_refused_invitation_names_its_field_and_mails_nobody(pages, given, field):
    answer = pages.post(address("invitation_new"), given)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert mail.outbox == []
    assert not Invitation.objects.exists()


def test_an_admin_invites_no_owner(pages_as):
    answer = pages_as("admin").post(address("invitation_new"), {"email": "ana@new.example", "role": "owner"})
    assert answer.status_code == 422
    assert not Invitation.objects.exists()
