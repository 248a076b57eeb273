"""Expand: ids become objects, one batch per level, within the caller's scopes, without touching what was given."""

import json
from uuid import uuid4

import msgspec
import pytest

from connect.api import expand
from connect.api.pagination import CursorPage
from connect.api.renderers import render_bytes
from connect.domain.errors import PermissionMissing
from connect.kit import ids, registry
from connect.kit.caller import Actor, Caller, EnvironmentRef
from connect.kit.errors import ParameterInvalid
from connect.kit.pages import ListObject
from connect.kit.registry import Resource
from tests.connect.api.shop import Box, Owner, Thing, box

ENVIRONMENT = EnvironmentRef(uuid4(), uuid4(), "test", "test_aaaaaaaaaaaa", "aaaaaa")


def caller(*scopes):
    return Caller(ENVIRONMENT, Actor("api_key", "key_1"), scopes=frozenset(scopes))


EVERYTHING = caller("*")


@pytest.fixture
def shop():
    """Boxes and owners by UUID, registered; `loads` notes every batch."""

    class Shop:
        boxes: dict = {}
        owners: dict = {}
        parts: dict = {}
        loads: list = []

        def read(self, kind):
            def load(caller, identifiers):
                self.loads.append((kind, len(identifiers)))
                return {key: value for key, value in getattr(self, kind).items() if key in identifiers}

            return load

    shop = Shop()
    shop.boxes, shop.owners, shop.parts, shop.loads = {}, {}, {}, []
    resources = [
        Resource("tbox", "test_box", Box, shop.read("boxes"), None, "boxes:read", {"parts": shop.read("parts")}),
        Resource("town", "test_owner", Owner, shop.read("owners"), "/owners/{id}", "owners:read"),
    ]
    for resource in resources:
        registry.register(resource)
    yield shop
    for resource in resources:
        registry.unregister(resource)


def add_owner(shop, **values):
    identifier = ids.new()
    shop.owners[identifier] = Owner(id=ids.encode("town", identifier), **values)
    return shop.owners[identifier]


def add_box(shop, **values):
    identifier = ids.new()
    shop.boxes[identifier] = box(identifier, **values)
    return shop.boxes[identifier]


def test_an_id_becomes_its_object_and_the_original_stays(shop):
    owner = add_owner(shop)
    given = add_box(shop, owner=owner.id)
    (answer,) = expand.apply(EVERYTHING, [given], ["owner"])
    assert answer.owner is owner
    assert given.owner == owner.id
    assert json.loads(render_bytes(answer))["owner"]["object"] == "test_owner"


def test_without_paths_nothing_is_loaded(shop):
    given = add_box(shop, owner=add_owner(shop).id)
    assert expand.apply(EVERYTHING, [given], []) == [given]
    assert shop.loads == []


def test_a_level_of_any_number_of_objects_is_one_batch_per_kind(shop):
    owners = [add_owner(shop, favourite=add_box(shop).id) for _ in range(3)]
    boxes = [add_box(shop, owner=owners[index % 3].id, source=owners[0].id) for index in range(9)]
    answers = expand.apply(EVERYTHING, boxes, ["data.owner.favourite", "data.source"], in_list=True)
    assert shop.loads == [("owners", 3), ("boxes", 3)]
    assert [answer.owner.favourite.object for answer in answers] == ["test_box"] * 9
    assert all(isinstance(owner.favourite, str) for owner in owners)


def test_objects_of_several_kinds_behind_one_attribute(shop):
    boxes = [add_box(shop, source=add_owner(shop).id), add_box(shop, source=add_box(shop).id)]
    answers = expand.apply(EVERYTHING, boxes, ["data.source"], in_list=True)
    assert [answer.source.object for answer in answers] == ["test_owner", "test_box"]


def test_paths_lead_through_lists_inside_of_objects(shop):
    owner = add_owner(shop)
    thing = Thing(id="thing_1", owner=owner.id)
    (answer,) = expand.apply(EVERYTHING, [add_box(shop, things=[thing])], ["things.data.owner"])
    assert answer.things.data[0].owner is owner
    assert thing.owner == owner.id


