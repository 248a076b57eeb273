"""Forms of a person's own pages, and those that allauth is told to use in place of its own."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from connect.domain.tiers import SignInUnavailable, TooManySignIns
from connect.kit.addresses import client_address
from connect.services import limits, second_factors, sign_ins
from connect.services.sign_ins import Origin
from dashboard.pages import theme

THEME_NAMES = {"system": _("Same as the system"), "light": _("Light"), "dark": _("Dark")}


class ProfileForm(forms.Form):
    """How a person is called and how they read the pages."""

    name = forms.CharField(
        max_length=120,
        required=False,
        label=_("Name"),
        help_text=_("Your team sees it beside your address."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    locale = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    time_zone = forms.ChoiceField(label=_("Time zone"), help_text=_("Times on the pages are shown in it."))
    theme = forms.ChoiceField(
        label=_("Appearance"), choices=[(value, THEME_NAMES[value]) for value in theme.THEMES], widget=forms.RadioSelect
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix")))
        self.fields["time_zone"].choices = [(zone, zone.replace("_", " ")) for zone in ["UTC", *zones]]  # type: ignore[attr-defined]


class ResendForm(forms.Form):
    """The address that waits to be confirmed."""

    email = forms.EmailField(label=_("E-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "email"}))


class _LimitedCode:
    """Counts attempts atomically, and lets no code of an app be used twice."""

    def clean_code(self) -> str:
        form: Any = self
        try:
            limits.attempt_second_factor(str(form.user.pk))
        except (TooManySignIns, SignInUnavailable) as refusal:
            request = context.request
            origin = Origin(ip=client_address(request), user_agent=request.META.get("HTTP_USER_AGENT", ""))
            sign_ins.record_refusal(form.user.pk, method="totp", origin=origin, locked=True)
            raise ValidationError(refusal.text) from refusal
        code: str = super().clean_code()  # type: ignore[misc]
        used: Authenticator = form.authenticator
        if used.type == Authenticator.Type.TOTP and not second_factors.use_totp_code(used.pk, code):
            form._emit_authentication_failed(used)  # noqa: SLF001 - as for any other wrong code
            raise get_adapter().validation_error("incorrect_code")
        return code


class SignInCodeForm(_LimitedCode, AuthenticateForm):
    """The second step of signing in."""


class ProofCodeForm(_LimitedCode, ReauthenticateForm):
    """A code as proof, asked for before something delicate."""


class PasskeyForm(AddWebAuthnForm):
    """A new passkey; unless the person says otherwise it signs in by itself, without the password."""

    name = forms.CharField(
        required=False, max_length=60, label=_("Name"), help_text=_("So that you know it again: the device it is on.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["passwordless"]
        field.initial = True
        field.label = _("Sign in with it alone, without the password")
        field.help_text = _("The device then checks that it is you: by fingerprint, face or PIN.")
        self.initial["name"] = ""
