"""Money out, many at once and by HTTP: never more than came in, whoever is faster, and every cent in one place."""

from __future__ import annotations

import os
import queue
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

import psycopg
import pytest

from tests.live_server import ROOT, Answered, LiveServer
from tests.payments.seeds import SEED, seeds
from tests.payments.test_races import HELD, PATH, check, create, outcome, server, together, until_final

__all__ = ["server"]

Job = Callable[[str], None]
Race = Callable[[LiveServer, str, Job], Counter[str]]
PAID = {"amount": 1000, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}
SOAK_SEEDS = 100
WORKER = """
import sys
import django

django.setup()
from connect.kit.caller import Caller
from connect.selectors import environments
from payments.services import payment_attempts, refund_checks

caller = Caller.system(environments.get("acme", "test"), "tests")
for line in sys.stdin:
    if line == "check\\n":
        refund_checks.check_due(caller)
    if line == "settle\\n":
        payment_attempts.settle_open(caller)
    print(line, end="", flush=True)
"""


def refund(server: LiveServer, intent: str, amount: int | None):
    body = {"payment_intent": intent, **({} if amount is None else {"amount": amount})}
    return until_final(partial(server.request, "POST", "/v1/refunds", body))


def never_more_out_than_in(server: LiveServer, charge: str) -> tuple[int, int]:
    """What a charge took and gave back: by its own row, by its refunds, and by the ledger. All three agree."""
    found = server.request("GET", f"/v1/charges/{charge}").json()
    refunds = server.request("GET", f"/v1/refunds?charge={charge}&limit=100").json()["data"]
    standing = [one for one in refunds if one["status"] not in {"failed", "canceled"}]
    assert sum(one["amount"] for one in standing) == found["amount_refunded"] <= found["amount_captured"]
    ((given,),) = server.query(
        "SELECT coalesce(sum(e.amount_minor), 0)::bigint FROM ledger_entry e"
        " JOIN ledger_transaction t ON t.id = e.transaction_id JOIN ledger_account a ON a.id = e.account_id"
        " WHERE a.path LIKE 'processor:%%' AND t.reference = ANY (%s)",
        [[one["id"] for one in refunds]],
    )
    assert given == found["amount_refunded"]
    assert server.query("SELECT count(*) FROM payments_charge WHERE amount_refunding_minor <> 0") == [(0,)]
    return found["amount_captured"], found["amount_refunded"]


def fifty_parts(server: LiveServer, seed: str, _: Job) -> Counter[str]:
    """Fifty refunds at once of more, in all, than was captured: those that fit are made, the others refused."""
    dice = random.Random(seed)
    found = create(server, PAID)
    amounts = [dice.randint(1, 120) for _ in range(50)]
    assert sum(amounts) > 1000
    answers = together(*(partial(refund, server, found["id"], amount) for amount in amounts))
    outcomes = Counter(map(outcome, answers))
    assert set(outcomes) <= {"succeeded", "amount_too_large", "charge_already_refunded"}
    made = sum(amount for amount, answer in zip(amounts, answers, strict=True) if answer.status == 200)
    assert never_more_out_than_in(server, found["latest_charge"]) == (1000, made)
    refused = [amount for amount, answer in zip(amounts, answers, strict=True) if answer.status != 200]
    assert all(amount > 0 for amount in refused)
    rest = refund(server, found["id"], None)
    assert rest.status == 200 or made == 1000
    assert never_more_out_than_in(server, found["latest_charge"]) == (1000, 1000)
    return outcomes


def capture_cancel_and_refund(server: LiveServer, seed: str, _: Job) -> Counter[str]:
    """One hold, and at the same moment its capture, its cancellation, an increment and refunds: one story wins."""
    dice = random.Random(seed)
    found = create(server, HELD)
    path = f"{PATH}/{found['id']}"
    works = [
        partial(until_final, partial(server.request, "POST", f"{path}/capture", {"amount_to_capture": 600})),
        partial(until_final, partial(server.request, "POST", f"{path}/cancel", {})),
        partial(until_final, partial(server.request, "POST", f"{path}/increment_authorization", {"amount": 1500})),
        *(partial(refund, server, found["id"], dice.randint(1, 700)) for _ in range(4)),
    ]
    dice.shuffle(works)
    together(*works)
    after = server.request("GET", path).json()
    assert (after["status"], after["amount_received"]) in {("succeeded", 600), ("canceled", 0)}
    captured, _ = never_more_out_than_in(server, found["latest_charge"])
    assert captured == after["amount_received"]
    assert server.query(
        "SELECT count(*) FROM ledger_hold WHERE reference = %s AND state = 'pending'", [found["latest_charge"]]
    ) == [(0,)]
    return Counter([after["status"]])


def capture_or_cancel(server: LiveServer, seed: str, _: Job) -> Counter[str]:
    """The two at once: one wins, and the other is told what the intent has become."""
    found = create(server, HELD)
    works = [
        partial(until_final, partial(server.request, "POST", f"{PATH}/{found['id']}/{name}", {}))
        for name in ("capture", "cancel")
    ]
    random.Random(seed).shuffle(works)
    answers = together(*works)
    assert sorted(answer.status for answer in answers) == [200, 400]
    won, lost = sorted(answers, key=lambda answer: answer.status)
    assert outcome(lost) == "payment_intent_unexpected_state"
    after = server.request("GET", f"{PATH}/{found['id']}").json()
    assert after == won.json() == lost.json()["error"]["payment_intent"]
    assert (after["status"], after["amount_received"]) in {("succeeded", 1000), ("canceled", 0)}
    ((state, posted, voided),) = server.query(
        "SELECT state, posted_minor, voided_minor FROM ledger_hold WHERE reference = %s", [after["latest_charge"]]
    )
    assert (state, posted, voided) == {
        "succeeded": ("posted", 1000, 0), "canceled": ("voided", 0, 1000),
    }[after["status"]]  # fmt: skip
    return Counter([after["status"]])


