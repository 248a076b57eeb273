"""The fields of our inputs. Each reads one value, from a form's text or from JSON, and refuses it by name.

They are DRF fields, so that the API's description can be generated from them; `read` is their whole behaviour:
no coercion beyond what is written here, no trimming, nothing accepted twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit
from uuid import UUID

from rest_framework import serializers

from connect.api.parsers import FormList
from connect.kit import clock, currencies, ids, metadata, registry, search
from connect.kit.errors import MissingParameterTarget, ParameterInvalid, ParameterInvalidInteger
from connect.kit.pages import TimeRange, ValueRange

Reader = Callable[[Any, str], Any]
"""Takes a value and its name in bracket form; gives the validated value or raises a `DomainError`."""

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_KEY_FORBIDDEN = re.compile(r"[\[\]]")
TEXT_LENGTH_MAX: Final = 5000


class InputField(serializers.Field):
    """A field whose rules are in `read`. `reads_empty` says that it gives an empty text a meaning of its own."""

    reads_empty: ClassVar[bool] = False

    def read(self, value: Any, param: str) -> Any:
        """The validated value; `param` is its full name, for errors."""
        raise NotImplementedError

    def described(self) -> dict[str, Any]:
        """JSON Schema keywords that say more than DRF's description of the field."""
        return {}

    def to_internal_value(self, data: Any) -> Any:
        return self.read(data, self.field_name or "")


def shorten(value: Any, length: int = 60) -> str:
    """A value as it can stand in an error text."""
    text = str(value)
    return text if len(text) <= length else f"{text[:length]}…"


def _text(value: Any, param: str) -> str:
    if type(value) is not str:
        raise ParameterInvalid(f"Invalid string: {param} must be text.", param=param)
    return value


class TextField(InputField, serializers.CharField):
    """Text of at most `max_length` characters (5000), kept exactly as it was sent."""

    def __init__(self, *, max_length: int = TEXT_LENGTH_MAX, pattern: str | None = None, **kwargs: Any) -> None:
        self.length_max = max_length
        self.pattern = re.compile(pattern) if pattern else None
        super().__init__(max_length=max_length, **kwargs)

    def read(self, value: Any, param: str) -> str:
        text = _text(value, param)
        if len(text) > self.length_max:
            raise ParameterInvalid(
                f"Invalid string: {param} has {len(text)} characters; it can have up to {self.length_max}.", param=param
            )
        if self.pattern is not None and not self.pattern.fullmatch(text):
            raise ParameterInvalid(f"Invalid value for {param}: '{shorten(text)}'.", param=param)
        return text


class SearchQueryField(TextField):
    """A text in the search query language over `fields`, given to services as a `search.Query`."""

    def __init__(self, fields: Mapping[str, search.Field], **kwargs: Any) -> None:
        self.searched = fields
        super().__init__(max_length=1000, **kwargs)

    def read(self, value: Any, param: str) -> Any:
        return search.parse(super().read(value, param), self.searched)

    def described(self) -> dict[str, Any]:
        return {
            "description": "Clauses such as `email:'ana@example.com'` or `-metadata['order']:null`, up to"
            f" {search.CLAUSES_MAX}, joined by AND or by OR. Fields and their operators:"
            f" {search.described(self.searched)}."
        }


class IntegerField(InputField, serializers.IntegerField):
    """A whole number between `min_value` and `max_value`, as a JSON number or as its plain digits."""

    def read(self, value: Any, param: str) -> Any:
        return self.whole(value, param)

    def whole(self, value: Any, param: str) -> int:
        """The number; raises `ParameterInvalidInteger` for what is not written as one or out of bounds."""
        if type(value) is str and _INTEGER.fullmatch(value):
            value = int(value)
        if type(value) is not int or abs(value) >= 1 << 63:
            raise ParameterInvalidInteger(param=param, value=shorten(value))
        if self.min_value is not None and value < self.min_value:
            raise ParameterInvalidInteger(
                f"Invalid integer: {param} must be greater than or equal to {self.min_value}.", param=param
            )
        if self.max_value is not None and value > self.max_value:
            raise ParameterInvalidInteger(
                f"Invalid integer: {param} must be less than or equal to {self.max_value}.", param=param
            )
        return value


class MinorUnitsField(IntegerField):
    """An amount of money in minor units of its currency: 0 to 999999999999."""

    def __init__(self, *, min_value: int = 0, max_value: int = currencies.MAXIMUM_MINOR, **kwargs: Any) -> None:
        super().__init__(min_value=min_value, max_value=max_value, **kwargs)