def test_what_is_only_there_when_expanded(shop):
    given = add_box(shop)
    owner = add_owner(shop)
    parts = ListObject(url="/v1/parts", has_more=False, data=[Thing(id="thing_1", owner=owner.id)])
    shop.parts[ids.decode("tbox", given.id)] = parts
    assert b'"parts"' not in render_bytes(given)
    (answer,) = expand.apply(EVERYTHING, [given], ["parts"])
    assert answer.parts is parts
    (deeper,) = expand.apply(EVERYTHING, [given], ["parts.data.owner"])
    assert deeper.parts.data[0].owner is owner
    assert parts.data[0].owner == owner.id


class DeletedOwner(msgspec.Struct):
    id: str
    deleted: bool = True


def test_a_deleted_object_ends_a_path(shop):
    identifier = ids.new()
    shop.owners[identifier] = DeletedOwner(ids.encode("town", identifier))
    (answer,) = expand.apply(EVERYTHING, [add_box(shop, owner=ids.encode("town", identifier))], ["owner.favourite"])
    assert json.loads(render_bytes(answer))["owner"] == {"id": ids.encode("town", identifier), "deleted": True}


def test_empty_and_vanished_ids_stay_as_they_are(shop):
    gone = ids.encode("town", ids.new())
    boxes = [add_box(shop, owner=None), add_box(shop, owner=""), add_box(shop, owner=gone)]
    answers = expand.apply(EVERYTHING, boxes, ["data.owner"], in_list=True)
    assert [answer.owner for answer in answers] == [None, "", gone]


@pytest.mark.parametrize(
    "path",
    ["nothing", "id", "amount", "metadata", "owner.nothing", "owner.id", "things", "things.data", "things.data.id"],
)
def test_what_cannot_be_expanded_is_refused_whatever_the_data(shop, path):
    for owner in (None, add_owner(shop).id):
        with pytest.raises(ParameterInvalid, match="This property cannot be expanded") as refused:
            expand.apply(EVERYTHING, [add_box(shop, owner=owner)], [path])
        assert refused.value.param == "expand"
    with pytest.raises(ParameterInvalid):
        expand.apply(EVERYTHING, [], [f"data.{path}"], in_list=True, shape=Box)


def test_a_list_s_paths_begin_with_data(shop):
    with pytest.raises(ParameterInvalid, match=r"write data\.owner"):
        expand.apply(EVERYTHING, [add_box(shop)], ["owner"], in_list=True)


def test_a_key_expands_only_what_it_may_read(shop):
    given = add_box(shop, owner=add_owner(shop).id)
    assert expand.apply(caller("owners:write"), [given], ["owner"])[0].owner.object == "test_owner"
    shop.loads.clear()
    for paths in (["owner"], ["source"]):
        with pytest.raises(PermissionMissing, match="owners:read"):
            expand.apply(caller("boxes:read"), [given], paths)
    assert shop.loads == []


def test_jobs_may_read_everything(shop):
    given = add_box(shop, owner=add_owner(shop).id)
    assert expand.apply(Caller.system(ENVIRONMENT, "test"), [given], ["owner"])[0].owner.object == "test_owner"


def test_split_takes_expand_out_of_the_parameters():
    assert expand.split({"expand": ["a.b"], "x": "1"}) == (["a.b"], {"x": "1"})
    assert expand.split({}) == ([], {})
    assert expand.split({"expand": ["data.a.b.c.d"]})[0] == ["data.a.b.c.d"]


@pytest.mark.parametrize("given", ["owner", "", None, {"a": "b"}, [["a"]], ["a.b.c.d.e"], ["a..b"], [""], ["x"] * 21])
def test_malformed_expand_is_refused(given):
    with pytest.raises(ParameterInvalid) as refused:
        expand.split({"expand": given})
    assert refused.value.param == "expand"


def test_expanded_objects_travel_in_the_list_envelope(shop):
    owner = add_owner(shop)
    answers = expand.apply(EVERYTHING, [add_box(shop, owner=owner.id)], ["data.owner"], in_list=True)
    sent = json.loads(render_bytes(CursorPage.envelope("/v1/boxes", answers, False)))
    assert sent["data"][0]["owner"]["id"] == owner.id
