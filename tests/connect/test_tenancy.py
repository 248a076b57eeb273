"""An environment is a schema; one helper opens it; nothing else reaches its rows."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from connect.kit import tenancy
from connect.kit.tenancy import EnvironmentRequired, TransactionForbidden, use_environment
from connect.models import AuditEntry, Organization
from connect.services import audit


def schema_now() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        return cursor.fetchone()[0]


def test_a_tenant_query_outside_raises_and_names_the_helper(db):
    with pytest.raises(EnvironmentRequired, match=r"use_environment\(environment\).*shell --env"):
        AuditEntry.objects.count()


def test_public_rows_need_no_environment(db):
    assert Organization.objects.count() == 2


def test_inside_the_schema_is_current_and_afterwards_public(environment):
    with use_environment(environment):
        assert schema_now() == environment.schema_name
        assert tenancy.current() == environment
    assert schema_now() == "public"
    assert tenancy.current() is None


def test_rows_stay_in_their_environment(environments, caller):
    with use_environment(environments["acme/test"]):
        audit.record(caller, action="looked")
    counts = {}
    for name, environment in environments.items():
        with use_environment(environment):
            counts[name] = AuditEntry.objects.count()
    assert counts == {"acme/test": 1, "acme/live": 0, "other/test": 0, "other/live": 0}


def test_nested_for_the_same_environment_joins_and_for_another_raises(environments):
    with use_environment(environments["acme/test"]):
        with use_environment(environments["acme/test"]):
            assert schema_now() == environments["acme/test"].schema_name
        assert tenancy.current() == environments["acme/test"]
        with pytest.raises(RuntimeError, match="finish it before you open"), use_environment(environments["acme/live"]):
            pytest.fail("another environment was opened inside the first")


def test_an_exception_rolls_back_and_closes(environment, caller):
    with pytest.raises(ZeroDivisionError), use_environment(environment):
        audit.record(caller, action="lost")
        raise ZeroDivisionError
    assert tenancy.current() is None
    with use_environment(environment):
        assert AuditEntry.objects.count() == 0


def test_the_outside_world_is_refused_inside(environment):
    tenancy.forbid_inside_transaction()
    with use_environment(environment), pytest.raises(TransactionForbidden, match="commit the claim first"):
        tenancy.forbid_inside_transaction("a processor call")


def test_another_thread_does_not_inherit_the_environment(environment):
    seen = []
    with use_environment(environment):
        thread = threading.Thread(target=lambda: seen.append(tenancy.current()))
        thread.start()
        thread.join()
    assert seen == [None]


@pytest.mark.django_db(transaction=True)
def test_begin_path_and_lock_travel_as_one_query(environments, django_assert_num_queries):
    with django_assert_num_queries(3) as captured, use_environment(environments["acme/test"], try_lock=7) as scope:
        assert schema_now() == environments["acme/test"].schema_name
    assert scope.locked is True
    assert captured[0]["sql"].startswith("BEGIN; SET LOCAL search_path")


@pytest.mark.django_db(transaction=True)
def test_a_held_lock_is_seen_and_released_at_the_end(environment):
    seen: list[bool | None] = []

    def other() -> None:
        with use_environment(environment, try_lock=42) as scope:
            seen.append(scope.locked)
        connection.close()

    with use_environment(environment, try_lock=42):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    other()
    assert seen == [False, True]


@pytest.mark.django_db(transaction=True)
def test_interleaved_threads_never_see_each_others_rows(environments, caller):
    """Two tenants, six threads, canaries written and counted in turn: no foreign row."""
    foreign: list[str] = []

    def work(environment) -> None:
        for _ in range(30):
            with use_environment(environment):
                audit.record(caller, action=environment.schema_name)
            with use_environment(environment):
                foreign.extend(
                    AuditEntry.objects.exclude(action=environment.schema_name).values_list("action", flat=True)
                )
        connection.close()

    threads = [
        threading.Thread(target=work, args=[environments[name]])
        for name in ("acme/test", "other/test", "acme/live") * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert foreign == []


@pytest.mark.django_db(transaction=True)
def test_a_lost_server_connection_is_replaced_at_begin(environment):
    with use_environment(environment), connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    import os

    import psycopg

    with psycopg.connect(os.environ["FC_TEST_ADMIN_URL"], autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    with use_environment(environment):
        assert schema_now() == environment.schema_name
