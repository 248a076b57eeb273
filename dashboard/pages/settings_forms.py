"""The forms of the settings and of opening live mode: shape and wording only, the rules are the services'."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from connect.domain.activation import COUNTRIES
from connect.services.organizations import Details

DETAILS = ("legal_name", "country", "registration_number", "website", "support_email")


class DetailsForm(forms.Form):
    """Who the organization is. With `complete` everything has to be said."""

    legal_name = forms.CharField(
        max_length=200,
        label=_("Legal name"),
        help_text=_("As it stands in the company register."),
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    country = forms.ChoiceField(
        label=_("Country of registration"), choices=[("", _("Choose a country")), *COUNTRIES.items()]
    )
    registration_number = forms.CharField(
        max_length=40,
        label=_("Registration number"),
        help_text=_("The number in the company register: ЕМБС, NIPT, матични број, JIB."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    website = forms.CharField(
        max_length=200,
        label=_("Website"),
        widget=forms.URLInput(attrs={"placeholder": "https://example.com", "spellcheck": "false"}),
    )
    support_email = forms.CharField(
        max_length=254,
        label=_("Support e-mail address"),
        help_text=_("Where your customers can reach you."),
        widget=forms.EmailInput(attrs={"spellcheck": "false"}),
    )

    def __init__(self, *args: Any, complete: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in DETAILS:
            self.fields[name].required = complete

    def details(self) -> Details:
        """What the service takes."""
        return Details(**{name: self.cleaned_data[name] for name in DETAILS})


class SettingsForm(DetailsForm):
    """The same, with the name."""

    name = forms.CharField(
        max_length=120, label=_("Name"), help_text=_("What your customers see on the hosted pages, and your team here.")
    )
    field_order = ("name", *DETAILS)


class ActivationForm(DetailsForm):
    """The same, with the word of whoever sends it."""

    is_true = forms.BooleanField(label=_("This is true, and I may open live mode for this company."))
