"""The forms of the customer pages: shape and wording only, the rules are the services'."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dashboard.pages.actions import ActionForm


class CustomerForm(ActionForm):
    """Who pays. Nothing is required: an app may know no more than its own number for a person."""

    name = forms.CharField(max_length=256, required=False, label=_("Name"))
    email = forms.EmailField(max_length=512, required=False, label=_("E-mail address"))
    phone = forms.CharField(max_length=40, required=False, label=_("Phone"))
    description = forms.CharField(
        max_length=1000, required=False, label=_("Description"), help_text=_("Only your team and your app see it.")
    )
    metadata = forms.CharField(
        required=False,
        label=_("Metadata"),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "placeholder": "order: 7"}),
        help_text=_("One “key: value” a line, such as your own number for this customer."),
    )

    def clean_metadata(self) -> dict[str, str]:
        """The lines as pairs; a line that is none is named."""
        pairs: dict[str, str] = {}
        for line in self.cleaned_data["metadata"].splitlines():
            key, colon, value = line.partition(":")
            if not line.strip():
                continue
            if not colon or not key.strip() or not value.strip():
                raise ValidationError(gettext("“%(line)s” is no “key: value”.") % {"line": line})
            if len(key.strip()) > 40 or len(value.strip()) > 500 or len(pairs) == 50:
                raise ValidationError(gettext("At most 50 pairs, keys of up to 40 and values of up to 500 characters."))
            pairs[key.strip()] = value.strip()
        return pairs

    def given(self, known: dict[str, str] | None = None) -> dict[str, Any]:
        """What the service takes. Metadata of `known` that the form left out is unset."""
        values: dict[str, Any] = {
            name: self.cleaned_data[name] or None for name in ("name", "email", "phone", "description")
        }
        values["metadata"] = dict.fromkeys(known or {}, "") | self.cleaned_data["metadata"]
        return values


class DeleteForm(ActionForm):
    """Nothing to fill in: the page says what will happen."""
