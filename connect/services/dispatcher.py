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
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Barrier
from typing import Any, Final, TypeVar
from uuid import UUID

import psycopg
import structlog
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections

from connect.clients import dispatcher_heartbeat, event_hints
from connect.clients.webhook_http import TOTAL_SECONDS, Answered, Outcome, WebhookClient
from connect.domain.sliding_windows import PLACES_FIRST, SlidingWindow
from connect.domain.webhook_deliveries import Answer, Outgoing
from connect.kit import ids, metrics, valkey
from connect.kit.caller import Caller, EnvironmentRef
from connect.kit.failpoints import failpoint
from connect.kit.tenancy import use_environment
from connect.selectors import environments, sweeps
from connect.selectors.webhook_deliveries import DUE, NEW
from connect.services import webhook_deliveries
from connect.shapes.webhook_endpoints import DELIVERY_PREFIX, PREFIX

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
CLAIM_MAX: Final = 2_000
SLOW_SECONDS: Final = 5.0
"""An endpoint that takes longer to answer gets fewer places."""
BEGIN_SECONDS: Final = webhook_deliveries.LEASE_SECONDS - TOTAL_SECONDS - 15
"""What could not begin within this of its claim is given back: its lease might end while it is under way."""

_AWAY: Final = (OperationalError, InterfaceError, psycopg.OperationalError)
Result = TypeVar("Result")
_Window = SlidingWindow[tuple[Outgoing, float]]


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

    answers: list[tuple[Outgoing, Outcome]] = field(default_factory=list)
    returned: list[Outgoing] = field(default_factory=list)
    look: bool = False
    rooms: dict[UUID, int] = field(default_factory=dict)
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
                await _pause_while_away(error, tries)
                tries += 1


class _Pump:
    """One environment's circle: record, fan out, claim, send. It ends when there is nothing left to do."""

    def __init__(self, dispatcher: Dispatcher, environment: EnvironmentRef) -> None:
        self.environment = environment
        self._dispatcher = dispatcher
        self._client = dispatcher.client(environment)
        self._per_second = dispatcher.options.per_second
        self._windows: dict[UUID, _Window] = {}
        self._answers: list[tuple[Outgoing, Outcome]] = []
        self._returned: list[Outgoing] = []
        self._sending: set[asyncio.Task[None]] = set()
        self._timed: set[UUID] = set()
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
            tries = 0 if turn.recorded else tries + 1
            if turn.recorded:
                _tell(turn)
            self._welcome(turn, claimed_at + BEGIN_SECONDS)
            if turn.away is not None:
                self._take_back(turn)
                if self._dispatcher.stopping and tries > len(AWAY_SECONDS):
                    return  # the leases end, and another dispatcher sends again
                await _pause_while_away(turn.away, tries)
            elif self._nothing_left():
                return

    def _next_turn(self) -> _Turn:
        turn = _Turn(self._answers, self._returned)
        self._answers, self._returned = [], []
        if self._dispatcher.stopping:
            self._look = False
            for window in self._windows.values():
                turn.returned += [outgoing for outgoing, _ in window.drop()]
            return turn
        turn.look, self._look = self._look, False
        now = time.monotonic()
        for key, window in self._windows.items():
            window.exhausted = window.exhausted and not turn.look
            turn.rooms[key] = 0 if window.exhausted else window.room(now)
        turn.claim = turn.look or any(turn.rooms.values())
        return turn

    def _take_back(self, turn: _Turn) -> None:
        """The database went away in the middle of a turn: what it did not take waits for the next one."""
        if not turn.recorded:
            self._answers = turn.answers + self._answers
            self._returned = turn.returned + self._returned
        self.wake(look=turn.look)

    def _welcome(self, turn: _Turn, begin_until: float) -> None:
        """Put what was claimed into the windows, and begin what may begin."""
        for outgoing in turn.claimed:
            window = self._windows.get(outgoing.endpoint_id)
            if window is None:
                window = self._windows[outgoing.endpoint_id] = _Window(per_second=self._per_second)
            window.waiting.append((outgoing, begin_until))
        if turn.claim and turn.away is None and len(turn.claimed) < CLAIM_MAX:
            counts = Counter(outgoing.endpoint_id for outgoing in turn.claimed)
            for key, window in self._windows.items():
                if asked := turn.rooms.get(key, PLACES_FIRST):  # nothing is learned about who was not asked
                    window.exhausted = counts[key] < asked
        for key in [key for key, window in self._windows.items() if window.empty and window.exhausted]:
            del self._windows[key]
        for key in self._windows:
            self._begin(key)
        if turn.fanned_out == FAN_OUT_MAX or len(turn.claimed) >= CLAIM_MAX:
            self.wake(look=True)

    def _nothing_left(self) -> bool:
        return not (self._sending or self._answers or self._returned or self._windows or self._look) or (
            self._dispatcher.stopping and not (self._sending or self._answers or self._returned)
        )

    def _begin(self, key: UUID) -> None:
        """Begin what the endpoint's window lets begin, now and whenever its rate allows."""
        window = self._windows.get(key)
        while window is not None and (wait := window.wait(time.monotonic())) is not None:
            if wait:
                if key not in self._timed:
                    self._timed.add(key)
                    asyncio.get_running_loop().call_later(wait, self._begin_again, key)
                return
            task = asyncio.create_task(self._send(key, window, *window.begin(time.monotonic())))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    def _begin_again(self, key: UUID) -> None:
        self._timed.discard(key)
        self._begin(key)

    async def _send(self, key: UUID, window: _Window, outgoing: Outgoing, begin_until: float) -> None:
        """Send one delivery after the other, in one place of the window, until none may begin at once."""
        while True:
            async with self._dispatcher.places:
                if self._dispatcher.stopping or time.monotonic() > begin_until:
                    self._returned.append(outgoing)
                    patient = True
                else:
                    outcome = await self._client.post(outgoing.url, headers=outgoing.headers, body=outgoing.body)
                    failpoint("connect.webhooks.sent")
                    self._answers.append((outgoing, outcome))
                    patient = isinstance(outcome, Answered) and outcome.duration < SLOW_SECONDS
            now = time.monotonic()
            window.end(now, patient=patient)
            self._awake.set()
            if window.wait(now) != 0:
                break
            outgoing, begin_until = window.begin(now)
            if window.under_way < window.places:
                self._begin(key)
        self._begin(key)


