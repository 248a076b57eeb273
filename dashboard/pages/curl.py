"""The one-line request the empty pages teach with. It runs as it stands once the variable holds a key."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest

KEY_VARIABLE: Final = "$FC_SECRET_KEY"


def first_payment(request: HttpRequest, *, livemode: bool, secret: str = KEY_VARIABLE) -> str:
    """A curl command for 25.00 EUR; `secret` is the key, or a shell variable for it.

    In test mode the test card pays at once. In live mode the payment waits for a customer.
    """
    lines = [
        f"curl {request.build_absolute_uri('/v1/payment_intents')}",
        f'-u "{secret}:"',
        "-d amount=2500",
        "-d currency=eur",
    ]
    if not livemode:
        lines += ["-d payment_method=pm_card_visa", "-d confirm=true"]
    return " \\\n  ".join(lines)
