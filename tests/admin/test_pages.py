"""Every page of both sites answers, inside its environment, with what it promises."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.test.utils import override_script_prefix

from connect.admin.sites import environment_site, platform_site
from connect.kit import ids, tenancy
from tests.banks import rows as bank_rows


def lists(site: Any) -> list[str]:
    return sorted(f"{model._meta.app_label}/{model._meta.model_name}/" for model in site._registry)


@pytest.fixture
def rows(api: Any, paid: Any, environment: Any, secrets: Any) -> dict[str, Any]:
    """One row of every model of Acme's test environment, by the path of its list."""
    from django.utils import timezone

    from connect.kit.caller import Caller
    from connect.models import InboxMessage, RequestLog
    from connect.services import audit, webhook_deliveries

    assert api.post("/v1/refunds", {"payment_intent": paid["id"], "amount": 100}).status_code == 200
    assert api.post("/v1/test_helpers/test_clocks", {"frozen_time": 1_800_000_000}).status_code == 200
    item = {"price_data": {"currency": "eur", "unit_amount": 1250, "product_data": {"name": "Coffee"}}, "quantity": 2}
    session = {"mode": "payment", "line_items": [item], "success_url": "https://shop.example/thanks"}
    assert api.post("/v1/checkout/sessions", session).status_code == 200
    saved = {"payment_method": "pm_card_authenticationRequired", "confirm": True, "customer": paid["customer"]}
    assert api.post("/v1/setup_intents", saved).json()["status"] == "requires_action"
    hook = {"url": "https://shop.example/hooks", "enabled_events": ["*"]}
    assert api.post("/v1/webhook_endpoints", hook).status_code == 200
    assert api.post("/v1/customers", {"name": "Luan"}).status_code == 200
    found = {}
    with tenancy.use_environment(environment):
        sender = Caller.system(environment, "tests")
        webhook_deliveries.fan_out(sender)
        assert webhook_deliveries.claim(sender)
        InboxMessage.objects.create(
            received_at=timezone.now(),
            headers={},
            body='{"id": "evt_1"}',
            event_type="customer.created",
            verdict="valid",
        )
        audit.record(Caller.system(environment, "tests"), action="tests.noted", target=paid["id"])
        RequestLog.objects.create(
            id=ids.new(), created_at=timezone.now(), method="GET", path="/v1/charges", status=200, duration_us=1500,
            request_bytes=0, response_bytes=2, response_body='{"a": 1}', account_id=ids.new(), object_id=paid["id"],
        )  # fmt: skip
        bank_rows.everything(Caller.system(environment, "tests"))
        for model in environment_site._registry:
            path = f"{model._meta.app_label}/{model._meta.model_name}/"
            found[path] = model.objects.order_by("-id").first()
    return found


def test_a_moment_is_written_day_before_month_with_24_hours_and_its_zone(
    staff_client: Client, door: Any, paid: Any
) -> None:
    page = staff_client.get(door("payments/charge/")).content.decode()
    assert re.search(r">\s*\d{1,2} [A-Z][a-z]{2} \d{4}, \d{2}:\d{2} (CET|CEST)\s*<", page)
    assert not re.search(r"\d [ap]\.m\.", page)


@pytest.mark.parametrize("page", lists(environment_site))
def test_every_list_of_an_environment_answers(staff_client: Client, door: Any, rows: Any, page: str) -> None:
    response = staff_client.get(door(page))
    assert response.status_code == 200
    if rows[page] is not None:
        assert len(response.context["cl"].result_list) >= 1


@pytest.mark.parametrize("page", lists(environment_site))
def test_every_row_of_an_environment_has_a_page_under_its_public_id(
    staff_client: Client, door: Any, rows: Any, page: str
) -> None:
    row = rows[page]
    if row is None:
        assert page in {"connect_tenant/idempotencykey/", "ledger/hold/"}  # what one payment by card leaves empty
        return
    admin = environment_site._registry[type(row)]
    response = staff_client.get(door(f"{page}{admin.row_id(row)}/change/"))
    assert response.status_code == 200
    assert admin.row_id(row) in response.content.decode()
    assert staff_client.get(door(f"{page}{row.pk}/change/")).status_code == 200


@pytest.mark.parametrize("page", lists(platform_site))
def test_every_list_of_the_platform_answers_and_leads_to_its_rows(staff_client: Client, page: str) -> None:
    response = staff_client.get(f"/admin/{page}")
    assert response.status_code == 200
    for row in list(response.context["cl"].result_list)[:1]:
        url = response.context["cl"].url_for_result(row)
        assert staff_client.get(url).status_code == 200


