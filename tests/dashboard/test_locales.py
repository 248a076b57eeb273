"""A person's language and zone on every page, nights of the clocks included; and no word of a page that nobody can
translate.
"""

import functools
import html
import re
from datetime import UTC, datetime
from pathlib import Path

import allauth
import django
import pytest
from django.template import Context, Template
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from connect.models import User
from dashboard.pages import library_words, lists
from dashboard.templatetags.moments import moment, moment_field

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = [("en", "en"), ("mk", "mk"), ("sq", "sq"), ("sr", "sr-Cyrl"), ("sr-latn", "sr-Latn")]
FOLDERS = ("dashboard", "components")
SINGLE = (
    "base.html",
    "entrance.html",
    "400.html",
    "403.html",
    "403_csrf.html",
    "404.html",
    "429.html",
    "500.html",
    "503.html",
)
NO_WORDS = {"Facturino", "Connect", "IBAN", "BIC", "JSON", "Ctrl", "Esc", "nbsp", "amp"}
"""Names and signs that every language writes alike."""


def address(name="home", *arguments):
    return reverse(f"dashboard:{name}", args=["acme", "test", *arguments])


@pytest.fixture
def person(member):
    """`person(locale, time_zone)` is a signed-in browser of an owner who chose these."""

    def make(locale="en", time_zone="Europe/Skopje"):
        user = member("owner")
        User.objects.filter(pk=user.pk).update(locale=locale, time_zone=time_zone)
        client = Client(headers={"Accept-Language": "en"})
        client.force_login(User.objects.get(pk=user.pk))
        return client

    return make


@pytest.mark.parametrize(("code", "tag"), LANGUAGES)
def test_a_page_speaks_the_persons_language_and_says_which(person, code, tag):
    answer = person(code).get(address())
    assert f'<html lang="{tag}">' in answer.content.decode()
    assert answer["Content-Language"] == code


def test_a_locale_or_zone_that_does_not_exist_leaves_what_the_browser_asks_for(person):
    answer = person("tlh", "Mars/Olympus").get(address(), headers={"Accept-Language": "sq"})
    assert answer["Content-Language"] == "sq"


def test_money_is_written_as_the_language_does(person, api):
    api.post("/v1/payment_intents", {"amount": 123450, "currency": "eur"})
    assert "1.234,50\N{NO-BREAK SPACE}EUR" in html.unescape(person("mk").get(address("payments")).content.decode())


@pytest.mark.parametrize(("zone", "shown"), [("Europe/Skopje", "CE"), ("UTC", "UTC"), ("America/New_York", "E")])
def test_moments_name_the_persons_zone(person, api, zone, shown):
    api.post("/v1/customers", {"name": "Ana"})
    page = person("en", zone).get(address("customers")).content.decode()
    (text,) = re.findall(r"<time [^>]*>([^<]+)</time>", page)
    assert re.fullmatch(rf"\d+ \w+ \d{{4}}, \d\d:\d\d {shown}\w*", text)


def test_the_zone_ends_with_the_request(person):
    person("en", "Asia/Tokyo").get(address())
    assert timezone.get_current_timezone_name() == "UTC"


@pytest.mark.parametrize(
    ("when", "shown"),
    [
        (datetime(2027, 3, 28, 0, 59, tzinfo=UTC), "28 Mar 2027, 01:59 CET"),
        (datetime(2027, 3, 28, 1, 0, tzinfo=UTC), "28 Mar 2027, 03:00 CEST"),
        (datetime(2027, 10, 31, 0, 30, tzinfo=UTC), "31 Oct 2027, 02:30 CEST"),
        (datetime(2027, 10, 31, 1, 30, tzinfo=UTC), "31 Oct 2027, 02:30 CET"),
    ],
)
def test_on_the_nights_of_the_clocks_every_moment_is_told_apart(when, shown):
    with timezone.override("Europe/Skopje"):
        assert f">{shown}</time>" in moment(when)
        assert moment_field(when) == f"{timezone.localtime(when):%Y-%m-%dT%H:%M}"


@pytest.mark.parametrize(
    ("written", "earliest", "latest"),
    [
        ("2027-01-15T12:00", "2027-01-15T11:00", "2027-01-15T11:00"),
        ("2027-07-15T12:00", "2027-07-15T10:00", "2027-07-15T10:00"),
        ("2027-03-28T01:59", "2027-03-28T00:59", "2027-03-28T00:59"),
        ("2027-03-28T02:30", "2027-03-28T00:30", "2027-03-28T01:30"),
        ("2027-03-28T03:00", "2027-03-28T01:00", "2027-03-28T01:00"),
        ("2027-10-31T02:30", "2027-10-31T00:30", "2027-10-31T01:30"),
        ("2027-10-31T03:00", "2027-10-31T02:00", "2027-10-31T02:00"),
    ],
)
def test_a_range_of_the_log_holds_all_that_a_person_can_mean(written, earliest, latest):
    with timezone.override("Europe/Skopje"):
        assert f"{lists.moment(written):%Y-%m-%dT%H:%M}" == earliest
        assert f"{lists.moment(written, last=True):%Y-%m-%dT%H:%M}" == latest
        assert lists.moment("yesterday") is None


