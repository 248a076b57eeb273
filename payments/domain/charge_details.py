"""The frozen parts of a charge: its `outcome` and `payment_method_details`, as the API shows them."""

from __future__ import annotations

from typing import Any, Final

from payments.domain import decline_codes
from payments.domain.cards import CardDetails

RISK_SCORES: Final = {"normal": 20, "elevated": 67, "highest": 92}
"""The score shown for a risk level when the processor gives none."""

_COMPLETE: Final = "Payment complete."
_NO_REASON: Final = "The bank did not return any further details with this decline."


def approved_outcome(*, risk_level: str = "normal", risk_score: int | None = None) -> dict[str, Any]:
    """`outcome` of a charge the issuer approved."""
    return _outcome(
        kind="authorized",
        network_status="approved_by_network",
        seller_message=_COMPLETE,
        risk_level=risk_level,
        risk_score=risk_score,
    )


def declined_outcome(
    decline_code: str | None,
    *,
    code: str = "card_declined",
    blocked: bool = False,
    risk_level: str = "normal",
    risk_score: int | None = None,
) -> dict[str, Any]:
    """`outcome` of a charge that failed; `blocked` when it was stopped as too risky and never reached the issuer."""
    if blocked:
        return _outcome(
            kind="blocked",
            network_status="not_sent_to_network",
            reason="highest_risk_level",
            seller_message="The payment was blocked as too risky.",
            risk_level=risk_level,
            risk_score=risk_score,
        )
    reason = decline_code or code
    known = decline_codes.DECLINE_CODES.get(reason)
    told = reason.replace("_", " ")
    return _outcome(
        kind="issuer_declined",
        network_status="declined_by_network",
        reason=reason,
        advice_code=known.advice if known else None,
        seller_message=_NO_REASON if reason == "generic_decline" else f"The bank returned the decline code: {told}.",
        risk_level=risk_level,
        risk_score=risk_score,
    )


def card_details(
    card: CardDetails,
    *,
    amount_authorized_minor: int | None,
    authorization_code: str | None = None,
    network_transaction_id: str | None = None,
    capture_before: int | None = None,
    cvc_check: str | None = None,
    authenticated: bool = False,
) -> dict[str, Any]:
    """`payment_method_details` of a card charge. `capture_before` is unix seconds, only for a hold.

    A charge that needed no authentication has `three_d_secure: null`.
    """
    return {
        "type": "card",
        "card": {
            "amount_authorized": amount_authorized_minor,
            "authorization_code": authorization_code,
            "brand": card.brand,
            "capture_before": capture_before,
            "checks": checks(cvc_check),
            "country": card.country,
            "exp_month": card.exp_month,
            "exp_year": card.exp_year,
            "extended_authorization": {"status": "disabled"},
            "fingerprint": card.fingerprint,
            "funding": card.funding,
            "incremental_authorization": {"status": "available" if capture_before else "unavailable"},
            "installments": None,
            "last4": card.last4,
            "mandate": None,
            "multicapture": {"status": "available" if capture_before else "unavailable"},
            "network": card.brand,
            "network_token": {"used": False},
            "network_transaction_id": network_transaction_id,
            "overcapture": {"maximum_amount_capturable": amount_authorized_minor or 0, "status": "unavailable"},
            "regulated_status": "unregulated",
            "three_d_secure": _authenticated() if authenticated else None,
            "wallet": None,
        },
    }


def bank_details(*, bank_name: str | None, last4: str | None) -> dict[str, Any]:
    """`payment_method_details` of a charge paid by bank; `last4` are the last characters of the payer's IBAN."""
    return {"type": "pay_by_bank", "pay_by_bank": {"bank_name": bank_name, "last4": last4}}


def incremented(details: dict[str, Any], *, amount_authorized_minor: int) -> dict[str, Any]:
    """The `payment_method_details` of a card charge whose authorization was raised to this total."""
    card = details["card"]
    overcapture = {**card["overcapture"], "maximum_amount_capturable": amount_authorized_minor}
    return {**details, "card": {**card, "amount_authorized": amount_authorized_minor, "overcapture": overcapture}}


def checks(cvc_check: str | None) -> dict[str, str | None]:
    """The `checks` of a card; addresses are not checked anywhere yet and stay null."""
    return {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": cvc_check}


def _authenticated() -> dict[str, Any]:
    return {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "exemption_indicator_applied": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": None,
        "version": "2.2.0",
    }


def _outcome(
    *,
    kind: str,
    network_status: str,
    seller_message: str,
    risk_level: str,
    risk_score: int | None,
    reason: str | None = None,
    advice_code: str | None = None,
) -> dict[str, Any]:
    return {
        "advice_code": advice_code,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": network_status,
        "reason": reason,
        "risk_level": risk_level,
        "risk_score": RISK_SCORES.get(risk_level) if risk_score is None else risk_score,
        "seller_message": seller_message,
        "type": kind,
    }
