"""The forms of the pages of banks: shape and wording only, the rules are the services'."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dashboard.pages.actions import ActionForm


class LinkSessionForm(ActionForm):
    """What a customer is asked for. Everything may be left empty: they choose their bank themselves."""

    institution = forms.ChoiceField(
        required=False, label=_("Bank"), help_text=_("Only those that can be linked from this installation.")
    )
    client_reference_id = forms.CharField(
        max_length=200,
        required=False,
        label=_("Your reference"),
        help_text=_("Your own id of the customer. The connection keeps it, and lists can be narrowed by it."),
    )
    purpose = forms.CharField(
        max_length=300,
        required=False,
        label=_("Purpose"),
        help_text=_("Why you ask. The customer reads it on the page before they agree."),
    )
    return_url = forms.URLField(
        max_length=2048,
        required=False,
        assume_scheme="https",
        label=_("Return address"),
        help_text=_("Where the customer is sent once all is done. Without one they stay on our page."),
    )

    def __init__(self, *args: Any, banks: Sequence[tuple[str, str]] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        field: Any = self.fields["institution"]
        field.choices = [("", gettext("The customer chooses")), *banks]

    def given(self) -> dict[str, Any]:
        """What the service takes: nothing for what was left empty."""
        names = ("institution", "client_reference_id", "purpose", "return_url")
        return {name: self.cleaned_data[name] for name in names if self.cleaned_data[name]}


class RenewForm(ActionForm):
    """Where the customer is sent afterwards; all else is the connection's own."""

    return_url = forms.URLField(
        max_length=2048,
        required=False,
        assume_scheme="https",
        label=_("Return address"),
        help_text=_("Where the customer is sent once all is done. Without one they stay on our page."),
    )


class ConfirmForm(ActionForm):
    """Nothing to fill in: the page says what will happen."""


class RemoveForm(ActionForm):
    """Wants the name of the bank typed, so that nobody removes a connection by a slip of the hand."""

    confirmation = forms.CharField(
        max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )

    def __init__(self, *args: Any, name: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.name = name
        self.fields["confirmation"].label = gettext("Type %(name)s to confirm") % {"name": name}

    def clean_confirmation(self) -> str:
        """The name, in whatever case and with whatever blanks."""
        typed = str(self.cleaned_data["confirmation"])
        if " ".join(typed.split()).casefold() != " ".join(self.name.split()).casefold():
            raise ValidationError(gettext("That is not the name. Type %(name)s.") % {"name": self.name})
        return typed
