"""Nobody learns of, or touches, what is another's: every operation against every stranger and every wrong id.

For each operation the owner's success is proved first, on a twin of the object; then the strangers try; then the owner
succeeds on the very object they tried, so that no refusal can have had another reason.
"""

from __future__ import annotations

import pytest
from django.db import transaction

from connect.kit import clock, ids
from connect.kit.caller import PLATFORM_ACCOUNT
from payments.models import Customer
from tests.matrix.conftest import seen, send
from tests.matrix.recipes import RECIPES, shapes
from tests.matrix.routes import METHODS, operations

OPERATIONS = operations()
OWN = [operation for operation in OPERATIONS if str(operation) in RECIPES and not RECIPES[str(operation)].shared]
ON_OBJECTS = [operation for operation in OWN if operation.route.parameters]
STRANGERS = {
    "another organization": ("other", "test"),
    "its live mode": ("other", "live"),
    "our live mode": ("acme", "live"),
}

DECIDED_HERE = (
    "livemode", "status", "id", "object", "created", "created_at", "account_id", "environment", "schema_name",
    "amount_received", "amount_captured", "client_secret", "latest_charge", "request_id",
)  # fmt: skip


def test_every_operation_has_a_recipe():
    """A new route fails here until somebody says how its owner succeeds and which scope that takes."""
    assert {str(operation) for operation in OPERATIONS} == set(RECIPES)


def test_every_recipe_with_an_object_says_how_to_make_it():
    for operation in OPERATIONS:
        assert operation.route.parameters in ([], ["pk"]), operation
        assert bool(operation.route.parameters) == bool(RECIPES[str(operation)].make), operation


@pytest.mark.parametrize("operation", ON_OBJECTS, ids=str)
def test_a_strangers_object_answers_like_one_that_does_not_exist(operation, api, api_as, state, cell):
    recipe = RECIPES[str(operation)]
    twin = recipe.make(api)
    assert send(api, operation, twin, recipe.parameters(api)).status_code == 200
    wanted = recipe.make(api)
    parameters = recipe.parameters(api)
    strangers = {who: api_as(slug, kind) for who, (slug, kind) in STRANGERS.items()}
    theirs = {who: recipe.parameters(stranger) for who, stranger in strangers.items()}
    before = state()
    for who, stranger in strangers.items():
        absent = ids.encode(recipe.prefix, ids.new())
        nothing = send(stranger, operation, absent, theirs[who])
        refused = send(stranger, operation, wanted, theirs[who])
        assert nothing.status_code == 404, (who, nothing.content)
        assert nothing.json()["error"]["code"] == "resource_missing"
        assert seen(refused, wanted) == seen(nothing, absent), who
        assert refused["Request-Id"] != nothing["Request-Id"]
        cell("isolation")
    for what, wrong in shapes(wanted, recipe.prefix).items():
        refused = send(api, operation, wrong, parameters)
        assert refused.status_code == 404, (what, refused.content)
        assert refused.json()["error"]["code"] == "resource_missing", what
        cell("wrong ids")
    assert state() == before
    assert send(api, operation, wanted, parameters).status_code == 200


@pytest.mark.parametrize(
    ("operation", "name"),
    [(operation, name) for operation in OPERATIONS for name in RECIPES[str(operation)].names],
    ids=lambda value: str(value),
)
def test_naming_a_strangers_object_answers_like_naming_none(operation, name, api, api_as, state, cell):
    """A customer, a method or an account in a body or a filter is looked for in the caller's environment only."""
    recipe = RECIPES[str(operation)]
    prefix, make = recipe.names[name]

    def parameters(client, value):
        return {**recipe.parameters(client), name: value}

    mine = send(api, operation, recipe.make(api) if recipe.make else "", parameters(api, make(api)))
    assert mine.status_code == 200, mine.content
    theirs = make(api)
    for who, (slug, kind) in STRANGERS.items():
        stranger = api_as(slug, kind)
        if kind == "live" and prefix == "pm":
            continue  # a live environment has no processor to make the intent or method that would be tried on
        own = recipe.make(stranger) if recipe.make and kind == "test" else ""
        if recipe.make and not own:
            continue
        absent = ids.encode(prefix, ids.new())
        others, none = parameters(stranger, theirs), parameters(stranger, absent)
        before = state()
        refused, nothing = send(stranger, operation, own, others), send(stranger, operation, own, none)
        assert seen(refused, theirs) == seen(nothing, absent), who
        if operation.method == "GET":
            assert nothing.status_code in (200, 400), (who, nothing.content)
            assert nothing.json().get("data", []) == []
        else:
            assert nothing.status_code == 400, (who, nothing.content)
            assert nothing.json()["error"]["code"] == "resource_missing"
        assert state() == before
        cell("isolation by parameter")


