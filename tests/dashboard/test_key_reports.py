"""Row 37: a leaked key that is reported is revoked, its people are mailed, and it is written down."""

import re

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from connect.domain import api_keys as rules
from connect.models import ApiKey, OrganizationAuditEntry
from connect.services import api_keys

PATH = "/report-key"


@pytest.fixture
def leaked(caller):
    """A key that works, and its secret."""
    return api_keys.create(caller, name="Laptop", scopes=["*"])


def works(secret):
    return Client().get("/v1/balance", headers={"authorization": f"Bearer {secret}"}).status_code == 200


def test_row_37_a_reported_key_is_revoked_mailed_and_audited(leaked, pages_as):
    key, secret = leaked
    pages_as("admin"), pages_as("developer")
    assert works(secret)
    answer = Client().post(PATH, {"secret": f" {secret} "})
    assert "Thank you" in answer.content.decode()
    assert not works(secret)
    entry = OrganizationAuditEntry.objects.get(action="api_key.reported_leaked")
    assert (entry.target, entry.actor_kind, entry.data["reporter"]) == (key.id, "system", "127.0.0.1")
    assert sorted(message.to[0] for message in mail.outbox) == ["admin@people.example", "owner@acme.example"]
    told = " ".join([answer.content.decode(), str(entry.data), *(m.subject + m.body for m in mail.outbox)])
    assert secret not in told
    assert key.redacted in mail.outbox[0].body


def test_the_answer_tells_nobody_which_keys_exist(leaked):
    client = Client()
    never = rules.generate("test")
    answers = [client.post(PATH, {"secret": secret}) for secret in (leaked[1], leaked[1], never, "fc_test_nothing")]
    assert {answer.status_code for answer in answers} == {200}
    token = re.compile(rb'name="csrfmiddlewaretoken" value="\w+"')  # new in every answer
    assert len({token.sub(b"", answer.content) for answer in answers}) == 1
    assert len(mail.outbox) == 1
    assert OrganizationAuditEntry.objects.filter(action="api_key.reported_leaked").count() == 1


def test_guessing_is_limited(leaked):
    client = Client()
    answers = [client.post(PATH, {"secret": rules.generate("test")}).status_code for _ in range(30)]
    assert 429 in answers
    assert client.post(PATH, {"secret": leaked[1]}).status_code == 429
    assert ApiKey.objects.get(name="Laptop").revoked_at is None


def test_another_sites_form_is_refused(leaked):
    assert Client(enforce_csrf_checks=True).post(PATH, {"secret": leaked[1]}).status_code == 403
    assert works(leaked[1])
    assert reverse("dashboard:key_report") == PATH
