"""One request, three unmodified libraries: each verifies what we sign, and refuses what was altered."""

from __future__ import annotations

from datetime import timedelta

import pytest
import standardwebhooks
import stripe
import svix
import time_machine

from connect.domain import webhook_signatures
from connect.kit import clock
from connect.kit.clock import unix

BODY = '{"id":"evt_1","object":"event","text":"Ана и €"}'.encode()


def signed(*secrets, at=None, body=BODY):
    return webhook_signatures.headers(
        body, message_id="evt_1", secrets=secrets, at=unix(clock.wall()) if at is None else at
    )


def by_stripe(headers, secret, body=BODY):
    stripe.Webhook.construct_event(body, headers["Stripe-Signature"], secret)


def by_standard(headers, secret, body=BODY):
    standardwebhooks.Webhook(secret).verify(body, headers)


def by_svix(headers, secret, body=BODY):
    svix.Webhook(secret).verify(body, headers)


REFUSALS = (
    stripe.SignatureVerificationError, standardwebhooks.WebhookVerificationError, svix.webhooks.WebhookVerificationError,
)  # fmt: skip
every_library = pytest.mark.parametrize("verify", [by_stripe, by_standard, by_svix])


@every_library
def test_the_official_library_accepts_our_signature(verify):
    secret = webhook_signatures.generate()
    verify(signed(secret), secret)


@every_library
def test_both_secrets_verify_while_one_is_being_rotated(verify):
    new, old = webhook_signatures.generate(), webhook_signatures.generate()
    headers = signed(new, old)
    verify(headers, new)
    verify(headers, old)


@every_library
def test_an_altered_byte_another_secret_and_an_old_time_are_refused(verify):
    secret = webhook_signatures.generate()
    with pytest.raises(REFUSALS):
        verify(signed(secret), secret, BODY.replace(b"evt_1", b"evt_2"))
    with pytest.raises(REFUSALS):
        verify(signed(secret), webhook_signatures.generate())
    with pytest.raises(REFUSALS):
        verify(signed(secret, at=unix(clock.wall()) - 301), secret)


def test_a_secret_is_32_random_bytes_in_base64():
    one, other = webhook_signatures.generate(), webhook_signatures.generate()
    assert one != other
    assert one.startswith("whsec_")
    assert len(webhook_signatures.key_of(one)) == 32
    with pytest.raises(ValueError, match="whsec_"):
        webhook_signatures.key_of("whsec_not base64")


def test_a_message_id_with_a_dot_is_refused():
    with pytest.raises(ValueError, match="dot"):
        webhook_signatures.standard_signature(BODY, message_id="a.b", secrets=["whsec_"], at=1)


def test_the_known_vector_of_the_specification():
    """https://github.com/standard-webhooks: the example every implementation checks."""
    signature = webhook_signatures.standard_signature(
        b'{"test": 2432232314}', message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        secrets=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], at=1614265330,
    )  # fmt: skip
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def lower(headers):
    return {name.lower(): value for name, value in headers.items()}


def test_our_own_verdicts():
    secret, now = webhook_signatures.generate(), unix(clock.wall())
    headers = lower(signed(secret, at=now))

    def verdict(headers=headers, body=BODY, secrets=(secret,), at=now):
        return webhook_signatures.verify(headers, body, secrets=secrets, now=at)

    assert verdict() == "valid"
    assert verdict(secrets=[webhook_signatures.generate(), secret]) == "valid"
    assert verdict({name: text for name, text in headers.items() if name != "stripe-signature"}) == "valid"
    assert verdict({"content-type": "text/plain"}) == "unsigned"
    assert verdict(body=BODY + b" ") == "invalid"
    assert verdict(secrets=[]) == "invalid"
    assert verdict(at=now + 300) == "valid"
    assert verdict(at=now + 301) == "invalid"
    assert verdict(at=now - 301) == "invalid"
    for name in ("stripe-signature", "webhook-signature", "webhook-timestamp", "webhook-id"):
        assert verdict({**headers, name: "nonsense"}) == "invalid", name


def test_time_passes_and_the_signature_does_not_hold_any_more():
    secret = webhook_signatures.generate()
    headers = signed(secret)
    with time_machine.travel(clock.wall() + timedelta(minutes=6)), pytest.raises(REFUSALS):
        by_stripe(headers, secret)
