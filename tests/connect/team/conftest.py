"""Members of Acme, and as whom they act."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from connect.kit import ids
from connect.kit.caller import Actor
from connect.models import Membership, Organization, User
from tests.at_once import at_once, outcomes


@pytest.fixture
def person(environment: Any) -> Callable[..., Any]:
    """`person("ana", "admin")` is a new member of Acme; without a role somebody who belongs nowhere."""

    def make(name: str, role: str = "") -> Any:
        user = User.objects.create_user(f"{name}@people.example", "a password nobody types", name=name.title())
        if role:
            Membership.objects.create(organization=Organization.objects.get(slug="acme"), user=user, role=role)
        return user

    return make


@pytest.fixture
def acting(caller: Any) -> Callable[[Any], Any]:
    """`acting(user)` is the caller of a person in Acme's test environment."""
    return lambda user: replace(caller, actor=Actor("user", ids.encode("usr", user.pk), label=user.email))


@pytest.fixture
def place() -> Callable[[Any], str]:
    """`place(user)` is the public id of a person's membership in Acme."""

    def of(user: Any) -> str:
        return ids.encode("mem", Membership.objects.get(user=user, organization__slug="acme").pk)

    return of


@pytest.fixture
def roles() -> Callable[[], dict[str, str]]:
    """The members of Acme by the name before the @, and their roles."""

    def read() -> dict[str, str]:
        rows = Membership.objects.filter(organization__slug="acme").values_list("user__email", "role")
        return {email.partition("@")[0]: role for email, role in rows}

    return read


@pytest.fixture
def together() -> Callable[..., Counter[str]]:
    """Run works at the same time, each on a connection of its own; count what came of them."""

    return lambda *works: outcomes(at_once(works))
