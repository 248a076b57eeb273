"""Filters of lists under a name: a person's own, in one organization, with a way back."""

import html

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from connect.domain.errors import SavedFilterNameTaken
from connect.domain.saved_filters import normalized
from connect.models import Organization, SavedFilter
from connect.services import saved_filters as services
from dashboard.pages.saved_filters import LISTS

ADDRESS = "/o/acme/test/filters"


def act(client, action, path=ADDRESS, **given):
    return client.post(path, {"action": action, **given})


def save(client, name="Failed", query="?status=failed&path=%2Fv1", list_name="request_logs"):
    return act(client, "save", list=list_name, name=name, query=query)


def told(answer):
    return [str(message) for message in get_messages(answer.wsgi_request)]


def kept():
    return [(row.page, row.name, row.query) for row in SavedFilter.objects.order_by("name")]


def listed(client, list_name, query=""):
    return html.unescape(client.get(reverse(f"dashboard:{list_name}", args=["acme", "test"]) + query).content.decode())


def test_a_filter_is_kept_without_its_place_in_the_list(pages):
    answer = save(pages, name="  Failed   here ", query="?status=failed&after=req_1&q=&path=%2Fv1&before=x")
    assert answer["Location"] == "/o/acme/test/developers/logs?path=%2Fv1&status=failed"
    assert kept() == [("request_logs", "Failed here", "path=%2Fv1&status=failed")]
    assert told(answer) == ["The filter “Failed here” is saved."]


@pytest.mark.parametrize("list_name", sorted(LISTS))
def test_every_such_list_shows_its_filters_as_chips_and_the_current_one_marked(pages, list_name):
    other = next(name for name in sorted(LISTS) if name != list_name)
    save(pages, name="Mine", query="status=failed", list_name=list_name)
    save(pages, name="Elsewhere", query="status=failed", list_name=other)
    page = listed(pages, list_name, "?status=failed")
    assert 'status=failed" aria-current="true">Mine</a>' in page
    assert ">Elsewhere</a>" not in page
    assert 'aria-current="true">Mine' not in listed(pages, list_name)


def test_a_list_that_is_not_narrowed_is_not_kept(pages):
    assert told(save(pages, query="?after=req_1")) == ["Set a filter first, then save it."]
    assert kept() == []


def test_a_name_stands_once_for_each_list(pages):
    save(pages)
    answer = save(pages, query="status=2")
    assert told(answer)[-1] == "You have a saved filter of this name here. Choose another name."
    save(pages, list_name="events")
    assert sorted(name for name, _, _ in kept()) == ["events", "request_logs"]


def test_twenty_are_kept_and_no_more(pages):
    for number in range(20):
        save(pages, name=f"F{number}")
    assert "20 saved filters" in told(save(pages, name="One more"))[-1]
    assert len(kept()) == 20


def test_renaming(pages):
    save(pages)
    save(pages, name="Other")
    row = SavedFilter.objects.get(name="Failed")
    answer = act(pages, "rename", id=row.id, name="Broken")
    assert answer["Location"] == ADDRESS
    assert [name for _, name, _ in kept()] == ["Broken", "Other"]
    act(pages, "rename", id=row.id, name="Other")
    act(pages, "rename", id=row.id, name="x" * 61)
    assert [name for _, name, _ in kept()] == ["Broken", "Other"]


def test_a_deletion_can_be_undone_from_its_receipt(pages):
    save(pages)
    answer = pages.post(ADDRESS, {"action": "delete", "id": SavedFilter.objects.get().id}, follow=True)
    assert kept() == []
    (form,) = [part for part in html.unescape(answer.content.decode()).split("<form") if "Undo</button>" in part]
    undo = form.split('action="')[1].split('"')[0]
    assert act(pages, "restore", undo)["Location"] == ADDRESS
    assert kept() == [("request_logs", "Failed", "path=%2Fv1&status=failed")]


def test_an_undo_is_the_persons_own_and_cannot_be_made_up(pages, pages_as):
    save(pages)
    answer = act(pages, "delete", id=SavedFilter.objects.get().id)
    (message,) = [each for each in get_messages(answer.wsgi_request) if each.extra_tags]
    assert act(pages_as("developer"), "restore", message.extra_tags).status_code == 404
    forged = act(pages, "restore", f"{ADDRESS}?state=made-up")
    assert told(forged)[-1] == "This can no longer be taken back. Save the filter anew."
    assert kept() == []


def test_filters_are_seen_and_touched_by_their_person_only(pages, pages_as):
    save(pages)
    colleague = pages_as("developer")
    assert "Failed" not in listed(colleague, "request_logs", "?path=x").split('class="chips"')[1].split("</div>")[0]
    assert "No saved filter" in html.unescape(colleague.get(ADDRESS).content.decode())
    row = SavedFilter.objects.get()
    assert act(colleague, "rename", id=row.id, name="Mine now").status_code == 404
    assert act(colleague, "delete", id=row.id).status_code == 404
    assert kept() == [("request_logs", "Failed", "path=%2Fv1&status=failed")]


def test_a_role_keeps_filters_of_lists_that_it_may_open(pages_as):
    analyst = pages_as("analyst")
    assert save(analyst).status_code == 403
    assert save(analyst, list_name="payments").status_code == 302
    assert [row.page for row in SavedFilter.objects.all()] == ["payments"]


@pytest.mark.parametrize(
    "given",
    [
        {"action": "save", "list": "api_keys", "name": "A", "query": "a=1"},
        {"action": "explode"},
        {"action": "delete", "id": "not-an-id"},
        {"action": "rename", "id": "00000000-0000-0000-0000-000000000000", "name": "A"},
    ],
)
def test_what_makes_no_sense_is_not_found(pages, given):
    assert pages.post(ADDRESS, given).status_code == 404
    assert kept() == []


def test_a_service_refuses_a_name_twice_without_harm_to_the_first(db, member):
    user, organization = member("owner"), Organization.objects.get(slug="acme")
    first = services.save(organization.id, user.pk, page="events", name="A", query="type=x")
    with pytest.raises(SavedFilterNameTaken):
        services.save(organization.id, user.pk, page="events", name="A", query="type=y")
    assert SavedFilter.objects.get().query == first.query


def test_the_order_of_parameters_makes_no_other_filter():
    assert normalized("?b=2&a=1&after=x") == normalized("a=1&b=2&empty=") == "a=1&b=2"
    assert normalized("&".join(f"a{number}=1" for number in range(60))) == ""
