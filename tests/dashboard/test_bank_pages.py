"""Banks in the dashboard: what was read is found and shown with its age, and what can be done is done once."""

import csv
import html
import io
from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from banks.domain import institution_ids
from banks.domain.connection_state import Status
from banks.domain.profiles import Operation
from banks.models import Change, Connection, Institution, InstitutionHealth, InstitutionIncident, LinkSession
from connect.kit import clock, ids
from connect.kit.tenancy import use_environment
from dashboard.pages import bank_transactions
from dashboard.pages import institutions as institution_pages
from tests.banks import rows

KEY = {"idempotency_key": "0123456789abcdef" * 2}
SANDBOX = ids.encode("inst", institution_ids.of_slug("sandbox-bank"))


def address(name="bank_connections", *arguments, mode="test"):
    return reverse(f"dashboard:{name}", args=["acme", mode, *arguments])


def text_of(answer, status=200):
    assert answer.status_code == status
    return html.unescape(answer.content.decode())


@pytest.fixture
def stored(environment):
    """`stored(rows.connection, …)` makes a row in Acme's test environment."""

    def make(build, *arguments, **given):
        with use_environment(environment):
            return build(*arguments, **given)

    return make


@pytest.fixture
def linked(stored):
    """A connection with an account and three entries: in Cyrillic, in Latin, and one that is pending."""
    connection = stored(rows.connection, client_reference_id="customer-7")
    account = stored(rows.account, connection)
    stored(rows.transaction, account, counterparty_name="Ана Петровска", remittance="Наем", amount_minor=-1_250_000)
    stored(
        rows.transaction,
        account,
        counterparty_name="Petar Petrović",
        remittance='=HYPERLINK("http://evil.example")',
        amount_minor=310_050,
        booking_date=date(2026, 10, 1),
        reference_scheme="rf",
        reference_value="RF18539007547034",
    )
    stored(rows.transaction, account, status="pending", booking_date=None, counterparty_name=None, remittance="Café")
    return connection, account


def public(row, prefix):
    return ids.encode(prefix, row.id)


# --- connections ------------------------------------------------------------------------------------------------------


def test_empty_lists_teach_the_first_link(pages):
    for name in ("bank_connections", "link_sessions"):
        page = text_of(pages.get(address(name)))
        assert "/v1/banking/link_sessions" in page
        assert address("link_session_new") in page
    assert "/v1/banking/accounts" in text_of(pages.get(address("bank_accounts")))
    assert "/v1/banking/transactions" in text_of(pages.get(address("bank_transactions")))


def test_a_connection_shows_its_consent_its_sync_and_its_accounts(pages, linked, stored):
    connection, account = linked
    stored(lambda: Connection.objects.filter(pk=connection.pk).update(position=41, sync_failures=2))
    page = text_of(pages.get(address("bank_connection", public(connection, "conn"))))
    assert "Sandbox Bank" in page
    assert "Accounts, balances, transactions" in page
    assert "customer-7" in page
    assert "<dt>Change log at</dt><dd>41</dd>" in page
    assert "<dt>Failed in a row</dt><dd>2</dd>" in page
    assert address("bank_account", public(account, "bka")) in page
    as_json = text_of(pages.get(address("bank_connection", public(connection, "conn")), {"tab": "json"}))
    assert '"object": "banking.connection"' in as_json


def test_an_error_says_what_to_do(pages, stored):
    waiting = stored(rows.connection, status=Status.LOGIN_REQUIRED, error="login_required", error_at=rows.NOW)
    failing = stored(rows.connection, error="institution_down", error_at=rows.NOW)
    page = text_of(pages.get(address("bank_connection", public(waiting, "conn"))))
    assert "wants its customer to log in again" in page
    assert "only your customer can mend it" in page
    assert address("bank_connection_refresh", public(waiting, "conn")) not in page
    page = text_of(pages.get(address("bank_connection", public(failing, "conn"))))
    assert "we try again by ourselves" in page
    assert "Stale" in page


