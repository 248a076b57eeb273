"""Payer, page and mail speak one language: every text stands in every catalog, and the receipt follows the page."""

from __future__ import annotations

import gettext
import re
from pathlib import Path

import pytest

from deploy import messages
from payments import tasks
from tests.checkout.conftest import POOR, TYPO, alert

ROOT = Path(__file__).resolve().parents[2]
CATALOGS = ["mk", "sq", "sr", "sr_Latn"]
FILLED = re.compile(r"%\(\w+\)s|<[^>]+>")
CYRILLIC = re.compile(r"[А-Яа-яЂЈЉЊЋЏђјљњћџЃѓЌќЅѕ]")
LANGUAGES = [
    ("en", "en", "1,234.50"),
    ("mk", "mk", "1.234,50"),
    ("sq", "sq", "1\N{NO-BREAK SPACE}234,50"),
    ("sr", "sr-Cyrl", "1.234,50"),
    ("sr-latn", "sr-Latn", "1.234,50"),
]


@pytest.mark.parametrize("catalog", CATALOGS)
def test_every_text_is_translated_and_nothing_else_is(catalog):
    folder = ROOT / "locale" / catalog / "LC_MESSAGES"
    known = messages.read((folder / "django.po").read_text(encoding="utf-8"))
    texts = messages.spoken().keys()
    assert len(texts) > 800
    assert texts - known.keys() == set(), "run python deploy/messages.py collect, and translate what is new"
    assert known.keys() - texts - {""} == set(), "run python deploy/messages.py collect"
    for text, translation in known.items():
        found = translation.split(messages.FORM_END)
        assert len(found) == (messages.forms(known) if messages.FORM_END in text else 1), text
        assert all(form.strip() for form in found), text
    compiled = messages.compiled(known)
    assert (folder / "django.mo").read_bytes() == compiled, "run python deploy/messages.py"
    with (folder / "django.mo").open("rb") as file:
        loaded = gettext.GNUTranslations(file)
    assert loaded.gettext("Check again") == known["Check again"]


@pytest.mark.parametrize("catalog", CATALOGS)
def test_translations_keep_what_is_filled_in_and_their_script(catalog):
    known = messages.read((ROOT / f"locale/{catalog}/LC_MESSAGES/django.po").read_text(encoding="utf-8"))
    for text, translation in known.items():
        if not text:
            continue
        filled = FILLED.findall(text.rpartition(messages.FORM_END)[2])
        for form in translation.split(messages.FORM_END):
            assert sorted(filled) == sorted(FILLED.findall(form)), text
        if catalog in {"sq", "sr_Latn"}:
            assert not CYRILLIC.search(translation), translation


def test_latin_serbian_is_the_cyrillic_one_in_other_letters():
    cyrillic = messages.read((ROOT / "locale/sr/LC_MESSAGES/django.po").read_text(encoding="utf-8"))
    latin = (ROOT / "locale/sr_Latn/LC_MESSAGES/django.po").read_text(encoding="utf-8")
    assert latin == messages.write(messages.latin_catalog(cyrillic)), "run python deploy/messages.py"


PLURALS = """msgid ""
msgstr "Language: sr\\nContent-Type: text/plain; charset=UTF-8\\nPlural-Forms: nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);\\n"

msgctxt "list"
msgid "%(count)s bank"
msgid_plural "%(count)s banks"
msgstr[0] "%(count)s банка"
msgstr[1] "%(count)s банке"
msgstr[2] "%(count)s банака"
"""


def test_plurals_are_read_written_compiled_and_put_into_latin_letters(tmp_path):
    known = messages.read(PLURALS)
    assert messages.write(known) == PLURALS
    path = tmp_path / "django.mo"
    path.write_bytes(messages.compiled(messages.latin_catalog(known)))
    with path.open("rb") as file:
        loaded = gettext.GNUTranslations(file)
    spoken = [loaded.npgettext("list", "%(count)s bank", "%(count)s banks", number) for number in (1, 3, 5, 21)]
    assert spoken == ["%(count)s banka", "%(count)s banke", "%(count)s banaka", "%(count)s banka"]


def test_collecting_keeps_what_is_known_adds_what_is_new_and_drops_what_is_gone():
    known = messages.read(PLURALS) | {"Old": "Старо", "Kept": "Остаје"}
    wanted = dict.fromkeys(["Kept", "New", "%(n)s new\0%(n)s new ones"])
    found = messages.collected(known, wanted)
    assert list(found) == ["", "Kept", "New", "%(n)s new\0%(n)s new ones"]
    assert found["Kept"] == "Остаје"
    assert found["New"] == ""
    assert found["%(n)s new\0%(n)s new ones"] == "\0\0", "three forms, all to be filled in"
    assert messages.read(messages.write(found)) == found
    with pytest.raises(ValueError, match="fuzzy"):
        messages.read(f'{PLURALS}\n#, fuzzy\nmsgid "A"\nmsgstr "B"\n')


def words(answer):
    """The words of a page without what is not ours to translate."""
    body = re.sub(r"<head>.*?</head>|<nav.*?</nav>|<svg.*?</svg>", " ", answer.content.decode(), flags=re.DOTALL)
    return set(re.findall(r"[^\W\d_]+", re.sub(r"<[^>]+>|&\w+;", " ", body)))


@pytest.mark.parametrize(("code", "lang", "amount"), LANGUAGES)
@pytest.mark.parametrize("currency", ["rsd", "all"])
def test_the_page_the_decline_and_the_receipt_speak_the_payers_language(
    session, payer, environment, mailoutbox, code, lang, amount, currency
):
    line = {"price_data": {"currency": currency, "unit_amount": 61725, "product_data": {"name": "7"}}, "quantity": 2}
    made = session(line_items=[line], phone_number_collection={"enabled": True})
    visitor = payer(made)
    total = f"{amount}\N{NO-BREAK SPACE}{currency.upper()}"
    query = f"?lang={code}"
    opened = visitor.open(query)
    assert f'<html lang="{lang}">' in opened.content.decode()
    assert opened["Content-Language"] == code
    assert opened.content.decode().count(total) >= 3, "above the order, below it, and on the button"
    wrong = visitor.pay(TYPO, query=query, email="nobody", expiry="soon", name="")
    visitor.pay(POOR, query=query, phone="1")
    declined = visitor.open(query)
    assert alert(declined)
    visitor.pay(query=query, phone="1")
    done = visitor.open(query)
    assert total in done.content.decode()
    if code != "en":
        english = {
            "the",
            "and",
            "is",
            "your",
            "Your",
            "card",
            "Card",
            "Pay",
            "paid",
            "This",
            "Enter",
            "required",
            "Total",
        }
        for answer in (opened, wrong, declined, done):
            assert words(answer) & english == set()
    assert tasks.send_receipts(str(environment.id)) == 1
    (mail,) = mailoutbox
    assert mail.to == ["ana@example.com"]
    assert total in mail.subject
    assert total in mail.body
    assert "Visa •••• 4242" in mail.body
    assert bool(CYRILLIC.search(mail.body)) == (code in {"mk", "sr"})
    assert tasks.send_receipts(str(environment.id)) == 0, "one mail for one payment"
