"""The team in the dashboard: what each role sees and does, the table of roles, and a second factor asked of everybody."""

import html
import re

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from connect.domain.permissions import PERMISSIONS, Role
from connect.kit import ids
from connect.models import Membership, Organization, OrganizationAuditEntry, User
from connect.services import api_keys
from dashboard.pages.permission_words import GROUPS, ROLES


def address(name="team", *arguments, mode="test"):
    return reverse(f"dashboard:{name}", args=["acme", mode, *arguments])


def text_of(answer, status=200):
    assert answer.status_code == status, answer.content.decode()[:2000]
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split()))


@pytest.fixture
def colleague(db):
    """`colleague("analyst")` is the public id of another member with this role."""

    def make(role):
        user = User.objects.create_user(f"the-{role}@colleagues.example", "a password nobody types", name="Ana <b>")
        row = Membership.objects.create(organization=Organization.objects.get(slug="acme"), user=user, role=role)
        return ids.encode("mem", row.pk)

    return make


def test_the_team_is_shown_with_roles_and_second_factors(pages, colleague):
    colleague("analyst")
    user = User.objects.get(email="the-analyst@colleagues.example")
    Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data={})
    shown = text_of(pages.get(address()))
    assert "the-analyst@colleagues.example Analyst On Never" in shown
    assert "owner@people.example (you) Owner Off" in shown
    assert "Ana <b>" in shown, "a name is text"


def test_who_may_not_change_the_team_sees_no_factors_and_no_buttons(pages_as, colleague):
    colleague("owner")
    page = pages_as("support").get(address()).content.decode()
    assert "Second factor" not in page
    assert "/role" not in page.replace(address("team_roles"), "")
    assert address("team_leave") in page
    assert address("invitation_new") not in page


def test_an_admin_is_offered_nothing_about_owners(pages_as, colleague):
    owner, analyst = colleague("owner"), colleague("analyst")
    client = pages_as("admin")
    page = client.get(address()).content.decode()
    assert address("member_remove", analyst) in page
    assert address("member_remove", owner) not in page
    assert 'value="owner"' not in client.get(address("member_role", analyst)).content.decode()
    answer = client.post(address("member_remove", owner))
    assert "Only an owner can change or remove an owner" in text_of(answer, 422)
    assert client.post(address("member_role", owner), {"role": "support"}).status_code == 422


def test_another_role_holds_from_the_next_request_on(pages, pages_as):
    theirs = pages_as("developer")
    row = Membership.objects.get(user__email="developer@people.example")
    assert theirs.get(address("api_keys")).status_code == 200
    answer = pages.post(address("member_role", ids.encode("mem", row.pk)), {"role": "analyst"})
    assert answer["Location"] == address()
    assert theirs.get(address("api_keys")).status_code == 403
    pages.post(address("member_remove", ids.encode("mem", row.pk)))
    assert theirs.get(address("payments")).status_code == 404
    assert theirs.get("/")["Location"] == reverse("dashboard:organization_new")


def test_removing_names_the_person_and_the_keys_that_stay(pages, pages_as, caller):
    from dataclasses import replace

    from connect.kit.caller import Actor

    pages_as("developer")
    user = User.objects.get(email="developer@people.example")
    api_keys.create(replace(caller, actor=Actor("user", ids.encode("usr", user.pk))), name="Theirs", scopes=["*"])
    row = Membership.objects.get(user=user)
    shown = text_of(pages.get(address("member_remove", ids.encode("mem", row.pk))))
    assert "Remove developer@people.example?" in shown
    assert "1 API key they made goes on working" in shown


def test_leaving_wants_the_name_typed(pages_as):
    client = pages_as("analyst")
    assert client.post(address("team_leave"), {"confirmation": "acme"}).status_code == 422
    assert Membership.objects.filter(user__email="analyst@people.example").exists()
    assert client.post(address("team_leave"), {"confirmation": "Acme"})["Location"] == "/"
    assert client.get(address()).status_code == 404


def test_ownership_is_transferred_with_the_name_typed(pages, colleague):
    member = colleague("analyst")
    wrong = pages.post(address("ownership_transfer"), {"member": member, "confirmation": "Acmé"})
    assert "Type “Acme” exactly." in text_of(wrong, 422)
    assert pages.post(address("ownership_transfer"), {"member": member, "confirmation": "Acme"}).status_code == 302
    assert pages.get(address("ownership_transfer")).status_code == 403
    roles = dict(Membership.objects.values_list("user__email", "role"))
    assert roles["owner@people.example"] == "admin"
    assert roles["the-analyst@colleagues.example"] == "owner"


def test_who_is_alone_is_led_to_the_invitation_instead_of_a_form(pages):
    Membership.objects.exclude(user__email="owner@people.example").delete()
    page = pages.get(address("ownership_transfer")).content.decode()
    assert f'class="button primary" href="{address("invitation_new")}"' in page
    assert 'name="confirmation"' not in page


