"""The forms of the app pages: shape and wording only, the rules are the services'."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connect.domain import oauth, scopes
from connect.selectors.api_clients import ApiClientInfo
from dashboard.pages.scope_words import WORDS

DAY_SECONDS: Final = 24 * 3600
WAYS: Final = [
    (oauth.CODE, gettext_lazy("In the browser: people come to our page and go back (authorization code)")),
    (oauth.DEVICE, gettext_lazy("On a device or in a terminal: people type a code (device flow)")),
    (oauth.CLIENT_CREDENTIALS, gettext_lazy("By itself, in this environment only (client credentials)")),
]


class AppForm(forms.Form):
    """What people read before they let the app in, where it may send them, and what it may ask for."""

    name = forms.CharField(max_length=80, label=gettext_lazy("Name"), help_text=gettext_lazy("People see it first."))
    description = forms.CharField(
        max_length=300,
        required=False,
        label=gettext_lazy("Description"),
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("What it does for whoever lets it in, in a sentence or two."),
    )
    homepage = forms.URLField(required=False, assume_scheme="https", label=gettext_lazy("Homepage"))
    privacy_url = forms.URLField(required=False, assume_scheme="https", label=gettext_lazy("Privacy policy"))
    terms_url = forms.URLField(required=False, assume_scheme="https", label=gettext_lazy("Terms"))
    client_type = forms.ChoiceField(
        label=gettext_lazy("Where does it run?"),
        choices=[
            ("confidential", gettext_lazy("On a server of yours: it can keep a secret")),
            ("public", gettext_lazy("On people's devices, as a phone, desktop or browser app: it gets no secret")),
        ],
        widget=forms.RadioSelect,
        initial="confidential",
    )
    grant_types = forms.MultipleChoiceField(
        label=gettext_lazy("How does it get in?"),
        choices=WAYS,
        widget=forms.CheckboxSelectMultiple,
        initial=[oauth.CODE],
    )
    redirect_uris = forms.CharField(
        required=False,
        label=gettext_lazy("Redirect URIs"),
        widget=forms.Textarea(
            attrs={"rows": 3, "spellcheck": "false", "placeholder": "https://app.example.com/oauth/callback"}
        ),
        help_text=gettext_lazy("One a line. They are compared character by character, ports and slashes included."),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What may it ask for?"),
        required=False,
        choices=[(scope, WORDS[scope]) for scope in scopes.SCOPES],
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Ask for little: people read this list. Who somebody is (openid) may always be asked."),
    )

    def __init__(self, *args: Any, existing: ApiClientInfo | None = None, **kwargs: Any) -> None:
        if existing is not None:
            kwargs["initial"] = {
                **{name: getattr(existing, name) for name in self.base_fields if name != "client_type"},
                "redirect_uris": "\n".join(existing.redirect_uris),
            }
        super().__init__(*args, **kwargs)
        if existing is not None:  # a public app that became confidential would have secrets on people's devices
            del self.fields["client_type"]

    def values(self) -> dict[str, Any]:
        """What the services take."""
        given = dict(self.cleaned_data)
        kind = given.pop("client_type", None)
        return {
            **given,
            "redirect_uris": given["redirect_uris"].split(),
            **({} if kind is None else {"is_public": kind == "public"}),
        }


class RollForm(forms.Form):
    """How long the old secret goes on working."""

    overlap = forms.TypedChoiceField(
        label=gettext_lazy("The old secret works for"),
        coerce=int,
        choices=[
            (0, gettext_lazy("Not at all: it ends now")),
            (3600, gettext_lazy("1 more hour")),
            (DAY_SECONDS, gettext_lazy("1 more day")),
            (7 * DAY_SECONDS, gettext_lazy("7 more days")),
        ],
        initial=DAY_SECONDS,
        help_text=gettext_lazy("Deploy the new secret within this time. If the old one has leaked, end it now."),
    )


class DeleteForm(forms.Form):
    """The name typed, since everybody who let the app in loses it at once."""

    confirmation = forms.CharField(widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: Any, app: ApiClientInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.app = app
        self.fields["confirmation"].label = _("Type “%(name)s” to confirm") % {"name": app.name}

    def clean_confirmation(self) -> str:
        """The name exactly."""
        typed: str = self.cleaned_data["confirmation"]
        if typed != self.app.name:
            raise ValidationError(_("This is not the app's name. Type “%(name)s” exactly.") % {"name": self.app.name})
        return typed
