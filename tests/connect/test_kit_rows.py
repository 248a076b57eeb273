"""Kept statements mean what Django's own would."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import F

from connect.kit import clock, ids
from connect.kit.pages import Page
from connect.kit.tenancy import EnvironmentRequired
from payments.models import Customer


def customer(caller: Any, **given: Any) -> Customer:
    row = Customer(account_id=caller.account, created_at=clock.wall(), **given)
    row.save(force_insert=True)
    return row


def test_a_saved_row_is_read_back_equal_by_both_ways(opened: Any, caller: Any) -> None:
    row = customer(
        caller, name="Ана", address={"city": "Битола", "line2": None}, metadata={"a": '"\\'}, balance_minor=-5
    )
    kept, stock = Customer.objects.one(id=row.id), Customer.objects.get(pk=row.id)
    for field in Customer._meta.concrete_fields:
        name = field.attname
        assert getattr(kept, name) == getattr(stock, name) == getattr(row, name), name
    assert not kept._state.adding


def test_saving_again_updates_and_can_set_null(opened: Any, caller: Any) -> None:
    row = customer(caller, name="Ana", email="ana@example.com", address={"city": "Ohrid"})
    row.name, row.address = None, None
    row.save()
    read = Customer.objects.get(pk=row.id)
    assert (read.name, read.address, read.email) == (None, None, "ana@example.com")


def test_named_fields_are_updated_and_others_left(opened: Any, caller: Any) -> None:
    row = customer(caller, name="Ana", phone="1")
    row.name, row.phone = "Eva", "2"
    row.save(update_fields=["name"])
    assert Customer.objects.values_list("name", "phone").get(pk=row.id) == ("Eva", "1")


def test_an_expression_is_left_to_django(opened: Any, caller: Any) -> None:
    row = customer(caller, balance_minor=5)
    row.balance_minor = F("balance_minor") + 2
    row.save()
    assert Customer.objects.get(pk=row.id).balance_minor == 7


def test_one_finds_by_all_values_and_nothing_by_none(opened: Any, caller: Any) -> None:
    row = customer(caller, name="Ana")
    assert Customer.objects.one(id=row.id, name="Ana", lock=True) == row
    assert Customer.objects.one(id=row.id, name="Eva") is None
    assert Customer.objects.one(id=row.id, phone=None) is None
    assert Customer.objects.one(id=ids.new()) is None


def test_a_page_is_newest_first_with_one_more_and_cut_by_conditions(opened: Any, caller: Any) -> None:
    rows = [customer(caller, name=name) for name in ("a", "b", "c", "d")]
    rows[1].deleted_at = clock.wall()
    rows[1].save()
    conditions = {"account_id": caller.account, "deleted_at": None}
    found = Customer.objects.page(Page(2), conditions)
    assert [row.name for row in found] == ["d", "c", "a"]
    older = Customer.objects.page(Page(2, starting_after=rows[2].id), conditions)
    newer = Customer.objects.page(Page(2, ending_before=rows[0].id), conditions)
    assert ([row.name for row in older], [row.name for row in newer]) == (["a"], ["c", "d"])
    since = Customer.objects.page(Page(5), {**conditions, "created_at__gte": rows[2].created_at})
    until = Customer.objects.page(Page(5), {**conditions, "created_at__lt": rows[2].created_at})
    assert ([row.name for row in since], [row.name for row in until]) == (["d", "c"], ["a"])
    with pytest.raises(AttributeError):
        found[0].name = "x"


@pytest.mark.django_db
def test_nothing_is_read_or_saved_outside_of_an_environment(caller: Any) -> None:
    with pytest.raises(EnvironmentRequired):
        Customer.objects.one(id=ids.new())
    with pytest.raises(EnvironmentRequired):
        Customer.objects.page(Page(), {})
    with pytest.raises(EnvironmentRequired):
        customer(caller)