def test_connections_are_narrowed_in_the_address(pages, linked, stored):
    connection, _ = linked
    expired = stored(rows.connection, status=Status.EXPIRED)
    stored(rows.connection, status=Status.PENDING)

    def found(**query):
        return [line.connection.id for line in pages.get(address(), query).context["lines"]]

    one, other = public(connection, "conn"), public(expired, "conn")
    assert found() == found(status="nonsense") == found(bank=SANDBOX) == [other, one]
    assert found(status="expired") == found(q=other) == [other]
    assert found(q="customer-7") == found(q=one, status="active") == [one]
    assert found(q="customer") == found(q=one, status="expired") == found(q="conn_none") == []


def test_home_counts_connections_and_those_that_need_somebody(pages, linked, stored):
    assert "Need their customer" in text_of(pages.get(address("home")))
    for status in (Status.EXPIRED, Status.LOGIN_REQUIRED, Status.REVOKED, Status.PENDING, Status.REMOVED):
        stored(rows.connection, status=status, removed_at=rows.NOW if status == Status.REMOVED else None)
    counts = pages.get(address("home")).context["banks"]
    assert (counts.active, counts.attention) == (1, 3)


def test_a_refresh_has_the_bank_read_next(pages, linked, stored):
    connection, _ = linked
    path = address("bank_connection_refresh", public(connection, "conn"))
    assert "count the calls" in text_of(pages.get(path))
    assert pages.post(path, KEY)["Location"] == address("bank_connection", public(connection, "conn"))
    assert stored(lambda: Connection.objects.get(pk=connection.pk).sync_due_at) is not None


def test_renewing_gives_a_page_for_the_customer_once(pages, linked, stored):
    connection, _ = linked
    path = address("bank_connection_renew", public(connection, "conn"))
    first, second = (pages.post(path, {**KEY, "return_url": ""}) for _ in range(2))
    assert first["Location"] == second["Location"]
    (session,) = stored(lambda: list(LinkSession.objects.all()))
    assert (session.mode, session.connection_id) == ("update", connection.id)
    page = text_of(pages.get(first["Location"]))
    assert "/link/" in page
    assert "Renewing a connection" in page


def test_removing_wants_the_name_typed(pages, linked, stored, api):
    connection, _ = linked
    identifier = public(connection, "conn")
    path = address("bank_connection_remove", identifier)
    assert "Type Sandbox Bank to confirm" in text_of(pages.get(path))
    assert "That is not the name" in text_of(pages.post(path, {**KEY, "confirmation": "sandbox"}), 422)
    assert stored(lambda: Connection.objects.get(pk=connection.pk).status) == Status.ACTIVE
    assert pages.post(path, {**KEY, "confirmation": " sandbox  bank "})["Location"] == address()
    assert stored(lambda: Connection.objects.get(pk=connection.pk).status) == Status.REMOVED
    page = text_of(pages.get(address("bank_connection", identifier)))
    assert "Removed connection" in page
    assert "banking.connection.removed" in page
    assert pages.get(path).status_code == 404
    assert pages.get(address("bank_transactions")).context["transactions"] == []


# --- accounts and transactions ----------------------------------------------------------------------------------------


