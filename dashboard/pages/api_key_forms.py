"""The forms of the API key pages: shape and wording only, the rules are the services'."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from connect.domain import scopes
from connect.selectors.api_keys import ApiKeyInfo
from dashboard.pages.scope_words import WORDS

DAY_SECONDS: Final = 24 * 3600


class CreateForm(forms.Form):
    """What a new key may do, for how long and from where."""

    name = forms.CharField(
        max_length=80,
        label=_("Name"),
        help_text=_("Where it will be used, such as “Shop backend”. Only your team sees it."),
    )
    access = forms.ChoiceField(
        label=_("Access"),
        choices=[
            ("full", _("Full access: everything this environment has")),
            ("restricted", _("Restricted: only what I choose")),
        ],
        widget=forms.RadioSelect,
        initial="full",
    )
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"),
        required=False,
        choices=[(scope, WORDS[scope]) for scope in scopes.SCOPES],
        widget=forms.CheckboxSelectMultiple,
    )
    expires = forms.TypedChoiceField(
        label=_("Expires"),
        coerce=int,
        choices=[
            (0, _("Never")),
            (7, _("In 7 days")),
            (30, _("In 30 days")),
            (90, _("In 90 days")),
            (365, _("In a year")),
        ],
        initial=0,
    )
    addresses = forms.CharField(
        label=_("Allowed addresses"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "placeholder": "203.0.113.7\n2001:db8::/32"}),
        help_text=_("One IP address or network a line. Empty allows every address."),
    )

    def clean_addresses(self) -> list[str]:
        """The lines as networks; a line that is none is named."""
        networks = []
        for line in self.cleaned_data["addresses"].split():
            try:
                networks.append(str(ipaddress.ip_network(line, strict=False)))
            except ValueError as error:
                raise ValidationError(
                    gettext("“%(line)s” is not an IP address or network.") % {"line": line}
                ) from error
        return networks

    def clean(self) -> dict[str, Any]:
        """A restricted key without a scope could do nothing."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("access") == "restricted" and not cleaned.get("scopes"):
            self.add_error("scopes", gettext("Choose at least one scope, or full access."))
        return cleaned


class RollForm(forms.Form):
    """How long the old secret goes on working."""

    overlap = forms.TypedChoiceField(
        label=_("The old secret works for"),
        coerce=int,
        choices=[
            (0, _("Not at all: it ends now")),
            (3600, _("1 more hour")),
            (DAY_SECONDS, _("1 more day")),
            (7 * DAY_SECONDS, _("7 more days")),
        ],
        initial=DAY_SECONDS,
        help_text=_(
            "Deploy the new secret within this time and no request fails. If the old one has leaked, end it now."
        ),
    )


class RevokeForm(forms.Form):
    """A test key asks nothing; a live key wants its name typed, since apps that use it stop at once."""

    def __init__(self, *args: Any, key: ApiKeyInfo, livemode: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.key = key
        if livemode:
            self.fields["confirmation"] = forms.CharField(
                label=gettext("Type “%(name)s” to confirm") % {"name": key.name},
                widget=forms.TextInput(attrs={"autocomplete": "off"}),
            )

    def clean_confirmation(self) -> str:
        """The name exactly."""
        typed: str = self.cleaned_data["confirmation"]
        if typed != self.key.name:
            raise ValidationError(
                gettext("This is not the key's name. Type “%(name)s” exactly.") % {"name": self.key.name}
            )
        return typed
