"""The one way into an environment's schema.

    with use_environment(environment):
        PaymentIntent.objects.get(...)

`use_environment` **is** the transaction: it commits when the block ends and rolls back when it raises. Inside,
`current()` names the environment; that context variable is the guard everywhere, because `in_atomic_block` alone is
always true under Django's test cases. A tenant query outside of it raises `EnvironmentRequired`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from django.apps import apps
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django_tenants.routers import TenantSyncRouter

from connect.kit import clock
from connect.kit.caller import EnvironmentRef

if TYPE_CHECKING:
    import psycopg
    from django.db.models import Model

SCHEMA_NAME: Final = re.compile(r"(live|test)_[a-z2-7]{12}")


class EnvironmentRequired(RuntimeError):
    """A row of an environment was asked for outside of one."""


class TransactionForbidden(RuntimeError):
    """Something slow or irreversible (a bank, a processor) was called while a transaction was open."""


_FROZEN_AT: Final = "SELECT max(frozen_time) FROM connect_test_clock WHERE for_environment AND deleted_at IS NULL"


@dataclass(slots=True)
class Scope:
    """What `use_environment` yields. `locked` is None when no lock was asked for, else whether it was free.

    `frozen_at` is where the environment's own test clock stands; live environments have none.
    """

    environment: EnvironmentRef
    try_lock: int | None = None
    locked: bool | None = None
    frozen_at: datetime | None = None

    def statements(self) -> list[str]:
        """What follows BEGIN: the search path, the question for the test clock, and the try-lock."""
        texts = [f'SET LOCAL search_path = "{self.environment.schema_name}", public']
        if not self.environment.livemode:
            texts.append(_FROZEN_AT)
        if self.try_lock is not None:
            texts.append(f"SELECT pg_try_advisory_xact_lock({self.try_lock:d})")
        return texts

    def read_answers(self, cursor: psycopg.Cursor) -> None:
        """Take the answers to `statements()` from the results of one query that held them all."""
        answers = []
        while True:
            if cursor.description:
                answers.append(cursor.fetchone())
            if not cursor.nextset():
                break
        self.take([row[0] if row else None for row in answers])

    def take(self, answers: list[Any]) -> None:
        """The answers to the questions among `statements()`, in their order."""
        if not self.environment.livemode:
            self.frozen_at = answers.pop(0)
        if self.try_lock is not None:
            self.locked = bool(answers.pop(0))


_current: ContextVar[Scope | None] = ContextVar("environment", default=None)
_opening: ContextVar[Scope | None] = ContextVar("opening_environment", default=None)


def current() -> EnvironmentRef | None:
    """The environment whose transaction is open here, or None."""
    scope = _current.get()
    return scope.environment if scope else None


def opening() -> Scope | None:
    """For the database backend only: the scope whose transaction is about to begin."""
    return _opening.get()


@contextmanager
def use_environment(environment: EnvironmentRef, *, try_lock: int | None = None) -> Iterator[Scope]:
    """Open `environment`: one transaction with its schema on the search path.

    Nested for the same environment it joins the open transaction; for another one it raises `RuntimeError`, because one
    transaction writes one tenant. `try_lock` is a signed 64-bit advisory lock to try for, held until the transaction
    ends; read `scope.locked`. It cannot be asked for when joining.
    """
    outer = _current.get()
    if outer is not None:
        if outer.environment.schema_name != environment.schema_name:
            raise RuntimeError(
                f"{outer.environment.schema_name} is open; finish it before you open {environment.schema_name}"
            )
        if try_lock is not None:
            raise RuntimeError("a lock can be asked for only where the transaction begins")
        yield outer
        return
    if not SCHEMA_NAME.fullmatch(environment.schema_name):
        raise ValueError(f"{environment.schema_name!r} is not the schema of an environment")
    scope = Scope(environment, try_lock)
    connection = connections[DEFAULT_DB_ALIAS]
    inside_test_case = connection.in_atomic_block
    opening_token = None if inside_test_case else _opening.set(scope)
    current_token = _current.set(scope)
    try:
        with transaction.atomic(durable=True):
            if opening_token is not None:
                _opening.reset(opening_token)
                opening_token = None
            else:
                _join_outer_transaction(scope, connection)
            with clock.environment_at(scope.frozen_at):
                yield scope
            if inside_test_case:
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL search_path = public")
    finally:
        _current.reset(current_token)
        if opening_token is not None:
            _opening.reset(opening_token)


def _join_outer_transaction(scope: Scope, connection: Any) -> None:
    """Under Django's test case the transaction has begun already: set the path in the savepoint instead."""
    answers = []
    with connection.cursor() as cursor:
        for statement in scope.statements():
            cursor.execute(statement)
            if cursor.description:
                answers.append(cursor.fetchone()[0])
    scope.take(answers)


def forbid_inside_transaction(what: str = "a call to the outside world") -> None:
    """Raise `TransactionForbidden` when an environment's transaction is open: what is slow must not hold locks."""
    if _current.get() is not None:
        raise TransactionForbidden(f"{what} inside a transaction; commit the claim first, then call, then record")


def is_tenant_model(model: type[Model]) -> bool:
    """Whether the model's rows live in every environment's schema."""
    return model._meta.app_label in _tenant_labels()


@cache
def _tenant_labels() -> frozenset[str]:
    return frozenset(config.label for config in apps.get_app_configs() if config.name in settings.TENANT_APPS)


class EnvironmentRouter(TenantSyncRouter):
    """django-tenants' rules for migrations, and the guard for queries."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:  # noqa: ARG002 - Django's signature
        if _current.get() is None and model._meta.app_label in _tenant_labels():
            raise EnvironmentRequired(
                f"{model.__name__} lives in an environment: open one with use_environment(environment), "
                "or start `manage.py shell --env demo/test`"
            )
        return None

    db_for_write = db_for_read
