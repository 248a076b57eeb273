"""The forms of the team's pages: shape and wording only, the rules are the services'."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connect.domain.permissions import Role
from connect.selectors.memberships import MemberInfo
from dashboard.pages.permission_words import ROLES


def role_choices(roles: Iterable[Role]) -> list[tuple[str, str]]:
    """Each role with whom it is for."""
    return [(role.value, f"{ROLES[role][0]}: {ROLES[role][1]}") for role in roles]


class RoleForm(forms.Form):
    """Another role, of those that may be given."""

    role = forms.ChoiceField(label=gettext_lazy("Role"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, roles: list[Role], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["role"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = role_choices(roles)


class InviteForm(RoleForm):
    """Whom, and as what."""

    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("They get a link that works once, for seven days. Who has no account makes one first."),
    )
    field_order = ("email", "role")


class ConfirmForm(forms.Form):
    """Nothing to fill in: the page says what will happen."""


class TypedForm(forms.Form):
    """A word to be typed exactly, before what cannot be undone alone."""

    def __init__(self, *args: Any, wanted: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wanted = wanted
        self.fields["confirmation"] = forms.CharField(
            label=_("Type “%(word)s” to confirm") % {"word": wanted},
            widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        )

    def clean_confirmation(self) -> str:
        """The word exactly."""
        typed: str = self.cleaned_data["confirmation"]
        if typed != self.wanted:
            raise ValidationError(_("Type “%(word)s” exactly.") % {"word": self.wanted})
        return typed


class TransferForm(TypedForm):
    """To whom; the organization's name is typed."""

    member = forms.ChoiceField(label=gettext_lazy("New owner"))
    field_order = ("member", "confirmation")

    def __init__(self, *args: Any, members: list[MemberInfo], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["member"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(each.id, f"{each.name} ({each.email})" if each.name else each.email) for each in members]
        self.order_fields(self.field_order)
