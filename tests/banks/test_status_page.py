"""The public status page: anybody reads how banks are doing, in their language, without an account, cookie or script."""

import html
import re
from datetime import timedelta

import pytest

from banks.domain.profiles import Operation
from banks.models import Institution, InstitutionHealth, InstitutionIncident
from banks.pages import status
from connect.kit import clock, ids

LANGUAGES = {
    "en": "How banks are doing",
    "mk": "Состојба на банките",
    "sq": "Gjendja e bankave",
    "sr": "Стање банака",
    "sr-latn": "Stanje banaka",
}


@pytest.fixture(autouse=True)
def _fresh_board():
    status.forget()
    yield
    status.forget()


@pytest.fixture
def bank(db):
    return Institution.objects.get(slug="komercijalna-mk")


def calls(bank, operation, successes, bank_errors, *, ago=timedelta(minutes=5)):
    InstitutionHealth.objects.create(
        id=ids.new(),
        institution_id=bank.id,
        operation=operation,
        window_start=clock.wall() - ago,
        successes=successes,
        bank_errors=bank_errors,
        latency_counts=[successes],
    )


def incident(bank, began_ago, ended_ago=None, **given):
    now = clock.wall()
    return InstitutionIncident.objects.create(
        id=ids.new(),
        institution_id=bank.id,
        began_at=now - began_ago,
        ended_at=None if ended_ago is None else now - ended_ago,
        **{"status": "down", **given},
    )


def text_of(answer):
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def words_of(page):
    """Each bank's own words: the name, how it is, and how each of its operations is."""
    parts = re.findall(r"<li>\s*<h3>(.*?)<span.*?</dl>", page, re.DOTALL)
    rest = re.findall(r"<li>\s*<h3>.*?(<p class=\"standing.*?)</dl>", page, re.DOTALL)
    return {
        name.strip(): re.findall(r"class=\"standing ?(\w*)\">(.*?)</", words)
        for name, words in zip(parts, rest, strict=True)
    }


def test_anybody_reads_each_operation_in_colour_and_words(client, bank):
    calls(bank, Operation.ACCOUNTS, 100, 0)
    calls(bank, Operation.TRANSACTIONS, 80, 20)
    calls(bank, Operation.CONSENTS, 1, 9)
    calls(bank, Operation.PAYMENTS, 50, 50, ago=timedelta(hours=25))
    answer = client.get("/status")
    assert words_of(text_of(answer)) == {
        bank.name: [
            ("bad", "Does not answer"),
            ("bad", "Does not answer"),
            ("good", "Works"),
            ("warn", "Slow, or fails at times"),
            ("", "Not asked lately"),
        ]
    }
    assert answer.cookies == {}
    assert "Cookie" not in answer["Vary"]
    assert set(answer["Cache-Control"].split(", ")) == {"public", "max-age=30"}
    assert "<script" not in answer.content.decode()
    assert "css/status" in answer.content.decode(), "without it the page has neither colours nor columns"
    assert len(answer.content) < 100_000


def test_what_happened_lately_says_how_it_is_now(client, bank):
    calls(bank, Operation.ACCOUNTS, 1000, 0, ago=timedelta(hours=3))
    calls(bank, Operation.ACCOUNTS, 0, 8)
    calls(bank, Operation.TRANSACTIONS, 0, 1000, ago=timedelta(hours=3))
    calls(bank, Operation.TRANSACTIONS, 8, 0)
    assert words_of(text_of(client.get("/status")))[bank.name][2:4] == [("bad", "Does not answer"), ("good", "Works")]


def test_incidents_of_thirty_days_are_told_with_their_notes(client, bank):
    incident(bank, timedelta(hours=2), note="The bank says: <b>maintenance</b> until noon.")
    old = Institution.objects.get(slug="nlb-mk")
    incident(old, timedelta(days=40), timedelta(days=31), note="long over")
    incident(old, timedelta(days=40), timedelta(days=29), status="degraded", note="over lately")
    page = client.get("/status").content.decode()
    assert "&lt;b&gt;maintenance&lt;/b&gt; until noon." in page
    assert "going on" in page
    assert "over lately" in page
    assert "long over" not in page
    assert "Some banks have trouble now." in page


def test_a_bank_that_staff_took_off_is_not_shown(client, bank):
    calls(bank, Operation.ACCOUNTS, 100, 0)
    incident(bank, timedelta(hours=2), note="secret")
    Institution.objects.filter(pk=bank.pk).update(is_enabled=False)
    page = text_of(client.get("/status"))
    assert bank.name not in page
    assert "secret" not in page
    assert "No bank was asked lately." in page


@pytest.mark.parametrize(("code", "title"), LANGUAGES.items())
def test_the_page_speaks_every_language(client, bank, code, title):
    calls(bank, Operation.ACCOUNTS, 100, 0)
    for answer in (client.get("/status", {"lang": code}), client.get("/status", headers={"accept-language": code})):
        assert answer["Content-Language"] == code
        page = text_of(answer)
        assert f"<h1>{title}</h1>" in page
        assert code == "en" or "Not asked lately" not in page


def test_the_board_is_kept_for_half_a_minute(client, bank, monkeypatch):
    assert bank.name not in text_of(client.get("/status"))
    calls(bank, Operation.ACCOUNTS, 100, 0)
    assert bank.name not in text_of(client.get("/status"))
    later = clock.wall() + timedelta(seconds=31)
    monkeypatch.setattr(clock, "wall", lambda: later)
    assert bank.name in text_of(client.get("/status"))


def test_the_page_only_answers_reading(client, db):
    assert client.post("/status").status_code in {403, 405}
