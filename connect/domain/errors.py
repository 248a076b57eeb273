"""Refusals of the floor: credentials, scopes, idempotency, environments."""

from connect.kit.errors import DomainError


class ApiKeyMissing(DomainError):
    """The request carried no API key."""

    code = "api_key_missing"
    status = 401
    message = (
        "You did not provide an API key. Send it as 'Authorization: Bearer YOUR_KEY', or as the user name of HTTP Basic"
        " authentication. Keys are made in the dashboard under Developers."
    )
    headers = {"WWW-Authenticate": 'Bearer realm="Facturino Connect"'}


class ApiKeyInvalid(DomainError):
    """The API key does not exist or was revoked."""

    code = "api_key_invalid"
    status = 401
    message = "Invalid API key provided: {redacted}. Check it, or make a new one in the dashboard under Developers."
    headers = {"WWW-Authenticate": 'Bearer realm="Facturino Connect"'}


class ApiKeyExpired(DomainError):
    """The API key's time is over."""

    code = "api_key_expired"
    status = 401
    message = "Expired API key provided: {redacted}. Roll it in the dashboard under Developers."
    headers = {"WWW-Authenticate": 'Bearer realm="Facturino Connect"'}


class AddressNotAllowed(DomainError):
    """The API key may be used only from the addresses on its list."""

    code = "address_not_allowed"
    status = 403
    message = "This API key may not be used from {address}. Add the address to the key's list in the dashboard."


class PermissionMissing(DomainError):
    """The API key lacks the scope this request needs."""

    code = "permission_missing"
    status = 403
    message = "This API key does not have the required scope '{scope}' for this request."


class AccountInvalid(DomainError):
    """The connected account named in `Stripe-Account` does not exist or does not belong to this environment."""

    code = "account_invalid"
    status = 403
    message = "The provided key does not have access to account '{account}', or that account does not exist."


class IdempotencyMismatch(DomainError):
    """An idempotency key was sent again with other parameters or to another address."""

    type = "idempotency_error"
    code = "idempotency_error"
    status = 400
    message = (
        "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a"
        " key other than '{key}' if you meant to execute a different request."
    )


class IdempotencyKeyInUse(DomainError):
    """Another request with the same idempotency key is still being worked on; send it again in a moment."""

    type = "idempotency_error"
    code = "idempotency_key_in_use"
    status = 409
    message = (
        "There is currently another in-progress request using this idempotency key. Send this one again in a moment."
    )
    headers = {"Stripe-Should-Retry": "true", "Retry-After": "1"}


class IdempotencyKeyTooLong(DomainError):
    """An idempotency key has at most 255 characters."""

    code = "idempotency_key_too_long"
    message = "The Idempotency-Key has {length} characters; at most 255 are allowed."


class EnvironmentNotReady(DomainError):
    """The environment is still being made, or is being migrated."""

    type = "api_error"
    code = "environment_not_ready"
    status = 503
    message = "This environment is not ready yet. Send the request again in a few seconds."
    headers = {"Retry-After": "2", "Stripe-Should-Retry": "true"}


class ScopeUnknown(DomainError):
    """A scope given for a key does not exist."""

    code = "scope_unknown"
    message = "Unknown scope: {scope}."


class KeyNameRequired(DomainError):
    """An API key needs a name, so that people can tell what it is for."""

    code = "api_key_name_required"
    message = "Give the key a name of 1 to 80 characters, such as the app or server that will use it."


class KeyRevoked(DomainError):
    """A revoked key cannot be changed."""

    code = "api_key_revoked"
    message = "This key was revoked and cannot be changed. Make a new one."


class SlugTaken(DomainError):
    """Another organization uses this address."""

    code = "slug_taken"
    message = "Another organization already uses the address '{slug}'. Choose another."


class NameInvalid(DomainError):
    """A name is empty, too long or unreadable."""

    code = "name_invalid"
    message = "Give a name of 1 to {maximum} characters."


class ApiVersionUnknown(DomainError):
    """The `Facturino-Version` header names a version that does not exist."""

    code = "api_version_unknown"
    message = "There is no API version '{version}'. Leave Facturino-Version out, or send one of: {known}."


class ClocksInLive(DomainError):
    """Test clocks exist in test environments only."""

    code = "test_clock_in_live"
    message = "Time cannot be moved in a live environment. Use a test key to create test clocks."


class EnvironmentClockExists(DomainError):
    """An environment has one clock of its own at most; advance or delete the one that is there."""

    code = "environment_clock_exists"
    message = (
        "This environment has a test clock of its own already. Advance it, or delete it first; or leave applies_to out"
        " to make one for customers."
    )


class UrlInvalid(DomainError):
    """The address cannot receive webhooks."""

    code = "url_invalid"
    message = "Not a valid address for webhooks. {reason}."


class EventTypeUnknown(DomainError):
    """No event of this type exists; the catalogue of events lists them all."""

    code = "event_type_unknown"
    message = "There is no event type '{type}'. Use one from the catalogue of events, or '*' for all."


class WebhookEndpointLimit(DomainError):
    """An account can have only so many webhook endpoints."""

    code = "webhook_endpoint_limit"
    message = "You already have {maximum} webhook endpoints, which is the maximum. Delete one you no longer need."


class WebhookEndpointDisabled(DomainError):
    """Nothing is sent to a disabled webhook endpoint."""

    code = "webhook_endpoint_disabled"
    message = "This webhook endpoint is disabled. Enable it by updating it with disabled=false, then send again."


class RedirectRefused(DomainError):
    """A redirect must lead to an https address; in test environments http is allowed for the configured local hosts."""

    code = "redirect_url_invalid"
    message = "Not a valid URL: {param} must begin with https://. {hint}"


class SupportGrantOver(DomainError):
    """Leave for support to look into an environment that has ended or was taken back already cannot be taken back."""

    code = "support_grant_over"
    message = "This access has ended already. Nothing more can be looked at with it."


class AppSuspended(DomainError):
    """A suspended app cannot be verified; what it was suspended for comes first."""

    code = "app_suspended"
    message = "The app {name} is suspended. Reinstate it first."
