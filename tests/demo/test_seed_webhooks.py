"""The demo's webhook endpoint leads to its own inbox, whatever address this run has."""

from __future__ import annotations

import pytest

from connect.kit.tenancy import use_environment
from connect.selectors import webhook_endpoints as selectors
from demo.seed import _webhooks


@pytest.fixture
def endpoints(caller):
    def read():
        with use_environment(caller.environment):
            return selectors.every(caller)

    return read


def test_the_endpoint_is_made_once_and_its_secret_is_kept(caller, endpoints, settings):
    settings.FC_PUBLIC_URL = "http://127.0.0.1:8000"
    secret = _webhooks(caller, None)
    assert secret.startswith("whsec_")
    assert _webhooks(caller, secret) == secret
    (one,) = endpoints()
    assert one.url.startswith("http://127.0.0.1:8000/webhook-inbox/")


def test_it_follows_when_the_port_changes(caller, endpoints, settings):
    settings.FC_PUBLIC_URL = "http://127.0.0.1:8000"
    secret = _webhooks(caller, None)
    settings.FC_PUBLIC_URL = "http://127.0.0.1:8001"
    assert _webhooks(caller, secret) == secret
    (one,) = endpoints()
    assert one.url.startswith("http://127.0.0.1:8001/webhook-inbox/")


def test_a_secret_that_was_lost_is_replaced(caller, endpoints):
    secret = _webhooks(caller, None)
    assert _webhooks(caller, None) not in (None, secret)
    assert len(endpoints()) == 1


def test_an_address_that_webhooks_cannot_reach_is_left_alone(caller, endpoints, settings):
    settings.FC_PUBLIC_URL = "http://connect.internal"
    assert _webhooks(caller, None) is None
    assert endpoints() == []
