"""Staff of the platform, signed in, and rows for them to look at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

PASSWORD = "a password nobody types"


@pytest.fixture
def staff(db: None) -> Callable[..., Any]:
    """`staff()` may do everything, `staff("connect.view_environment", …)` what these permissions allow."""

    def make(*permissions: str, email: str = "staff@platform.example") -> Any:
        from django.contrib.auth.models import Permission

        from connect.models import User

        user = User.objects.create_user(email, PASSWORD, is_staff=True, is_superuser=not permissions)
        for permission in permissions:
            label, codename = permission.split(".")
            user.user_permissions.add(Permission.objects.get(content_type__app_label=label, codename=codename))
        return user

    return make


@pytest.fixture
def staff_client(staff: Callable[..., Any]) -> Client:
    """A browser in which a superuser is signed in."""
    client = Client()
    client.force_login(staff())
    return client


@pytest.fixture(autouse=True)
def _fresh_figures() -> None:
    """The figures of the first page are those of the test."""
    from connect.admin import figures

    figures.forget()


@pytest.fixture
def let_in(db: None) -> Callable[..., Any]:
    """`let_in(environment)` is the organization's leave for staff to look into it for an hour."""

    def give(environment: Any, *, hours: int = 1) -> Any:
        from connect.kit import ids
        from connect.kit.caller import Actor, Caller
        from connect.models import Membership
        from connect.services import support_grants

        owner = Membership.objects.get(organization_id=environment.organization_id, role="owner").user
        return support_grants.give(Caller(environment, Actor("user", ids.encode("usr", owner.pk))), hours=hours)

    return give


@pytest.fixture
def door(environment: Any, let_in: Callable[..., Any]) -> Callable[[str], str]:
    """`door("payments/charge/")` is the address of a page in Acme's test environment, which lets staff in."""
    let_in(environment)
    return lambda page="": f"/admin/e/{environment.short_id}/{page}"


@pytest.fixture
def paid(api: Any) -> dict[str, Any]:
    """A payment of 25.00 EUR by a known customer in Acme's test environment, as the API answered it."""
    customer = api.post("/v1/customers", {"email": "mira@shop.example", "name": "Mira"}).json()
    body = {
        "amount": 2500,
        "currency": "eur",
        "customer": customer["id"],
        "payment_method": "pm_card_visa",
        "confirm": True,
    }
    return api.post("/v1/payment_intents", body).json()