def test_every_link_of_an_environments_page_stays_in_it_or_leads_out_on_purpose(
    staff_client: Client, door: Any, paid: Any
) -> None:
    """Lists, rows, breadcrumbs, filters, forms: all keep the environment, in whatever code they were reversed."""
    pages = ["", "payments/", "payments/paymentintent/", "payments/paymentintent/?status__exact=succeeded",
             f"payments/paymentintent/?q={paid['id']}", f"payments/paymentintent/{paid['id']}/change/"]  # fmt: skip
    for page in pages:
        text = staff_client.get(door(page)).content.decode()
        links = re.findall(r'\s(?:href|action|hx-get)="([^"]+)"', text)
        assert any(link.startswith(door()) for link in links)
        strays = [link for link in links if not link.startswith((door(), "/static/", "?", "#"))]
        assert set(strays) <= {"/", "/admin/", "."}, page


def test_links_are_as_before_once_an_environments_page_is_answered(staff_client: Client, door: Any) -> None:
    from django.urls import get_script_prefix, get_urlconf, reverse

    staff_client.get(door())
    staff_client.get(door("payments/nothing/"))
    assert (get_script_prefix(), get_urlconf(), reverse("admin:index")) == ("/", None, "/admin/")


def test_a_product_under_a_prefix_of_its_own(staff_client: Client, door: Any, paid: Any) -> None:
    with override_script_prefix("/connect/"):  # what Django's WSGI handler does with SCRIPT_NAME
        response = staff_client.get(door("payments/paymentintent/"), SCRIPT_NAME="/connect")
    text = response.content.decode()
    assert f'href="/connect{door()}payments/paymentintent/{paid["id"]}/change/' in text
    assert 'href="/connect/admin/"' in text


def test_related_objects_are_linked(staff_client: Client, door: Any, paid: Any) -> None:
    text = staff_client.get(door(f"payments/paymentintent/{paid['id']}/change/")).content.decode()
    assert door(f"payments/charge/{paid['latest_charge']}/change/") in text
    assert door(f"payments/customer/{paid['customer']}/change/") in text
    assert "25.00\N{NO-BREAK SPACE}EUR" in text


def test_a_transaction_of_the_ledger_shows_its_lines_and_they_balance(
    staff_client: Client, door: Any, paid: Any, rows: Any
) -> None:
    row = rows["ledger/transaction/"]
    text = staff_client.get(door(f"ledger/transaction/{row.pk}/change/")).content.decode()
    lines = re.findall(r'<td class="number">([\d.]*)[^<]*</td><td class="number">([\d.]*)', text)
    debited, credited = (
        sum(int((side or "0").replace(".", "")) for side in column) for column in zip(*lines, strict=True)
    )
    assert debited == credited > 0


@pytest.mark.parametrize(
    ("page", "key"),
    [("payments/paymentintent/", "id"), ("payments/paymentintent/", "customer"), ("payments/charge/", "id"),
     ("payments/paymentattempt/", "latest_charge"), ("connect_tenant/event/", "id"),
     ("ledger/transaction/", "latest_charge")],
)  # fmt: skip
def test_typing_an_id_finds_the_rows_it_names(staff_client: Client, door: Any, paid: Any, page: str, key: str) -> None:
    found = staff_client.get(door(page), {"q": paid[key]}).context["cl"].result_list
    assert len(found) >= 1
    missing = ids.encode(paid[key].rpartition("_")[0], ids.new())
    assert list(staff_client.get(door(page), {"q": missing}).context["cl"].result_list) == []


def test_a_customer_is_found_by_address_and_by_nothing_less(staff_client: Client, door: Any, paid: Any) -> None:
    def found(term: str) -> int:
        return len(staff_client.get(door("payments/customer/"), {"q": term}).context["cl"].result_list)

    assert (found("mira@shop.example"), found("mira"), found("' OR 1=1")) == (1, 0, 0)


def test_filters_narrow_the_list(staff_client: Client, door: Any, paid: Any, api: Any) -> None:
    api.post("/v1/payment_intents", {"amount": 700, "currency": "eur"})
    page = door("payments/paymentintent/")
    assert len(staff_client.get(page).context["cl"].result_list) == 2
    narrowed = staff_client.get(page, {"status__exact": "succeeded"}).context["cl"].result_list
    assert [row.amount_minor for row in narrowed] == [2500]


