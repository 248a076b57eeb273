"""A dispatcher in a thread of the test, sinks for its endpoints, and events for it to carry."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from connect.kit import event_types
from connect.kit.caller import Caller
from connect.kit.tenancy import use_environment
from connect.models import WebhookAttempt, WebhookDelivery
from connect.services import events, webhook_endpoints
from connect.services.dispatcher import Dispatcher, Options
from connect.services.event_hints import hints
from tests.connect.dispatch.sinks import Sink

TYPE = "parcel.sent"


class Parcel(msgspec.Struct):
    id: str
    object: str = "parcel"
    livemode: bool = False


@pytest.fixture(autouse=True)
def _parcels() -> Iterator[None]:
    event_types.register([event_types.EventType(TYPE, "parcel", Parcel, "A parcel was sent.")])
    yield
    event_types.unregister(TYPE)


@pytest.fixture(autouse=True)
def _no_hints_left() -> Iterator[None]:
    yield
    hints.flush()


class Post:
    """Makes endpoints and events in one environment, and reads what became of them."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    def endpoint(self, sink: Sink) -> Any:
        with use_environment(self.caller.environment):
            return webhook_endpoints.create(self.caller, url=sink.url, enabled_events=["*"])

    def publish(self, count: int = 1) -> None:
        with use_environment(self.caller.environment):
            events.publish(self.caller, *(events.NewEvent(TYPE, Parcel(f"parcel_{n}")) for n in range(count)))

    def states(self) -> dict[str, int]:
        with use_environment(self.caller.environment):
            found: dict[str, int] = {}
            for state in WebhookDelivery.objects.values_list("state", flat=True):
                found[state] = found.get(state, 0) + 1
            return found

    def attempts(self) -> list[WebhookAttempt]:
        with use_environment(self.caller.environment):
            return list(WebhookAttempt.objects.order_by("id"))


@pytest.fixture
def post(caller: Caller) -> Post:
    return Post(caller)


@contextmanager
def dispatching(made: list[Dispatcher] | None = None, **options: Any) -> Iterator[threading.Thread]:
    """A dispatcher at work until the block ends; then it stops in order, and what it raised is raised. It is put into
    `made` for who wants to look at it.
    """
    chosen = Options(private_hosts=["127.0.0.1:*"], **{"sweep_seconds": 0.1, **options})
    ready = threading.Event()
    asked: list[Callable[[], None]] = []
    failures: list[BaseException] = []

    async def work() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        asked.append(lambda: loop.call_soon_threadsafe(stop.set))
        dispatcher = Dispatcher(chosen)
        if made is not None:
            made.append(dispatcher)
        ready.set()
        await dispatcher.run(stop)

    def main() -> None:
        try:
            asyncio.run(work())
        except BaseException as error:
            failures.append(error)
            ready.set()

    thread = threading.Thread(target=main, name="dispatcher")
    thread.start()
    assert ready.wait(10)
    try:
        yield thread
    finally:
        if asked:
            asked[0]()
        thread.join(40)
        assert not thread.is_alive(), "the dispatcher does not stop"
    if failures:
        raise failures[0]


def until(truth: Callable[[], Any], what: str, seconds: float = 30) -> None:
    """Wait for a fact; the limit only turns a hang into a failure."""
    over = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if truth():
            return
        over.wait(0.02)
    raise AssertionError(f"waited {seconds} s, but never: {what}")
