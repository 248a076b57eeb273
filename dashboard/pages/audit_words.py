"""What each act of the audit logs is called. A test finds an act that services write and this table does not know."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

ACTIONS: Final[dict[str, Promise]] = {
    "organization.created": _("Organization created"),
    "organization.updated": _("Settings changed"),
    "organization.second_factor_required": _("Second factor required of everybody"),
    "organization.second_factor_optional": _("Second factor no longer required"),
    "organization.ownership_transferred": _("Ownership transferred"),
    "live.activated": _("Live mode opened"),
    "member.role_changed": _("Role changed"),
    "member.removed": _("Member removed"),
    "member.left": _("Member left"),
    "invitation.sent": _("Invitation sent"),
    "invitation.resent": _("Invitation sent again"),
    "invitation.withdrawn": _("Invitation withdrawn"),
    "invitation.accepted": _("Invitation accepted"),
    "api_key.created": _("API key created"),
    "api_key.rolled": _("API key rolled"),
    "api_key.revoked": _("API key revoked"),
    "api_key.reported_leaked": _("API key reported as leaked, and revoked"),
    "api_client.created": _("OAuth app registered"),
    "api_client.updated": _("OAuth app changed"),
    "api_client.rolled": _("Secret of an OAuth app rolled"),
    "api_client.deleted": _("OAuth app deleted"),
    "api_client.verified": _("OAuth app verified by staff"),
    "api_client.verification_withdrawn": _("Verification of an OAuth app withdrawn by staff"),
    "api_client.suspended": _("OAuth app suspended by staff"),
    "api_client.reinstated": _("OAuth app reinstated by staff"),
    "consent.granted": _("App let in"),
    "consent.widened": _("App allowed to do more"),
    "consent.revoked": _("App no longer let in"),
    "webhook_endpoint.created": _("Webhook endpoint created"),
    "webhook_endpoint.updated": _("Webhook endpoint changed"),
    "webhook_endpoint.secret_rotated": _("Webhook secret rotated"),
    "webhook_endpoint.deleted": _("Webhook endpoint deleted"),
    "webhook_endpoint.disabled": _("Webhook endpoint disabled by us"),
    "webhook_endpoint.replayed": _("Events replayed to an endpoint"),
    "webhook_delivery.resent": _("Event sent again"),
    "payment.captured": _("Payment captured"),
    "payment.canceled": _("Payment canceled"),
    "payment.refunded": _("Payment refunded"),
    "checkout_session.created": _("Checkout link created"),
    "checkout_session.expired": _("Checkout link ended"),
    "customer.created": _("Customer created"),
    "customer.updated": _("Customer changed"),
    "customer.deleted": _("Customer deleted"),
    "link_session.created": _("Link session created"),
    "link_session.canceled": _("Link session canceled"),
    "bank_connection.removed": _("Bank connection removed"),
    "payment_attempts.settled": _("Open payment attempts settled by staff"),
    "test_clock.created": _("Test clock created"),
    "test_clock.advanced": _("Test clock moved ahead"),
    "test_clock.deleted": _("Test clock deleted"),
    "environment.limits_set": _("Limits set by staff"),
    "environment.limits_removed": _("Limits set by staff removed"),
    "support_access.given": _("Support allowed to look"),
    "support_access.taken": _("Support took access without being asked"),
    "support_access.revoked": _("Support access taken back"),
    "staff.looked": _("Staff looked into an environment"),
    "staff.acted": _("Staff acted in an environment"),
    "staff.turned_away": _("Staff turned away: nobody allowed them to look"),
}
"""By the code that services write, in the order of the filter."""


def words_for(action: str) -> str:
    """An act in words; one that is not in the table is told by its code."""
    known = ACTIONS.get(action)
    return str(known) if known else action.replace("_", " ").replace(".", ": ").capitalize()
