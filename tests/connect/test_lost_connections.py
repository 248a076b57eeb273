"""A request whose database goes away under it, and one that was overtaken by its own repetition."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection, connections

from connect.api import execution, renderers
from connect.api.errors import to_domain_error
from connect.kit.errors import LockTimeout
from connect.kit.outcomes import Waiting
from connect.kit.tenancy import use_environment
from connect.services import idempotency

pytestmark = pytest.mark.django_db(transaction=True)


def cut_connections() -> None:
    """As a restart of PostgreSQL does to everybody."""
    with psycopg.connect(os.environ["FC_TEST_ADMIN_URL"], autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
            [connections["default"].settings_dict["NAME"]],
        )


def outside(caller: Any, call: Callable[[], None], record: Callable[[], Any], *, key: str) -> execution.Reply:
    """A request that asks the outside world, here `call`, between its two transactions."""
    claim = idempotency.claim(_with_key(caller, key), method="POST", path="/v1/things", parameters={})
    return execution.external(
        caller,
        claim,
        begin=lambda _: Waiting(resume="patt_1", call=None),
        resume=lambda _, resume: Waiting(resume=resume, call=None),
        call=lambda _: call(),
        record=lambda *_: record(),
        render=renderers.render_bytes,
    )


def _with_key(caller: Any, key: str) -> Any:
    import dataclasses

    return dataclasses.replace(caller, idempotency_key=key)


def test_a_transaction_begins_on_a_new_connection_when_the_old_one_was_cut(environment: Any) -> None:
    with use_environment(environment):
        pass
    cut_connections()
    with use_environment(environment), connection.cursor() as cursor:
        cursor.execute("SELECT current_schema")
        assert cursor.fetchone() == (environment.schema_name,)


def test_a_connection_cut_within_a_transaction_is_a_503_and_the_next_one_works(environment: Any) -> None:
    with pytest.raises(OperationalError) as caught, use_environment(environment), connection.cursor() as cursor:
        cut_connections()
        cursor.execute("SELECT 1")
    error = to_domain_error(caught.value)
    assert (error.status, error.code) == (503, "service_unavailable")
    assert error.headers["Stripe-Should-Retry"] == "true"
    with use_environment(environment):
        pass


def test_what_the_outside_world_did_is_recorded_over_a_lost_connection(caller: Any) -> None:
    cuts = iter([cut_connections])

    def record() -> Any:
        for cut in cuts:
            cut()  # the first time only, in the middle of the transaction
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return {"id": "thing_1"}

    reply = outside(caller, lambda: None, record, key="lost")
    assert (reply.status, reply.body, reply.replayed) == (200, b'{"id":"thing_1"}', False)
    again = outside(caller, lambda: pytest.fail("called twice"), record, key="lost")
    assert (again.status, again.body, again.replayed) == (200, reply.body, True)


def test_what_the_outside_world_did_is_recorded_once_a_held_row_is_free(caller: Any) -> None:
    held = iter([True])

    def record() -> Any:
        for _ in held:
            raise LockTimeout  # as a row that somebody holds for longer than the database waits
        return {"id": "thing_2"}

    reply = outside(caller, lambda: None, record, key="held")
    assert (reply.status, reply.body) == (200, b'{"id":"thing_2"}')


def test_who_was_overtaken_by_its_own_repetition_says_what_that_one_said(caller: Any, settings: Any) -> None:
    settings.FC_LEASE_SECONDS = 0  # over at once
    said: list[execution.Reply] = []

    def overtaken() -> None:
        repetition = threading.Thread(target=repeat)
        repetition.start()
        repetition.join()

    def repeat() -> None:
        try:
            said.append(outside(caller, lambda: None, lambda: {"said": "by the repetition"}, key="slow"))
        finally:
            connections.close_all()

    slow = outside(caller, overtaken, lambda: {"said": "by the slow one"}, key="slow")
    assert said[0].body == b'{"said":"by the repetition"}'
    assert (slow.body, slow.replayed) == (said[0].body, True)
