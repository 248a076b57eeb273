"""The one-line request the empty pages teach with. It runs as it stands once the variable holds a key."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest


KEY_VARIABLE: Final = "$FC_SECRET_KEY"


def first_payment(request: HttpRequest, secret: str = KEY_VARIABLE) -> str:
    """A curl command that takes 25.00 EUR from the test card; `secret` is the key, or a shell variable for it."""
    address = request.build_absolute_uri("/v1/payment_intents")
    fields = ("amount=2500", "currency=eur", "payment_method=pm_card_visa", "confirm=true")
    return f'curl {address} -u "{secret}:"' + "".join(f" \\\n  -d {field}" for field in fields)
