"""Every refusal of payments: what it is, and in its text what to do next.

A 402 is an outcome, not a mistake of the caller: the service that raises one has already recorded the failed attempt,
and the API commits before it answers.
"""

from __future__ import annotations

from typing import Any, Final

from connect.kit.errors import DomainError, MissingParameterTarget
from payments.domain import decline_codes

# --- the intent ---


class PaymentIntentUnexpectedState(DomainError):
    """The intent's status does not allow this call; the intent is in the error: read its `status` and act on it."""

    code = "payment_intent_unexpected_state"
    message = "This PaymentIntent has a status that does not allow this request. Retrieve it and act on its status."


class PaymentMethodRequired(PaymentIntentUnexpectedState):
    """An intent was confirmed without a payment method, and its customer has no default one."""

    message = (
        "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the"
        " PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment"
        " method."
    )


class CustomerPaymentMethodRequired(PaymentIntentUnexpectedState):
    """An intent of a customer was confirmed without a payment method."""

    message = (
        "You cannot confirm this PaymentIntent because it's missing a payment method. To confirm the PaymentIntent with"
        " {customer}, specify a payment method attached to this customer along with the customer ID."
    )


class SetupIntentUnexpectedState(DomainError):
    """The setup intent's status does not allow this call; it is in the error: read its `status` and act on it."""

    code = "setup_intent_unexpected_state"
    message = "This SetupIntent has a status that does not allow this request. Retrieve it and act on its status."


class SetupPaymentMethodRequired(SetupIntentUnexpectedState):
    """A setup intent was confirmed without a payment method; there is nothing to set up."""

    message = (
        "You cannot confirm this SetupIntent because it's missing a payment method. Update the SetupIntent with a"
        " payment method and then confirm it again, or confirm it again directly with a payment method."
    )


class OnlyWithConfirm(DomainError):
    """A parameter belongs to the confirmation; send it with `confirm=true`, or when you confirm the intent."""

    code = "parameter_requires_confirm"
    message = "You can only send {param} together with confirm=true. Leave it out, or confirm the intent at once."


class AmountTooSmall(DomainError):
    """The amount is below the smallest charge in this currency; raise it, or collect several purchases in one."""

    code = "amount_too_small"
    message = "Amount must be at least {minimum}. Raise the amount, or collect several purchases in one payment."


class AmountTooLarge(DomainError):
    """The amount is above what one payment can hold; split it into several payments."""

    code = "amount_too_large"
    message = "Amount must be no more than {maximum}. Split it into several payments."


class CaptureTooLarge(AmountTooLarge):
    """More was to be captured than is held; capture at most the intent's `amount_capturable`."""

    message = (
        "The payment could not be captured because the requested capture amount is greater than the amount you can"
        " capture for this charge. Set amount_to_capture to at most {capturable}."
    )


class ChargeExpiredForCapture(DomainError):
    """The hold on the payer's card has run out; nothing was taken, so ask the payer to pay again."""

    code = "charge_expired_for_capture"
    message = (
        "The charge cannot be captured because its authorization has expired. Create and confirm a new PaymentIntent."
    )


class CaptureLimitReached(DomainError):
    """A payment can be captured in 50 parts at most; let the last one be final."""

    code = "capture_limit_reached"
    message = (
        "This PaymentIntent has been captured {count} times, and {maximum} captures are the most. Send"
        " final_capture=true with this one; what it leaves is released."
    )


class IncrementTooSmall(AmountTooSmall):
    """An authorization can only be raised; send the new total, above what is authorized already."""

    message = "The amount must be greater than the currently authorized amount of {authorized}. Send the new total."


class IncrementAfterCapture(PaymentIntentUnexpectedState):
    """An authorization cannot be raised once part of it was captured."""

    message = (
        "This PaymentIntent's authorization cannot be incremented because part of it has been captured. Capture the"
        " rest, and create another PaymentIntent for what is missing."
    )


