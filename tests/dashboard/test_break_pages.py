"""Break something: each button does what it says through the product's own services, once, and leads to what it made."""

from __future__ import annotations

import html
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse

from banks.models import Connection
from connect.kit import clock, ids
from connect.kit.tenancy import use_environment
from connect.models import AuditEntry, Event, WebhookDelivery, WebhookEndpoint
from connect.models import TestClock as Clock
from tests.banks import rows as bank_rows


def address(mode="test"):
    return reverse("dashboard:break_something", args=["acme", mode])


def text_of(answer):
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


@pytest.fixture
def press(pages):
    """`press("decline")` sends the form of a button and answers with the page it leads to."""

    def send(what, *, key=None, **more):
        form = {"idempotency_key": key or ids.new().hex, "what": what, **more}
        answer = pages.post(address(), form)
        assert answer.status_code == 302
        return pages.get(answer["Location"])

    return send


def made_by(answer):
    return parse_qs(urlsplit(answer.request["QUERY_STRING"]).path)["id"][0]


def events(environment, **conditions):
    with use_environment(environment):
        return list(Event.objects.filter(**conditions).order_by("id").values_list("type", flat=True))


def test_a_card_is_declined(press, api, environment):
    answer = press("decline")
    intent = api.get(f"/v1/payment_intents/{made_by(answer)}").json()
    assert intent["status"] == "requires_payment_method"
    assert intent["last_payment_error"]["decline_code"] == "insufficient_funds"
    assert events(environment, object_id=intent["id"]) == ["payment_intent.created", "payment_intent.payment_failed"]
    page = text_of(answer)
    assert "insufficient_funds" in page
    assert reverse("dashboard:payment", args=["acme", "test", intent["id"]]) in page


def test_a_double_click_declines_once(press, api):
    key = ids.new().hex
    assert made_by(press("decline", key=key)) == made_by(press("decline", key=key))
    assert len(api.get("/v1/payment_intents").json()["data"]) == 1


def test_money_is_held_and_seven_days_let_it_go(press, api, environment):
    held = made_by(press("hold"))
    assert api.get(f"/v1/payment_intents/{held}").json()["status"] == "requires_capture"
    with use_environment(environment):
        before = Clock.objects.get()
    answer = press("advance", test_clock=ids.encode("clock", before.id))
    with use_environment(environment):
        after = Clock.objects.get()
    assert (after.frozen_time - before.frozen_time).days == 7
    assert api.get(f"/v1/payment_intents/{held}").json()["status"] == "canceled"
    assert "payment_intent.canceled" in text_of(answer), "among the newest events"
    assert "moved seven days ahead" in text_of(answer)


def test_an_endpoint_answers_500_and_is_mended(press, environment):
    """Pressed twice, the same endpoint gets two events; mended, it has the inbox's own address."""
    first, second = made_by(press("webhooks_fail")), made_by(press("webhooks_fail"))
    assert first != second
    with use_environment(environment):
        (endpoint,) = WebhookEndpoint.objects.all()
        assert endpoint.url.endswith("?status=500")
        assert WebhookDelivery.objects.filter(endpoint_id=endpoint.id, state="pending").count() == 2
    assert made_by(press("webhooks_heal")) == ids.encode("we", endpoint.id)
    with use_environment(environment):
        assert WebhookEndpoint.objects.get().url == endpoint.url.removesuffix("?status=500")


def test_a_broken_endpoint_that_was_disabled_is_enabled_again(press, environment):
    press("webhooks_fail")
    with use_environment(environment):
        WebhookEndpoint.objects.update(status="disabled", disabled_at=clock.wall())
    press("webhooks_fail")
    with use_environment(environment):
        assert WebhookEndpoint.objects.get().status == "enabled"


def test_the_inbox_that_was_told_to_fail_does(press, environment, client):
    """The address is real: what is sent there is kept and answered with 500."""
    press("webhooks_fail")
    with use_environment(environment):
        url = WebhookEndpoint.objects.get().url
    assert client.post("/" + url.split("/", 3)[3], b"{}", content_type="application/json").status_code == 500


