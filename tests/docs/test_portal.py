"""`/docs`: every page opens for everybody, every link on it leads somewhere, every code and operation is explained."""

from __future__ import annotations

import re
import shlex
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import yaml
from django.conf import settings
from django.test import Client
from django.urls import Resolver404, resolve

from connect.api.errors import doc_url
from connect.domain import tiers
from connect.domain.scopes import SCOPES
from connect.kit import currencies, event_types
from connect.kit.errors import catalogue
from connect.management.commands.error_catalogue import our_classes
from connect.models import Organization
from connect.services import api_keys
from dashboard.portal import guides, markdown, reference, search, thesaurus
from dashboard.portal.markdown import UnknownMarkup
from payments.domain.test_instruments import GROUPS
from tests.dashboard.conftest import member as member  # fixtures
from tests.dashboard.conftest import pages_as as pages_as

PAGE_BYTES_MAX = 100_000
PLACES = [
    "/docs",
    "/docs/api",
    "/docs/search",
    "/docs/search?q=refund",
    *(entry.url for entry in guides.entries()),
    *(resource.url for resource in reference.resources()),
]


class Seen(HTMLParser):
    """What a page says: its ids, and where it leads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.styled: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if "id" in given:
            self.ids.append(given["id"] or "")
        if "style" in given or tag == "style" or any(name.startswith("on") for name in given):
            self.styled.append(tag)
        if tag == "script" and "src" not in given:
            self.styled.append(tag)
        for name in ("href", "src"):
            if given.get(name):
                self.links.append(given[name] or "")


@pytest.fixture
def anybody(db: None) -> Client:
    return Client()


@cache
def content(place: str) -> bytes:
    """A page of the portal as somebody who is not signed in gets it, without a database."""
    answer = Client().get(place)
    assert answer.status_code == 200, place
    return answer.content


@cache
def seen(place: str) -> Seen:
    return Seen(content(place).decode())


def test_every_page_opens_for_everybody_and_asks_no_database():
    """Without the `db` fixture a query would raise."""
    for place in PLACES:
        assert len(content(place)) <= PAGE_BYTES_MAX, place
        page = seen(place)
        assert page.styled == [], place
        assert len(page.ids) == len(set(page.ids)), f"{place}: an id stands for one thing"


def test_every_link_leads_somewhere():
    checked = 0
    for place in PLACES:
        for link in seen(place).links:
            target = urlsplit(urljoin(f"http://testserver{place}", link))
            if target.hostname != "testserver" or target.path.startswith("/static/"):
                continue
            try:
                resolve(target.path)
            except Resolver404:
                pytest.fail(f"{place} has a link to {link}")
            if target.path.startswith("/docs/images/") or target.path.rpartition("/")[2] in guides.FILES:
                assert content(target.path)
            elif target.path.startswith("/docs") and target.fragment:
                assert target.fragment in seen(target.path).ids, f"{place} has a link to {link}"
            elif target.path.startswith("/docs"):
                assert content(target.path)
            checked += 1
    assert checked > 2000


def test_every_error_class_is_explained_where_its_doc_url_leads():
    classes = {error.code for error in our_classes()}
    assert classes == {error.code for error in catalogue() if error.__module__.partition(".")[0] != "tests"}
    assert len(classes) > 80
    for code in sorted(classes):
        address = doc_url(code)
        assert address.startswith(settings.FC_PUBLIC_URL)
        target = urlsplit(address)
        assert target.fragment in seen(target.path).ids, address


def test_a_refusal_that_really_came_leads_to_its_explanation(api):
    refused = api.post("/v1/payment_intents", {"amount": "x", "currency": "eur"}).json()["error"]
    target = urlsplit(refused["doc_url"])
    assert target.fragment == refused["code"]
    assert target.fragment in seen(target.path).ids
    unknown = api.get("/v1/nothing").json()["error"]["message"]
    assert seen(urlsplit(re.search(r"See (\S+) for", unknown)[1]).path)


def test_every_event_type_scope_and_test_card_can_be_linked_to():
    known = [each.name for each in event_types.every() if not each.name.startswith("test_")]
    assert len(known) > 40
    assert set(known) <= set(seen("/docs/events").ids)
    assert set(SCOPES) <= set(seen("/docs/scopes").ids)
    cards = {card.payment_method for group in GROUPS.values() for card in group}
    assert cards <= set(seen("/docs/test-cards").ids)


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    """The committed description; tests/docs/test_openapi.py compares it with the code."""
    return yaml.load((guides.FOLDER / "openapi.yaml").read_bytes(), Loader=yaml.CSafeLoader)


def test_every_operation_is_in_the_reference(described):
    operations = {(path, method.upper()) for path, methods in described["paths"].items() for method in methods}
    shown = {
        (each.path, each.method): (found.url, each) for found in reference.resources() for each in found.operations
    }
    assert set(shown) == operations
    assert len(operations) > 100
    for url, operation in shown.values():
        text = content(url).decode()
        assert operation.anchor in seen(url).ids
        assert f"<code>{operation.path}</code>" in text
        for field in (*operation.query, *operation.body):
            assert f"<code>{field.name}</code>" in text


def test_the_reference_says_of_each_operation_what_the_description_says(described):
    """Parameters, required ones, refusals: nothing is lost on the way from openapi.yaml."""
    schemas = described["components"]["schemas"]
    by_id = {each.id: each for found in reference.resources() for each in found.operations}
    for methods in described["paths"].values():
        for told in methods.values():
            operation = by_id[told["operationId"]]
            content = told.get("requestBody", {}).get("content", {}).get("application/json")
            schema = schemas[content["schema"]["$ref"].rpartition("/")[2]] if content else {}
            required = schema.get("required", ())
            in_order = sorted(schema.get("properties", {}), key=lambda name: name not in required)
            assert [field.name for field in operation.body] == in_order, "what is required comes first"
            assert {field.name for field in operation.body if field.is_required} == set(required)
            listed = {code for refusals in operation.refusals for code in refusals.codes}
            assert listed == {
                code
                for status, answer in told["responses"].items() if status != "200"
                for code in re.findall(r"^\* `(\w+)`:", answer["description"], re.MULTILINE)
            }  # fmt: skip


SAMPLED = ["payment_intents.create", "setup_intents.create", "payment_methods.create", "customers.create", "products.create",
           "prices.create", "checkout.sessions.create", "banking.link_sessions.create", "ledger.accounts.create",
           "webhook_endpoints.create", "test_helpers.test_clocks.create"]  # fmt: skip
NEEDS_AN_OBJECT = {"banking.transactions.sync"}


def test_samples_are_taken_by_the_api(api):
    """What the reference shows for making a thing makes it; every list and search answers."""
    taken = 0
    for found in reference.resources():
        for operation in found.operations:
            words = shlex.split(operation.sample.replace("\\\n", ""))
            sent = [after for word, after in pairwise(words) if word in {"-d", "--data-urlencode"}]
            if operation.id in SAMPLED:
                answer = api.post(operation.path, form="&".join(sent))
            elif operation.method == "GET" and "{id}" not in operation.path and operation.id not in NEEDS_AN_OBJECT:
                answer = api.get(operation.path, dict(each.split("=", 1) for each in sent))
            else:
                continue
            assert answer.status_code == 200, (operation.sample, answer.content)
            taken += 1
    assert taken > 30


def test_who_is_signed_in_sees_their_own_test_key(pages_as, caller):
    key, secret = api_keys.create(caller, name="The shop", scopes=["*"])
    page = pages_as("developer").get("/docs/api/payment-intents")
    text = page.content.decode()
    assert key.redacted in text
    assert "The shop" in text
    assert f'data-key="$FC_SECRET_KEY">{key.redacted}</span>' in text
    assert secret not in text
    assert "/o/acme/test/developers/api-keys/new" in text
    assert "no-store" in page["Cache-Control"]


def test_who_may_not_see_keys_or_is_nobody_sees_a_variable(pages_as, caller, anybody):
    key, _ = api_keys.create(caller, name="The shop", scopes=["*"])
    for client in (pages_as("analyst"), pages_as(""), anybody):
        text = client.get("/docs/api/payment-intents").content.decode()
        assert key.redacted not in text
        assert 'data-key="$FC_SECRET_KEY">$FC_SECRET_KEY</span>' in text
        assert "developers/api-keys/new" not in text


def test_an_organization_that_asks_for_a_second_factor_shows_nothing_before_it(pages_as, caller):
    key, _ = api_keys.create(caller, name="The shop", scopes=["*"])
    Organization.objects.filter(slug="acme").update(requires_mfa=True)
    text = pages_as("developer").get("/docs/api/payment-intents").content.decode()
    assert key.redacted not in text
    assert "Acme" not in text


def test_a_signed_in_page_asks_the_database_little(pages_as, django_assert_max_num_queries):
    client = pages_as("owner")
    with django_assert_max_num_queries(12):
        assert client.get("/docs/api/refunds").status_code == 200


@pytest.mark.parametrize("place", ["/docs/nothing", "/docs/api/nothing", "/docs/images/nothing.webp", "/docs/..%2FREADME.md",
                                   "/docs/errors.md", "/docs/images/..%2Fquickstart.md"])  # fmt: skip
def test_what_is_not_a_page_is_not_found(place, anybody):
    assert anybody.get(place).status_code == 404


def test_pages_are_only_read(anybody):
    assert anybody.post("/docs/search", {"q": "refund"}).status_code == 405


def test_tables_that_are_made_from_the_code_say_what_it_says():
    assert set(SCOPES) <= set(seen("/docs/scopes").ids)
    assert set(currencies.MINIMUM_CHARGE) <= set(seen("/docs/amounts").ids)
    limits = content("/docs/errors-and-retries").decode()
    for tier in tiers.TIERS.values():
        assert f"<td>{tier.name}</td>" in limits


def test_what_is_sent_for_libraries_alone_is_named_apart(anybody):
    text = anybody.get("/docs/api/payment-intents").content.decode()
    fields, _, apart = text.partition("Always null, and sent because")
    assert "<code>hooks</code>" in apart
    assert "<code>hooks</code>" not in fields
    assert "The amount to collect, in minor units, and how." in fields
    assert "125000" in fields, "the object has an example"
    assert "&quot;hooks&quot;" not in fields


def test_the_description_and_the_schema_are_handed_out(anybody, settings):
    settings.FC_PUBLIC_URL = "https://pay.example.com"
    answer = anybody.get("/docs/openapi.yaml")
    assert answer.content.startswith(b"openapi: 3.1")
    assert b"- url: https://pay.example.com\n" in answer.content
    assert anybody.get("/docs/events.schema.json").json()["$schema"]


def test_code_speaks_of_this_installation_and_of_its_bank(settings):
    settings.FC_PUBLIC_URL, settings.FC_SANDBOX_BANK_URL = "https://pay.example.com/", "https://bank.example.com"
    shown = guides.here("export API=http://127.0.0.1:8000\nexport BANK=http://127.0.0.1:8010\n")
    assert shown == "export API=https://pay.example.com\nexport BANK=https://bank.example.com\n"
    settings.FC_SANDBOX_BANK_URL = ""
    assert guides.here("BANK=http://127.0.0.1:8010") == "BANK=http://127.0.0.1:8010"


# --- search -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "url"),
    [
        ("card_declined", "/docs/errors#card_declined"),
        ("CARD DECLINED", "/docs/errors#card_declined"),
        ("payment_intent.succeeded", "/docs/events#payment_intent.succeeded"),
        ("webhook_endpoints:write", "/docs/scopes#webhook_endpoints:write"),
        ("pm_card_createDispute", "/docs/test-cards#pm_card_createDispute"),
        ("svix", "/docs/webhooks#the-same-with-svix"),
        ("create a refund", "/docs/api/refunds#refunds.create"),
        ("/v1/refunds", "/docs/api/refunds#refunds.create"),
        ("réfund pàyment", "/docs/api/refunds#refunds.create"),
        ("КАФЕ вода", "/docs/sandbox-bank#the-control"),
        ("kafe voda", "/docs/sandbox-bank#the-control"),
        ("refund", "/docs/refunds"),
        ("плаќање", "/docs/take-a-payment"),
        ("kthim", "/docs/refunds"),
        ("pagination", "/docs/lists"),
        ("rate limits", "/docs/errors-and-retries#rate-limits"),
        ("versioning", "/docs/versions"),
        ("php", "/docs/libraries#php"),
        ("denar", "/docs/amounts#mkd"),
    ],
)
def test_search_finds(query, url, anybody):
    answer = anybody.get("/docs/search", {"q": query})
    assert url in Seen(answer.content.decode()).links
    assert url in [found.url for found in search.find(query, limit=10)]


def test_the_best_comes_first():
    assert search.find("idempotency_error", limit=1)[0].url == "/docs/errors#idempotency_error"
    assert search.find("test cards", limit=1)[0].url == "/docs/test-cards"
    assert search.find("refunds", limit=1)[0].url == "/docs/refunds"
    assert search.find("idempotency", limit=1)[0].url == "/docs/errors-and-retries"


def test_words_of_the_thesaurus_are_written_as_the_search_folds_them_and_lead_to_something():
    for asked, used in thesaurus.OURS.items():
        assert search.fold(asked) == asked
        for word in used:
            assert search.find(word, limit=1), f"{asked}: {word} is nowhere"


def test_what_is_nowhere_is_not_found(anybody):
    text = anybody.get("/docs/search", {"q": "refund zzzzzz"}).content.decode()
    assert "Nothing is found." in text
    assert search.find("", limit=5) == search.find("… -", limit=5) == []


def test_letters_are_found_without_accents_and_marked_where_they_stand():
    assert search.fold("Čačak Đorđe ŞQIPËRI") == "cacak dorde sqiperi"
    assert search.fold("Чачак") == search.fold("Čačak")
    assert list(search.words("payment_intent.succeeded")) == [
        "payment_intent.succeeded",
        "payment",
        "intent",
        "succeeded",
    ]
    pieces = search.excerpt("A long way from " + "x " * 60 + "the Čačak bank to the other", ["cacak"])
    assert [piece.text for piece in pieces if piece.is_match] == ["Čačak"]
    assert "".join(piece.text for piece in pieces).startswith("… ")


def test_as_one_types_a_few_come_without_the_page(anybody):
    answer = anybody.get("/docs/search", {"q": "refund"}, headers={"HX-Request": "true"})
    text = answer.content.decode()
    assert "<html" not in text
    assert 0 < text.count("<li>") <= 8
    assert "<mark>" in text
    assert anybody.get("/docs/search", {"q": " "}, headers={"HX-Request": "true"}).content.strip() == b""


def test_what_is_searched_for_is_shown_as_text(anybody):
    for headers in ({}, {"HX-Request": "true"}):
        assert b"<script>alert" not in anybody.get("/docs/search", {"q": "<script>alert(1)"}, headers=headers).content


# --- Markdown ---------------------------------------------------------------------------------------------------------


def rendered(text: str) -> markdown.Document:
    return markdown.render(text, link=lambda target: guides.address(target, "guides/quickstart.md"))


def test_headings_get_ids_that_stay_apart():
    page = rendered('# Title\n\nLead.\n\n## One two\n\n## One two\n\n<a id="named_so"></a>\n## Another\n')
    assert (page.title, page.lead) == ("Title", "Lead.")
    assert [heading.id for heading in page.headings] == ["one-two", "one-two-1", "named_so"]


def test_links_of_files_lead_to_pages():
    page = rendered("[a](../errors.md#card_declined) [b](webhooks.md) [c](../openapi.yaml) [d](https://example.com)")
    assert page.links == ("/docs/errors#card_declined", "/docs/webhooks", "/docs/api", "https://example.com")


@pytest.mark.parametrize("text", ["<b>bold</b>", "<div>\nblock\n</div>", "[x](../ARCHITECTURE.md)", "# One\n\n# Two"])
def test_what_cannot_be_shown_is_refused(text):
    with pytest.raises(UnknownMarkup):
        rendered(text)


def test_code_is_escaped_and_coloured_by_class():
    page = rendered(
        "```html\n<script>alert(1)</script>\n```\n\n```nobody-knows\n<b>\n```\n\n```python file=a.py\nx = 'y'\n```\n"
    )
    assert "<script>" not in page.html
    assert "&lt;b&gt;" in page.html
    assert "<figcaption>a.py</figcaption>" in page.html
    assert '<span class="s1">' in page.html
    assert "style=" not in page.html
