"""Input: what an endpoint accepts, declared as a DRF serializer and read by a plan made once per class.

    class TransferData(InputSerializer):
        destination = IdField("acct")
        amount = MinorUnitsField(required=False)

    class PaymentIntentCreate(InputSerializer):
        ACCEPTED_WITHOUT_EFFECT = {"automatic_payment_methods": "The methods of the environment are always used."}
        amount = MinorUnitsField()
        currency = CurrencyField()
        description = TextField(required=False, allow_null=True)
        metadata = MetadataField()
        transfer_data = TransferData(required=False)

    payment_intents.create(caller, **PaymentIntentCreate.check(tree))

Three things can happen to a parameter, and services tell them apart:

* **absent**: its name is not in the result, so the service's own default holds (on updates: `msgspec.UNSET`);
* **unset** (`''` in a form, `''` or `null` in JSON): None where the field says `allow_null=True`, else refused;
* **given**: the validated value.

Whatever is not declared is refused by name, at every depth. The first error wins, always the same one: unknown names in
the order they were sent, then fields in the order they are declared.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from rest_framework import serializers
from rest_framework.fields import SkipField, empty

from connect.api.errors import from_validation_error
from connect.api.fields import IdField, InputField, IntegerField, Reader, shorten
from connect.api.parsers import LIST_LENGTH_MAX
from connect.kit.errors import (
    ParameterInvalid,
    ParameterInvalidEmpty,
    ParameterInvalidInteger,
    ParameterMissing,
    ParameterUnknown,
)
from connect.kit.pages import MAXIMUM_LIMIT

_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class _Step:
    """One field, reduced to what reading needs."""

    name: str
    target: str
    read: Reader
    required: bool
    default: Any
    allow_null: bool
    reads_empty: bool


@dataclass(frozen=True, slots=True)
class _Plan:
    """A serializer class, compiled: DRF would copy every field for every request instead."""

    steps: tuple[_Step, ...]
    known: frozenset[str]
    fields: Any
    prototype: InputSerializer
    validates: bool


class InputSerializer(serializers.Serializer):
    """Base of every input. See the module's text for the rules.

    `ACCEPTED_WITHOUT_EFFECT` names parameters of Stripe's API that cannot matter here, each with the reason, which the
    API's description repeats. Nothing that touches money may stand there. `RESERVED` names what other parts read.
    Fields are shared by all instances and hold no request: what depends on the caller belongs in the service.
    """

    ACCEPTED_WITHOUT_EFFECT: ClassVar[Mapping[str, str]] = {}
    RESERVED: ClassVar[frozenset[str]] = frozenset({"expand"})
    _compiled: ClassVar[_Plan]

    @classmethod
    def check(cls, data: Mapping[str, Any]) -> dict[str, Any]:
        """Validated values by the service's parameter names; raises a `DomainError` that names the offending input."""
        return cls._read(data, "")

    @classmethod
    def _read(cls, data: Any, prefix: str) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            raise ParameterInvalid(
                f"Invalid object: {prefix or 'the parameters'} must have named fields.", param=prefix
            )
        plan = cls._plan()
        if not plan.known.issuperset(data) or (prefix and not cls.RESERVED.isdisjoint(data)):
            cls._refuse_unknown(data, prefix, plan)
        values: dict[str, Any] = {}
        for step in plan.steps:
            value = data.get(step.name, _ABSENT)
            param = f"{prefix}[{step.name}]" if prefix else step.name
            if value is _ABSENT:
                if step.required:
                    raise ParameterMissing(param=param)
                if step.default is not empty:
                    values[step.target] = step.default() if callable(step.default) else step.default
            elif (value is None or value == "") and not step.reads_empty:
                if not step.allow_null:
                    raise _empty(value, param)
                values[step.target] = None
            else:
                values[step.target] = step.read(value, param)
        return plan.prototype.validate(values) if plan.validates else values

    @classmethod
    def _refuse_unknown(cls, data: Mapping[str, Any], prefix: str, plan: _Plan) -> None:
        allowed = plan.known - cls.RESERVED if prefix else plan.known
        unknown = next(name for name in data if name not in allowed)
        param = f"{prefix}[{unknown}]" if prefix else unknown
        close = difflib.get_close_matches(unknown, sorted(allowed), n=1)
        hint = (
            f". Did you mean {prefix}[{close[0]}]?"
            if close and prefix
            else f". Did you mean {close[0]}?"
            if close
            else ""
        )
        raise ParameterUnknown(f"Received unknown parameter: {shorten(param, 100)}{hint}", param=shorten(param, 100))

    @classmethod
    def _plan(cls) -> _Plan:
        plan = cls.__dict__.get("_compiled")
        if plan is None:
            prototype = cls()
            fields = serializers.Serializer.fields.func(prototype)  # type: ignore[attr-defined]  # a cached_property
            steps = tuple(_compile(name, field) for name, field in fields.items())
            names = {step.name for step in steps}
            plan = _Plan(
                steps=steps,
                known=frozenset(names | set(cls.ACCEPTED_WITHOUT_EFFECT) | cls.RESERVED),
                fields=fields,
                prototype=prototype,
                validates=cls.validate is not serializers.Serializer.validate,
            )
            cls._compiled = plan
        return plan

    # --- the same, for who uses it as a stock DRF serializer ---------------------------------------------------------

    @property
    def fields(self) -> Any:
        """The fields of the class, made once."""
        return self._plan().fields

    def run_validation(self, data: Any = empty) -> Any:
        """`is_valid()` raises our own errors instead of collecting DRF's: the first one is the answer."""
        return self.check({} if data is empty else data)


