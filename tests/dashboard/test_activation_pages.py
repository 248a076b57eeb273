"""Opening live mode: what the page promises, the form, and the moment until the environment is there."""

import html
import re

import pytest
from django.core import mail
from django.urls import reverse

from connect.models import Environment, Organization, OrganizationAuditEntry

WHOLE = {
    "legal_name": "Acme DOO Skopje", "country": "MK", "registration_number": "7012345", "website": "https://acme.example",
    "support_email": "help@acme.example", "is_true": "on",
}  # fmt: skip


def address(name="activation", mode="test"):
    return reverse(f"dashboard:{name}", args=["acme", mode])


def text_of(answer, status=200):
    assert answer.status_code == status, answer.content.decode()[:2000]
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split()))


@pytest.fixture
def not_live(db):
    """Acme without a live environment."""
    Environment.objects.filter(organization__slug="acme", kind="live").delete()


@pytest.mark.usefixtures("not_live")
def test_the_page_is_honest_about_what_needs_whom(pages_as):
    shown = text_of(pages_as("developer").get(address()))
    for words in (
        "Bank transfer and QR Not in this version Needs no licence and no processor",
        "Cards Needs a processor",
        "Pay by bank Needs a licence",
        "Linking bank accounts Needs a licence",
        "Ask an owner or an admin",
    ):
        assert words in shown
    assert address("activation_details") not in shown


@pytest.mark.usefixtures("not_live")
def test_live_mode_is_opened_by_saying_who_one_is(pages):
    assert address("activation_details") in pages.get(address()).content.decode()
    answer = pages.post(address("activation_details"), WHOLE)
    assert answer["Location"] == address()
    row = Organization.objects.get(slug="acme")
    assert (row.legal_name, row.country, row.support_email) == ("Acme DOO Skopje", "MK", "help@acme.example")
    assert row.activated_at is not None
    live = Environment.objects.get(organization=row, kind="live")
    assert live.status == "pending"
    entry = OrganizationAuditEntry.objects.get(action="live.activated")
    assert entry.environment_id == live.id
    assert entry.data["registration_number"] == "7012345"
    assert sorted(message.to[0] for message in mail.outbox) == ["owner@acme.example", "owner@people.example"]

    assert "The live environment is being made" in text_of(pages.get(address()))
    assert pages.get(address(), headers={"HX-Request": "true"}).status_code == 204
    assert pages.get(reverse("dashboard:home", args=["acme", "live"]))["Location"] == address()
    Environment.objects.filter(pk=live.pk).update(status="ready")
    assert pages.get(address(), headers={"HX-Request": "true"})["HX-Redirect"] == address()
    assert "Next in live mode" in text_of(pages.get(address()))
    again = pages.post(address("activation_details"), WHOLE)
    assert "open already" in text_of(again, 422)


@pytest.mark.usefixtures("not_live")
@pytest.mark.parametrize("field", sorted(WHOLE))
def test_nothing_may_be_left_out(pages, field):
    answer = pages.post(address("activation_details"), {**WHOLE, field: ""})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert not Environment.objects.filter(organization__slug="acme", kind="live").exists()
    assert mail.outbox == []


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_the_worker_makes_the_environment_that_was_asked_for(pages_as):
    """The schema is real: a key of it answers, and its data is nobody else's."""
    from connect.kit.caller import Caller
    from connect.selectors import environments
    from connect.services import api_keys
    from connect.tasks import provision_environments
    from tests.conftest import Api

    Environment.objects.filter(organization__slug="acme", kind="live").delete()
    pages_as("owner").post(address("activation_details"), WHOLE)
    assert provision_environments() == 1
    live = environments.get("acme", "live")
    _, secret = api_keys.create(Caller.system(live, "tests"), name="Live", scopes=["*"])
    assert secret.startswith("fc_live_")
    made = Api(secret).post("/v1/customers", {"name": "Ana"}).json()
    assert made["livemode"] is True
