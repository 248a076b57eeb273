"""The forms of what can be done to a payment: shape and wording only, the rules are the services'."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from connect.kit import currencies, money
from dashboard.pages.actions import ActionForm
from payments.domain.payment_intent_state import CALLER_CANCELLATION_REASONS
from payments.domain.refund_state import Reason

REASONS: Final = {
    "duplicate": _("Duplicate"),
    "fraudulent": _("Fraudulent"),
    "requested_by_customer": _("Requested by customer"),
    "abandoned": _("Abandoned"),
}
"""Why a payment is canceled or given back, by the value on the wire."""


class AmountField(forms.DecimalField):
    """An amount as people write it, `25.00`, of one currency; its value is in minor units."""

    def __init__(self, *, currency: str, maximum_minor: int | None = None, **options: Any) -> None:
        self.currency, self.maximum_minor = currency, maximum_minor
        super().__init__(
            label=gettext("Amount in %(currency)s") % {"currency": currency.upper()},
            max_digits=14,
            widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
            **options,
        )

    def to_python(self, value: Any) -> Any:
        """The decimal; a comma serves as well as a point."""
        return super().to_python(value.replace(",", ".") if isinstance(value, str) else value)

    def clean(self, value: Any) -> Any:
        """Minor units, or None for an empty field that may be empty."""
        amount: Decimal | None = super().clean(value)
        if amount is None:
            return None
        minor = amount.scaleb(currencies.exponent(self.currency))
        if minor != minor.to_integral_value():
            decimals = {"currency": self.currency.upper(), "decimals": currencies.exponent(self.currency)}
            raise ValidationError(gettext("%(currency)s has %(decimals)s decimals.") % decimals)
        if minor < 1:
            raise ValidationError(gettext("Write an amount above zero."))
        if self.maximum_minor is not None and minor > self.maximum_minor:
            text = money.decimal_text(self.maximum_minor, self.currency)
            raise ValidationError(
                gettext("At most %(text)s %(currency)s is left.") % {"text": text, "currency": self.currency.upper()}
            )
        return int(minor)


class CaptureForm(ActionForm):
    """How much of what is held to take."""

    FIELDS_OF = {"amount_to_capture": "amount"}

    def __init__(self, *args: Any, currency: str, capturable_minor: int, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["amount"] = AmountField(
            currency=currency,
            maximum_minor=capturable_minor,
            initial=money.decimal_text(capturable_minor, currency),
            help_text=gettext("What is not captured now is released to the payer and cannot be captured later."),
        )


class CancelForm(ActionForm):
    """Why."""

    FIELDS_OF = {"cancellation_reason": "reason"}

    reason = forms.ChoiceField(
        label=_("Reason"),
        required=False,
        choices=[
            ("", _("None given")),
            *((reason.value, REASONS[reason.value]) for reason in CALLER_CANCELLATION_REASONS),
        ],
    )


class RefundForm(ActionForm):
    """How much to give back, and why."""

    def __init__(self, *args: Any, currency: str, refundable_minor: int, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["amount"] = AmountField(
            currency=currency,
            maximum_minor=refundable_minor,
            initial=money.decimal_text(refundable_minor, currency),
            help_text=gettext("The whole of what is left, or a part of it."),
        )
        self.fields["reason"] = forms.ChoiceField(
            label=gettext("Reason"),
            required=False,
            choices=[
                ("", gettext("None given")),
                *((reason.value, REASONS[reason.value]) for reason in Reason),
            ],
        )
