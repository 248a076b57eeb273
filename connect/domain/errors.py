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


class _TokenRefused(DomainError):
    """Base of the refusals of an access token; RFC 6750 says how a client hears of it."""

    status = 401

    def extra_headers(self) -> dict[str, str]:
        """The challenge, with the reason in the client's own words."""
        reason = f'error="invalid_token", error_description="{self.challenge}"'
        return {"WWW-Authenticate": f'Bearer realm="Facturino Connect", {reason}'}

    challenge = "The access token is not valid"


class AccessTokenInvalid(_TokenRefused):
    """The access token was never issued, or was revoked, or the consent behind it was withdrawn."""

    code = "access_token_invalid"
    message = (
        "Invalid access token: {redacted}. It was revoked, replaced, or the person who let your app in has withdrawn"
        " that or left the organization. Refresh it; if that is refused too, ask for consent again."
    )


class AccessTokenExpired(_TokenRefused):
    """The access token's time is over. Use the refresh token to get a new one."""

    code = "access_token_expired"
    message = "Expired access token: {redacted}. Get a new one with the refresh token."
    challenge = "The access token has expired"


class AppSuspended(_TokenRefused):
    """Staff has suspended the app: none of its tokens work."""

    code = "app_suspended"
    message = "The app {name} is suspended: its tokens do not work. Write to support to learn why."
    challenge = "The app is suspended"


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


class TokenScopeMissing(PermissionMissing):
    """The access token lacks the scope this request needs."""

    message = "This access token does not have the required scope '{scope}' for this request. Ask for consent to it."

    def extra_headers(self) -> dict[str, str]:
        """The challenge of RFC 6750, which names the scope to ask for."""
        wanted = f'error="insufficient_scope", scope="{self.data["scope"]}"'
        return {"WWW-Authenticate": f'Bearer realm="Facturino Connect", {wanted}'}


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


class SavedFilterEmpty(DomainError):
    """A filter that narrows nothing is not worth a name."""

    code = "saved_filter_empty"
    message = "Set a filter first, then save it."


class SavedFilterNameTaken(DomainError):
    """A person's filters of one list have different names."""

    code = "saved_filter_name_taken"
    message = "You have a saved filter of this name for this list. Choose another name."


class SavedFiltersFull(DomainError):
    """A person keeps up to 20 filters of one list."""

    code = "saved_filters_full"
    message = "You have 20 saved filters for this list, and no more are kept. Delete one first."


class RedirectUriInvalid(DomainError):
    """An app's redirect URI must be an https address; apps of a test environment may also register local ones."""

    code = "redirect_uri_invalid"
    message = "“{uri}” cannot be registered: {reason}."


class AppNeedsRedirectUri(DomainError):
    """People are sent back to an app that uses authorization codes, so it must say to where."""

    code = "app_redirect_uri_missing"
    message = "Give at least one redirect URI: people are sent back there after they decide."


class AppGrantInvalid(DomainError):
    """The ways in that were chosen do not fit the app."""

    code = "app_grant_invalid"
    message = "Choose at least one way in. Client credentials need an app that can keep a secret."


class AppHasNoSecret(DomainError):
    """A public app has no secret that could be rolled."""

    code = "app_has_no_secret"
    message = "A public app has no secret: nothing that runs on a person's device can keep one."


class EnvironmentNotOffered(DomainError):
    """The person may not let this app into that environment."""

    code = "environment_not_offered"
    message = "Choose one of the environments on the page. Your role decides which ones are offered."


class SupportGrantOver(DomainError):
    """Leave for support to look into an environment that has ended or was taken back already cannot be taken back."""

    code = "support_grant_over"
    message = "This access has ended already. Nothing more can be looked at with it."


class AppNotVerifiable(DomainError):
    """A suspended app cannot be verified; what it was suspended for comes first."""

    code = "app_not_verifiable"
    message = "The app {name} is suspended. Reinstate it first."
