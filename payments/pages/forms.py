"""What a payer types. Names and tokens are those that browsers and password managers fill in by themselves."""

from __future__ import annotations

import re
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from payments.domain import cards, errors
from payments.pages import words
from payments.selectors.checkout_visits import Visit

COUNTRIES: Final = (
    ("", _("Choose a country")),
    ("MK", _("North Macedonia")),
    ("AL", _("Albania")),
    ("XK", _("Kosovo")),
    ("RS", _("Serbia")),
    ("ME", _("Montenegro")),
    ("BA", _("Bosnia and Herzegovina")),
    ("HR", _("Croatia")),
    ("SI", _("Slovenia")),
    ("BG", _("Bulgaria")),
    ("GR", _("Greece")),
    ("TR", _("Türkiye")),
    ("RO", _("Romania")),
    ("HU", _("Hungary")),
    ("IT", _("Italy")),
    ("AT", _("Austria")),
    ("DE", _("Germany")),
    ("CH", _("Switzerland")),
    ("FR", _("France")),
    ("NL", _("Netherlands")),
    ("SE", _("Sweden")),
    ("GB", _("United Kingdom")),
    ("US", _("United States")),
    ("CA", _("Canada")),
    ("AU", _("Australia")),
)
"""Where payers of our merchants live, nearest first."""

_EXPIRY: Final = re.compile(r"\s*(\d{1,2})\s*[/\-. ]?\s*(\d{4}|\d{2})\s*")
_ADDRESS: Final = ("line1", "city", "postal_code", "country")
_CARD: Final = ("number", "expiry", "cvc")


class ForgottenInput(forms.TextInput):
    """A field that is shown empty again: a security code is not for keeping, not even in a page."""

    def format_value(self, value: Any) -> None:
        """Nothing, whatever was typed."""


class PayForm(forms.Form):
    """The payer and, where something is to be paid, the card. Fields that the session does not ask for are left out.

    `by_bank` says that the payer pressed that button: what is typed of a card does not count then. `key` marks one
    rendering of the form, so that the same submission arriving twice is one.
    """

    key = forms.CharField(max_length=64, widget=forms.HiddenInput)
    email = forms.EmailField(label=_("Email"), max_length=512)
    phone = forms.CharField(label=_("Phone"), max_length=40)
    number = forms.CharField(label=_("Card number"), max_length=30)
    expiry = forms.CharField(label=_("Expiry date"), max_length=12)
    cvc = forms.CharField(
        label=_("Security code"),
        max_length=6,
        help_text=_("Three digits on the back of the card"),
        widget=ForgottenInput,
    )
    name = forms.CharField(label=_("Name on the card"), max_length=256)
    line1 = forms.CharField(label=_("Street and number"), max_length=500)
    postal_code = forms.CharField(label=_("Postal code"), max_length=20)
    city = forms.CharField(label=_("Town"), max_length=200)
    country = forms.ChoiceField(label=_("Country"), choices=COUNTRIES)

    ATTRIBUTES: Final = {
        "email": {"autocomplete": "email", "inputmode": "email", "autocapitalize": "none", "spellcheck": "false"},
        "phone": {"autocomplete": "tel", "inputmode": "tel", "type": "tel"},
        "number": {"autocomplete": "cc-number", "inputmode": "numeric", "placeholder": "1234 1234 1234 1234"},
        "expiry": {"autocomplete": "cc-exp", "inputmode": "numeric", "placeholder": pgettext_lazy("expiry", "MM / YY")},
        "cvc": {"autocomplete": "cc-csc", "inputmode": "numeric", "placeholder": "123"},
        "name": {"autocomplete": "cc-name", "autocapitalize": "words", "spellcheck": "false"},
        "line1": {"autocomplete": "billing address-line1"},
        "postal_code": {"autocomplete": "billing postal-code"},
        "city": {"autocomplete": "billing address-level2"},
        "country": {"autocomplete": "billing country"},
    }

    def __init__(self, visit: Visit, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by_bank = visit.takes_bank and (self.data.get("pay_with") == "bank" or not visit.needs_card)
        left_out = [
            *([] if visit.needs_card else _CARD),
            *([] if visit.asks_for_phone else ["phone"]),
            *([] if visit.asks_for_address else _ADDRESS),
        ]
        for name in left_out:
            del self.fields[name]
        if not visit.needs_card:
            self.fields["name"].label = _("Name")
        if self.by_bank:
            for name in ("name", *_CARD):
                if name in self.fields:
                    self.fields[name].required = False
        for name, field in self.fields.items():
            field.widget.attrs.update(self.ATTRIBUTES.get(name, {}))

    def clean_number(self) -> str:
        """A mistyped number is told together with everything else that is not right."""
        typed: str = self.cleaned_data["number"]
        if self.by_bank:
            return typed
        try:
            cards.parse_number(typed)
        except errors.IncorrectNumber as refused:
            raise forms.ValidationError(str(words.of_code(refused.code))) from refused
        return typed

    def clean_expiry(self) -> tuple[int, int] | None:
        """Month and year as they were typed: `12/34`, `12 / 2034` or `1234`."""
        if self.by_bank:
            return None
        match = _EXPIRY.fullmatch(self.cleaned_data["expiry"])
        if match is None:
            raise forms.ValidationError(_("Enter the date as month and year, such as 12 / 34."))
        return int(match[1]), int(match[2])

    def details(self) -> dict[str, Any]:
        """Who pays, as the session keeps it."""
        data = self.cleaned_data
        found: dict[str, Any] = {name: data[name] for name in ("email", "name", "phone") if data.get(name)}
        if "country" in self.fields:
            found["address"] = {name: data[name] for name in _ADDRESS if data.get(name)}
        return found

    def card(self) -> dict[str, Any] | None:
        """The card, for the moment of this request; None where none is asked for."""
        if "number" not in self.fields or self.by_bank:
            return None
        month, year = self.cleaned_data["expiry"]
        return {
            "number": self.cleaned_data["number"],
            "exp_month": month,
            "exp_year": year,
            "cvc": self.cleaned_data["cvc"].strip(),
        }

    def forget_card(self) -> None:
        """After a decline: what was typed stays, except the card, which its bank does not want."""
        self.data = {name: value for name, value in self.data.items() if name not in _CARD}

    @staticmethod
    def initial_of(known: dict[str, Any]) -> dict[str, Any]:
        """What the form begins with, from what the session knows of its payer."""
        return {**{name: known.get(name) for name in ("email", "name", "phone")}, **(known.get("address") or {})}