LATE = {
    "pm_card_pendingApproved": ({"succeeded"}, 1000),
    "pm_card_pendingDeclined": ({"requires_payment_method", "canceled"}, 0),  # once declined, it can be canceled
    "pm_card_captureLateDecline": ({"canceled"}, 0),
}
"""Cards whose outcome comes late, and what it may be then: the intent's statuses, and the money that came in."""


def refunds_against_a_late_outcome(server: LiveServer, seed: str, job: Job) -> Counter[str]:
    """The processor decides about a payment, or a capture, while others cancel it and want its money back."""
    dice = random.Random(seed)
    card = dice.choice(sorted(LATE))
    found = create(server, {**(HELD if "capture" in card else PAID), "payment_method": card})
    path = f"{PATH}/{found['id']}"
    if "capture" in card:
        assert outcome(server.request("POST", f"{path}/capture", {})) == "requires_capture"
    make_due(server)
    works = [
        partial(job, "settle"),
        partial(job, "settle"),
        partial(server.request, "POST", f"{path}/cancel", {}),
        *(partial(refund, server, found["id"], dice.randint(100, 900)) for _ in range(5)),
    ]
    dice.shuffle(works)
    together(*works)
    make_due(server)
    job("settle")
    after = server.request("GET", path).json()
    statuses, received = LATE[card]
    assert after["status"] in statuses
    assert after["amount_received"] == received
    captured, _ = never_more_out_than_in(server, after["latest_charge"])
    assert captured == after["amount_received"]
    assert server.query(
        "SELECT count(*) FROM ledger_hold WHERE reference = %s AND state = 'pending'", [after["latest_charge"]]
    ) == [(0,)]
    return Counter([f"{card.removeprefix('pm_card_')}: {after['status']}"])


def refunds_against_their_failure(server: LiveServer, seed: str, job: Job) -> Counter[str]:
    """A refund fails late while others want its money: what came back is given again, and never twice."""
    dice = random.Random(seed)
    found = create(server, {**PAID, "payment_method": "pm_card_refundFail"})
    assert refund(server, found["id"], 800).status == 200

    def insist(amount: int) -> Answered:
        """Ask until there is room, as somebody does who sees the other refund fail."""
        for _ in range(20):
            answer = refund(server, found["id"], amount)
            if answer.status == 200:
                break
        return answer

    make_due(server)
    works = [partial(job, "check"), partial(job, "check"), *(partial(insist, dice.randint(300, 900)) for _ in range(6))]
    dice.shuffle(works)
    answers = [answer for answer in together(*works) if answer is not None]
    never_more_out_than_in(server, found["latest_charge"])
    make_due(server)
    job("check")
    assert never_more_out_than_in(server, found["latest_charge"]) == (1000, 0), "this card lets every refund fail"
    return Counter(map(outcome, answers))


def make_due(server: LiveServer) -> None:
    """As if a minute had passed for every refund that is to be asked about."""
    ((schema,),) = server.query("SELECT current_schema()")
    with psycopg.connect(server.database_url) as connection:
        connection.execute(f'SET search_path = "{schema}"')
        connection.execute("UPDATE payments_refund SET check_at = clock_timestamp() WHERE check_at IS NOT NULL")
        connection.execute("UPDATE payments_payment_attempt SET lease_until = clock_timestamp() - interval '1 second'")


@pytest.fixture(scope="module")
def job(server: LiveServer) -> Iterator[Job]:
    """Two workers, ready: `job("check")` has one of them ask about the refunds that are due, and waits for it, and
    `job("settle")` about the attempts that are open.
    """
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test", "DATABASE_URL": server.database_url}
    workers: queue.Queue[subprocess.Popen[str]] = queue.Queue()
    started = []
    for _ in range(2):
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER], cwd=ROOT, env=environment, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        started.append(worker)
        workers.put(worker)

    def ask(worker: subprocess.Popen[str], word: str) -> None:
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(f"{word}\n")
        assert worker.stdout.readline() == f"{word}\n", "the worker died"

    def work(word: str) -> None:
        worker = workers.get()
        ask(worker, word)
        workers.put(worker)

    try:
        for worker in started:
            ask(worker, "ready")
        yield work
    finally:
        for worker in started:
            worker.communicate()


RACES = {
    fifty_parts: 4,
    capture_or_cancel: 40,
    capture_cancel_and_refund: 4,
    refunds_against_their_failure: 4,
    refunds_against_a_late_outcome: 4,
}
"""How often each is run by default."""


@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
def test_never_more_out_than_in(server, job, race):
    """A few seeds of each race; a failure names its seed, and `RACE_SEED` plays it again."""
    run(server, job, race, RACES[race])


@pytest.mark.soak
@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
def test_never_more_out_than_in_a_hundred_times(server, job, race, record_property):
    outcomes = run(server, job, race, SOAK_SEEDS)
    record_property("seen", f"RACE_SEED={SEED}, {SOAK_SEEDS} seeds: {told(outcomes)}; drift empty")


def run(server: LiveServer, job: Job, race: Race, count: int) -> Counter[str]:
    outcomes: Counter[str] = Counter()
    for seed in seeds(count):
        print("RACE_SEED", seed)
        outcomes += race(server, seed, job)
    print(outcomes)
    check(server)
    return outcomes


def told(outcomes: Counter[str]) -> str:
    return ", ".join(f"{times} {name}" for name, times in outcomes.most_common())
