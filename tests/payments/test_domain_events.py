"""Events: one table of types, and an order for everything that happens."""

import pytest

from payments.domain.events import EMITTED, EVENT_TYPES, Happening


def test_everything_that_happens_emits_known_types_once_each() -> None:
    assert set(EMITTED) == set(Happening)
    for happening, names in EMITTED.items():
        assert names, happening
        assert len(set(names)) == len(names)
        assert set(names) <= set(EVENT_TYPES)


def test_the_charge_speaks_before_its_intent() -> None:
    for names in EMITTED.values():
        objects = [EVENT_TYPES[name].object for name in names]
        assert objects == sorted(objects)  # "charge" sorts before "payment_intent"


def test_a_type_s_name_begins_with_its_object() -> None:
    for name, event in EVENT_TYPES.items():
        assert name == event.name
        assert name.startswith(f"{event.object}.") or name == "charge.refund.updated"  # Stripe's older name
        assert event.description.endswith(".")


@pytest.mark.parametrize(
    ("happening", "names"),
    [
        (Happening.TAKEN, ("charge.succeeded", "payment_intent.succeeded")),
        (Happening.HELD, ("charge.succeeded", "payment_intent.amount_capturable_updated")),
        (
            Happening.CAPTURED,
            ("charge.captured", "payment_intent.amount_capturable_updated", "payment_intent.succeeded"),
        ),
        (Happening.CAPTURED_PART, ("payment_intent.amount_capturable_updated",)),
        (Happening.DECLINED, ("charge.failed", "payment_intent.payment_failed")),
    ],
)
def test_the_usual_stories(happening: Happening, names: tuple[str, ...]) -> None:
    assert EMITTED[happening] == names