def test_an_account_shows_its_balances_with_their_age(pages, linked, stored):
    connection, account = linked
    page = text_of(pages.get(address("bank_account", public(account, "bka"))))
    assert "1,250.00\N{NO-BREAK SPACE}MKD" in page
    assert "20 Nov 2026, 09:00 CET" in page
    assert account.iban in page
    stale = stored(rows.account, connection, iban="MK75999000000012450", error="bad_response", error_at=rows.NOW)
    assert "Stale" in text_of(pages.get(address("bank_account", public(stale, "bka"))))

    def found(**query):
        return [line.account.id for line in pages.get(address("bank_accounts"), query).context["lines"]]

    assert found() == [public(stale, "bka"), public(account, "bka")]
    assert found(currency="eur") == found(status="closed") == []
    assert len(found(connection=public(connection, "conn"), currency="mkd")) == 2


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"q": "petrovska"}, ["Ана Петровска"]),
        ({"q": "ПЕТРОВ"}, ["Ана Петровска", "Petar Petrović"]),
        ({"q": "naem ana"}, ["Ана Петровска"]),
        ({"q": "cafe"}, [None]),
        ({"q": "nobody"}, []),
        ({"q": "?!"}, []),
        ({"q": "btx_nothing"}, []),
        ({"status": "pending"}, [None]),
        ({"status": "removed"}, []),
        ({"direction": "out"}, ["Ана Петровска"]),
        ({"amount": "12500"}, ["Ана Петровска"]),
        ({"amount": "-12500,00"}, ["Ана Петровска"]),
        ({"amount": "3100.50"}, ["Petar Petrović"]),
        ({"amount": "0.001"}, []),
        ({"until": "2026-10-01"}, ["Petar Petrović"]),
        ({"since": "2026-10-02", "direction": "out"}, ["Ана Петровска"]),
        ({"amount": "much", "since": "soon", "direction": "up", "account": "bka_x", "status": "odd"}, 3),
        ({"amount": "NaN"}, 3),
        ({"amount": "1e400"}, 3),
    ],
)
def test_transactions_are_found_in_either_script_and_by_every_filter(pages, linked, query, names):
    found = pages.get(address("bank_transactions"), query).context["transactions"]
    if isinstance(names, int):
        assert len(found) == names
    else:
        assert [each.counterparty.name for each in found] == names


def test_pages_of_transactions_give_each_once_by_day_and_keep_the_filter(pages, linked, stored):
    _, account = linked
    for number in range(60):
        day = date(2026, 11, 1) + timedelta(days=number * 7 % 11)
        stored(rows.transaction, account, remittance=f"Fee {number}", amount_minor=-100, booking_date=day)
    shown, query = [], "q=fee"
    while query is not None:
        answer = pages.get(f"{address('bank_transactions')}?{query}")
        shown.append([(each.booking_date, each.id) for each in answer.context["transactions"]])
        query = answer.context["pager"].older
        assert query is None or "q=fee" in query
    everything = [one for page in shown for one in page]
    assert len(shown) == 3
    assert len(everything) == len(set(everything)) == 60
    assert everything == sorted(everything, reverse=True)
    back = pages.get(f"{address('bank_transactions')}?{answer.context['pager'].newer}").context["transactions"]
    assert [each.id for each in back] == [identifier for _, identifier in shown[1]]


def test_a_transaction_shows_both_scripts_its_reference_and_its_changes(pages, linked, stored):
    connection, account = linked
    entry = stored(
        rows.transaction,
        account,
        counterparty_name="ЕВН Македонија",
        reference_scheme="rf",
        reference_value="RF18539007547035",
        version=2,
    )
    for position, kind in ((1, "added"), (2, "modified")):
        stored(
            Change.objects.create,
            connection_id=connection.id,
            position=position,
            transaction_id=entry.id,
            kind=kind,
        )
    page = text_of(pages.get(address("bank_transaction", public(entry, "btx"))))
    assert "ЕВН Македонија" in page
    assert "EVN Makedonija" in page
    assert "Check digits do not fit" in page
    assert "Version 2" in page
    assert page.index("Modified") < page.index("Added")
    sound = pages.get(address("bank_transactions"), {"q": "rf18539007547034"}).context["transactions"]
    for each in sound:
        assert "Check digits fit" in text_of(pages.get(address("bank_transaction", each.id)))