class UnixTimeField(IntegerField):
    """Seconds since 1970, given to services as an aware UTC datetime. The latest moment is the end of the year 9999."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=253_402_300_798, **kwargs)

    def read(self, value: Any, param: str) -> datetime:
        return clock.from_unix(self.whole(value, param))

    def described(self) -> dict[str, Any]:
        return {"format": "unix-time"}


class BooleanField(InputField, serializers.BooleanField):
    """`true` or `false`, and nothing that merely looks like them."""

    _VALUES: ClassVar[dict[Any, bool]] = {"true": True, "false": False}

    def read(self, value: Any, param: str) -> bool:
        if type(value) is bool:
            return value
        known = self._VALUES.get(value) if type(value) is str else None
        if known is None:
            raise ParameterInvalid(f"Invalid boolean: {shorten(value)}. Send true or false for {param}.", param=param)
        return known


class DecimalField(InputField, serializers.DecimalField):
    """An exact decimal such as `0.0125`, never through a float. Up to 12 decimals and 12 digits before the point."""

    def __init__(self, *, max_digits: int = 24, decimal_places: int = 12, **kwargs: Any) -> None:
        super().__init__(max_digits=max_digits, decimal_places=decimal_places, **kwargs)

    def read(self, value: Any, param: str) -> Decimal:
        plain = type(value) is not str or re.fullmatch(r"-?[0-9]{1,24}(\.[0-9]{1,24})?", value)
        try:
            number = Decimal(value) if plain and type(value) in {str, int, Decimal} else None
        except InvalidOperation:
            number = None
        if number is None:
            raise ParameterInvalid(f"Invalid decimal: {shorten(value)}", param=param)
        exponent = number.as_tuple().exponent
        places = self.decimal_places or 0
        if not isinstance(exponent, int) or -exponent > places or number.adjusted() >= (self.max_digits or 24) - places:
            raise ParameterInvalid(
                f"Invalid decimal: {param} can have up to {places} decimals and 12 digits before them.", param=param
            )
        return number


class EnumField(InputField, serializers.ChoiceField):
    """One of the texts in `choices`."""

    def __init__(self, choices: Sequence[str], **kwargs: Any) -> None:
        self.texts = tuple(choices)
        super().__init__(choices=self.texts, **kwargs)

    def read(self, value: Any, param: str) -> str:
        if type(value) is str and value in self.texts:
            return value
        raise ParameterInvalid(f"Invalid {param}: must be one of {one_of(self.texts)}", param=param)


class CurrencyField(InputField, serializers.CharField):
    """A three-letter ISO code that exists here; lower-cased."""

    def read(self, value: Any, param: str) -> str:
        code = _text(value, param).lower()
        if not currencies.is_known(code):
            raise ParameterInvalid(
                f"Invalid currency: {shorten(value, 20)}. Send a three-letter ISO code such as eur, mkd or rsd.",
                param=param,
            )
        return code

    def described(self) -> dict[str, Any]:
        return {"minLength": 3, "maxLength": 3}


class IdField(InputField, serializers.CharField):
    """The id of another object.

    With one prefix the validated value is its UUID; with several it is a `registry.PublicId(prefix, uuid)`. A text that
    cannot be such an id is an object that does not exist, so it is refused as one.
    """

    def __init__(self, *prefixes: str, **kwargs: Any) -> None:
        self.prefixes = prefixes
        super().__init__(**kwargs)

    def read(self, value: Any, param: str) -> UUID | registry.PublicId:
        text = _text(value, param)
        for prefix in self.prefixes:
            identifier = ids.decode(prefix, text)
            if identifier is not None:
                return identifier if len(self.prefixes) == 1 else registry.PublicId(prefix, identifier)
        raise MissingParameterTarget(param=param, resource=registry.object_name(self.prefixes[0]), id=shorten(text))

    def described(self) -> dict[str, Any]:
        return {"pattern": f"^({'|'.join(self.prefixes)})_[0-9A-Za-z]{{{ids.BODY_LENGTH}}}$"}


class UrlField(InputField, serializers.CharField):
    """An absolute http or https address without user name. `https_only` refuses http."""

    LENGTH_MAX: ClassVar[int] = 2048

    def __init__(self, *, https_only: bool = False, **kwargs: Any) -> None:
        self.schemes = ("https",) if https_only else ("https", "http")
        super().__init__(max_length=self.LENGTH_MAX, **kwargs)

    def read(self, value: Any, param: str) -> str:
        text = _text(value, param)
        try:
            parts = urlsplit(text)
            host, _ = parts.hostname, parts.port
        except ValueError:
            parts, host = urlsplit(""), None
        clean = len(text) <= self.LENGTH_MAX and not re.search(r"[\s\\\x00-\x1f\x7f]", text)
        if not clean or parts.scheme not in self.schemes or not host or "@" in parts.netloc:
            raise ParameterInvalid(
                f"Not a valid URL: {shorten(text)}. {param} must be an absolute address that begins with"
                f" {one_of([f'{scheme}://' for scheme in self.schemes])}.",
                param=param,
            )
        return text

    def described(self) -> dict[str, Any]:
        return {"format": "uri"}


class MetadataField(InputField, serializers.DictField):
    """Up to 50 texts. Empty clears all (None for services), an empty value removes its key: see `metadata.merge`."""

    reads_empty: ClassVar[bool] = True
    child = serializers.CharField(max_length=metadata.VALUE_LENGTH_MAX, allow_blank=True)

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        super().__init__(allow_null=True, **kwargs)

    def read(self, value: Any, param: str) -> dict[str, str] | None:
        if value is None or value == "":
            return None
        if type(value) is FormList:
            value = {str(index): element for index, element in enumerate(value)}
        if not isinstance(value, Mapping):
            raise ParameterInvalid(f"Invalid object: send {param} as names and texts.", param=param)
        if len(value) > metadata.KEYS_MAX:
            raise ParameterInvalid(f"Metadata can have up to {metadata.KEYS_MAX} keys.", param=param)
        return {key: self._entry(key, text, param) for key, text in value.items()}

    def _entry(self, key: str, text: Any, param: str) -> str:
        if not key or len(key) > metadata.KEY_LENGTH_MAX or _KEY_FORBIDDEN.search(key):
            raise ParameterInvalid(
                f"Metadata keys can have 1 to {metadata.KEY_LENGTH_MAX} characters and no brackets: '{shorten(key)}'.",
                param=param,
            )
        name = f"{param}[{key}]"
        if text is None:
            return ""
        if type(text) is not str:
            raise ParameterInvalid("Metadata values must be texts.", param=name)
        if len(text) > metadata.VALUE_LENGTH_MAX:
            raise ParameterInvalid(
                f"Metadata values can have up to {metadata.VALUE_LENGTH_MAX} characters, this one has {len(text)}.",
                param=name,
            )
        return text


class TimeRangeField(InputField, serializers.DictField):
    """A list's filter on time: `created=1700000000`, or any of `created[gt|gte|lt|lte]`."""

    child = serializers.IntegerField()
    BOUNDS: ClassVar[tuple[str, ...]] = ("gt", "gte", "lt", "lte")
    _moment: ClassVar[UnixTimeField] = UnixTimeField()

    def read(self, value: Any, param: str) -> TimeRange:
        if not isinstance(value, Mapping):
            moment = self._moment.read(value, param)
            return TimeRange(gte=moment, lte=moment)
        for bound in value:
            if bound not in self.BOUNDS:
                raise ParameterInvalid(f"Invalid {param}: use {one_of(self.BOUNDS)}.", param=f"{param}[{bound}]")
        return TimeRange(**{bound: self._moment.read(text, f"{param}[{bound}]") for bound, text in value.items()})

    def described(self) -> dict[str, Any]:
        moment = {"type": "integer", "format": "unix-time"}
        bounds = {"type": "object", "properties": dict.fromkeys(self.BOUNDS, moment), "additionalProperties": False}
        return {"type": ["object", "integer"], **bounds, "format": "unix-time"}


