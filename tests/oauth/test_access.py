"""What a token rests on, and that nothing of it may end without the token: consent, membership, role, app, time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connect.domain import oauth
from connect.domain.errors import EnvironmentNotOffered
from connect.kit import clock, ids
from connect.kit.caller import Actor
from connect.kit.errors import ResourceMissing
from connect.models import (
    Membership,
    OAuthAccessToken,
    OAuthRefreshToken,
    OrganizationAuditEntry,
    User,
    UserConsent,
)
from connect.selectors import api_clients as app_selectors
from connect.selectors import consents as consent_selectors
from connect.selectors import credentials
from connect.services import api_clients, app_reviews, consents, request_log_drain, request_logs
from tests.conftest import Api
from tests.oauth.tokens import issue, register


@pytest.fixture
def person(db):
    return User.objects.get(email="owner@acme.example")


@pytest.fixture
def token(caller, person):
    return issue(caller, person, "customers:read", "payments:write")


def answer(issued, path="/v1/customers"):
    credentials.forget()  # as another process, or this one three seconds later
    return Api(issued.token).get(path)


def code(issued):
    found = answer(issued)
    return found.status_code, found.json().get("error", {}).get("code"), found.headers.get("WWW-Authenticate", "")


def test_a_token_does_what_its_scopes_say(token):
    assert answer(token).status_code == 200
    assert Api(token.token).post("/v1/payment_intents", {"amount": 2500, "currency": "eur"}).status_code == 200
    refused = answer(token, "/v1/balance")
    assert refused.json()["error"]["code"] == "permission_missing"
    assert 'error="insufficient_scope", scope="balance:read"' in refused["WWW-Authenticate"]
    assert "This access token" in refused.json()["error"]["message"]


def test_a_withdrawn_consent_fails_the_next_request(token, person):
    assert answer(token).status_code == 200
    consents.withdraw(Actor("user", "usr_x"), user_id=person.pk, consent_id=token.consent_id)
    # The process that withdrew it does not wait for its cache.
    refused = Api(token.token).get("/v1/customers")
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "access_token_invalid")
    assert 'error="invalid_token"' in refused["WWW-Authenticate"]
    assert OAuthAccessToken.objects.filter(consent=token.consent).count() == 0
    with pytest.raises(ResourceMissing):
        consents.withdraw(Actor("user", "usr_x"), user_id=person.pk, consent_id=token.consent_id)


def test_an_organization_ends_what_a_member_allowed(token, caller):
    consents.revoke(caller, consent_id=token.consent_id)
    assert code(token)[:2] == (401, "access_token_invalid")
    entry = OrganizationAuditEntry.objects.get(action="consent.revoked")
    assert (entry.target, entry.data["app"]) == (token.consent_id, "Ledger Lens")


def test_a_consent_of_another_environment_or_person_is_not_found(token, environments, caller):
    from connect.kit.caller import Caller

    stranger = Caller.system(environments["other/test"], "tests")
    live = Caller.system(environments["acme/live"], "tests")
    for other in (stranger, live):
        with pytest.raises(ResourceMissing):
            consents.revoke(other, consent_id=token.consent_id)
    with pytest.raises(ResourceMissing):
        consents.withdraw(
            caller.actor, user_id=User.objects.get(email="owner@other.example").pk, consent_id=token.consent_id
        )
    assert answer(token).status_code == 200


def test_a_member_who_leaves_takes_the_token_along(token, person):
    Membership.objects.filter(user=person).delete()
    assert code(token)[:2] == (401, "access_token_invalid")


def test_a_member_who_may_no_longer_let_apps_in_takes_the_token_along(token, person):
    Membership.objects.filter(user=person).update(role="analyst")
    assert code(token)[:2] == (401, "access_token_invalid")
    Membership.objects.filter(user=person).update(role="developer")
    assert answer(token).status_code == 200


def test_a_closed_account_takes_the_token_along(token, person):
    User.objects.filter(pk=person.pk).update(is_active=False)
    assert code(token)[:2] == (401, "access_token_invalid")


def test_a_suspended_app_is_told_so_and_may_go_on_later(token):
    staff = Actor("user", "usr_staff")
    app_reviews.suspend(client_id=token.app.id, actor=staff, reason="Complaints.")
    status, error, challenge = code(token)
    assert (status, error) == (401, "app_suspended")
    assert "The app is suspended" in challenge
    app_reviews.reinstate(client_id=token.app.id, actor=staff, reason="Cleared up.")
    assert answer(token).status_code == 200
    actions = OrganizationAuditEntry.objects.filter(target=token.app.id).values_list("action", flat=True)
    assert {"api_client.suspended", "api_client.reinstated"} <= set(actions)


def test_an_expired_token_says_so(caller, person):
    old = issue(caller, person, "customers:read", expires=clock.wall() - timedelta(seconds=1))
    status, error, challenge = code(old)
    assert (status, error) == (401, "access_token_expired")
    assert 'error_description="The access token has expired"' in challenge


def test_a_deleted_app_ends_every_consent_in_its_organizations_log(token, caller):
    assert api_clients.delete(caller, client_id=token.app.id) == 1
    assert code(token)[:2] == (401, "access_token_invalid")
    assert OrganizationAuditEntry.objects.get(action="consent.revoked").data["reason"] == "The app was deleted."
    assert OrganizationAuditEntry.objects.get(action="api_client.deleted").data["consents_ended"] == 1


def test_scopes_taken_from_an_app_are_lost_to_its_tokens(token, caller):
    api_clients.update(
        caller,
        client_id=token.app.id,
        name=token.app.name,
        redirect_uris=token.app.redirect_uris,
        grant_types=token.app.grant_types,
        scopes=["payments:write"],
    )
    assert code(token)[:2] == (403, "permission_missing")


def test_a_token_never_opens_another_environment(caller, person, environments, token):
    """The app's own row decides nothing: the consent's environment does."""
    OAuthAccessToken.objects.filter(consent=token.consent).update(environment_id=environments["other/test"].id)
    assert code(token)[:2] == (401, "access_token_invalid")
    OAuthAccessToken.objects.filter(consent=token.consent).update(environment_id=environments["acme/live"].id)
    assert code(token)[:2] == (401, "access_token_invalid")


@pytest.mark.parametrize("text", ["fc_at_", "fc_at_" + "x" * 36, oauth.generate("fc_at_"), oauth.generate("fc_rt_")],
                         ids=["prefix", "checksum", "access token", "refresh token"])  # fmt: skip
def test_a_text_that_is_no_token_is_refused(db, text):
    refused = Api(text).get("/v1/customers")
    assert refused.status_code == 401
    assert text not in refused.content.decode() or len(text) < 16


def test_a_well_formed_dead_token_does_not_lock_its_address_out(token, person):
    """An app serves many people from one address: one who left must not stop the others."""
    dead = oauth.generate(oauth.ACCESS_TOKEN)
    assert {Api(dead).get("/v1/customers").status_code for _ in range(30)} == {401}
    assert answer(token).status_code == 200


# --- who may let in whom ----------------------------------------------------------------------------------------------


def offered(user, app, scopes=("customers:read",)):
    found = consent_selectors.choices(user.pk, app, scopes)
    return {(choice.organization, choice.environment.kind) for choice in found}


@pytest.mark.parametrize(
    ("role", "may"), [("owner", 1), ("admin", 1), ("developer", 1), ("analyst", 0), ("support", 0)]
)
def test_whoever_may_make_a_key_may_let_an_app_in(caller, person, role, may):
    app = register(caller)
    Membership.objects.filter(user=person).update(role=role)
    assert len(offered(person, app)) == may
    assert len(offered(person, app, ("openid", "email"))) == 1, "saying who one is takes no role"


def test_a_test_app_reaches_test_environments_only(caller, person, environments):
    from dataclasses import replace

    assert offered(person, register(caller)) == {("Acme", "test")}
    live = register(replace(caller, environment=environments["acme/live"]))
    assert offered(person, live) == {("Acme", "test"), ("Acme", "live")}


def test_an_organization_with_required_second_factor_is_not_offered_without_one(caller, person):
    app = register(caller)
    person.memberships.get().organization.__class__.objects.filter(slug="acme").update(requires_mfa=True)
    assert offered(person, app) == set()


def test_consent_to_an_environment_that_is_not_offered_is_refused(caller, person, environments):
    app = register(caller)
    actor = Actor("user", ids.encode("usr", person.pk))
    for name in ("acme/live", "other/test"):
        with pytest.raises(EnvironmentNotOffered):
            consents.grant(
                actor,
                user_id=person.pk,
                client_id=app.id,
                environment_id=str(environments[name].id),
                scopes=["customers:read"],
            )
    assert UserConsent.objects.count() == 0


def test_a_second_consent_widens_the_first_and_not_its_tokens(caller, person):
    first = issue(caller, person, "customers:read")
    second = issue(caller, person, "balance:read", app=first.app)
    assert first.consent_id == second.consent_id
    assert UserConsent.objects.get().scopes == ["balance:read", "customers:read"]
    assert answer(first, "/v1/balance").status_code == 403
    assert answer(second, "/v1/balance").status_code == 200
    actions = OrganizationAuditEntry.objects.filter(target=first.consent_id).order_by("id")
    assert [entry.action for entry in actions] == ["consent.granted", "consent.widened"]


# --- secrets, log and usage -------------------------------------------------------------------------------------------


def test_a_rolled_secret_overlaps_for_as_long_as_was_chosen(caller):
    from connect.models import ApiClient

    app, old = api_clients.create(
        caller, name="Rolls", redirect_uris=[], grant_types=[oauth.CLIENT_CREDENTIALS], scopes=["customers:read"]
    )
    _, new = api_clients.roll(caller, client_id=app.id, overlap_seconds=3600)
    row, now = ApiClient.objects.get(client_id=app.id), clock.wall()
    assert row.knows(old, now)
    assert row.knows(new, now)
    assert not row.knows(old, now + timedelta(seconds=3601))
    _, newest = api_clients.roll(caller, client_id=app.id, overlap_seconds=0)
    row.refresh_from_db()
    assert [row.knows(secret, now) for secret in (old, new, newest)] == [False, False, True]


@pytest.mark.parametrize(
    ("uri", "in_test", "in_live"),
    [
        ("https://app.example.com/cb", True, True),
        ("https://app.example.com/cb?x=1", True, True),
        ("http://localhost:3000/cb", True, False),
        ("http://127.0.0.1:3000/cb", True, False),
        ("http://app.example.com/cb", False, False),
        ("https://app.example.com/cb#x", False, False),
        ("https://*.example.com/cb", False, False),
        ("https://user@example.com/cb", False, False),
        ("https://примep.example/cb", False, False),
        ("javascript:alert(1)", False, False),
        ("com.example.app:/cb", False, False),
        ("/cb", False, False),
    ],
)
def test_which_redirect_uris_can_be_registered(uri, in_test, in_live, settings):
    hosts = settings.FC_PRIVATE_HOSTS_ALLOWED
    assert (oauth.redirect_uri_fault(uri, livemode=False, local_hosts=hosts) == "") == in_test
    assert (oauth.redirect_uri_fault(uri, livemode=True, local_hosts=hosts) == "") == in_live


@pytest.mark.django_db(transaction=True)
def test_the_log_and_usage_name_the_app(caller, django_user_model):
    issued = issue(caller, django_user_model.objects.get(email="owner@acme.example"), "customers:read")
    assert Api(issued.token).get("/v1/customers").status_code == 200
    request_logs.buffer.flush()
    request_log_drain.drain()
    from connect.kit.tenancy import use_environment
    from connect.models import RequestLog, UsageHour

    with use_environment(caller.environment):
        row = RequestLog.objects.get(actor_id=issued.app.id)
        assert (row.actor_kind, row.path) == ("api_client", "/v1/customers")
        assert issued.token not in str(row.__dict__)
        assert UsageHour.objects.get(actor_id=issued.app.id).requests == 1
    assert app_selectors.names(caller.environment) == {issued.app.id: "Ledger Lens"}
    assert UserConsent.objects.get().last_used_at is not None


def test_a_refresh_token_dies_with_its_consent(caller, person, token):
    row = OAuthRefreshToken(
        user=person, application_id=OAuthAccessToken.objects.get().application_id, consent=token.consent,
        environment_id=token.consent.environment_id, token="", token_checksum="0" * 64,
    )  # fmt: skip
    row.save()
    consents.revoke(caller, consent_id=token.consent_id)
    row.refresh_from_db()
    assert row.revoked is not None


def test_what_is_over_is_forgotten_and_what_may_be_used_is_not(caller, person, token):
    from connect.models import ApiClient, OAuthGrant
    from connect.services import oauth_tokens

    now, client = clock.wall(), ApiClient.objects.get(client_id=token.app.id)
    common = {"user": person, "application": client, "consent": token.consent, "environment": token.consent.environment}

    def access(age):
        return OAuthAccessToken.objects.create(
            token_checksum=oauth.digest(str(age)), token="", expires=now - age, scope="", **common
        )

    idle, dead, alone = access(timedelta(days=29)), access(timedelta(days=32)), access(timedelta(days=2))
    for number, bound in enumerate((idle, dead)):
        OAuthRefreshToken.objects.create(token="", token_checksum=str(number) * 64, access_token=bound, **common)
    ancient = OAuthRefreshToken.objects.create(token="", token_checksum="x" * 64, revoked=now, **common)
    OAuthRefreshToken.objects.filter(pk=ancient.pk).update(created=now - timedelta(days=121))
    for age in (timedelta(hours=1), timedelta(hours=25)):
        OAuthGrant.objects.create(code=str(age), expires=now - age, redirect_uri="", **common)
    assert oauth_tokens.forget_old() == 4
    assert not OAuthAccessToken.objects.filter(pk__in=[dead.pk, alone.pk]).exists()
    assert OAuthAccessToken.objects.filter(pk=idle.pk).exists()
    assert OAuthRefreshToken.objects.count() == 2
    assert OAuthGrant.objects.count() == 1
    assert answer(token).status_code == 200
