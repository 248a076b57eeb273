"""Making people. Sign-in itself is allauth's."""

from __future__ import annotations

from uuid import UUID

from allauth.account.models import EmailAddress
from django.db import transaction

from connect.domain import names
from connect.models import User


def create(*, email: str, password: str, name: str = "", verified: bool = False, staff: bool = False) -> User:
    """A person who can sign in; `verified` spares them the confirmation mail. `staff` may use the admin."""
    with transaction.atomic():
        user = User.objects.create_user(email, password, name=name, is_staff=staff, is_superuser=staff)
        EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=verified)
    return user


def set_password(user_id: UUID, password: str) -> None:
    """Give a person a new password; their sessions end."""
    user = User.objects.get(pk=user_id)
    user.set_password(password)
    user.save(update_fields=["password"])


def update_profile(user_id: UUID, *, name: str, locale: str, time_zone: str) -> None:
    """Keep how a person is called and how they read: `locale` and `time_zone` are checked by the form."""
    User.objects.filter(pk=user_id).update(name=names.cleaned(name), locale=locale, time_zone=time_zone)
