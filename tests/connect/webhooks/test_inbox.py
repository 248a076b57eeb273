"""The built-in inbox: an address per test environment that keeps what arrives and says whether it was signed."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.test import Client

from connect.kit.tenancy import use_environment
from connect.selectors import webhook_deliveries as selectors
from connect.services import webhook_inbox


@pytest.fixture
def path(environment):
    return urlsplit(webhook_inbox.address(environment)).path


def send(path, body=b"{}", headers=None, **more):
    return Client(enforce_csrf_checks=True).post(
        path, body, content_type="application/json", headers=dict(headers or {}), **more
    )


def inbox(environment):
    with use_environment(environment):
        return list(selectors.inbox())


def outgoing(shop, url):
    """One request as the dispatcher would send it."""
    shop.endpoint(url=url)
    event = shop.publish(name="Ана")
    shop.fan_out()
    (one,) = shop.claim()
    return event, one


def test_what_was_signed_by_an_endpoint_that_leads_here_is_valid(shop, environment):
    event, one = outgoing(shop, webhook_inbox.address(environment))
    answer = send(urlsplit(one.url).path, one.body, one.headers)
    assert answer.status_code == 200
    (message,) = inbox(environment)
    assert (message.event_id, message.event_type, message.verdict) == (event, "customer.created", "valid")
    assert message.body == one.body.decode()
    assert message.headers["webhook-id"] == event


def test_an_altered_or_unsigned_request_is_kept_and_named(shop, environment, path):
    _, one = outgoing(shop, webhook_inbox.address(environment))
    send(path, one.body + b" ", one.headers)
    send(path, one.body)
    assert [message.verdict for message in inbox(environment)] == ["unsigned", "invalid"]


def test_the_inbox_can_be_told_to_fail(shop, environment):
    _, one = outgoing(shop, f"{webhook_inbox.address(environment)}?status=503")
    parts = urlsplit(one.url)
    assert send(f"{parts.path}?{parts.query}", one.body, one.headers).status_code == 503
    (message,) = inbox(environment)
    assert (message.verdict, message.answered_status) == ("valid", 503)


@pytest.mark.parametrize("asked", ["", "x", "99", "600", "-1", "1000000", "٣٠٠"])
def test_any_other_wish_is_answered_with_200(path, asked):
    assert send(f"{path}?status={asked}").status_code == 200


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff\x00", b'{"id": 7, "type": null}', b'{"id": "\\u0000"}'])
def test_whatever_arrives_is_kept(environment, path, body):
    assert send(path, body).status_code == 200
    (message,) = inbox(environment)
    assert message.verdict == "unsigned"
    assert "\0" not in message.body + message.event_id


def test_the_address_is_the_credential(environments, environment, path):
    own = path.rpartition("/")[2]
    short_id, _, secret = own.partition(".")
    other = urlsplit(webhook_inbox.address(environments["other/test"])).path.rpartition("/")[2]
    wrong = [
        f"{short_id}.{'0' * 22}", f"{short_id}.", short_id, f".{secret}", f"{other.partition('.')[0]}.{secret}",
        f"{environments['acme/live'].short_id}.{secret}", "x", f"{short_id}.ж",
        urlsplit(webhook_inbox.address(environments["acme/live"])).path.rpartition("/")[2],
    ]  # fmt: skip
    for token in wrong:
        assert send(f"/webhook-inbox/{token}").status_code == 404, token
    assert [inbox(one) for one in environments.values()] == [[], [], [], []]
    assert webhook_inbox.environment_at(own) == environment


def test_it_takes_posts_of_64_kilobytes(environment, path):
    assert Client().get(path).status_code == 405
    assert send(path, b"x" * (64 * 1024)).status_code == 200
    assert send(path, b"x" * (64 * 1024 + 1)).status_code == 413
    assert send(path, b"x" * (3 * 1024 * 1024)).status_code == 413
    assert len(inbox(environment)) == 1


def test_only_the_newest_are_kept(environment, path, monkeypatch):
    monkeypatch.setattr(webhook_inbox, "KEPT", 3)
    for number in range(5):
        send(path, b'{"id": "evt_%d"}' % number)
    assert [message.event_id for message in inbox(environment)] == ["evt_4", "evt_3", "evt_2"]