class _Database:
    """A few threads with a connection each, because our services are synchronous. Measured: the database's part of a
    delivery is a tenth of the whole, so nothing would be won by a second, asynchronous way to it.
    """

    def __init__(self, threads: int) -> None:
        self._count = threads
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="dispatcher")

    async def run(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """The function's result, from one of the threads."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _with_usable_connection, function, arguments)

    async def close(self) -> None:
        """Close every thread's connection, and the threads."""
        everyone = Barrier(self._count)
        await asyncio.gather(*(self.run(_close_connection, everyone) for _ in range(self._count)))
        self._threads.shutdown()


def _with_usable_connection(function: Callable[..., Result], arguments: Sequence[Any]) -> Result:
    connections[DEFAULT_DB_ALIAS].close_if_unusable_or_obsolete()
    return function(*arguments)


def _close_connection(everyone: Barrier) -> None:
    everyone.wait()  # so that no thread does this twice while another does not
    connections.close_all()


def _with_work() -> list[EnvironmentRef]:
    found = {one.id: one for table, condition in (NEW, DUE) for one in sweeps.environments_where(table, condition)}
    return list(found.values())


def _take_turn(environment: EnvironmentRef, turn: _Turn) -> None:
    """In a thread: everything a pump wants of the database, in two short transactions. Fills in `turn`."""
    caller = Caller.system(environment, "dispatcher")
    try:
        if turn.look:
            with use_environment(environment):
                turn.fanned_out = webhook_deliveries.fan_out(caller, limit=FAN_OUT_MAX)
        claimed: list[Outgoing] = []
        with use_environment(environment):
            webhook_deliveries.record(caller, [_answer(*pair) for pair in turn.answers])
            webhook_deliveries.give_back(caller, turn.returned)
            if turn.claim:
                claimed = webhook_deliveries.claim(caller, limit=CLAIM_MAX, rooms=turn.rooms, room=PLACES_FIRST)
        turn.recorded, turn.claimed = True, claimed  # only once it is committed
    except _AWAY as error:
        turn.away = error


def _answer(outgoing: Outgoing, outcome: Outcome) -> Answer:
    """What is recorded of an attempt."""
    duration_ms = round(outcome.duration * 1000)
    if isinstance(outcome, Answered):
        headers = {name.lower(): value for name, value in outcome.headers.items()}
        return Answer(outgoing.delivery_id, outgoing.number, outcome.status, duration_ms, headers, outcome.body)
    return Answer(
        outgoing.delivery_id, outgoing.number, None, duration_ms, error_kind=outcome.kind, error=outcome.message
    )


def _tell(turn: _Turn) -> None:
    """Count what was recorded and log what was not delivered: without address, body or secret."""
    metrics.WEBHOOKS_RETURNED.inc(len(turn.returned))
    results: Counter[str] = Counter()
    for outgoing, outcome in turn.answers:
        result = f"{outcome.status // 100}xx" if isinstance(outcome, Answered) else outcome.kind
        results[result] += 1
        metrics.WEBHOOK_SECONDS.observe(outcome.duration)
        if result != "2xx":
            log.info(
                "webhooks.not_delivered",
                endpoint=ids.encode(PREFIX, outgoing.endpoint_id),
                delivery=ids.encode(DELIVERY_PREFIX, outgoing.delivery_id),
                attempt=outgoing.number,
                result=result,
                status=getattr(outcome, "status", None),
                duration_ms=round(outcome.duration * 1000),
            )
    for result, count in results.items():
        metrics.WEBHOOK_ATTEMPTS.labels(result).inc(count)


def _count_away(what: str, error: Exception) -> None:
    metrics.DISPATCHER_STALLS.labels(what).inc()
    log.warning("dispatcher.without", what=what, error=type(error).__name__)


async def _pause_while_away(error: Exception, tries: int) -> None:
    _count_away("database", error)
    await asyncio.sleep(AWAY_SECONDS[min(tries, len(AWAY_SECONDS) - 1)])