def test_the_table_of_roles_is_the_one_that_pages_ask(pages_as):
    """Each cell: the row's words and, by role, Yes or No as `permissions.allows` says."""
    answer = pages_as("support").get(address("team_roles"))
    shown = [row for _, rows in answer.context["groups"] for row in rows]
    assert {row.code for row in shown} == set(PERMISSIONS)
    for row in shown:
        assert [held for _, held in row.held] == [role in PERMISSIONS[row.code] for role in Role], row.code
    assert answer.content.decode().count(">Yes<") == sum(len(roles) for roles in PERMISSIONS.values())


def test_every_permission_and_role_has_words():
    words = [code for _, group in GROUPS for code in group]
    assert sorted(words) == sorted(PERMISSIONS)
    assert set(ROLES) == set(Role)


# --- a second factor of everybody -------------------------------------------------------------------------------------


def test_who_asks_it_of_others_without_having_one_is_led_to_ones_own(pages):
    page = pages.get(address("settings_second_factor")).content.decode()
    assert f'class="button primary" href="{reverse("mfa_index")}"' in page
    assert "Require a second factor</button>" not in page


def test_members_without_a_second_factor_are_led_to_one_before_any_page(pages, pages_as):
    theirs = pages_as("developer")
    owner, developer = (User.objects.get(email=f"{role}@people.example") for role in ("owner", "developer"))
    refused = pages.post(address("settings_second_factor"))
    assert "Set up a second factor for yourself first" in text_of(refused, 422)
    Authenticator.objects.create(user=owner, type=Authenticator.Type.TOTP, data={})
    assert pages.post(address("settings_second_factor")).status_code == 302
    place = reverse("dashboard:second_factor", args=["acme"])
    for name in ("home", "payments", "api_keys", "team", "settings"):
        for mode in ("test", "live"):
            assert theirs.get(address(name, mode=mode))["Location"] == place
    assert theirs.post(address("team_leave"), {"confirmation": "Acme"})["Location"] == place
    assert theirs.get(address("payments"), headers={"HX-Request": "true"})["HX-Redirect"] == place
    shown = theirs.get(place).content.decode()
    assert "Acme asks for a second factor" in shown
    assert reverse("mfa_activate_totp") in shown
    assert pages.get(address("home")).status_code == 200, "who has one notices nothing"

    Authenticator.objects.create(user=developer, type=Authenticator.Type.RECOVERY_CODES, data={})
    assert theirs.get(address("home")).status_code == 302, "recovery codes alone are none"
    Authenticator.objects.create(user=developer, type=Authenticator.Type.WEBAUTHN, data={})
    assert theirs.get(address("home")).status_code == 200
    assert theirs.get(place)["Location"] == address("home")


def test_other_organizations_are_not_concerned(pages_as):
    Organization.objects.filter(slug="other").update(requires_mfa=True)
    client = pages_as("developer")
    assert client.get(address("home")).status_code == 200
    assert client.get(reverse("dashboard:second_factor", args=["other"])).status_code == 404


def test_it_can_be_made_optional_again(pages):
    owner = User.objects.get(email="owner@people.example")
    Authenticator.objects.create(user=owner, type=Authenticator.Type.TOTP, data={})
    Organization.objects.filter(slug="acme").update(requires_mfa=True)
    assert "A password alone is then enough" in text_of(pages.get(address("settings_second_factor")))
    pages.post(address("settings_second_factor"))
    assert not Organization.objects.get(slug="acme").requires_mfa


# --- settings ---------------------------------------------------------------------------------------------------------


def test_settings_are_shown_changed_and_written_down(pages):
    answer = pages.post(
        address("settings_edit"), {"name": "Acme 2", "country": "MK", "website": "https://acme.example"}
    )
    assert answer["Location"] == address("settings")
    shown = text_of(pages.get(address("settings")))
    assert "North Macedonia" in shown
    assert "https://acme.example" in shown
    assert "Acme 2" in shown
    assert OrganizationAuditEntry.objects.filter(action="organization.updated").count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [({"name": ""}, "name"), ({"website": "acme"}, "website"), ({"country": "XX"}, "country")],
)
def test_a_refused_setting_names_its_field(pages, change, field):
    answer = pages.post(address("settings_edit"), {"name": "Acme 2", **change})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert Organization.objects.get(slug="acme").name == "Acme"


def test_settings_can_be_read_by_everybody_and_changed_by_few(pages_as):
    page = pages_as("analyst").get(address("settings")).content.decode()
    assert address("settings_edit") not in page
    assert address("settings_second_factor") not in page
    assert address("ownership_transfer") not in page


@pytest.mark.parametrize("name", ["team", "team_roles", "settings", "activation", "audit_log"])
def test_pages_ask_at_most_twelve_questions(pages, colleague, name):
    """Of the database, the session's own included; what only opens and closes a transaction is none."""
    for role in Role:
        colleague(role.value)
    pages.get(address(name))
    with CaptureQueriesContext(connection) as asked:
        assert pages.get(address(name)).status_code == 200
    questions = [each["sql"] for each in asked if not re.match("SAVEPOINT|RELEASE|SET LOCAL", each["sql"])]
    assert len(questions) <= 12, questions


def test_nobody_is_mailed_by_looking(pages, colleague):
    member = colleague("analyst")
    for name in ("member_role", "member_remove"):
        assert pages.get(address(name, member)).status_code == 200
    assert mail.outbox == []
    assert Client().get(address("member_remove", member)).status_code == 302