def test_the_filters_of_the_log_say_and_read_the_persons_zone(person, api):
    from connect.services import request_log_drain, request_logs

    api.get("/v1/balance")
    request_logs.buffer.flush()
    request_log_drain.drain()
    client = person("en", "Asia/Tokyo")
    page = client.get(address("request_logs")).content.decode()
    assert "From (Asia/Tokyo)" in page
    now = timezone.now().astimezone(timezone.zoneinfo.ZoneInfo("Asia/Tokyo"))
    since = f"{now.replace(hour=0, minute=0):%Y-%m-%dT%H:%M}"
    assert client.get(address("request_logs"), {"since": since}).context["lines"]
    tomorrow = f"{now.replace(hour=23, minute=59):%Y-%m-%dT%H:%M}"
    assert client.get(address("request_logs"), {"since": tomorrow}).context["lines"] == []


def test_whoever_is_not_signed_in_chooses_below_the_form(db):
    client = Client(headers={"Accept-Language": "en"})
    page = client.get("/accounts/login/").content.decode()
    assert 'lang="sr-Cyrl">Српски</button>' in page
    answer = client.post("/language", {"language": "mk", "next": "/accounts/login/"})
    assert answer["Location"] == "/accounts/login/"
    assert client.get("/accounts/login/")["Content-Language"] == "mk"
    assert client.post("/language", {"language": "tlh"}).status_code == 400
    assert client.post("/language", {"language": "sq", "next": "https://elsewhere.example/"})["Location"] == "/"


def test_who_is_signed_in_has_no_second_choice(person):
    assert "Српски" not in person().get("/organizations/new").content.decode()


def test_plurals_follow_the_language():
    source = (
        "{% load i18n %}{% blocktranslate count counter=n %}{{ counter }} day{% plural %}{{ counter }} days"
        "{% endblocktranslate %}"
    )
    with translation.override("en"):
        assert [Template(source).render(Context({"n": n})) for n in (0, 1, 2)] == ["0 days", "1 day", "2 days"]


TEMPLATES = [ROOT / "templates" / name for name in SINGLE]
TEMPLATES += [path for folder in FOLDERS for path in sorted((ROOT / "templates" / folder).glob("*.html"))]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_word_of_a_page_can_be_translated(path):
    assert unspoken(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("source", "left"),
    [
        ("<p>Hello there</p>", ["Hello there"]),
        ('<a title="Go home">{% translate "Home" %}</a>', ["Go home"]),
        ('{% include "components/badge.html" with text="Stale" %}', ["Stale"]),
        ('{% blocktranslate %}Hello <code>x</code>{% endblocktranslate %} {{ name|default:_("None") }}', []),
        ('{{ name|default:"Nobody" }}', ["Nobody"]),
    ],
)
def test_the_finder_of_such_words_finds_them(source, left):
    assert unspoken(source) == left


def unspoken(source):
    """Words between tags, in attributes that people read, and in literals, that no catalog will ever see."""
    source = re.sub(r"{#.*?#}|{% block \w+_attributes %}.*?{% endblock %}", "", source, flags=re.DOTALL)
    source = re.sub(r"{% blocktranslate.*?{% endblocktranslate %}", "", source, flags=re.DOTALL)
    source = re.sub(r"<(code|kbd)[^>]*>.*?</\1>|<svg.*?</svg>", "", source, flags=re.DOTALL)
    literals = re.findall(r'\|(?:default|yesno):"([^"]*[A-Z][^"]*)"', source)
    literals += re.findall(r'{% include [^%]*?\b(?:title|text|action|name)="([^"]+)"', source)
    plain = re.sub(r"{%.*?%}|{{.*?}}", "", source, flags=re.DOTALL)
    shown = re.findall(r'\b(?:aria-label|title|alt|data-label)="([^"]+)"', plain)
    shown += re.split(r"<[^>]*>", plain)
    found = [text.strip() for text in [*literals, *shown]]
    return [text for text in found if set(re.findall(r"[^\W\d_]{3,}", text)) - NO_WORDS]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_page_names_a_zone_itself(path):
    """`moment` names the zone beside each moment; a UTC in the page would stand beside a time that is not."""
    assert "UTC" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("text", [str(each) for each in library_words.SIGNING_IN])
def test_each_text_kept_for_a_library_is_one_that_it_says(text):
    """Letter by letter: a text that a new version words otherwise would stay English and nobody would see it here."""
    said = re.sub(r"%\((\w+)\)s", r"{{\1}}", text)
    assert any(said in source for source in _sources())


@functools.cache
def _sources():
    """The library's own files: Python with its strings joined as they are written, and templates."""
    folders = [Path(django.__file__).parent / name for name in ("core", "contrib/auth", "forms")]
    folders += [Path(allauth.__file__).parent / name for name in ("account", "mfa", "usersessions", "templates")]
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix in {".py", ".txt", ".html"}]
    return [re.sub(r'"\s*\n\s*"', "", path.read_text(encoding="utf-8")) for path in files]