def test_the_file_holds_what_the_filters_find_and_no_formula(pages, linked, stored, monkeypatch):
    monkeypatch.setattr(bank_transactions, "BATCH", 50)
    _, account = linked
    for number in range(120):
        stored(rows.transaction, account, remittance=f"Fee {number}", amount_minor=-100)
    answer = pages.get(address("bank_transactions_export"))
    assert answer.streaming
    assert answer["Content-Disposition"] == 'attachment; filename="bank-transactions-acme-test.csv"'
    content = b"".join(answer.streaming_content).decode()
    assert content.startswith("\N{BYTE ORDER MARK}id,account,status")
    lines = list(csv.DictReader(io.StringIO(content.removeprefix("\N{BYTE ORDER MARK}"))))
    assert len(lines) == len({line["id"] for line in lines}) == 123
    of_petar = next(line for line in lines if line["counterparty"] == "Petar Petrović")
    assert of_petar["description"] == '\'=HYPERLINK("http://evil.example")'
    assert (of_petar["amount"], of_petar["currency"]) == ("3100.50", "MKD")
    of_ana = next(line for line in lines if line["counterparty"] == "Ана Петровска")
    assert (of_ana["amount"], of_ana["counterparty_latin"]) == ("-12500.00", "Ana Petrovska")
    narrowed = b"".join(pages.get(address("bank_transactions_export"), {"q": "fee"}).streaming_content).decode()
    assert narrowed.count("\n") == 121


# --- institutions -----------------------------------------------------------------------------------------------------


def test_banks_are_found_in_either_script(pages):
    def found(**query):
        return [each.slug for each in pages.get(address("institutions"), query).context["institutions"]]

    assert "komercijalna-mk" in found(q="Комерцијална")
    assert found(q="TUTNMK22") == ["nlb-mk"]
    assert {each.split("-")[-1] for each in found(country="AL")} <= {"al", "bank"}
    assert found(available="1") == found(q="?!") == []
    assert pages.get(address("bank_connections"), {"q": "\0"}).status_code == 400
    assert "sandbox-bank" in found()
    assert "sandbox-bank" not in [
        each.slug for each in pages.get(address("institutions", mode="live")).context["institutions"]
    ]


def test_a_bank_says_why_it_cannot_be_linked(pages):
    bank = ids.encode("inst", institution_ids.of_slug("nlb-mk"))
    assert "answers only licensed providers" in text_of(pages.get(address("institution", bank)))
    assert "FC_SANDBOX_BANK_URL is not set" in text_of(pages.get(address("institution", SANDBOX)))
    assert pages.get(address("institution", SANDBOX, mode="live")).status_code == 404
    assert pages.get(address("institution", "inst_nothing")).status_code == 404


def test_a_bank_shows_its_health_by_operation_and_hour(pages):
    bank = Institution.objects.get(slug="sandbox-bank")
    now = clock.wall().replace(microsecond=0)
    for minutes, successes, bank_errors in ((1, 90, 10), (130, 100, 0)):
        InstitutionHealth.objects.create(
            id=ids.new(),
            institution_id=bank.id,
            operation=Operation.ACCOUNTS,
            window_start=now - timedelta(minutes=minutes),
            successes=successes,
            bank_errors=bank_errors,
            own_errors=7,
            latency_counts=[successes, bank_errors],
        )
    InstitutionIncident.objects.create(
        id=ids.new(), institution_id=bank.id, status="degraded", began_at=now, note="The bank told us: a new release."
    )
    page = text_of(pages.get(address("institution", SANDBOX)))
    assert "95 %" in page
    assert "50 ms" in page
    assert "200 in the last 24 hours" in page
    assert "a new release" in page
    assert (page.count('<rect class="good"'), page.count('<rect class="bad"')) == (2, 1)
    assert "<span>100</span><span>50</span><span>0</span>" in page, "the scale is written beside the bars"


@pytest.mark.parametrize("name", ["bank_accounts", "bank_transactions"])
def test_an_empty_list_of_bank_data_leads_whoever_may_to_linking_a_bank(pages, pages_as, name):
    link = f'href="{address("link_session_new")}"'
    assert link in text_of(pages.get(address(name)))
    assert link not in text_of(pages_as("analyst").get(address(name)))