class IncrementLimitReached(DomainError):
    """An authorization can be raised 10 times at most."""

    code = "increment_limit_reached"
    message = (
        "This PaymentIntent's authorization has been incremented {maximum} times, which is the most. Create another"
        " PaymentIntent for what is missing."
    )


class CurrencyUnknown(DomainError):
    """The currency is not one we can charge in; send a lower-case ISO 4217 code from the list of currencies."""

    code = "currency_unknown"
    message = (
        "Invalid currency: {currency}. Send the three-letter lower-case ISO 4217 code of a supported currency,"
        " such as eur, rsd, mkd or all."
    )


# --- refunds ---


class NoChargeToRefund(PaymentIntentUnexpectedState):
    """The intent has no successful charge, so there is nothing to refund."""

    message = (
        "This PaymentIntent ({id}) does not have a successful charge to refund. Cancel it if you no longer want it."
    )


class ChargeNotRefundable(DomainError):
    """The charge took no money: it failed, or is only held. Cancel the intent to release what is held."""

    code = "charge_not_refundable"
    message = (
        "Charge {charge} cannot be refunded because nothing of it has been captured. To release what is held, cancel"
        " its PaymentIntent."
    )


class ChargeAlreadyRefunded(DomainError):
    """All that was captured of the charge is refunded already."""

    code = "charge_already_refunded"
    message = "Charge {charge} has already been refunded."


class RefundTooLarge(AmountTooLarge):
    """More was to be refunded than is left of what was captured; refunds on their way count."""

    message = (
        "Refund amount ({amount}) is greater than unrefunded amount on charge ({unrefunded}). Set amount to at most"
        " {unrefunded}."
    )


class RefundNotCancelable(DomainError):
    """A refund can be stopped only while it is not done; read its status, and charge the payer again if need be."""

    code = "refund_not_cancelable"
    message = (
        "You cannot cancel this refund because it has a status of {status}. Only a refund with one of the following"
        " statuses may be canceled: {allowed}."
    )


class RefundUnderWay(RefundNotCancelable):
    """The processor could not stop the refund any more; wait for its outcome."""

    message = (
        "The payment processor could not stop this refund any more. Retrieve it later, or wait for refund.updated, to"
        " learn how it ended."
    )


# --- customers and payment methods ---


class CustomerMismatch(DomainError):
    """The payment method belongs to another customer than the intent; use one that belongs to the intent's customer."""

    code = "payment_method_customer_mismatch"
    message = (
        "The PaymentMethod {payment_method_id} does not belong to the Customer you supplied {customer}. Please use this"
        " PaymentMethod with the Customer that it belongs to instead."
    )


class CustomerParameterMissing(CustomerMismatch):
    """The payment method belongs to a customer but the intent has none; name the customer on the intent."""

    message = (
        "The payment_method parameter supplied {payment_method_id} belongs to the Customer {customer}. Please include"
        " the Customer in the customer parameter on the PaymentIntent."
    )


class PaymentMethodAlreadyAttached(DomainError):
    """The payment method belongs to a customer already; detach it first, or use it with that customer."""

    code = "payment_method_already_attached"
    message = (
        "The payment method you provided has already been attached to a customer. Use it with that customer, or create"
        " a new PaymentMethod."
    )


class PaymentMethodNotAttached(DomainError):
    """The payment method belongs to no customer, so there is nothing to detach it from."""

    code = "payment_method_not_attached"
    message = "The payment method you provided is not attached to a customer so detachment is impossible."


class PaymentMethodUsedUp(DomainError):
    """A detached payment method, or one used without a customer, cannot be used again; collect a new one."""

    code = "payment_method_used_up"
    message = (
        "This PaymentMethod was previously used without being attached to a Customer or was detached from a Customer,"
        " and may not be used again. Collect the card again, and attach it to a Customer to keep it."
    )