class ListFilters(InputSerializer):
    """Base of a list's filters: paging and expansion are read elsewhere."""

    RESERVED: ClassVar[frozenset[str]] = frozenset({"expand", "limit", "starting_after", "ending_before"})


class SearchFilters(InputSerializer):
    """Base of a search's input; subclasses add the `query`. `page` is the `next_page` of the answer before."""

    limit = IntegerField(required=False, min_value=1, max_value=MAXIMUM_LIMIT)
    page = IdField("page", required=False)


class NoInput(InputSerializer):
    """For endpoints that take no parameters."""


class ListField(InputField, serializers.ListField):
    """A list of `min_length` to `max_length` elements (0 to 1000), each read by `child`: a field or an input.

    The empty list cannot be written in a form; `''` stands for it, as in official SDKs. `null` is no list.
    """

    reads_empty: ClassVar[bool] = True

    def __init__(self, *, child: Any, min_length: int = 0, max_length: int = LIST_LENGTH_MAX, **kwargs: Any) -> None:
        self.length_min, self.length_max = min_length, max_length
        super().__init__(child=child, min_length=min_length, max_length=max_length, **kwargs)
        self._read_child: Reader | None = None

    def read(self, value: Any, param: str) -> list[Any]:
        if value is None:
            raise _empty(value, param)
        if value == "":
            value = []
        if not isinstance(value, list):
            raise ParameterInvalid(
                f"Invalid array: send {param} as {param}[0], {param}[1] and so on, without gaps.", param=param
            )
        if not self.length_min <= len(value) <= self.length_max:
            if not value:
                raise ParameterInvalidEmpty(f"{param} must have at least {self.length_min} element.", param=param)
            raise ParameterInvalid(
                f"{param} has {len(value)} elements; it can have {self.length_min} to {self.length_max}.", param=param
            )
        if self._read_child is None:
            self._read_child = reader_of(self.child)
        return [self._element(element, f"{param}[{index}]") for index, element in enumerate(value)]

    def _element(self, element: Any, param: str) -> Any:
        if element is None or element == "":
            raise _empty(element, param)
        return self._read_child(element, param)  # type: ignore[misc]  # set by `read`


def reader_of(field: Any) -> Reader:
    """How to read a value with any field: ours, a nested input, or a stock DRF one."""
    if isinstance(field, InputSerializer):
        return type(field)._read  # noqa: SLF001 - the same class
    if isinstance(field, InputField):
        return field.read
    if isinstance(field, serializers.ListSerializer) and isinstance(field.child, InputSerializer):
        return ListField(child=type(field.child)()).read  # declared with many=True
    return _stock_reader(field)


def _stock_reader(field: Any) -> Reader:
    def read(value: Any, param: str) -> Any:
        try:
            return field.run_validation(value)
        except SkipField as error:
            raise ParameterInvalid(param=param) from error
        except serializers.ValidationError as error:
            if isinstance(field, serializers.IntegerField):
                raise ParameterInvalidInteger(param=param, value=shorten(value)) from error
            raise from_validation_error(error, param) from error

    return read


def _compile(name: str, field: Any) -> _Step:
    return _Step(
        name=name,
        target=field.source or name,
        read=reader_of(field),
        required=field.required,
        default=field.default,
        allow_null=field.allow_null,
        reads_empty=getattr(field, "reads_empty", False) or isinstance(field, serializers.ListSerializer),
    )


def _empty(value: Any, param: str) -> ParameterInvalidEmpty:
    if value is None:
        return ParameterInvalidEmpty(
            f"You passed null for '{param}'. Leave the parameter out, or give it a value.", param=param
        )
    return ParameterInvalidEmpty(param=param)
