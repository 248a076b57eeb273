"""What the outcome of a payment or setup does to the checkout session that owns its intent.

Called where the outcome is recorded, whoever records it: the hosted page, the authentication page or the sweeper. So
a session follows its intent in the same transaction.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from connect.kit.caller import Caller
from connect.services import events
from connect.services.events import NewEvent
from payments.domain.checkout_state import PaymentStatus, Status
from payments.domain.events import Happening
from payments.models import CheckoutSession
from payments.selectors import checkout_sessions as sessions

_TAKEN: Final = frozenset({Happening.TAKEN, Happening.CAPTURED, Happening.HOLD_EXPIRED_AFTER_PART})
_SUBMITTED: Final = frozenset({Happening.HELD, Happening.PENDING})
_FAILED: Final = frozenset({Happening.DECLINED, Happening.DECLINED_WITHOUT_CHARGE})


def follow(caller: Caller, session_id: UUID, happening: Happening) -> None:
    """Move the session after something happened to its intent, which is locked. Publishes `checkout.session.…`.

    A payment that failed leaves an open session open: the payer tries again.
    """
    session = CheckoutSession.objects.one(id=session_id, lock=True)
    assert session is not None
    if session.status == Status.OPEN:
        if happening in _TAKEN:
            complete(caller, session, PaymentStatus.PAID)
        elif happening in _SUBMITTED:
            complete(caller, session, PaymentStatus.UNPAID)
    elif session.status == Status.COMPLETE and session.payment_status == PaymentStatus.UNPAID:
        if happening is Happening.TAKEN:
            _settle(caller, session, "checkout.session.async_payment_succeeded")
        elif happening in _TAKEN:
            _settle(caller, session, None)  # what was held is captured: the app did that itself
        elif happening in _FAILED:
            _publish(caller, session, "checkout.session.async_payment_failed")


def card_kept(caller: Caller, session_id: UUID) -> None:
    """Complete the session whose setup intent, locked, has succeeded. Publishes `checkout.session.completed`."""
    session = CheckoutSession.objects.one(id=session_id, lock=True)
    assert session is not None
    if session.status == Status.OPEN:
        complete(caller, session, PaymentStatus.NO_PAYMENT_REQUIRED)


def complete(caller: Caller, session: CheckoutSession, payment_status: PaymentStatus) -> None:
    """End an open session, already locked, well. Publishes `checkout.session.completed`."""
    session.status, session.payment_status = Status.COMPLETE.value, payment_status.value
    session.completed_at = caller.clock.business()
    _want_receipt(caller, session)
    session.save()
    _publish(caller, session, "checkout.session.completed")


def _settle(caller: Caller, session: CheckoutSession, event: str | None) -> None:
    session.payment_status = PaymentStatus.PAID.value
    _want_receipt(caller, session)
    session.save()
    if event is not None:
        _publish(caller, session, event)


def _want_receipt(caller: Caller, session: CheckoutSession) -> None:
    """A receipt is for money that was taken, and needs an address."""
    if session.payment_status == PaymentStatus.PAID and (session.customer_details or {}).get("email"):
        session.receipt_due_at = caller.clock.wall()


def _publish(caller: Caller, session: CheckoutSession, name: str) -> None:
    shape: Any = sessions.shape(caller, session)
    events.publish(caller, NewEvent(name, shape))
