"""Every model of `connect`, public and tenant, one file per subject."""

from connect.models.api_keys import ApiKey
from connect.models.audit import AuditEntry, OrganizationAuditEntry
from connect.models.environments import Environment, SchemaTemplate
from connect.models.events import Event
from connect.models.idempotency_keys import IdempotencyKey
from connect.models.limit_overrides import LimitOverride
from connect.models.oauth import (
    ApiClient,
    OAuthAccessToken,
    OAuthDeviceGrant,
    OAuthGrant,
    OAuthIdToken,
    OAuthRefreshToken,
    UserConsent,
)
from connect.models.organizations import Invitation, Membership, Organization
from connect.models.request_logs import PublicRequestLog, RequestLog
from connect.models.saved_filters import SavedFilter
from connect.models.sign_ins import SignIn
from connect.models.support_grants import SupportGrant
from connect.models.test_clocks import TestClock
from connect.models.usage import UsageHour
from connect.models.users import User
from connect.models.webhook_deliveries import InboxMessage, WebhookAttempt, WebhookDelivery, WebhookDeliveryCount
from connect.models.webhook_endpoints import WebhookEndpoint

__all__ = [
    "ApiClient",
    "ApiKey",
    "AuditEntry",
    "Environment",
    "Event",
    "IdempotencyKey",
    "InboxMessage",
    "Invitation",
    "LimitOverride",
    "Membership",
    "OAuthAccessToken",
    "OAuthDeviceGrant",
    "OAuthGrant",
    "OAuthIdToken",
    "OAuthRefreshToken",
    "Organization",
    "OrganizationAuditEntry",
    "PublicRequestLog",
    "RequestLog",
    "SavedFilter",
    "SchemaTemplate",
    "SignIn",
    "SupportGrant",
    "TestClock",
    "UsageHour",
    "User",
    "UserConsent",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookDeliveryCount",
    "WebhookEndpoint",
]
