"""Entries into rows: what is written, what is not, and the change log that leads to the same place."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings

from banks.domain.bank_data import AccountData, EntryData, EntryStatus, ExchangeData, PartyData
from banks.domain.errors import SyncCursorInvalid
from banks.models import BankAccount, BankTransaction, Change, Connection, Institution
from banks.selectors import sync
from banks.services import accounts, connections, entries
from connect.kit import clock, ids
from connect.kit.errors import MissingParameterTarget
from tests.banks.model_bank import OVERLAP, ModelBank, books, histories

TODAY = clock.wall().date()
SINCE = TODAY - timedelta(days=120)


@pytest.fixture
def make(opened, caller):
    """`make()` is a fresh active connection with one account."""

    def create() -> tuple[Connection, BankAccount]:
        connection = connections.create(
            caller,
            institution=Institution.objects.get(slug="sandbox-bank"),
            handle={"consent_id": "c"},
            consent_until=TODAY,
            permissions=["accounts", "transactions"],
            history_days=120,
        )
        data = AccountData(
            resource_id="r", iban="MK07999000000000001", national_number=None, currency="mkd", name=None,
            owner_name=None, product=None, cash_account_type=None,
        )  # fmt: skip
        connections.activate(caller, connection)
        (account,) = accounts.store(caller, connection, (data,))
        return connection, account

    return create


@pytest.fixture
def read(caller):
    """`read((connection, account), entries)` takes the bank's whole list."""

    def ingest(linked, listed, *, since=SINCE, pending_listed=True):
        connection = Connection.objects.one(id=linked[0].id, lock=True)
        return entries.ingest(caller, connection, linked[1], listed, since=since, pending_listed=pending_listed)

    return ingest


def entry(text: str = "Vero", amount: int = -500, *, days: int = 0, **given) -> EntryData:
    day = TODAY + timedelta(days=days)
    return EntryData(**{
        "status": EntryStatus.BOOKED, "amount_minor": amount, "currency": "mkd", "booking_date": day,
        "value_date": day, "remittance": text,
    } | given)  # fmt: skip


def changes(connection: Connection) -> list[tuple[int, str]]:
    return list(Change.objects.filter(connection_id=connection.id).order_by("position").values_list("position", "kind"))


def versions() -> set[tuple[str, str]]:
    with database.cursor() as cursor:
        cursor.execute("SELECT id::text, xmin::text || ctid::text FROM banks_transaction")
        return set(cursor.fetchall())


def followed(caller, connection, *, limit: int, cursor: str = "") -> set[str]:
    """The ids that somebody holds who follows the change log from `cursor` on."""
    held: set[str] = set()
    while True:
        page = sync.page(caller, ids.encode("conn", connection.id), cursor, limit)
        held |= {item.id for item in page.added + page.modified}
        held -= {item.id for item in page.removed}
        cursor = page.next_cursor
        if not page.has_more:
            return held


def test_every_field_is_kept_as_it_is(make, read):
    linked = make()
    awkward = 'a\tb\nc\r\\d "q" \x1e\x1f\x00 Ж'
    whole = entry(
        awkward,
        transaction_id="T1",
        entry_reference="E1",
        end_to_end_id="E2E",
        counterparty=PartyData(name="Пекара \\N", account="MK07999000000000002", bic="XXXXMK22"),
        structured_reference="RF18539007547034",
        purpose_code="SALA",
        bank_transaction_code="PMNT-RCDT",
        exchange=ExchangeData(amount_minor=12, currency="eur", rate="61.5"),
        balance_after_minor=-7,
    )
    read(linked, [whole])
    row = BankTransaction.objects.get()
    assert row.remittance == 'a\tb\nc\r\\d "q"  Ж'
    assert (row.counterparty_name, row.counterparty_account, row.counterparty_bic) == (
        "Пекара \\N", "MK07999000000000002", "XXXXMK22",
    )  # fmt: skip
    assert (row.reference_scheme, row.reference_value) == ("rf", "RF18539007547034")
    assert row.exchange == {"amount": 12, "currency": "eur", "rate": "61.5"}
    assert (row.balance_after_minor, row.end_to_end_id, row.purpose_code) == (-7, "E2E", "SALA")
    assert (row.institution_transaction_id, row.entry_reference, row.bank_transaction_code) == (
        "T1", "E1", "PMNT-RCDT",
    )  # fmt: skip
    assert "pekara" in row.search_text
    assert "mk07999000000000002" in row.search_text
    before = BankTransaction.objects.values().get()

    read(linked, [entry(awkward, **{name: getattr(whole, name) for name in (
        "transaction_id", "entry_reference", "end_to_end_id", "counterparty", "structured_reference", "purpose_code",
        "bank_transaction_code", "exchange",
    )}, balance_after_minor=-8)])  # fmt: skip

    after = BankTransaction.objects.values().get()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"balance_after_minor", "content_hash", "version", "updated_at", "fetched_at"}
    assert (after["version"], after["balance_after_minor"]) == (2, -8)


def test_a_second_read_writes_no_transaction(make, read):
    linked = make()
    listed = [entry(f"t{n % 7}", days=-(n % 9)) for n in range(40)]
    assert read(linked, listed).added == 40
    before, log = versions(), changes(linked[0])
    with CaptureQueriesContext(database) as queries:
        counts = read(linked, listed[::-1])
    assert (counts.changed, counts.unchanged) == (0, 40)
    assert versions() == before
    assert changes(linked[0]) == log == [(n, "added") for n in range(1, 41)]
    written = [q["sql"] for q in queries if "banks_transaction" in q["sql"] or "banks_change" in q["sql"]]
    assert [sql.split()[0] for sql in written] == ["SELECT"]