@pytest.mark.parametrize("operation", [o for o in OWN if o.method == "GET" and not o.route.parameters], ids=str)
def test_a_list_shows_a_stranger_nothing(operation, api, api_as, cell):
    """What one environment made is in no list of another, and a cursor from there leads nowhere."""
    recipe = RECIPES[str(operation)]
    from tests.matrix import recipes

    for make in (
        recipes.charge, recipes.customer, recipes.kept_method, recipes.setup_intent, recipes.transaction, recipes.hold,
        recipes.endpoint, recipes.refund, recipes.frozen_clock, recipes.checkout_session, recipes.link_session, recipes.bank_transaction,
    ):  # fmt: skip
        make(api)
    mine = send(api, operation, parameters=recipe.parameters(api))
    assert mine.status_code == 200
    listed = mine.json().get("data")
    for who, (slug, kind) in STRANGERS.items():
        stranger = api_as(slug, kind)
        answer = send(stranger, operation, parameters=recipe.parameters(stranger))
        assert answer.status_code == 200, who
        if listed is None:
            continue
        assert listed, "the owner's list has to hold something for this to say anything"
        assert answer.json()["data"] == [], who
        for cursor in ("starting_after", "ending_before"):
            key = "id" if "id" in listed[0] else "account"
            refused = send(stranger, operation, parameters={cursor: listed[0][key]})
            absent = ids.encode(listed[0][key].rpartition("_")[0], ids.new())
            nothing = send(stranger, operation, parameters={cursor: absent})
            assert nothing.status_code == 400
            assert seen(refused, listed[0][key]) == seen(nothing, absent)
        cell("isolation of lists")


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.method == "POST"], ids=str)
def test_nobody_assigns_what_is_decided_here(operation, api, state, cell):
    """Mode, state, totals, owner and time are no inputs anywhere: each is refused by its name, and nothing happens."""
    recipe = RECIPES[str(operation)]
    wanted = recipe.make(api) if recipe.make else ""
    parameters = recipe.parameters(api)
    before = state()
    for name in DECIDED_HERE:
        refused = send(api, operation, wanted, {**parameters, name: "1"})
        assert refused.status_code == 400, (name, refused.content)
        assert refused.json()["error"]["code"] == "parameter_unknown", name
        assert refused.json()["error"]["param"] == name
        cell("mass assignment")
    assert state() == before


@pytest.mark.parametrize("path", sorted({operation.route.path for operation in OPERATIONS}))
def test_a_method_that_is_not_offered_is_refused(path, api, state, cell):
    offered = {operation.method for operation in OPERATIONS if operation.route.path == path}
    before = state()
    for method in {*METHODS, "OPTIONS", "TRACE"} - offered:
        refused = api.client.generic(
            method, path.replace("{pk}", "x_1"), b"{}", "application/json", headers=api.headers
        )
        assert refused.status_code == 405, (method, refused.content)
        assert refused.json()["error"]["code"] == "method_not_allowed"
        assert set(refused["Allow"].split(", ")) - {"HEAD"} == offered
        cell("methods not offered")
    assert state() == before


def test_every_write_shows_in_the_state(state, opened):
    """What the tests above rest on: they read anew only the tables that PostgreSQL says were written to."""
    name = f"{opened.schema_name}.payments_customer"
    seen_before = [state()]
    row = {"id": ids.new(), "account_id": PLATFORM_ACCOUNT, "created_at": clock.wall()}
    Customer.objects.create(**row, email="ana@example.com")
    customer = Customer.objects.filter(pk=row["id"])
    seen_before.append(state())
    customer.update(email="eva@example.com")
    seen_before.append(state())
    assert [before[name][0] for before in seen_before] == [0, 1, 1]
    assert len({before[name] for before in seen_before}) == 3
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        customer.delete()
        raise ZeroDivisionError
    assert state() == seen_before[-1], "what was taken back is no change"
    customer.delete()
    assert state() == seen_before[0]
