"""What the searches of payments can ask about, as Stripe's do."""

from __future__ import annotations

from typing import Final

from connect.kit.search import Field, Kind
from payments.domain.payment_intent_state import Status

CUSTOMERS: Final[dict[str, Field]] = {
    "created": Field(Kind.TIME),
    "email": Field(Kind.TEXT),
    "metadata": Field(Kind.METADATA),
    "name": Field(Kind.TEXT),
    "phone": Field(Kind.TEXT),
}
PAYMENT_INTENTS: Final[dict[str, Field]] = {
    "amount": Field(Kind.NUMBER),
    "created": Field(Kind.TIME),
    "currency": Field(Kind.WORD),
    "customer": Field(Kind.WORD),
    "metadata": Field(Kind.METADATA),
    "status": Field(Kind.WORD, [status.value for status in Status]),
}
