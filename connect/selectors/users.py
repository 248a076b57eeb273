"""People, by what they are known."""

from __future__ import annotations

from connect.models import User


def by_email(email: str) -> User | None:
    """The person with this e-mail address, or None."""
    return User.objects.filter(email=email.strip().lower()).first()
