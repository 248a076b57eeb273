"""People of Acme and pages as they see them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client


@pytest.fixture
def member(db: None) -> Callable[[str], Any]:
    """`member("analyst")` is a person with that role in Acme; `member("")` one who belongs to no organization."""

    def make(role: str) -> Any:
        from connect.models import Membership, Organization, User

        user = User.objects.create_user(f"{role or 'nobody'}@people.example", "a password nobody types")
        if role:
            Membership.objects.create(organization=Organization.objects.get(slug="acme"), user=user, role=role)
        return user

    return make


@pytest.fixture
def pages_as(member: Callable[[str], Any]) -> Callable[[str], Client]:
    """`pages_as("developer")` is a signed-in browser without JavaScript."""

    def sign_in(role: str) -> Client:
        client = Client()
        client.force_login(member(role))
        return client

    return sign_in


@pytest.fixture
def pages(pages_as: Callable[[str], Client]) -> Client:
    """The dashboard as an owner of Acme sees it."""
    return pages_as("owner")