class PaymentMethodTypeUnavailable(DomainError):
    """The payment method's type is not among the types this intent accepts, or not activated for the environment."""

    code = "payment_method_unactivated"
    message = (
        "The payment method type '{type}' cannot be used here. Add it to payment_method_types of the PaymentIntent, or"
        " pay with one of: {allowed}."
    )


class CustomerDeleted(MissingParameterTarget):
    """The customer was deleted and can take part in nothing new; create another one."""

    message = "No such customer: '{id}'; it was deleted. Create a new customer."


# --- products, prices and checkout ---


class ProductHasPrices(DomainError):
    """A product with prices is part of what was sold and cannot be deleted; archive it with `active=false`."""

    code = "product_has_prices"
    message = (
        "This product cannot be deleted because it has one or more user-created prices. Set active=false to archive it"
        " instead."
    )


class LookupKeyTaken(DomainError):
    """Another price has the lookup key; choose another, or send `transfer_lookup_key=true` to take it over."""

    code = "resource_already_exists"
    message = (
        "A price ({price}) already uses that lookup key. Choose another key, or send transfer_lookup_key=true to take"
        " it from that price."
    )


class PriceInactive(DomainError):
    """An archived price or product cannot be sold; activate it, or use another price."""

    code = "price_inactive"
    message = "The price specified is inactive: {price}. Activate the price and its product, or use another price."


class PriceRecurring(DomainError):
    """A recurring price was used in payment mode; use one-time prices."""

    code = "checkout_price_recurring"
    message = (
        "You specified `payment` mode but passed a recurring price ({price}). A Checkout Session takes one-time prices"
        " only: create a price without `recurring`."
    )


class CurrenciesMixed(DomainError):
    """The prices of one session have several currencies; make one session per currency."""

    code = "checkout_currencies_mixed"
    message = (
        "All prices of a Checkout Session must be in one currency, but {param} is in {currency} and the first in"
        " {first}. Create one session per currency."
    )


class CheckoutExpiryInvalid(DomainError):
    """A session lives between 30 minutes and 24 hours; choose a moment in that time."""

    code = "checkout_expiry_invalid"
    message = "`expires_at` must be between 30 minutes and 24 hours after the Checkout Session is created."


class CheckoutSessionNotOpen(DomainError):
    """The session is complete or expired; create a new one."""

    code = "checkout_session_not_open"
    message = (
        "Only Checkout Sessions with a status of open can do this. This Checkout Session has a status of {status}."
        " Create a new Checkout Session to collect a payment."
    )


class IntentOwnedByCheckout(PaymentIntentUnexpectedState):
    """A checkout session owns the intent: the payer confirms it on the hosted page, expiring the session ends it."""

    message = "You cannot {action} this PaymentIntent because it was created by a Checkout Session. {instead}"


class SetupIntentOwnedByCheckout(SetupIntentUnexpectedState):
    """A checkout session owns the setup intent: the payer confirms it on the page, expiring the session ends it."""

    message = "You cannot {action} this SetupIntent because it was created by a Checkout Session. {instead}"


# --- pay by bank ---


class PayByBankUnavailable(DomainError):
    """Nobody can pay by bank here: no account to collect to, or no bank that pays in the currency. Offer a card."""

    code = "pay_by_bank_unavailable"
    message = "Pay by bank is not available here: {reason} Collect this payment by another payment method."


class PayByBankNeedsPayer(DomainError):
    """The payer agrees to every payment at the bank, so it cannot be made without them nor kept for later."""

    code = "pay_by_bank_needs_payer"
    message = (
        "You cannot pass {param} with pay_by_bank: the payer agrees to each payment at their bank. Leave it out, and"
        " send the payer to the url in next_action."
    )


class PayByBankCapturesAtOnce(DomainError):
    """A bank moves the money or does not; nothing can be held. Use capture_method=automatic."""

    code = "pay_by_bank_captures_at_once"
    message = (
        "pay_by_bank cannot hold an amount for a later capture: the bank moves the money at once. Send"
        " capture_method=automatic, or pay with a card."
    )