class DateField(InputField, serializers.DateField):
    """A day of the calendar, `2026-01-31`."""

    def read(self, value: Any, param: str) -> date:
        text = _text(value, param)
        try:
            day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
        except ValueError:
            day = None
        if day is None:
            raise ParameterInvalid(f"Invalid date: {shorten(text)}. Send {param} as YYYY-MM-DD.", param=param)
        return day


class RangeField(InputField, serializers.DictField):
    """A list's filter on a day or a number: `amount=100`, or any of `amount[gt|gte|lt|lte]`; `bound` reads each."""

    BOUNDS: ClassVar[tuple[str, ...]] = TimeRangeField.BOUNDS

    def __init__(self, bound: InputField, **kwargs: Any) -> None:
        self.bound = bound
        super().__init__(child=bound, **kwargs)

    def read(self, value: Any, param: str) -> ValueRange[Any]:
        if not isinstance(value, Mapping):
            exactly = self.bound.read(value, param)
            return ValueRange(gte=exactly, lte=exactly)
        for name in value:
            if name not in self.BOUNDS:
                raise ParameterInvalid(f"Invalid {param}: use {one_of(self.BOUNDS)}.", param=f"{param}[{name}]")
        return ValueRange(**{name: self.bound.read(text, f"{param}[{name}]") for name, text in value.items()})

    def described(self) -> dict[str, Any]:
        whole = isinstance(self.bound, IntegerField)
        bound = {"type": "integer"} if whole else {"type": "string", "format": "date"}
        bounds = {"type": "object", "properties": dict.fromkeys(self.BOUNDS, bound), "additionalProperties": False}
        return {"type": ["object", bound["type"]], **bounds}


def one_of(texts: Sequence[str]) -> str:
    """`a, b, or c`."""
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])}{',' if len(texts) > 2 else ''} or {texts[-1]}"
