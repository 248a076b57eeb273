"""The forms of the support access pages: shape and wording only, the rules are the service's."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from connect.services.support_grants import HOURS

WORDS = {1: _("1 hour"), 24: _("24 hours"), 168: _("7 days")}


class GiveForm(forms.Form):
    """For how long, and for what."""

    hours = forms.TypedChoiceField(
        label=_("For how long"),
        coerce=int,
        choices=[(hours, WORDS[hours]) for hours in HOURS],
        initial=24,
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("What about"),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("What support should look at, such as a payment's id. Support and your team see it."),
    )


class RevokeForm(forms.Form):
    """Asks nothing: the page says what happens."""
