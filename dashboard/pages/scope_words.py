"""What each scope lets an app or a key do, in the reader's language. Which scopes there are is the domain's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

WORDS: Final[dict[str, Promise]] = {
    "openid": _("Know that it is you, by an id that says nothing else"),
    "profile": _("See your name, language and time zone"),
    "email": _("See your e-mail address"),
    "payments:read": _("See payments, charges and payment methods"),
    "payments:write": _("Create, confirm, capture and cancel payments"),
    "customers:read": _("See customers"),
    "customers:write": _("Create and change customers"),
    "products:read": _("See products and prices"),
    "products:write": _("Create and change products and prices"),
    "checkout:read": _("See checkout sessions"),
    "checkout:write": _("Create and expire checkout sessions"),
    "balance:read": _("See the balance and its transactions"),
    "institutions:read": _("See the catalogue of banks and how they are doing"),
    "link_sessions:read": _("See link sessions"),
    "link_sessions:write": _("Create and cancel link sessions"),
    "connections:read": _("See connections to customers' banks"),
    "connections:write": _(
        "Exchange what customers agreed to, and refresh, change and remove connections to their banks"
    ),
    "accounts:read": _("See linked bank accounts and their balances"),
    "accounts:write": _("Change the metadata of linked bank accounts"),
    "transactions:read": _("See the transactions of linked bank accounts"),
    "events:read": _("See events"),
    "events:write": _("Send events to webhook endpoints again"),
    "webhook_endpoints:read": _("See webhook endpoints and what was delivered to them"),
    "webhook_endpoints:write": _("Create, change and test webhook endpoints, and see their new secrets"),
    "ledger:read": _("See ledger accounts, transactions and balances"),
    "ledger:write": _("Post to the ledger and place holds"),
    "test_clocks:read": _("See test clocks"),
    "test_clocks:write": _("Create, advance and delete test clocks"),
}
"""The sentences of `connect.domain.scopes` once more: there they are plain English, here translators find them."""


def sentences(scopes: Iterable[str]) -> list[str]:
    """Scopes as the sentences that whoever grants them reads; one that is no more is left out."""
    return [str(WORDS[scope]) for scope in scopes if scope in WORDS]
