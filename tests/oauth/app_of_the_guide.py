"""The app that docs/guides/oauth.md shows: what the server of an app does around the consent page."""

import base64
import hashlib
import hmac
import os
import secrets
from urllib.parse import urlencode

import requests

ISSUER = os.environ["API"]
APP = (os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
CALLBACK = "http://localhost:7171/callback"


def begin(session):
    """Where to send the person. `session` is what your framework keeps for this browser."""
    session["state"], session["verifier"] = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(session["verifier"].encode()).digest()).rstrip(b"=")
    asked = {
        "response_type": "code",
        "client_id": APP[0],
        "redirect_uri": CALLBACK,
        "scope": "customers:read payments:write",
        "state": session["state"],
        "code_challenge": challenge.decode(),
        "code_challenge_method": "S256",
    }
    return f"{ISSUER}/oauth/authorize?{urlencode(asked)}"


def come_back(session, query):
    """What the person allowed, or None when they did not. `query` is what stands in the callback's address."""
    state, verifier = session.pop("state", ""), session.pop("verifier", "")
    if not hmac.compare_digest(state, query.get("state", "")) or query.get("iss") != ISSUER:
        raise PermissionError("this is not the answer to what this browser asked")
    if "error" in query:
        return None
    return tokens(grant_type="authorization_code", code=query["code"], code_verifier=verifier, redirect_uri=CALLBACK)


def tokens(**given):
    """A new pair. Store its refresh token before you use its access token."""
    answer = requests.post(f"{ISSUER}/oauth/token", auth=APP, data=given, timeout=30)
    answer.raise_for_status()
    return answer.json()


def customers(kept):
    """A request for the organization, with a new pair first where the old one has run out."""
    for _ in range(2):
        answer = requests.get(
            f"{ISSUER}/v1/customers", headers={"Authorization": f"Bearer {kept['access_token']}"}, timeout=30
        )
        if answer.status_code != 401:
            return answer.json()
        kept.update(tokens(grant_type="refresh_token", refresh_token=kept["refresh_token"]))
    raise PermissionError("ask for consent again")
