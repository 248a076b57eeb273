"""Error classes: one class per code, texts filled from data, a catalogue of them all."""

import pytest

from connect.kit import errors
from connect.kit.errors import DomainError, catalogue


def test_the_message_is_filled_from_the_data():
    error = errors.ResourceMissing(resource="customer", id="cus_1", param="customer")
    assert (error.text, str(error), error.param) == (
        "No such customer: 'cus_1'",
        "No such customer: 'cus_1'",
        "customer",
    )
    assert error.data == {"resource": "customer", "id": "cus_1"}


def test_a_message_of_one_s_own_is_taken_as_it_is():
    assert errors.ParameterInvalid("{not filled}", param="a").text == "{not filled}"


def test_a_code_belongs_to_one_class():
    with pytest.raises(TypeError, match="already"):

        class Second(DomainError):
            """Takes a code that is taken."""

            code = "parameter_missing"


def test_a_subclass_may_keep_the_code_with_another_status():
    assert errors.MissingParameterTarget.code == errors.ResourceMissing.code
    assert (errors.MissingParameterTarget.status, errors.ResourceMissing.status) == (400, 404)
    assert errors.MissingParameterTarget not in catalogue()


def test_the_catalogue_is_in_order_and_complete():
    codes = [error.code for error in catalogue()]
    assert codes == sorted(set(codes))
    assert {"parameter_missing", "internal_error", "lock_timeout"} <= set(codes)


def test_headers_are_a_copy():
    first = errors.LockTimeout().extra_headers()
    first["Retry-After"] = "99"
    assert errors.LockTimeout().extra_headers() == {"Retry-After": "1", "Stripe-Should-Retry": "true"}
