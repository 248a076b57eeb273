"""Refusals of banks."""

from __future__ import annotations

from connect.kit.errors import DomainError

# --- link ---


class LinkSessionNotOpen(DomainError):
    """The link session is complete, canceled or expired; create a new one."""

    code = "link_session_not_open"
    message = (
        "Only a link session that is open, at_bank or choosing can do this. This one has a status of {status}."
        " Create a new link session."
    )


class InstitutionUnavailable(DomainError):
    """The bank cannot be linked from this installation: nobody has set up its interface, or staff took it off the list.

    `GET /v1/banking/institutions` says which can.
    """

    code = "institution_unavailable"
    message = "{institution} cannot be linked here now. List institutions and take one that is available."


class ConnectionNotRepairable(DomainError):
    """A connection that was removed cannot be repaired; link the account anew."""

    code = "connection_not_repairable"
    message = "This connection has a status of {status} and cannot be repaired. Create a link session in link mode."


class PublicTokenInvalid(DomainError):
    """No link session of this key has this public token, or its 30 minutes are over; link again."""

    code = "public_token_invalid"
    message = (
        "There is no connection to exchange this public token for: it is wrong, belongs to another environment, or its"
        " 30 minutes are over. Read it from the completed link session, or send the customer a new one."
    )


class PublicTokenExchanged(DomainError):
    """A public token can be exchanged once; the connection it was exchanged for is named in the link session."""

    code = "public_token_exchanged"
    message = "This public token was exchanged already. Its connection is named in the link session: {connection}."


class AccountsNotChosen(DomainError):
    """At least one of the accounts that the bank offers has to be chosen."""

    code = "accounts_not_chosen"
    message = "Choose at least one of the accounts that the bank offers."


# --- data ---


class IbanInvalid(DomainError):
    """A text is no account number; the message says what is wrong with it."""

    code = "iban_invalid"
    message = "That is no account number: {reason}."


# --- sync ---


class SyncCursorInvalid(DomainError):
    """The cursor is not one of this connection's; send the `next_cursor` of an answer for it, or none to begin anew."""

    code = "sync_cursor_invalid"
    message = (
        "This cursor was not given out for this connection. Send 'next_cursor' of its last answer as it is, or leave"
        " 'cursor' out to begin anew."
    )


# --- the sandbox bank ---


class SandboxBankInLive(DomainError):
    """The sandbox bank belongs to test environments."""

    code = "sandbox_bank_in_live"
    message = "The sandbox bank can be put down and up from test mode only. Switch to test mode."


class SandboxBankSilent(DomainError):
    """The sandbox bank is not running, or its control did not do what it was asked. Start it, and try again."""

    type = "api_error"
    code = "sandbox_bank_silent"
    status = 503
    message = (
        "The sandbox bank's control does not answer. `make run` starts the bank; elsewhere FC_SANDBOX_BANK_URL says"
        " where it is, and FC_SANDBOX_BANK_CONTROL_TOKEN lets us in. Try again once it runs."
    )


class IncidentRunning(DomainError):
    """A bank has one incident at a time."""

    code = "incident_running"
    message = "This bank has an incident already. Write into its note, or resolve it first."


class IncidentOver(DomainError):
    """An incident that has ended cannot be resolved again."""

    code = "incident_over"
    message = "This incident has ended already. Its note can still be changed."