class PayByBankNotKept(DomainError):
    """A pay_by_bank method is for one payment and cannot be kept for a customer; describe it anew for each payment."""

    code = "pay_by_bank_not_kept"
    message = (
        "A pay_by_bank payment method cannot be attached or set up: the payer agrees to each payment at their bank."
        " Pass payment_method_data[type]=pay_by_bank with every payment."
    )


class PayByBankUnderWay(PaymentIntentUnexpectedState):
    """The payer's bank has the order, so nothing about the payment can change until the bank has decided."""

    message = (
        "You cannot {action} this PaymentIntent because the payer's bank has the order for it, and may carry it out."
        " Wait for payment_intent.succeeded or payment_intent.payment_failed."
    )


class RefundByBankTransfer(DomainError):
    """A payment by bank cannot be drawn back; send the payer a bank transfer, and note it in the charge's metadata."""

    code = "refund_by_bank_transfer"
    message = (
        "Charge {charge} was paid by bank and cannot be refunded here: banks take no money back at our request. Send"
        " the payer a bank transfer from your own account, and note it in the charge's metadata."
    )


# --- the processor ---


class PaymentProcessorUnavailable(DomainError):
    """The processor could not be reached and no money moved; the same request can be sent again."""

    type = "api_error"
    code = "processor_unavailable"
    status = 503
    message = "The payment processor could not be reached, and no money has moved. Send this request again in a moment."
    headers = {"Retry-After": "5", "Stripe-Should-Retry": "true"}


class SandboxInLive(DomainError):
    """The sandbox processor never runs in a live environment; connect a licensed processor to take live cards."""

    code = "testmode_only"
    message = (
        "The sandbox processor works in test environments only. Use a test key, or connect a licensed processor to this"
        " live environment."
    )


class RawCardsRefused(DomainError):
    """Card numbers are accepted in test environments only; in live collect the card on the hosted page."""

    code = "raw_card_data_refused"
    message = (
        "Card numbers cannot be sent to the API in a live environment. Collect the card on the hosted payment page of"
        " your processor and pass the payment method it gives you."
    )


# --- card refusals: all 402 ---


class CardError(DomainError):
    """A payment the card's issuer or network refused. `data` carries the codes and the ids of what was recorded."""

    type = "card_error"
    status = 402


class CardDeclined(CardError):
    """The card was declined; read `decline_code` for the reason and `advice_code` for whether to try again."""

    code = "card_declined"
    message = decline_codes.DECLINED


class ExpiredCard(CardError):
    """The card has expired; ask for another card or for the new expiry date."""

    code = "expired_card"
    message = decline_codes.lookup("expired_card").message


class IncorrectCvc(CardError):
    """The security code is wrong; ask the payer to enter it again."""

    code = "incorrect_cvc"
    message = decline_codes.lookup("incorrect_cvc").message


class IncorrectNumber(CardError):
    """The card number is wrong (a mistyped digit fails the check digit); ask the payer to enter it again."""

    code = "incorrect_number"
    message = decline_codes.lookup("incorrect_number").message


class InvalidCvc(CardError):
    """The security code has the wrong number of digits: four for American Express, three for all others."""

    code = "invalid_cvc"
    message = decline_codes.lookup("invalid_cvc").message


class InvalidExpiryMonth(CardError):
    """The expiry month is not 1 to 12, or has passed this year; ask the payer to enter it again."""

    code = "invalid_expiry_month"
    message = decline_codes.lookup("invalid_expiry_month").message


class InvalidExpiryYear(CardError):
    """The expiry year has passed or is too far ahead; ask the payer to enter it again."""

    code = "invalid_expiry_year"
    message = decline_codes.lookup("invalid_expiry_year").message