def test_booking_keeps_the_id_and_the_id_of_the_hold(make, read):
    linked = make()
    hold = entry(days=-2, status=EntryStatus.PENDING, booking_date=None, transaction_id="P1")
    read(linked, [hold])
    before = BankTransaction.objects.get()
    read(linked, [entry(transaction_id="B1")])
    after = BankTransaction.objects.get()
    assert (after.id, after.status, after.version) == (before.id, "booked", 2)
    assert (after.pending_transaction_id, after.institution_transaction_id) == ("P1", "B1")
    assert changes(linked[0]) == [(1, "added"), (2, "modified")]


def test_what_is_gone_keeps_its_row_and_older_rows_are_left_alone(make, read):
    linked = make()
    read(linked, [entry("old", days=-30), entry("new")])
    counts = read(linked, [], since=TODAY - timedelta(days=10))
    assert counts.removed == 1
    assert dict(BankTransaction.objects.values_list("remittance", "status")) == {"old": "booked", "new": "removed"}


def test_entries_before_the_window_are_not_taken_for_new(make, read):
    linked = make()
    read(linked, [entry("old", days=-30), entry("new")])
    counts = read(linked, [entry("old", days=-30), entry("new")], since=TODAY - timedelta(days=10))
    assert (counts.changed, counts.unchanged) == (0, 1)


def test_reading_begins_again_before_the_newest_booked_day_and_never_after_today(make, read):
    linked = make()
    read(linked, [entry(days=-3), entry(days=40), entry(days=0, status=EntryStatus.PENDING, booking_date=None)])
    assert BankAccount.objects.get(pk=linked[1].id).booked_until == TODAY - timedelta(days=3)


# --- the cursor -------------------------------------------------------------------------------------------------------


def test_a_cursor_gives_each_change_once_and_the_same_again(caller, make, read):
    linked = make()
    public = ids.encode("conn", linked[0].id)
    read(linked, [entry(f"t{n}") for n in range(5)])
    first = sync.page(caller, public, "", 3)
    assert (len(first.added), first.has_more) == (3, True)
    second = sync.page(caller, public, first.next_cursor, 3)
    assert (len(second.added), second.has_more) == (2, False)
    assert sync.page(caller, public, "", 3) == first
    rest = sync.page(caller, public, second.next_cursor, 3)
    assert (rest.added, rest.modified, rest.removed, rest.has_more) == ([], [], [], False)
    assert rest.next_cursor == second.next_cursor


def test_a_stretch_names_each_transaction_once(caller, make, read):
    linked = make()
    public = ids.encode("conn", linked[0].id)
    read(linked, [entry("stays", transaction_id="1"), entry("goes", -7, transaction_id="2")])
    seen = sync.page(caller, public).next_cursor
    read(linked, [entry("stays", transaction_id="9"), entry("short", -9, transaction_id="3")])
    read(linked, [entry("stays", transaction_id="8")])
    page = sync.page(caller, public, seen)
    assert (len(page.added), len(page.modified), len(page.removed)) == (0, 1, 1)
    assert page.modified[0].institution_transaction_id == "8"
    whole = sync.page(caller, public)
    assert ([item.description for item in whole.added], whole.modified, whole.removed) == (["stays"], [], [])


def test_a_cursor_that_was_not_given_out_is_refused(caller, make, read):
    one, other = make(), make()
    read(one, [entry()])
    read(other, [entry()])
    public = ids.encode("conn", one[0].id)
    good = sync.page(caller, public).next_cursor
    ahead = sync.write(caller, one[0].id, 99)
    foreign = sync.page(caller, ids.encode("conn", other[0].id)).next_cursor
    for bad in (foreign, ahead, good[:-1], good + "A", good + "=", good[:5] + "x" + good[6:], "žš", "x", "!" * 9):
        with pytest.raises(SyncCursorInvalid):
            sync.page(caller, public, bad)
    assert sync.page(caller, public, good).next_cursor == good
    with pytest.raises(MissingParameterTarget):
        sync.page(caller, ids.encode("conn", ids.new()))


# --- random histories -------------------------------------------------------------------------------------------------


def kept(account: BankAccount) -> Counter[tuple[object, ...]]:
    rows = BankTransaction.objects.filter(bank_account_id=account.id).exclude(status="removed")
    return Counter(rows.values_list("status", "booking_date", "amount_minor", "counterparty_name", "remittance"))


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(history=histories)
def test_random_histories_end_in_the_banks_books(caller, make, read, history):
    chance, linked = Random(repr(history)), make()
    bank = ModelBank(SINCE + timedelta(days=60), SINCE)
    for name, seed in [*history, ("sync", 1)]:
        if not name.startswith("sync"):
            bank.step(name, Random(seed))
            continue
        listed = bank.listed(bank.visible_from, chance, in_pages=name != "sync")
        if name == "sync_broken_off":
            continue
        read(linked, listed, since=bank.visible_from)
        if linked[1].booked_until:
            bank.visible_from = max(bank.visible_from, linked[1].booked_until - OVERLAP)
    assert kept(linked[1]) == books(bank.entries)

    alive = BankTransaction.objects.filter(bank_account_id=linked[1].id).exclude(status="removed")
    held = {ids.encode("btx", identifier) for identifier in alive.values_list("id", flat=True)}
    assert followed(caller, linked[0], limit=chance.randint(1, 7)) == held
    log = changes(linked[0])
    assert [position for position, _ in log] == list(range(1, len(log) + 1))

    before = versions()
    counts = read(linked, bank.listed(bank.visible_from, chance, in_pages=True), since=bank.visible_from)
    assert counts.changed == 0
    assert (versions(), changes(linked[0])) == (before, log)