def test_pages_go_back_and_forth(staff_client: Client, door: Any, api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from payments.models import PaymentIntent

    monkeypatch.setattr(environment_site._registry[PaymentIntent], "list_per_page", 2)
    made = [api.post("/v1/payment_intents", {"amount": 700 + n, "currency": "eur"}).json()["id"] for n in range(3)]
    shown = []
    for number in (1, 2):
        rows = staff_client.get(door("payments/paymentintent/"), {"p": number}).context["cl"].result_list
        shown.append([ids.encode("pi", row.pk) for row in rows])
    assert shown == [[made[2], made[1]], [made[0]]]
    beyond = staff_client.get(door("payments/paymentintent/"), {"p": 10**9}, follow=True)
    assert beyond.status_code == 200


def test_an_id_typed_on_the_first_page_leads_to_the_row(staff_client: Client, door: Any, paid: Any) -> None:
    response = staff_client.get(door(), {"q": paid["id"]})
    assert response["Location"] == door(f"payments/paymentintent/{paid['id']}/change/")
    assert b"is not an id" in staff_client.get(door(), {"q": "pi_short"}).content


def test_the_search_by_keyboard_never_mixes_environments(
    staff_client: Client, door: Any, paid: Any, environments: Any, let_in: Any
) -> None:
    """The theme's own search remembers answers by person and text; ours must not."""
    let_in(environments["other/test"])
    other = f"/admin/e/{environments['other/test'].short_id}/"
    first = staff_client.get(door("search/"), {"s": "charge", "extended": 1}).content.decode()
    second = staff_client.get(f"{other}search/", {"s": "charge", "extended": 1}).content.decode()
    assert f"{door()}payments/charge/" in first
    assert f"{other}payments/charge/" in second
    assert door() not in second


def test_the_platforms_first_page_finds_environments(staff_client: Client, environments: Any) -> None:
    acme, other = environments["acme/test"], environments["other/test"]

    def found(query: str) -> str:
        return staff_client.get("/admin/", {"q": query}).content.decode()

    for query in (
        "acme",
        acme.short_id,
        acme.schema_name,
        ids.encode("env", acme.id),
        ids.encode("org", acme.organization_id),
    ):
        assert f"/admin/e/{acme.short_id}/" in found(query), query
        assert f"/admin/e/{other.short_id}/" not in found(query), query
    assert "No environment matches" in found("nobody at all")


@pytest.mark.parametrize("page", lists(environment_site))
def test_a_longer_list_takes_no_more_statements(
    staff_client: Client, door: Any, api: Any, paid: Any, page: str, django_assert_max_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert staff_client.get(door(page)).status_code == 200
        return len(captured)

    statements()
    before = statements()
    for _ in range(3):
        body = {
            "amount": 900,
            "currency": "eur",
            "customer": paid["customer"],
            "payment_method": "pm_card_visa",
            "confirm": True,
        }
        assert api.post("/v1/payment_intents", body).status_code == 200
    assert statements() == before


def test_lists_are_never_counted(staff_client: Client, door: Any, paid: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        staff_client.get(door("payments/paymentintent/"))
    assert [query["sql"] for query in captured if "COUNT(" in query["sql"].upper()] == []


def test_a_delivery_leads_to_its_event_and_endpoint_and_is_found_by_either(
    staff_client: Client, door: Any, rows: Any
) -> None:
    delivery = rows["connect_tenant/webhookdelivery/"]
    ours = {"evt": delivery.event_id, "we": delivery.endpoint_id}
    names = {"evt": "event", "we": "webhookendpoint"}
    page = f"connect_tenant/webhookdelivery/{ids.encode('whd', delivery.pk)}/change/"
    text = staff_client.get(door(page)).content.decode()
    for prefix, identifier in ours.items():
        public_id = ids.encode(prefix, identifier)
        assert door(f"connect_tenant/{names[prefix]}/{public_id}/change/") in text
        found = staff_client.get(door("connect_tenant/webhookdelivery/"), {"q": public_id}).context["cl"].result_list
        assert delivery.pk in {row.pk for row in found}
    attempts = staff_client.get(door("connect_tenant/webhookattempt/"), {"q": ids.encode("whd", delivery.pk)})
    assert {row.delivery_id for row in attempts.context["cl"].result_list} == {delivery.pk}


def test_a_setup_leads_to_its_attempt_and_is_found_by_customer(
    staff_client: Client, door: Any, rows: Any, paid: Any
) -> None:
    setup = rows["payments/setupintent/"]
    public_id = ids.encode("seti", setup.pk)
    for page in ("payments/setupintent/", "payments/authentication/", "payments/paymentattempt/"):
        found = staff_client.get(door(page), {"q": public_id}).context["cl"].result_list
        assert len(found) == 1, page
    text = staff_client.get(door(f"payments/authentication/{rows['payments/authentication/'].pk}/change/")).content
    assert door(f"payments/setupintent/{public_id}/change/").encode() in text
    by_customer = staff_client.get(door("payments/setupintent/"), {"q": paid["customer"]}).context["cl"].result_list
    assert [row.pk for row in by_customer] == [setup.pk]


def test_a_customer_leads_to_the_clock_they_live_by(staff_client: Client, door: Any, api: Any) -> None:
    clock = api.post("/v1/test_helpers/test_clocks", {"frozen_time": 1_800_000_000}).json()["id"]
    customer = api.post("/v1/customers", {"test_clock": clock}).json()["id"]
    text = staff_client.get(door(f"payments/customer/{customer}/change/")).content.decode()
    assert door(f"connect_tenant/testclock/{clock}/change/") in text
    assert len(staff_client.get(door("payments/customer/"), {"q": clock}).context["cl"].result_list) == 1