class ProcessingError(CardError):
    """The issuer or network failed while it processed the card and nothing was taken; try again in a little bit."""

    code = "processing_error"
    message = decline_codes.lookup("processing_error").message


class AuthenticationRequired(CardError):
    """The issuer wants the payer to authenticate; bring the payer back to your page and confirm the intent there."""

    code = "authentication_required"
    message = decline_codes.lookup("authentication_required").message


class AuthenticationFailed(CardError):
    """The payer did not pass authentication; ask for another try or another payment method."""

    code = "payment_intent_authentication_failure"
    message = (
        "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new"
        " PaymentMethod to attempt to fulfill this PaymentIntent again."
    )


class SetupAuthenticationFailed(CardError):
    """The payer did not pass authentication while a card was being saved; ask for another try or another card."""

    code = "setup_intent_authentication_failure"
    message = (
        "The latest attempt to set up the payment method has failed because authentication failed. You can provide"
        " payment_method_data or a new PaymentMethod to attempt to fulfill this SetupIntent again."
    )


class ProviderDecline(CardError):
    """The payer's bank refused the payment; ask for another bank or a card."""

    code = "payment_method_provider_decline"
    message = "The payer's bank declined the payment. No money was taken. Ask the payer to use another bank or a card."


class CustomerDecline(CardError):
    """The payer did not go through with the payment at the bank; ask whether they want to try again."""

    code = "payment_method_customer_decline"
    message = "The payer canceled the payment. No money was taken. Confirm the PaymentIntent again if they want to pay."


class ProviderTimeout(CardError):
    """The payer did not agree to the payment in time; confirm the intent again for a new page."""

    code = "payment_method_provider_timeout"
    message = (
        "The payer did not agree to the payment at their bank in time. No money was taken. Confirm the PaymentIntent"
        " again for a new page."
    )


CARD_ERRORS: Final[dict[str, type[CardError]]] = {
    error.code: error
    for error in (
        CardDeclined, ExpiredCard, IncorrectCvc, IncorrectNumber, InvalidCvc, InvalidExpiryMonth, InvalidExpiryYear,
        ProcessingError, AuthenticationRequired, AuthenticationFailed, ProviderDecline, CustomerDecline,
        ProviderTimeout,
    )
}  # fmt: skip
"""Card refusals by the code a processor's `Declined` outcome carries."""


def card_error(
    code: str,
    *,
    decline_code: str | None = None,
    advice_code: str | None = None,
    message: str | None = None,
    param: str | None = None,
    **objects: Any,
) -> CardError:
    """The refusal for a processor's decline; a code we do not know is a plain `card_declined`.

    `objects` are what travels in the error: `charge` (public id), `payment_intent` and `payment_method` (wire data).
    """
    known = CARD_ERRORS.get(code, CardDeclined)
    data = {"decline_code": decline_code, "advice_code": advice_code, **objects}
    return known(message, param=param, **{name: value for name, value in data.items() if value is not None})


def last_payment_error(
    error: CardError, *, payment_method: dict[str, Any] | None = None, doc_url: str | None = None
) -> dict[str, Any]:
    """The intent's `last_payment_error` for a refusal: the error object of the 402 without the intent itself.

    `payment_method` is the tried method as the API shows it; the intent forgets it, the error remembers it.
    """
    return {
        "advice_code": error.data.get("advice_code"),
        "charge": error.data.get("charge"),
        "code": error.code,
        "decline_code": error.data.get("decline_code"),
        "doc_url": doc_url,
        "message": error.text,
        "param": error.param,
        "payment_method": payment_method,
        "payment_method_type": payment_method["type"] if payment_method else None,
        "type": error.type,
    }


def last_setup_error(error: CardError, *, payment_method: dict[str, Any] | None = None) -> dict[str, Any]:
    """The setup intent's `last_setup_error`: as `last_payment_error`, without a charge, which there is none of."""
    kept = last_payment_error(error, payment_method=payment_method)
    del kept["charge"]
    return kept
