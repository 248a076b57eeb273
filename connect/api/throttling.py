"""DRF's side of the limiter: `throttle_classes`."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from connect.kit import logs
from connect.services import limits
from connect.services.request_logs import Trace


class CredentialThrottle(BaseThrottle):
    """Takes one request from the key's (or app's) and the environment's buckets. Runs after authentication.

    A refusal is raised rather than answered with False: it knows which bucket is empty, for how long, and whether
    waiting helps. Every answer, refused or not, gets the `RateLimit-*` headers from the middleware.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        credential: Any = request.auth
        if credential is None:
            return True  # an endpoint that asks for no credential has nothing to count by
        environment = credential.environment
        trace: Trace | None = getattr(request, "trace", None)
        if trace is not None:
            trace.environment, trace.actor_id = environment, credential.id
            trace.actor_kind = trace.actor_kind or credential.kind
            trace.consent = credential.consent
            trace.api_version = environment.api_version
        logs.bind_environment(environment)
        verdict = limits.check(environment, credential.id)
        if verdict is None:
            return True
        if trace is not None:
            trace.limit = verdict.headers()
        if not verdict.allowed:
            raise verdict.refusal()
        return True

    def wait(self) -> float | None:
        """None: the refusal that was raised says it already."""
        return None
