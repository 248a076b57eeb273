"""Nothing an environment holds can be added, changed or deleted through the admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from connect.admin.rows import RowAdmin
from connect.admin.sites import environment_site
from connect.kit import tenancy


def state_of(environment: Any) -> dict[str, list[Any]]:
    """Every row of every table of the environment."""
    with tenancy.use_environment(environment), connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND table_type = 'BASE TABLE'"
            " AND table_name <> 'django_migrations'",
            [environment.schema_name],
        )
        tables = sorted(name for (name,) in cursor.fetchall())
        content = {}
        for table in tables:
            cursor.execute(f'SELECT to_jsonb(t) FROM "{environment.schema_name}"."{table}" t ORDER BY 1')
            content[table] = cursor.fetchall()
    return content


def test_every_model_of_an_environment_is_registered_read_only() -> None:
    assert [model for model, admin in environment_site._registry.items() if not isinstance(admin, RowAdmin)] == []


def test_no_post_changes_anything(staff_client: Client, door: Any, paid: Any, environment: Any) -> None:
    """A superuser posts adding, changing, deleting and bulk deletion to every model, with and without fields."""
    before = state_of(environment)
    assert sum(map(len, before.values())) > 10
    with tenancy.use_environment(environment):
        pks = {
            model: model.objects.order_by("-id").values_list("pk", flat=True).first()
            for model in environment_site._registry
        }
    for model, pk in pks.items():
        page = f"{model._meta.app_label}/{model._meta.model_name}/"
        body = {"amount_minor": "1", "status": "canceled", "email": "x@y.example", "post": "yes", "_save": "Save"}
        bulk = {"action": "delete_selected", "_selected_action": [str(pk)], "post": "yes"}
        assert staff_client.post(door(f"{page}add/"), body).status_code == 403
        if pk is not None:
            assert staff_client.post(door(f"{page}{pk}/change/"), body).status_code == 403
            assert staff_client.post(door(f"{page}{pk}/delete/"), body).status_code == 403
            assert staff_client.post(door(page), bulk).status_code in {200, 302, 403}
    assert state_of(environment) == before


def test_looking_changes_nothing(staff_client: Client, door: Any, paid: Any, environment: Any) -> None:
    before = state_of(environment)
    for page in ("", "payments/paymentintent/", f"payments/paymentintent/{paid['id']}/change/", "ledger/account/"):
        assert staff_client.get(door(page)).status_code == 200
    assert state_of(environment) == before


def test_a_key_shows_neither_secret_nor_hash(staff_client: Client, environment: Any, secrets: Any) -> None:
    from connect.models import ApiKey

    key = ApiKey.objects.get(environment_id=environment.id)
    for page in ("/admin/connect/apikey/", f"/admin/connect/apikey/{key.pk}/change/"):
        text = staff_client.get(page).content.decode()
        assert secrets["acme"]["test"][-4:] in text
        assert secrets["acme"]["test"] not in text
        assert bytes(key.secret_hash).hex() not in text
        assert "secret_hash" not in text


def test_a_stored_reply_is_not_shown(staff_client: Client, door: Any, api: Any) -> None:
    created = api.post("/v1/payment_intents", {"amount": 900, "currency": "eur"}, Idempotency_Key="order-1").json()
    response = staff_client.get(door("connect_tenant/idempotencykey/"), {"q": "order-1"})
    (row,) = response.context["cl"].result_list
    text = staff_client.get(door(f"connect_tenant/idempotencykey/{row.pk}/change/")).content.decode()
    assert "order-1" in text
    assert created["client_secret"] not in text
    assert "reply" not in text


def test_no_secret_of_an_endpoint_and_no_signature_is_shown(
    staff_client: Client, door: Any, api: Any, environment: Any
) -> None:
    """Neither what signs webhooks, sealed or not, nor what was signed with it: lists, pages and search."""
    from connect.kit.caller import Caller
    from connect.models import WebhookAttempt, WebhookEndpoint
    from connect.services import webhook_deliveries

    hook = {"url": "https://shop.example/hooks", "enabled_events": ["*"]}
    made = api.post("/v1/webhook_endpoints", hook).json()
    api.post("/v1/customers", {"name": "Mira"})
    with tenancy.use_environment(environment):
        webhook_deliveries.fan_out(Caller.system(environment, "tests"))
        (outgoing,) = webhook_deliveries.claim(Caller.system(environment, "tests"))
        attempt, endpoint = WebhookAttempt.objects.get(), WebhookEndpoint.objects.get()
    hidden = [made["secret"], made["secret"].removeprefix("whsec_"), bytes(endpoint.secret).hex()]
    hidden += [outgoing.headers["Stripe-Signature"], outgoing.headers["webhook-signature"]]
    for page in ("webhookendpoint/", f"webhookendpoint/{made['id']}/change/", f"webhookendpoint/?q={made['id']}",
                 "webhookattempt/", f"webhookattempt/{attempt.pk}/change/"):  # fmt: skip
        text = staff_client.get(door(f"connect_tenant/{page}")).content.decode()
        assert "https://shop.example/hooks" in text or page == "webhookattempt/"
        assert [secret for secret in hidden if secret in text] == []
    assert outgoing.headers["webhook-id"] in text
    guess = {"secret__startswith": "a"}
    assert staff_client.get(door("connect_tenant/webhookendpoint/"), guess).status_code in {302, 400}


def test_neither_a_session_nor_an_authentication_shows_what_opens_its_page(
    staff_client: Client, door: Any, api: Any, environment: Any
) -> None:
    from payments.models import Authentication, CheckoutSession

    card = {"amount": 900, "currency": "eur", "payment_method": "pm_card_authenticationRequired", "confirm": True}
    asked = api.post("/v1/payment_intents", {**card, "return_url": "https://shop.example/back"}).json()
    item = {"price_data": {"currency": "eur", "unit_amount": 900, "product_data": {"name": "Tea"}}}
    session = api.post("/v1/checkout/sessions", {"mode": "payment", "line_items": [item],
                                                 "success_url": "https://shop.example/"}).json()  # fmt: skip
    with tenancy.use_environment(environment):
        authentication, opened = Authentication.objects.get(), CheckoutSession.objects.get()
    hidden = [asked["next_action"]["redirect_to_url"]["url"].rpartition(".")[2], session["url"].rpartition(".")[2]]
    sealed = (authentication.secret_hash, opened.secret_hash, opened.secret_sealed)
    hidden += [bytes(secret).hex() for secret in sealed]
    assert all(len(secret) > 20 for secret in hidden)
    for page in ("authentication/", f"authentication/{authentication.pk}/change/", "checkoutsession/",
                 f"checkoutsession/{session['id']}/change/"):  # fmt: skip
        response = staff_client.get(door(f"payments/{page}"))
        assert response.status_code == 200
        assert [secret for secret in hidden if secret in response.content.decode()] == []


@pytest.mark.parametrize("page", ["environment", "apikey", "organizationauditentry", "membership", "apiclient"])
def test_platform_rows_that_commands_and_customers_own_are_read_only(staff_client: Client, page: str) -> None:
    assert staff_client.post(f"/admin/connect/{page}/add/", {}).status_code == 403
    rows = staff_client.get(f"/admin/connect/{page}/").context["cl"].result_list
    for row in list(rows)[:1]:
        assert staff_client.post(f"/admin/connect/{page}/{row.pk}/change/", {"status": "failed"}).status_code == 403
        assert staff_client.post(f"/admin/connect/{page}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
