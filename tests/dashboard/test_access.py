"""The door of every page of an organization, the rail and the mode switch.

Which role opens which page, by which method, is asked of every page in `tests/matrix/test_pages.py`.
"""

import pytest
from django.test import Client
from django.urls import reverse

from connect.domain import tiers
from connect.domain.permissions import Role
from connect.models import Environment, Organization
from dashboard import navigation, urls

_PREFIX = "o/<slug:org_slug>/<slug:mode>/"
WITHOUT_OBJECT = sorted(
    str(pattern.name)
    for pattern in urls.urlpatterns
    if str(pattern.pattern).startswith(_PREFIX) and "<" not in str(pattern.pattern).removeprefix(_PREFIX)
)
"""Pages of an organization's mode that name no object."""


def address(name: str, slug: str = "acme", mode: str = "test") -> str:
    return reverse(f"dashboard:{name}", args=[slug, mode])


@pytest.mark.parametrize("name", ["home", "payments", "team"])
def test_signing_in_comes_first_and_leads_back(db, name):
    answer = Client().get(address(name))
    assert answer.status_code == 302
    assert answer["Location"] == f"/accounts/login/?next={address(name)}"


@pytest.mark.parametrize("role", [role.value for role in Role])
def test_the_rail_offers_only_what_opens(pages_as, role):
    client = pages_as(role)
    rail = client.get(address("home")).context["page"].navigation
    links = [item.url for group in rail for item in group.items]
    assert links
    assert [client.get(link).status_code for link in links] == [200] * len(links)


def test_there_are_two_modes_only(pages):
    assert pages.get(address("home", mode="staging")).status_code == 404


@pytest.mark.parametrize("mode", ["test", "live"])
def test_the_mode_switch_keeps_the_page_and_always_leads_somewhere(pages, mode):
    """From every page that opens without naming an object; from an object it leads to the list of its kind."""
    kept = 0
    for name in WITHOUT_OBJECT:
        answer = pages.get(address(name, mode=mode))
        if answer.status_code != 200 or answer.context is None:  # a file, or a page of the other mode only
            continue
        (other,) = [each for each in answer.context["page"].modes if not each.is_current]
        assert pages.get(other.url).status_code == 200, name
        kept += other.url == address(name, mode=other.kind)
    assert kept > 20
    assert navigation.other_mode("member_role", names_object=True) == "team"


def test_the_live_chip_leads_to_opening_it_while_it_is_not_open(pages_as):
    client = pages_as("developer")
    Environment.objects.filter(organization__slug="acme", kind="live").update(status="pending")
    (chip,) = [each for each in client.get(address("payments")).context["page"].modes if each.kind == "live"]
    assert (chip.url, chip.is_open) == (address("activation"), False)
    assert client.get(address("payments", mode="live"))["Location"] == address("activation")
    partial = client.get(address("payments", mode="live"), headers={"HX-Request": "true"})
    assert partial["HX-Redirect"] == address("activation")


def test_the_mode_is_said_in_words(pages):
    assert "Test mode: no real money moves here." in pages.get(address("home")).content.decode()
    assert "Live mode: money here is real." in pages.get(address("home", mode="live")).content.decode()


@pytest.mark.parametrize("name", ["home", "payments", "api_keys"])
def test_pages_are_never_kept_and_run_no_inline_code(pages, name):
    answer = pages.get(address(name))
    assert "no-store" in answer["Cache-Control"]
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    page = answer.content.decode()
    assert " style=" not in page
    assert "<style" not in page
    assert page.count("<script") == page.count('<script src="/static/')


def test_the_front_door_leads_to_the_persons_own_organization(pages):
    assert pages.get("/")["Location"] == address("home")


def test_a_person_without_an_organization_is_asked_to_make_one(pages_as):
    client = pages_as("")
    assert client.get("/")["Location"] == reverse("dashboard:organization_new")
    made = client.post(reverse("dashboard:organization_new"), {"name": "Furra e Re"})
    assert made["Location"] == address("home", slug="furra-e-re")
    waiting = client.get(made["Location"])
    assert waiting["Location"] == reverse("dashboard:preparing", args=["furra-e-re"])
    assert "Preparing Furra e Re" in client.get(waiting["Location"]).content.decode()
    assert client.get(waiting["Location"], headers={"HX-Request": "true"}).status_code == 204


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "Кафе"}, "slug"),
        ({"name": "Acme two", "slug": "acme"}, "slug"),
        ({"name": "A", "slug": "-a-"}, "slug"),
    ],
)
def test_an_organization_needs_a_name_and_a_free_address(pages_as, given, field):
    answer = pages_as("").post(reverse("dashboard:organization_new"), given)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]


def test_nobody_makes_schemas_without_end(pages_as, monkeypatch):
    monkeypatch.setattr(tiers, "ORGANIZATIONS", tiers.Rate(1 / 3600, 2))
    client, form = pages_as(""), reverse("dashboard:organization_new")
    answers = [client.post(form, {"name": f"Firm {number}"}) for number in range(3)]
    assert [answer.status_code for answer in answers] == [302, 302, 422]
    assert "You made many organizations in a short time" in answers[-1].content.decode()
    assert Organization.objects.filter(slug__startswith="firm-").count() == 2


def test_waiting_is_for_members_and_ends_when_the_environment_is_ready(pages, pages_as):
    path = reverse("dashboard:preparing", args=["acme"])
    assert pages.get(path)["Location"] == address("home")
    assert pages.get(path, headers={"HX-Request": "true"})["HX-Redirect"] == address("home")
    assert pages_as("").get(path).status_code == 404
