"""Test clocks: time stands still, moves when told, and everything that became due happens in order."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connect.kit import clock, ids, timed_work
from connect.kit.caller import Caller
from connect.kit.tenancy import use_environment
from connect.kit.timed_work import TimedWork
from connect.models import TestClock as Row
from connect.services import test_clocks as services
from tests.paging import prove
from tests.payments.books import Books, refused, types

PATH = "/v1/test_helpers/test_clocks"
NOON = 1_800_014_400  # 2027-01-15 12:00:00 UTC
DAY = 86400
MIDNIGHT = NOON - NOON % DAY


@pytest.fixture
def books(environment, caller):
    return Books(environment, caller)


@pytest.fixture
def clock_at(api):
    """`clock_at(unix)` is a new clock that stands there."""

    def make(moment=NOON, **given):
        answer = api.post(PATH, {"frozen_time": moment, **given})
        assert answer.status_code == 200, answer.content
        return answer.json()

    return make


@pytest.fixture
def advance(api):
    def to(found, moment):
        answer = api.post(f"{PATH}/{found['id']}/advance", {"frozen_time": moment})
        assert answer.status_code == 200, answer.content
        return answer.json()

    return to


@pytest.fixture
def pay(api):
    """`pay(customer, card)` is a payment of that customer."""

    def make(customer, card="pm_card_visa", **given):
        body = {"amount": 1000, "currency": "eur", "payment_method": card, "confirm": True, **given}
        answer = api.post("/v1/payment_intents", {**body, **({"customer": customer} if customer else {})})
        assert answer.status_code == 200, answer.content
        return answer.json()

    return make


def customer_of(api, found):
    return api.post("/v1/customers", {"test_clock": found["id"]}).json()


# --- the clock itself ---


def test_create_retrieve_list_delete(api, books, clock_at):
    with books.events() as events:
        found = clock_at(name="Renewal")
    assert found == {
        "id": found["id"], "object": "test_helpers.test_clock", "applies_to": "customers",
        "created": found["created"], "deletes_after": found["created"] + 30 * DAY, "frozen_time": NOON,
        "livemode": False, "name": "Renewal", "status": "ready", "status_details": {"advancing": None},
    }  # fmt: skip
    assert types(events) == ["test_helpers.test_clock.created"]
    assert events[0].payload == found
    assert api.get(f"{PATH}/{found['id']}").json() == found
    more = [clock_at()["id"] for _ in range(3)]
    prove(api, PATH, [*more[::-1], found["id"]])
    with books.events() as events:
        gone = api.delete(f"{PATH}/{found['id']}").json()
    assert gone == {"id": found["id"], "object": "test_helpers.test_clock", "deleted": True}
    assert types(events) == ["test_helpers.test_clock.deleted"]
    for answer in (api.get(f"{PATH}/{found['id']}"), api.delete(f"{PATH}/{found['id']}"),
                   api.post(f"{PATH}/{found['id']}/advance", {"frozen_time": NOON + 1})):  # fmt: skip
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "resource_missing")
    prove(api, PATH, more[::-1])


def test_a_live_environment_has_no_test_clocks(api_as):
    refused(api_as("acme", "live").post(PATH, {"frozen_time": NOON}), 400, "test_clock_in_live")


def test_advancing_moves_the_time_and_tells(api, books, clock_at, advance):
    found = clock_at()
    with books.events() as events:
        moved = advance(found, NOON + DAY)
    assert moved == {**found, "frozen_time": NOON + DAY}
    assert types(events) == ["test_helpers.test_clock.advancing", "test_helpers.test_clock.ready"]
    assert events[0].payload["status_details"] == {"advancing": {"target_frozen_time": NOON + DAY}}
    assert events[1].payload == moved


@pytest.mark.parametrize("moment", [NOON, NOON - 1, 0, NOON + 3 * 366 * DAY])
def test_a_clock_moves_forwards_and_not_too_far(api, books, clock_at, moment):
    found = clock_at()
    with books.unchanged():
        refused(
            api.post(f"{PATH}/{found['id']}/advance", {"frozen_time": moment}), 400, "parameter_invalid", "frozen_time"
        )


def test_a_clock_that_is_moving_waits_and_the_job_moves_on_what_was_left(api, books, environment, clock_at):
    """The process died in the middle: the clock says so, nobody else moves it, and the job does after the lease."""
    found = clock_at()
    caller = books.caller
    with use_environment(environment):
        services.begin_advance(caller, clock_id=found["id"], frozen_time=clock.from_unix(NOON + DAY))
    stuck = api.get(f"{PATH}/{found['id']}").json()
    assert (stuck["status"], stuck["frozen_time"]) == ("advancing", NOON)
    refused(api.post(f"{PATH}/{found['id']}/advance", {"frozen_time": NOON + 2}), 429, "lock_timeout")
    assert services.advance_stuck(Caller.system(environment, "tests")) == 0
    with use_environment(environment):
        Row.objects.update(lease_until=clock.wall() - timedelta(seconds=1))
    with books.events() as events:
        assert services.advance_stuck(Caller.system(environment, "tests")) == 1
    assert types(events) == ["test_helpers.test_clock.ready"]
    assert api.get(f"{PATH}/{found['id']}").json()["frozen_time"] == NOON + DAY


def test_due_work_happens_at_its_own_moments_in_order(api, environment, clock_at, advance):
    """Two kinds of work, one of which makes new work on the way: each runs at its moment, none after the target."""
    seen: list[tuple[str, int]] = []
    due = {"first": [NOON + 30, NOON + 10], "second": [NOON + 20, NOON + 90]}

    def work(name):
        def next_at(caller, clock_id, after):
            moments = [moment for moment in due[name] if moment > clock.unix(after)]
            return clock.from_unix(min(moments)) if moments else None

        def run(caller, clock_id):
            now = clock.unix(caller.clock.business())
            for moment in sorted(moment for moment in due[name] if moment <= now):
                due[name].remove(moment)
                seen.append((name, now))
                if (name, moment) == ("second", NOON + 20):
                    due["first"].append(NOON + 25)

        return TimedWork(name, next_at, run)

    for name in due:
        timed_work.register(work(name))
    try:
        assert advance(clock_at(), NOON + 60)["status"] == "ready"
    finally:
        for name in ("first", "second"):
            timed_work.unregister(name)
    assert seen == [("first", NOON + 10), ("second", NOON + 20), ("first", NOON + 25), ("first", NOON + 30)]
    assert due == {"first": [], "second": [NOON + 90]}


def test_work_that_fails_stops_the_clock_and_can_be_tried_again(api, books, clock_at, advance):
    broken = [True]

    def run(caller, clock_id):
        if broken[0] and clock.unix(caller.clock.business()) > NOON:
            raise RuntimeError("not today")

    timed_work.register(TimedWork("broken", lambda *_: None, run))
    try:
        found = clock_at()
        with books.events() as events:
            stopped = advance(found, NOON + DAY)
        assert (stopped["status"], types(events)[-1]) == (
            "internal_failure", "test_helpers.test_clock.internal_failure",
        )  # fmt: skip
        broken.clear()
        broken.append(False)
        assert advance(found, NOON + 2 * DAY)["status"] == "ready"
    finally:
        timed_work.unregister("broken")


def test_a_step_that_somebody_else_took_is_not_taken_twice(api, books, environment, clock_at):
    """Two move one clock: who finds it further on does first what is due there, and leaves nothing out."""
    found = clock_at()
    due, seen = [NOON + 10, NOON + 20], []

    def next_at(caller, clock_id, after):
        return next((clock.from_unix(moment) for moment in due if moment > clock.unix(after)), None)

    def run(caller, clock_id):
        now = clock.unix(caller.clock.business())
        if not seen:  # while this one worked, the other moved the clock on by a step
            with use_environment(environment):
                Row.objects.update(frozen_time=clock.from_unix(NOON + 10))
        seen.append(now)

    timed_work.register(TimedWork("shared", next_at, run))
    try:
        with use_environment(environment):
            waiting = services.begin_advance(books.caller, clock_id=found["id"], frozen_time=clock.from_unix(NOON + 60))
        services.advance(waiting)
    finally:
        timed_work.unregister("shared")
    assert seen == [NOON, NOON + 10, NOON + 20, NOON + 60]
    assert api.get(f"{PATH}/{found['id']}").json()["status"] == "ready"


def test_the_job_takes_each_clock_when_its_turn_comes(api, books, environment, clock_at, monkeypatch):
    """A lease taken for all at once would be over before the last one is moved."""
    clocks = [clock_at()["id"] for _ in range(3)]
    with use_environment(environment):
        for identifier in clocks:
            services.begin_advance(books.caller, clock_id=identifier, frozen_time=clock.from_unix(NOON + DAY))
        Row.objects.update(lease_until=clock.wall() - timedelta(seconds=1))
    original, free = services.advance, []

    def advance(waiting):
        with use_environment(environment):
            free.append(Row.objects.filter(status="advancing", lease_until__lt=clock.wall()).count())
        original(waiting)

    monkeypatch.setattr(services, "advance", advance)
    monkeypatch.setattr(services, "BATCH", 2)
    job = Caller.system(environment, "tests")
    assert [services.advance_stuck(job) for _ in range(3)] == [2, 1, 0]
    assert free == [2, 1, 0]
    assert {one["status"] for one in api.get(PATH).json()["data"]} == {"ready"}


# --- a customer's time ---


def test_what_is_a_customers_lives_by_their_clock(api, books, clock_at, pay):
    found = clock_at()
    customer = customer_of(api, found)
    assert (customer["test_clock"], customer["created"]) == (found["id"], NOON)
    with books.events() as events:
        paid = pay(customer["id"])
    charge = api.get(f"/v1/charges/{paid['latest_charge']}").json()
    line = api.get(f"/v1/balance_transactions/{charge['balance_transaction']}").json()
    assert {paid["created"], charge["created"], line["created"]} == {NOON}
    assert line["available_on"] == MIDNIGHT + 2 * DAY
    refund = api.post("/v1/refunds", {"charge": charge["id"], "amount": 100}).json()
    assert refund["created"] == NOON
    assert types(events)[-1] == "payment_intent.succeeded"
    other = pay(None)
    assert abs(other["created"] - clock.unix(clock.wall())) < DAY, "nobody else's time stands still"
    with use_environment(books.environment):
        from connect.models import Event

        moments = Event.objects.filter(object_id__in=[paid["id"], refund["id"]]).values_list("created_at", flat=True)
        assert {clock.unix(moment) for moment in moments} == {NOON}


def test_money_becomes_available_and_holds_run_out_when_the_clock_gets_there(api, books, clock_at, advance, pay):
    found = clock_at()
    customer = customer_of(api, found)["id"]
    pay(customer)
    held = pay(customer, capture_method="manual")
    pay(None)
    assert books.check_balance(api) == {"eur": (0, 2 * 986)}
    advance(found, MIDNIGHT + 2 * DAY - 1)
    assert books.check_balance(api) == {"eur": (0, 2 * 986)}
    with books.events() as events:
        advance(found, MIDNIGHT + 2 * DAY)
    assert types(events) == [
        "test_helpers.test_clock.advancing", "balance.available", "test_helpers.test_clock.ready",
    ]  # fmt: skip
    assert books.check_balance(api) == {"eur": (986, 986)}, "only what lives by this clock"
    advance(found, NOON + 7 * DAY - 1)
    assert api.get(f"/v1/payment_intents/{held['id']}").json()["status"] == "requires_capture"
    advance(found, NOON + 30 * DAY)
    ended = api.get(f"/v1/payment_intents/{held['id']}").json()
    assert (ended["status"], ended["cancellation_reason"], ended["canceled_at"]) == (
        "canceled", "automatic", NOON + 7 * DAY,
    )  # fmt: skip
    books.check_balance(api)


def test_a_refund_fails_when_the_clock_gets_there_and_the_ledger_knows_when(api, books, clock_at, advance, pay):
    found = clock_at()
    paid = pay(customer_of(api, found)["id"], "pm_card_refundFail")
    refund = api.post("/v1/refunds", {"payment_intent": paid["id"]}).json()
    advance(found, NOON + 59)
    assert api.get(f"/v1/refunds/{refund['id']}").json()["status"] == "succeeded"
    advance(found, NOON + DAY)
    failed = api.get(f"/v1/refunds/{refund['id']}").json()
    assert failed["status"] == "failed"
    line = api.get(f"/v1/balance_transactions/{failed['failure_balance_transaction']}").json()
    assert line["created"] == NOON + 60
    with use_environment(books.environment):
        from ledger.selectors import transactions

        moments = [clock.unix(row.effective_at) for row in transactions.for_reference(refund["id"])]
    assert moments == [NOON, NOON + 60]
    books.check_balance(api)


def test_everything_due_at_one_moment_happens_however_much_it_is(api, books, clock_at, advance, pay, monkeypatch):
    """Five holds and three refunds, and runs of two: by the machine a next tick goes on, a clock has none."""
    from payments.services import holds, refund_checks

    monkeypatch.setattr(holds, "BATCH", 2)
    monkeypatch.setattr(refund_checks, "BATCH", 2)
    found = clock_at()
    customer = customer_of(api, found)["id"]
    held = [pay(customer, capture_method="manual")["id"] for _ in range(5)]
    paid = [pay(customer, "pm_card_refundFail")["id"] for _ in range(3)]
    refunds = [api.post("/v1/refunds", {"payment_intent": one}).json()["id"] for one in paid]
    with books.events() as events:
        assert advance(found, NOON + 8 * DAY)["status"] == "ready"
    assert {api.get(f"/v1/refunds/{one}").json()["status"] for one in refunds} == {"failed"}
    assert {api.get(f"/v1/payment_intents/{one}").json()["status"] for one in held} == {"canceled"}
    assert types(events).count("refund.failed") == 3
    assert [event.object_id for event in events if event.type == "payment_intent.canceled"] == held
    books.check_balance(api)


def test_the_machines_clock_leaves_frozen_things_alone(api, books, clock_at, pay):
    """A clock far in the past: by the machine everything would be due long since."""
    from payments.services import balance_transactions, holds, refund_checks

    customer = customer_of(api, clock_at(1_500_000_000))["id"]
    pay(customer, capture_method="manual")
    paid = pay(customer, "pm_card_pendingRefund")
    api.post("/v1/refunds", {"payment_intent": paid["id"]})
    with books.unchanged():
        assert holds.expire_due(books.caller) == 0
        assert balance_transactions.settle_all_due(books.caller) == 0
        assert refund_checks.check_due(books.caller) == 0


def test_customers_of_a_clock_are_in_its_list_and_go_with_it(api, books, clock_at):
    found = clock_at()
    mine = [customer_of(api, found)["id"] for _ in range(3)][::-1]
    api.post("/v1/customers", {"name": "Somebody else"})
    prove(api, "/v1/customers", mine, {"test_clock": found["id"]})
    assert not set(mine) & {one["id"] for one in api.get("/v1/customers").json()["data"]}
    with books.events() as events:
        api.delete(f"{PATH}/{found['id']}")
    assert types(events) == ["customer.deleted"] * 3 + ["test_helpers.test_clock.deleted"]
    assert all(api.get(f"/v1/customers/{one}").json()["deleted"] for one in mine)


@pytest.mark.parametrize("wrong", ["clock_nothing", "environment", "deleted"])
def test_a_customer_needs_a_clock_for_customers(api, books, clock_at, wrong):
    given = wrong
    if wrong == "environment":
        given = clock_at(applies_to="environment")["id"]
    elif wrong == "deleted":
        given = clock_at()["id"]
        api.delete(f"{PATH}/{given}")
    with books.unchanged():
        refused(api.post("/v1/customers", {"test_clock": given}), 400, "resource_missing", "test_clock")


def test_expand_shows_the_clock(api, clock_at):
    found = clock_at()
    customer = customer_of(api, found)
    shown = api.get(f"/v1/customers/{customer['id']}", {"expand[]": "test_clock"}).json()
    assert shown["test_clock"] == found


# --- the environment's time ---


def test_everything_without_a_clock_of_its_own_lives_by_the_environments(api, books, clock_at, advance, pay):
    own = clock_at(NOON + 5 * DAY)
    with_own = customer_of(api, own)["id"]
    found = clock_at(applies_to="environment")
    assert found["applies_to"] == "environment"
    refused(api.post(PATH, {"frozen_time": NOON, "applies_to": "environment"}), 400, "environment_clock_exists",
            "applies_to")  # fmt: skip
    customer = api.post("/v1/customers", {}).json()
    assert (customer["created"], customer["test_clock"]) == (NOON, None)
    assert pay(customer["id"])["created"] == NOON
    assert pay(with_own)["created"] == NOON + 5 * DAY
    held = pay(None, capture_method="manual")
    advance(found, NOON + 7 * DAY)
    assert api.get(f"/v1/payment_intents/{held['id']}").json()["canceled_at"] == NOON + 7 * DAY
    assert books.check_balance(api) == {"eur": (986, 986)}, "the other clock's money still waits"
    api.delete(f"{PATH}/{found['id']}")
    assert abs(api.post("/v1/customers", {}).json()["created"] - clock.unix(clock.wall())) < DAY
    books.check_balance(api)


def test_kinds_of_work_happen_in_the_order_in_which_they_were_due(api, books, clock_at, advance, pay):
    """One step over all of it: a refund fails after a minute, a page closes after a day, money comes after two, and a
    hold runs out after a week; nothing of it before.
    """
    found = clock_at(applies_to="environment")
    pay(None, capture_method="manual")
    paid = pay(None, "pm_card_refundFail")
    api.post("/v1/refunds", {"payment_intent": paid["id"], "amount": 100})
    item = {"price_data": {"currency": "eur", "unit_amount": 500, "product_data": {"name": "Tea"}}}
    given = {"mode": "payment", "line_items": [item], "success_url": "https://shop.example/"}
    early = api.post("/v1/checkout/sessions", {**given, "expires_at": NOON + 3600}).json()
    session = api.post("/v1/checkout/sessions", given).json()
    assert (early["expires_at"], session["expires_at"]) == (NOON + 3600, NOON + DAY)
    with books.events() as events:
        advance(found, NOON + 59)
    assert types(events) == ["test_helpers.test_clock.advancing", "test_helpers.test_clock.ready"]
    with books.events() as events:
        advance(found, NOON + 30 * DAY)
    told = ["refund.failed", "checkout.session.expired", "balance.available", "charge.expired"]
    assert list(dict.fromkeys(one for one in types(events) if one in told)) == told
    closed = [event.object_id for event in events if event.type == "checkout.session.expired"]
    assert closed == [early["id"], session["id"]]
    books.check_balance(api)


def test_an_environments_clock_is_no_other_environments(api, api_as, clock_at):
    clock_at(applies_to="environment")
    assert abs(api_as("other", "test").post("/v1/customers", {}).json()["created"] - clock.unix(clock.wall())) < DAY


def test_old_clocks_are_deleted_by_the_job(api, books, environment, clock_at):
    found, fresh = clock_at(), clock_at()
    with use_environment(environment):
        Row.objects.filter(pk=ids.decode("clock", found["id"])).update(deletes_after=clock.wall())
        assert services.delete_old(Caller.system(environment, "tests")) == 1
    assert [one["id"] for one in api.get(PATH).json()["data"]] == [fresh["id"]]
