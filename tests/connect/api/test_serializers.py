"""Inputs: what is accepted, what is refused, under which name and with which code."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from rest_framework import serializers

from connect.api import fields
from connect.api.parsers import parse_form_text
from connect.api.serializers import InputSerializer, ListField, NoInput
from connect.kit import ids, registry
from connect.kit.errors import DomainError
from connect.kit.pages import TimeRange
from tests.connect.api.shop import BoxCreate, BoxList

OWNER = ids.new()


def check(text, serializer=BoxCreate):
    return serializer.check(parse_form_text(text))


def test_a_form_becomes_the_service_s_keywords():
    values = check(
        f"amount=10&currency=EUR&owner={ids.encode('town', OWNER)}&description=&opens_at=1700000000&metadata[a]=b"
        "&lid[color]=red&lids[0][color]=blue&lids[0][price]=5&automatic_payment_methods[enabled]=true&expand[]=owner"
    )
    assert values == {
        "amount": 10,
        "currency": "eur",
        "owner_id": OWNER,
        "description": None,
        "sealed": False,
        "opens_at": datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
        "metadata": {"a": "b"},
        "lid": {"color": "red"},
        "lids": [{"color": "blue", "price": 5}],
    }


def test_what_is_absent_stays_absent_and_defaults_are_filled_in():
    assert check("amount=1&currency=eur") == {"amount": 1, "currency": "eur", "sealed": False}


def test_json_types_are_the_same_values():
    tree = {"amount": 10, "currency": "eur", "sealed": True, "description": None, "lids": [], "metadata": None}
    assert BoxCreate.check(tree) == {
        "amount": 10, "currency": "eur", "sealed": True, "description": None, "lids": [], "metadata": None,
    }  # fmt: skip


BASE = "amount=1&currency=eur&"


@pytest.mark.parametrize(
    ("text", "code", "param"),
    [
        ("currency=eur", "parameter_missing", "amount"),
        ("amount=1", "parameter_missing", "currency"),
        (BASE + "lid[price]=1", "parameter_missing", "lid[color]"),
        (BASE + "lids[0][price]=1", "parameter_missing", "lids[0][color]"),
        (BASE + "foo=1", "parameter_unknown", "foo"),
        (BASE + "foo[bar]=1", "parameter_unknown", "foo"),
        (BASE + "lid[color]=red&lid[foo]=1", "parameter_unknown", "lid[foo]"),
        (BASE + "lids[0][color]=red&lids[1][foo]=1", "parameter_unknown", "lids[1][foo]"),
        (BASE + "lid[color]=red&lid[expand][]=x", "parameter_unknown", "lid[expand]"),
        ("amount=&currency=eur", "parameter_invalid_empty", "amount"),
        (BASE + "lid=", "parameter_invalid_empty", "lid"),
        (BASE + "lids[0]=", "parameter_invalid_empty", "lids[0]"),
        ("amount=1.5&currency=eur", "parameter_invalid_integer", "amount"),
        ("amount= 10&currency=eur", "parameter_invalid_integer", "amount"),
        ("amount=%2B10&currency=eur", "parameter_invalid_integer", "amount"),
        ("amount=1e3&currency=eur", "parameter_invalid_integer", "amount"),
        ("amount=true&currency=eur", "parameter_invalid_integer", "amount"),
        ("amount=0&currency=eur", "parameter_invalid_integer", "amount"),
        ("amount=-1&currency=eur", "parameter_invalid_integer", "amount"),
        ("amount=1000000000000&currency=eur", "parameter_invalid_integer", "amount"),
        ("amount=99999999999999999999999&currency=eur", "parameter_invalid_integer", "amount"),
        ("amount=٣&currency=eur", "parameter_invalid_integer", "amount"),
        ("amount[a]=1&currency=eur", "parameter_invalid_integer", "amount"),
        ("amount=1&currency=xxx", "parameter_invalid", "currency"),
        ("amount=1&currency[]=eur", "parameter_invalid", "currency"),
        (BASE + "sealed=1", "parameter_invalid", "sealed"),
        (BASE + "sealed=True", "parameter_invalid", "sealed"),
        (BASE + "lid[color]=green", "parameter_invalid", "lid[color]"),
        (BASE + "lid=red", "parameter_invalid", "lid"),
        (BASE + "lids=red", "parameter_invalid", "lids"),
        (BASE + "lids[1][color]=red", "parameter_invalid", "lids"),
        (BASE + "&".join(f"lids[{i}][color]=red" for i in range(4)), "parameter_invalid", "lids"),
        (BASE + "description=" + "x" * 21, "parameter_invalid", "description"),
        (BASE + "description[a]=x", "parameter_invalid", "description"),
        (BASE + "owner=cus_1", "resource_missing", "owner"),
        (BASE + "opens_at=253402300799", "parameter_invalid_integer", "opens_at"),
        (BASE + "metadata=x", "parameter_invalid", "metadata"),
        (BASE + "metadata[a][b]=x", "parameter_invalid", "metadata[a]"),
        (BASE + "metadata[" + "k" * 41 + "]=x", "parameter_invalid", "metadata"),
        (BASE + "metadata[a]=" + "v" * 501, "parameter_invalid", "metadata[a]"),
        (BASE + "&".join(f"metadata[k{i}]=x" for i in range(51)), "parameter_invalid", "metadata"),
        (BASE + "return_url=javascript:alert(1)", "parameter_invalid", "return_url"),
        (BASE + "return_url=https://user@host/", "parameter_invalid", "return_url"),
        (BASE + "return_url=https://host/%0Ax", "parameter_invalid", "return_url"),
        (BASE + "return_url=https:host", "parameter_invalid", "return_url"),
        (BASE + "return_url=https://[::1", "parameter_invalid", "return_url"),
        (BASE + "return_url=https://host:99999/", "parameter_invalid", "return_url"),
    ],
)
def test_refusals_name_the_parameter(text, code, param):
    with pytest.raises(DomainError) as refused:
        check(text)
    assert (refused.value.code, refused.value.param, refused.value.status) == (code, param, 400)


def test_json_booleans_and_floats_are_not_integers():
    for amount in (True, 1.0, Decimal("1.0"), None, [], {}):
        with pytest.raises(DomainError):
            BoxCreate.check({"amount": amount, "currency": "eur"})


def test_the_first_error_is_always_the_same():
    """Unknown names come first, in the order sent; then the fields in the order declared."""
    with pytest.raises(DomainError) as refused:
        check("zzz=1&aaa=2&amount=x")
    assert refused.value.param == "zzz"
    with pytest.raises(DomainError) as refused:
        check("currency=xxx&amount=x")
    assert refused.value.param == "amount"


def test_an_unknown_name_close_to_a_known_one_is_pointed_out():
    with pytest.raises(DomainError, match="Did you mean amount") as refused:
        check("amout=1&currency=eur")
    assert refused.value.param == "amout"


def test_refusals_of_choices_list_them():
    with pytest.raises(DomainError, match=r"Invalid lid\[color\]: must be one of red or blue"):
        check(BASE + "lid[color]=green")


def test_metadata_keys_may_be_numbers_in_a_form_but_a_json_array_is_not_metadata():
    assert check(BASE + "metadata[0]=x&metadata[1]=y")["metadata"] == {"0": "x", "1": "y"}
    with pytest.raises(DomainError):
        BoxCreate.check({"amount": 1, "currency": "eur", "metadata": ["x"]})


def test_metadata_tells_clearing_from_removing():
    assert check(BASE + "metadata=")["metadata"] is None
    assert check(BASE + "metadata[a]=")["metadata"] == {"a": ""}
    assert BoxCreate.check({"amount": 1, "currency": "eur", "metadata": {"a": None}})["metadata"] == {"a": ""}


def test_an_id_of_several_kinds_says_which_kind_it_is():
    field = fields.IdField("ch", "py")
    assert field.read(ids.encode("py", OWNER), "source") == registry.PublicId("py", OWNER)


def test_decimals_are_exact():
    field = fields.DecimalField()
    assert field.read("0.0125", "p") == Decimal("0.0125")
    assert field.read(Decimal("0.0125"), "p") == Decimal("0.0125")
    for bad in ("1e3", "NaN", "0." + "1" * 13, "1" * 13, " 1", True, 0.5, "1_0", "٣"):
        with pytest.raises(DomainError):
            field.read(bad, "p")


def test_a_list_s_filters_leave_paging_alone():
    values = BoxList.check(parse_form_text("limit=3&starting_after=x&created[gte]=10&created[lt]=20"))
    moments = [datetime.fromtimestamp(seconds, UTC) for seconds in (10, 20)]
    assert values == {"created": TimeRange(gte=moments[0], lt=moments[1])}
    with pytest.raises(DomainError) as refused:
        BoxList.check(parse_form_text("created[before]=10"))
    assert refused.value.param == "created[before]"


def test_an_endpoint_without_input_refuses_any():
    assert NoInput.check({}) == {}
    with pytest.raises(DomainError):
        NoInput.check({"a": "1"})


class Stock(InputSerializer):
    mail = serializers.EmailField(required=False)
    count = serializers.IntegerField(required=False)
    many = BoxList(many=True, required=False)

    def validate(self, attrs):
        return attrs | {"validated": True}


def test_stock_drf_fields_and_validate_work_with_our_errors():
    assert Stock.check({"mail": "a@b.cd", "count": "3", "many": [{}]}) == {
        "mail": "a@b.cd", "count": 3, "many": [{}], "validated": True,
    }  # fmt: skip
    for data, code, param in (
        ({"mail": "x"}, "parameter_invalid", "mail"),
        ({"count": "x"}, "parameter_invalid_integer", "count"),
        ({"many": [{"foo": 1}]}, "parameter_unknown", "many[0][foo]"),
    ):
        with pytest.raises(DomainError) as refused:
            Stock.check(data)
        assert (refused.value.code, refused.value.param) == (code, param)


def test_it_is_still_a_serializer():
    serializer = BoxCreate(data={"amount": 1, "currency": "eur"})
    assert serializer.is_valid()
    assert serializer.validated_data["amount"] == 1
    assert list(serializer.fields) == list(BoxCreate().fields)


class Wider(BoxCreate):
    extra = ListField(child=fields.TextField(), required=False)


def test_a_subclass_has_fields_of_its_own():
    assert check(BASE + "extra[]=a", Wider)["extra"] == ["a"]
    with pytest.raises(DomainError):
        check(BASE + "extra[]=a")


def test_a_list_is_emptied_by_an_empty_text_and_null_is_no_list():
    given = {"amount": 1, "currency": "eur"}
    for empty in ("", []):
        assert Wider.check({**given, "extra": empty})["extra"] == []
    for data, param in (({"extra": None}, "extra"), ({"extra": [None]}, "extra[0]")):
        with pytest.raises(DomainError, match="You passed null") as refused:
            Wider.check({**given, **data})
        assert (refused.value.code, refused.value.param) == ("parameter_invalid_empty", param)