def test_mending_what_is_not_broken_is_refused_in_words(press):
    assert "No such webhook_endpoint" in text_of(press("webhooks_heal"))


def test_the_bank_is_put_down_for_a_while_and_brought_back(press, pages, environment, sandbox_bank):
    with use_environment(environment):
        connection = bank_rows.connection()
        Connection.objects.filter(pk=connection.pk).update(sync_due_at=None)
    answer = press("bank_down")
    (fault,) = sandbox_bank.state()["faults"]
    assert (fault["kind"], fault["endpoint"], fault["remaining"]) == ("down", "", None)
    assert fault["until"]
    page = text_of(answer)
    assert "It is down until" in page
    assert "Bring it back" in page
    with use_environment(environment):
        assert AuditEntry.objects.filter(action="sandbox_bank.put_down").count() == 1
    press("bank_up")
    assert sandbox_bank.state()["faults"] == []
    assert "Put it down" in text_of(pages.get(address()))


def test_the_newest_connection_to_the_bank_is_read_at_once(press, environment, sandbox_bank):
    from banks.domain import institution_ids

    with use_environment(environment):
        made = bank_rows.connection()
        Connection.objects.filter(pk=made.pk).update(
            institution_id=institution_ids.of_slug("sandbox-bank"), sync_due_at=None
        )
    assert made_by(press("bank_down")) == ids.encode("conn", made.id)
    with use_environment(environment):
        assert Connection.objects.get(pk=made.pk).sync_due_at <= clock.wall()


def test_a_bank_that_does_not_run_is_told_of(press, pages, settings, environment):
    for url in ("", "http://127.0.0.1:9"):
        settings.FC_SANDBOX_BANK_URL = url
        assert "Sandbox Bank is not running" in text_of(pages.get(address()))
        assert "FC_SANDBOX_BANK_URL says" in text_of(press("bank_down"))
    with use_environment(environment):
        assert not AuditEntry.objects.filter(action="sandbox_bank.put_down").exists()


def test_the_banks_control_is_never_asked_inside_a_transaction(environment, opened):
    from banks.clients import sandbox_control
    from connect.kit.tenancy import TransactionForbidden

    with pytest.raises(TransactionForbidden):
        sandbox_control.ask("state")


def test_live_mode_breaks_nothing(pages, environments):
    from banks.domain.errors import SandboxBankInLive
    from banks.services import sandbox_bank
    from connect.kit.caller import Caller

    assert pages.get(address("live")).status_code == 404
    assert pages.post(address("live"), {"idempotency_key": "0" * 32, "what": "decline"}).status_code == 404
    with pytest.raises(SandboxBankInLive):
        sandbox_bank.begin(Caller.system(environments["acme/live"], "tests"), down=True)


@pytest.mark.parametrize("form", [{}, {"what": "decline"}, {"idempotency_key": "0" * 32, "what": "everything"}])
def test_a_form_that_is_none_does_nothing(pages, environment, form):
    assert pages.post(address(), form).status_code == 302
    assert events(environment) == []


def test_an_address_nobody_was_led_to_tells_of_nothing(pages):
    for query in ({"done": "decline", "id": "pi_nothing"}, {"done": "x", "id": "y"}, {"done": "advance", "id": ""}):
        assert pages.get(address(), query).context["outcome"] is None


def test_every_form_has_a_key_of_its_own(pages):
    import re

    keys = re.findall(r'name="idempotency_key" value="([0-9a-f]{32})"', text_of(pages.get(address())))
    assert len(keys) == len(set(keys)) >= 3


def test_the_newest_events_come_alone(pages, press):
    press("decline")
    part = text_of(pages.get(address(), headers={"HX-Request": "true", "HX-Target": "results"}))
    assert "payment_intent.payment_failed" in part
    assert "A bank is down" not in part


@pytest.mark.parametrize(("role", "status"), [("developer", 200), ("admin", 200), ("analyst", 403), ("support", 403)])
def test_builders_break_things(pages_as, role, status):
    assert pages_as(role).get(address()).status_code == status
