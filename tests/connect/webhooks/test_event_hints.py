"""The dispatcher is told where there is work, after the commit, off the hot path; without Valkey nothing is lost."""

from __future__ import annotations

import time

import pytest

from connect.clients import event_hints as client
from connect.kit import ids, valkey
from connect.kit.tenancy import use_environment
from connect.selectors import sweeps
from connect.selectors import webhook_deliveries as selectors
from connect.services import event_hints, events
from connect.services.event_hints import Hints
from connect.services.events import NewEvent
from tests.connect.webhooks.conftest import customer


class Unstarted(Hints):
    """Flushed by the test and not by a thread."""

    def _start(self) -> None:
        self._thread = None


@pytest.fixture
def hints(monkeypatch):
    made = Unstarted()
    monkeypatch.setattr(event_hints, "hints", made)
    return made


@pytest.mark.django_db(transaction=True)
def test_a_commit_leaves_a_hint_and_a_rollback_none(caller, environment, hints):
    with pytest.raises(ZeroDivisionError), use_environment(environment):
        events.publish(caller, NewEvent("customer.created", customer()))
        _ = 1 / 0
    assert hints.flush()
    assert client.take() == []
    for _ in range(3):
        with use_environment(environment):
            events.publish(caller, NewEvent("customer.created", customer()))
            assert hints.flush()
            assert client.take() == []
        assert hints.flush()
        assert client.take() == [environment.id]
    assert client.take() == []


@pytest.mark.django_db(transaction=True)
def test_the_sweep_finds_what_no_hint_told(caller, environment, hints):
    assert list(sweeps.environments_where(*selectors.NEW)) == []
    with use_environment(environment):
        events.publish(caller, NewEvent("customer.created", customer()))
    assert [found.id for found in sweeps.environments_where(*selectors.NEW)] == [environment.id]


def test_many_hints_become_one():
    hints = Unstarted()
    one, other = ids.new(), ids.new()
    for _ in range(1000):
        hints.note(one)
    hints.note(other)
    assert hints.flush()
    assert set(client.take()) == {one, other}


def test_without_valkey_a_hint_is_forgotten_and_nothing_raised(monkeypatch):
    def gone(environment_ids):
        raise valkey.ValkeyError("away")

    hints = Unstarted()
    hints.note(ids.new())
    monkeypatch.setattr(client, "send", gone)
    assert not hints.flush()
    assert hints.flush()


def test_the_thread_sends_by_itself():
    hints = Hints()
    identifier = ids.new()
    hints.note(identifier)
    deadline = time.monotonic() + 30
    while not valkey.client().sismember(client.KEY, str(identifier)):
        assert hints._thread is not None
        assert hints._thread.is_alive()
        assert time.monotonic() < deadline
    assert client.take() == [identifier]