def test_the_chart_names_hours_in_the_zone_of_the_reader():
    from banks.selectors.bank_standing import Hour

    moment = datetime(2026, 11, 20, 23, tzinfo=UTC)
    with timezone.override("Europe/Skopje"):
        chart = institution_pages.chart_of([Hour(moment, 3, 1), Hour(moment + timedelta(hours=1), 0, 0)])
    assert chart.ends == ("00:00", "01:00")
    assert [row.values for row in chart.rows] == [["3", "1"], ["0", "0"]]
    assert [[part.tone for part in bar.parts] for bar in chart.bars] == [["good", "bad"], []]


def test_the_sandbox_page_leads_to_the_bank_itself(pages, settings):
    assert "not running" in text_of(pages.get(address("sandbox_bank")))
    settings.FC_SANDBOX_BANK_URL = "http://127.0.0.1:8010"
    page = text_of(pages.get(address("sandbox_bank")))
    assert 'href="http://127.0.0.1:8010/control"' in page
    assert "pass_good" in page
    assert pages.get(address("sandbox_bank", mode="live")).status_code == 404


# --- link sessions ----------------------------------------------------------------------------------------------------


def test_a_link_session_is_made_once_and_its_address_shown(pages, stored):
    first, second = (
        pages.post(address("link_session_new"), {**KEY, "client_reference_id": "customer-7"}) for _ in range(2)
    )
    assert first["Location"] == second["Location"]
    (session,) = stored(lambda: list(LinkSession.objects.all()))
    assert session.client_reference_id == "customer-7"
    page = text_of(pages.get(first["Location"]))
    assert "/link/" in page
    assert "data-copy=" in page
    assert [line.session.id for line in pages.get(address("link_sessions")).context["lines"]] == [
        public(session, "lks")
    ]
    assert "/link/" not in text_of(pages.get(first["Location"], {"tab": "json"}))


def test_a_return_address_that_is_not_allowed_is_named_at_its_field(pages):
    answer = pages.post(address("link_session_new"), {**KEY, "return_url": "ftp://shop.example.com/"})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["return_url"]


def test_a_canceled_session_shows_no_address(pages, stored):
    made = pages.post(address("link_session_new"), KEY)["Location"]
    (session,) = stored(lambda: list(LinkSession.objects.all()))
    path = address("link_session_cancel", public(session, "lks"))
    assert "reads that it has ended" in text_of(pages.get(path))
    assert pages.post(path, {"idempotency_key": "fedcba9876543210" * 2})["Location"] == made
    assert 'data-copy="http' not in text_of(pages.get(made))
    assert "has ended already" in text_of(pages.get(path, follow=True))


# --- who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["analyst", "support"])
def test_who_may_only_look_sees_no_action_and_no_address(pages_as, pages, linked, role):
    connection, _ = linked
    made = pages.post(address("link_session_new"), KEY)["Location"]
    reader = pages_as(role)
    page = text_of(reader.get(address("bank_connection", public(connection, "conn"))))
    for action in ("refresh", "renew", "remove"):
        path = address(f"bank_connection_{action}", public(connection, "conn"))
        assert path not in page
        assert reader.post(path, KEY).status_code == 403
    assert "/link/" not in text_of(reader.get(made))
    assert reader.post(address("link_session_new"), KEY).status_code == 403


def test_ids_open_their_pages(pages, linked, stored):
    connection, account = linked
    entry = stored(rows.transaction, account)
    made = pages.post(address("link_session_new"), KEY)["Location"]
    for identifier, page in (
        (public(connection, "conn"), "bank_connection"),
        (public(account, "bka"), "bank_account"),
        (public(entry, "btx"), "bank_transaction"),
        (SANDBOX, "institution"),
        (made.rsplit("/", 1)[1], "link_session"),
    ):
        assert pages.get(address("search"), {"q": identifier})["Location"] == address(page, identifier)
