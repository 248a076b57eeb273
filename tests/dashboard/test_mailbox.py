"""The development mailbox: mails are kept as files, shown as text, and exist only where mail is not sent."""

import stat

import pytest
from django.core.mail import EmailMessage, EmailMultiAlternatives, send_mail
from django.test import Client
from django.urls import reverse

from dashboard import mail


@pytest.fixture
def open_mailbox(settings, tmp_path):
    settings.EMAIL_BACKEND = mail.BACKEND
    settings.FC_MAILBOX_DIR = tmp_path / "mail"
    return tmp_path / "mail"


def test_a_sent_mail_is_kept_for_the_owner_of_the_machine_only(open_mailbox):
    assert send_mail("Добредојде", "Link: http://127.0.0.1/x?y=1", "us@example.test", ["ana@example.test"]) == 1
    (file,) = open_mailbox.iterdir()
    assert (file.suffix, stat.S_IMODE(file.stat().st_mode)) == (".eml", 0o600)
    (kept,) = mail.newest()
    assert (kept.subject, kept.to, kept.sender) == ("Добредојде", "ana@example.test", "us@example.test")
    assert "http://127.0.0.1/x?y=1" in kept.body


def test_the_newest_mail_comes_first(open_mailbox):
    for subject in ("first", "second", "third"):
        send_mail(subject, "text", None, ["ana@example.test"])
    assert [kept.subject for kept in mail.newest()] == ["third", "second", "first"]


def test_of_two_forms_the_text_is_shown(open_mailbox):
    message = EmailMultiAlternatives("Two", "plain words", None, ["ana@example.test"])
    message.attach_alternative("<p>rich words</p>", "text/html")
    message.send()
    assert mail.newest()[0].body.strip() == "plain words"


def test_markup_without_text_loses_its_tags(open_mailbox):
    message = EmailMultiAlternatives("Rich", "", None, ["ana@example.test"])
    message.content_subtype = "html"
    message.body = "<p>rich <b>words</b></p>"
    message.send()
    assert mail.newest()[0].body.strip() == "rich words"


def test_a_mail_to_hidden_recipients_says_who_gets_it(open_mailbox):
    EmailMessage("Disabled", "text", None, bcc=["ana@example.test", "bojan@example.test"]).send()
    assert mail.newest()[0].to == "ana@example.test, bojan@example.test"


@pytest.mark.parametrize("name", ["../secrets", "..%2fsecrets", "nothing", "20260101T000000000000-zzzzzzzz", ""])
def test_a_name_that_is_not_ours_reads_no_file(open_mailbox, name):
    open_mailbox.mkdir()
    (open_mailbox.parent / "secrets.eml").write_text("Subject: secret\n\nsecret")
    assert mail.get(name) is None


def test_an_empty_mailbox_has_no_folder_yet(open_mailbox):
    assert mail.newest() == []


def test_pages_show_the_mail_with_its_link(open_mailbox):
    send_mail("Confirm <b>it</b>", "Open http://127.0.0.1:8000/confirm/abc now", None, ["ana@example.test"])
    client = Client()
    (kept,) = mail.newest()
    listed = client.get(reverse("dashboard:mailbox"))
    assert "Confirm &lt;b&gt;it&lt;/b&gt;" in listed.content.decode()
    shown = client.get(reverse("dashboard:mailbox_message", args=[kept.name]))
    assert 'href="http://127.0.0.1:8000/confirm/abc"' in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]


def test_where_mail_is_sent_there_is_no_mailbox(settings, tmp_path):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.FC_MAILBOX_DIR = tmp_path
    client = Client()
    assert client.get(reverse("dashboard:mailbox")).status_code == 404
    assert client.get(reverse("dashboard:mailbox_message", args=["20260101T000000000000-00000000"])).status_code == 404
