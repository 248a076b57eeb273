"""The forms of the checkout pages: shape and wording only, the rules are the services'."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from connect.kit import clock, currencies
from dashboard.pages.actions import ActionForm
from dashboard.pages.payment_forms import AmountField

FIRST_CURRENCIES: Final = ("eur", "mkd", "rsd", "all", "bam")


class CheckoutForm(ActionForm):
    """What is sold, for how much, and for how long the page takes the payment."""

    FIELDS_OF = {
        "line_items": "amount",
        "line_items[0][price_data][unit_amount]": "amount",
        "line_items[0][price_data][product_data][name]": "name",
        "expires_at": "life",
    }

    name = forms.CharField(max_length=250, label=_("What is paid for"), help_text=_("The payer reads it on the page."))
    amount = forms.CharField(
        max_length=20, label=_("Amount"), widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    )
    currency = forms.ChoiceField(label=_("Currency"))
    customer_email = forms.EmailField(
        max_length=512, required=False, label=_("Payer's e-mail address"), help_text=_("It is filled in for them.")
    )
    life = forms.TypedChoiceField(
        label=_("The link works for"),
        coerce=int,
        choices=[(60, _("1 hour")), (6 * 60, _("6 hours")), (24 * 60 - 1, _("1 day"))],
        initial=24 * 60 - 1,
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        others = sorted(set(currencies.EXPONENTS) - set(FIRST_CURRENCIES))
        field: Any = self.fields["currency"]
        field.choices = [(code, code.upper()) for code in [*FIRST_CURRENCIES, *others] if code in currencies.EXPONENTS]

    def clean(self) -> dict[str, Any]:
        """The amount in minor units of the chosen currency."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("amount") and cleaned.get("currency"):
            try:
                cleaned["amount"] = AmountField(currency=cleaned["currency"]).clean(cleaned["amount"])
            except ValidationError as error:
                self.add_error("amount", error)
        return cleaned

    def given(self) -> dict[str, Any]:
        """What the service takes."""
        data = self.cleaned_data
        price = {"currency": data["currency"], "unit_amount": data["amount"], "product_data": {"name": data["name"]}}
        return {
            "mode": "payment",
            "line_items": [{"price_data": price, "quantity": 1}],
            "customer_email": data["customer_email"] or None,
            "expires_at": clock.wall() + timedelta(minutes=data["life"]),
        }


class ExpireForm(ActionForm):
    """Nothing to fill in: the page says what will happen."""
