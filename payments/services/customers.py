"""Customers: create, update, delete."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from connect.kit import ids
from connect.kit.caller import Caller
from connect.kit.errors import MissingParameterTarget
from connect.kit.metadata import merge
from connect.selectors import test_clocks
from connect.services import audit, events
from connect.services.events import NewEvent
from payments.models import Customer, PaymentMethod
from payments.selectors import customers
from payments.services import locks, payment_methods
from payments.shapes.customers import CustomerOut, DeletedCustomerOut

_FIELDS = ("email", "name", "phone", "description", "address", "shipping", "preferred_locales")


def create(
    caller: Caller,
    *,
    payment_method: str | None = None,
    metadata: Any = None,
    invoice_settings: Any = None,
    test_clock: str | None = None,
    **given: Any,
) -> CustomerOut:
    """Keep a payer. `payment_method` is attached and becomes the default. Publishes `customer.created`.

    With `test_clock` the customer, and whatever becomes theirs, lives by that clock. Raises `MissingParameterTarget`
    and what attaching raises.
    """
    clock_id = test_clocks.require_for_customers(caller, test_clock) if test_clock else None
    caller = test_clocks.at(caller, clock_id)
    customer = Customer(
        account_id=caller.account,
        test_clock_id=clock_id,
        metadata=merge({}, metadata) if metadata else {},
        created_at=caller.clock.business(),
        **_fields(given),
    )
    customer.save(force_insert=True)
    default = (invoice_settings or {}).get("default_payment_method")
    if payment_method:
        attached = payment_methods.attach(
            caller, method_id=payment_method, customer=ids.encode("cus", customer.id), param="payment_method"
        )
        default = default if default and default != payment_method else attached.id
    if default:
        _make_default(customer, default)
        customer.save()
    made = customers.shape(caller, customer)
    events.publish(caller, NewEvent("customer.created", made))
    audit.record_person(caller, action="customer.created", target=made.id)
    return made


def update(caller: Caller, *, customer_id: str, **given: Any) -> CustomerOut:
    """Change a customer. Publishes `customer.updated`. Raises `ResourceMissing`, also for a deleted one."""
    customer = locks.customer(caller, customer_id)
    caller = test_clocks.at(caller, customer.test_clock_id)
    before = customers.shape(caller, customer)
    for name, value in _fields(given).items():
        setattr(customer, name, value)
    if "metadata" in given:
        customer.metadata = merge(customer.metadata, given["metadata"])
    settings = given.get("invoice_settings") or {}
    if "default_payment_method" in settings:
        _make_default(customer, settings["default_payment_method"])
    customer.save()
    after = customers.shape(caller, customer)
    events.publish(caller, events.updated("customer.updated", before=before, after=after))
    changed = sorted(name for name in given if getattr(before, name) != getattr(after, name))
    audit.record_person(caller, action="customer.updated", target=customer_id, changed=changed)
    return after


def delete(caller: Caller, *, customer_id: str) -> DeletedCustomerOut:
    """Delete a customer: their payment methods are detached, what they paid stays. Publishes `customer.deleted`."""
    customer = locks.customer(caller, customer_id)
    _delete(test_clocks.at(caller, customer.test_clock_id), customer)
    audit.record_person(caller, action="customer.deleted", target=customer_id)
    return DeletedCustomerOut(id=customer_id)


def delete_of_clock(caller: Caller, clock_id: UUID) -> None:
    """Delete every customer that lives by a test clock, as `delete` does."""
    caller = test_clocks.at(caller, clock_id)
    for customer in Customer.objects.select_for_update().filter(test_clock_id=clock_id, deleted_at=None).order_by("id"):
        _delete(replace(caller, account=customer.account_id), customer)


def _delete(caller: Caller, customer: Customer) -> None:
    events.publish(caller, NewEvent("customer.deleted", customers.shape(caller, customer)))
    PaymentMethod.objects.filter(customer_id=customer.id).update(customer_id=None, used_up=True)
    customer.deleted_at = caller.clock.business()
    customer.default_payment_method_id = None
    customer.save(update_fields=["deleted_at", "default_payment_method_id"])


def _fields(given: dict[str, Any]) -> dict[str, Any]:
    values = {name: given[name] for name in _FIELDS if name in given}
    if values.get("preferred_locales", ()) is None:
        values["preferred_locales"] = []
    return values


def _make_default(customer: Customer, method_id: str | None) -> None:
    if method_id is None:
        customer.default_payment_method_id = None
        return
    method = PaymentMethod.objects.filter(pk=ids.lookup("pm", method_id), customer_id=customer.id).first()
    if method is None:
        raise MissingParameterTarget(
            resource="payment_method", id=method_id, param="invoice_settings[default_payment_method]"
        )
    customer.default_payment_method_id = method.id
