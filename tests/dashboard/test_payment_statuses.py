"""The words of payment statuses cover the state machine, no more and no less."""

from dashboard.templatetags.statuses import PAYMENT_STATUSES, status_text, status_tone
from payments.domain.payment_intent_state import Status


def test_every_status_has_words():
    assert set(PAYMENT_STATUSES) == {status.value for status in Status}


def test_words_are_unique():
    assert len({text for text, _ in PAYMENT_STATUSES.values()}) == len(PAYMENT_STATUSES)


def test_an_unknown_status_is_shown_as_it_is():
    assert (status_text("brand_new"), status_tone("brand_new")) == ("brand_new", "")
