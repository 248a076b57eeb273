"""How far somebody new to an environment has come, as far as the floor knows: one statement, as it is asked often."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from connect.kit.caller import Caller


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """Each is true for good once it was done, but for keys and endpoints, which can go again.

    `arrived` is whether the built-in inbox has a message, `delivered` whether any endpoint confirmed one.
    """

    has_key: bool
    has_request: bool
    has_endpoint: bool
    arrived: bool
    delivered: bool


def of(caller: Caller) -> FirstSteps:
    """What was done in the caller's environment, which is open."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM connect_api_key WHERE environment_id = %(environment)s AND revoked_at IS NULL"
            "   AND (expires_at IS NULL OR expires_at > %(now)s)),"
            " EXISTS (SELECT 1 FROM connect_usage_hour),"
            " EXISTS (SELECT 1 FROM connect_webhook_endpoint WHERE account_id = %(account)s AND deleted_at IS NULL),"
            " EXISTS (SELECT 1 FROM connect_inbox_message),"
            " EXISTS (SELECT 1 FROM connect_webhook_delivery WHERE state = 'succeeded')",
            {"environment": caller.environment.id, "account": caller.account, "now": caller.clock.wall()},
        )
        return FirstSteps(*cursor.fetchone())
