"""The dispatcher: takes what is due in every environment to its endpoints, many at once, none holding up another.

One event loop sends; a few threads ask the database, through the same services as everybody (`webhook_dispatch`). A
`_Pump` per environment with work turns in a circle: record what came back, fan out new events, claim as much as the
windows of the endpoints have room for. It learns of work from hints in Valkey and from a sweep over all environments,
so a lost hint, or no Valkey at all, costs two seconds. While PostgreSQL is away the pumps keep their answers and wait.

**Promise:** every committed event reaches its endpoints at least once. The attempt's row and a lease commit before
the request is sent; what a killed dispatcher had under way is sent again, by whichever dispatcher finds the lease
ended. Any number of dispatchers may run. `stop` claims nothing more and lets what is under way end.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Barrier
from typing import Any, Final, TypeVar
from uuid import UUID

import psycopg
import structlog
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections

from connect.clients import event_hints, valkey
from connect.clients.webhook_http import TOTAL_SECONDS, Answered, Outcome, WebhookClient
from connect.domain.sliding_windows import PLACES_FIRST, SlidingWindow
from connect.domain.webhook_deliveries import Answer, Outgoing
from connect.kit import metrics
from connect.kit.caller import Caller, EnvironmentRef
from connect.kit.failpoints import failpoint
from connect.kit.tenancy import use_environment
from connect.selectors import environments, sweeps
from connect.selectors.webhook_deliveries import DUE, WAITING
from connect.services import webhook_deliveries

log = structlog.get_logger(__name__)

SWEEP_SECONDS: Final = 2.0
HINT_SECONDS: Final = 0.1
GATHER_SECONDS: Final = 0.01
"""How long answers gather before they are recorded: with thousands a second, that makes one commit of many."""
AWAY_SECONDS: Final = (0.2, 0.5, 1.0, 2.0)
"""Between two tries while the database is away; the last one again and again."""
HEARTBEAT_SECONDS: Final = 5.0
PLACES_TOTAL: Final = 500
DATABASE_THREADS: Final = 3
FAN_OUT_MAX: Final = 500
CLAIM_MAX: Final = 500
SLOW_SECONDS: Final = 5.0
"""An endpoint that takes longer to answer gets fewer places."""
BEGIN_SECONDS: Final = webhook_deliveries.LEASE_SECONDS - TOTAL_SECONDS - 15
"""What could not begin within this of its claim is given back: its lease might end while it is under way."""

_AWAY: Final = (OperationalError, InterfaceError, psycopg.OperationalError)
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Options:
    """How a dispatcher works. `private_hosts` are patterns that test environments may reach, `per_second` bounds how
    many requests begin to one endpoint in a second (0: no bound), `sweep_seconds` is the rhythm of the sweep.
    """

    private_hosts: Sequence[str] = ()
    per_second: float = 0
    places: int = PLACES_TOTAL
    sweep_seconds: float = SWEEP_SECONDS


@dataclass(slots=True)
class _Turn:
    """What a pump asks of the database in one go, and what it got."""

    answers: list[Answer] = field(default_factory=list)
    returned: list[Outgoing] = field(default_factory=list)
    look: bool = False
    rooms: Mapping[UUID, int] = field(default_factory=dict)
    claim: bool = False
    recorded: bool = False
    fanned_out: int = 0
    claimed: list[Outgoing] = field(default_factory=list)
    away: Exception | None = None


class Dispatcher:
    """One process' dispatcher: `await run(stop)` in an event loop of its own."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.places = asyncio.Semaphore(options.places)
        self.stopping = False
        self.database = _Database(DATABASE_THREADS)
        self._pumps: dict[UUID, _Pump] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then end in order. Raises what ends a part of it unexpectedly."""
        async with WebhookClient() as public, WebhookClient(self.options.private_hosts) as private:
            self._clients = {"live": public, "test": private}
            watch = [asyncio.create_task(part()) for part in (self._hints, self._sweep, self._heartbeat)]
            stopped = asyncio.create_task(stop.wait())
            done, _ = await asyncio.wait([stopped, *watch], return_when=asyncio.FIRST_COMPLETED)
            self.stopping = True
            for task in (stopped, *watch):
                task.cancel()
            await asyncio.gather(stopped, *watch, return_exceptions=True)
            for pump in self._pumps.values():
                pump.wake(look=False)
            if self._tasks:
                await asyncio.wait(self._tasks)
            await self.database.close()
            for task in done - {stopped}:
                task.result()

    def client(self, environment: EnvironmentRef) -> WebhookClient:
        """The client for an environment: only test environments may reach private hosts."""
        return self._clients[environment.kind]

    def _work_in(self, environment: EnvironmentRef) -> None:
        """There may be something to do in this environment."""
        pump = self._pumps.get(environment.id)
        if pump is None:
            pump = self._pumps[environment.id] = _Pump(self, environment)
            task = asyncio.create_task(self._pump(pump))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        pump.wake(look=True)

    async def _pump(self, pump: _Pump) -> None:
        try:
            await pump.run()
        except Exception:  # the sweep begins it anew; what it had under way comes again after its lease
            log.exception("webhooks.pump_failed", environment=pump.environment.short_id)
        finally:
            del self._pumps[pump.environment.id]

    async def _hints(self) -> None:
        """Valkey knows at once who has events. It may be away: then the sweep is all there is."""
        known: dict[UUID, EnvironmentRef] = {}
        while True:
            hinted: list[UUID] = []
            try:
                hinted = await self.database.run(event_hints.take)
            except valkey.ValkeyError as error:
                _count_away("valkey", error)
                await asyncio.sleep(1)
            for identifier in hinted:
                if identifier not in known:
                    environment = await self._when_back(environments.by_id, identifier)
                    if environment is None:
                        continue
                    known[identifier] = environment
                self._work_in(known[identifier])
            await asyncio.sleep(HINT_SECONDS)

    async def _sweep(self) -> None:
        """The truth: which environments have events to fan out, or deliveries that are due."""
        while True:
            for found in await self._when_back(_with_work):
                self._work_in(found)
            await asyncio.sleep(self.options.sweep_seconds)

    async def _heartbeat(self) -> None:
        """`/readyz` shows whether a dispatcher lives."""
        while True:
            try:
                await self.database.run(dispatcher_heartbeat.beat)
            except valkey.ValkeyError as error:
                _count_away("valkey", error)
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def _when_back(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """The answer of the database, however long it is away."""
        tries = 0
        while True:
            try:
                return await self.database.run(function, *arguments)
            except _AWAY as error:
                await pause_while_away(error, tries)
                tries += 1


class _Pump:
    """One environment's circle: record, fan out, claim, send. It ends when there is nothing left to do."""

    def __init__(self, dispatcher: Dispatcher, environment: EnvironmentRef) -> None:
        self.environment = environment
        self._dispatcher = dispatcher
        self._client = dispatcher.client(environment)
        self._windows: dict[UUID, SlidingWindow[tuple[Outgoing, float]]] = {}
        self._answers: list[Answer] = []
        self._returned: list[Outgoing] = []
        self._sending: set[asyncio.Task[None]] = set()
        self._look = False
        self._awake = asyncio.Event()

    def wake(self, *, look: bool) -> None:
        """Go on; `look` says that there may be new events, or deliveries that became due."""
        self._look = self._look or look
        self._awake.set()

    async def run(self) -> None:
        tries = 0
        while True:
            await self._awake.wait()
            self._awake.clear()
            if not self._look:
                await asyncio.sleep(GATHER_SECONDS)
            turn = self._next_turn()
            claimed_at = time.monotonic()
            await self._dispatcher.database.run(_take_turn, self.environment, turn)
            if turn.recorded:
                tries = 0
            if turn.away is not None:
                self._take_back(turn)
                await pause_while_away(turn.away, tries)
                tries += 1
                if self._dispatcher.stopping and tries > len(AWAY_SECONDS):
                    return  # the leases end, and another dispatcher sends again
            self._after(turn, claimed_at)
            if self._finished():
                return

    def _next_turn(self) -> _Turn:
        answers, self._answers = self._answers, []
        returned, self._returned = self._returned, []
        if self._dispatcher.stopping:
            for window in self._windows.values():
                returned += [outgoing for outgoing, _ in window.drop()]
            return _Turn(answers, returned)
        now = time.monotonic()
        look, self._look = self._look, False
        if look:
            for window in self._windows.values():
                window.exhausted = False
        rooms = {key: 0 if window.exhausted else window.room(now) for key, window in self._windows.items()}
        return _Turn(answers, returned, look, rooms, claim=look or any(rooms.values()))

    def _take_back(self, turn: _Turn) -> None:
        """The database went away in the middle of a turn: what it did not take waits for the next one."""
        if not turn.recorded:
            self._answers = turn.answers + self._answers
            self._returned = turn.returned + self._returned
        self.wake(look=turn.look)

    def _after(self, turn: _Turn, claimed_at: float) -> None:
        counts: dict[UUID, int] = {}
        for outgoing in turn.claimed:
            counts[outgoing.endpoint_id] = counts.get(outgoing.endpoint_id, 0) + 1
            window = self._windows.get(outgoing.endpoint_id)
            if window is None:
                window = SlidingWindow(per_second=self._dispatcher.options.per_second)
                self._windows[outgoing.endpoint_id] = window
            window.waiting.append((outgoing, claimed_at + BEGIN_SECONDS))
        if turn.claim and turn.away is None and len(turn.claimed) < CLAIM_MAX:
            for key, window in self._windows.items():
                window.exhausted = counts.get(key, 0) < turn.rooms.get(key, PLACES_FIRST)
        for key in [key for key, window in self._windows.items() if window.empty and window.exhausted]:
            del self._windows[key]
        for window in self._windows.values():
            self._begin(window)
        if turn.fanned_out == FAN_OUT_MAX:
            self.wake(look=True)
        elif turn.claimed:
            self.wake(look=False)
