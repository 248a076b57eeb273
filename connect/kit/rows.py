"""What the rows of every environment share, whichever app they belong to.

Django compiles the SQL of every query anew. For a table of 25 columns that takes longer than PostgreSQL needs to run
it, and it is the same text each time. So `save()` of a tenant row, `objects.one(…)` and `objects.page(…)` keep the
text per model and set of columns. They mean exactly what Django's own would; whatever is unusual is left to Django.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, Final, Self, TypeVar

import msgspec
from django.db import connections, models

from connect.kit import ids
from connect.kit.pages import Page, clause

M = TypeVar("M", bound=models.Model)
Decoder = Callable[[Any], Any]
_COMPARISONS: Final = {"": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
SqlCondition = tuple[str, Sequence[Any]]
"""A condition in the code's own SQL, never input, and its parameters."""


class TenantManager(models.Manager[M]):
    """The usual manager, and a short way to one row and to a page of them."""

    def one(self, *, lock: bool = False, **key: Any) -> M | None:
        """The row whose columns have these values, or None; `key` has to name one row at most.

        With `lock` it is locked until the transaction ends. None finds nothing, as in SQL.
        """
        using = self.db  # raises outside of an environment
        with connections[using].cursor() as cursor:
            conditions = tuple(_condition(self.model, name, is_null=False) for name in key)
            cursor.execute(_select(self.model, conditions, "FOR UPDATE" if lock else ""), list(key.values()))
            found = cursor.fetchone()
        return None if found is None else self.model.from_db(using, _names_of(self.model), _decoded(self.model, found))

    def page(self, page: Page, conditions: Mapping[str, Any], where: Sequence[SqlCondition] = ()) -> list[Any]:
        """The rows of a page and one more, in the order `pages.slice_rows` takes them; read only, with a row's names.

        A condition is a column's name, or that with `__gt`, `__gte`, `__lt` or `__lte` behind it; a None means that it
        is null. `where` is for what cannot be said so.
        """
        cut, using = clause(page), self.db
        texts = [_condition(self.model, name, is_null=value is None) for name, value in conditions.items()]
        values = [value for value in conditions.values() if value is not None]
        for text, parameters in where:
            texts.append(text)
            values += parameters
        sql = _select(self.model, (*texts, cut.where), f"ORDER BY {cut.order} LIMIT %s")
        with connections[using].cursor() as cursor:
            cursor.execute(sql, [*values, *cut.where_parameters, cut.limit])
            found = cursor.fetchall()
        make = _plain(self.model)
        return [make(_decoded(self.model, row)) for row in found]


class TenantModel(models.Model):
    """A row of an environment's schema, reachable only inside `use_environment`. Its key is a UUIDv7 made by us."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)

    objects: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta:
        abstract = True

    def _do_insert(
        self, manager: Any, using: str, fields: Sequence[Any], returning_fields: Sequence[Any], raw: bool
    ) -> Any:
        """Django's hook under `save()`: the INSERT. Columns that are null are left out, which makes them null."""
        values = [field.pre_save(self, True) for field in fields]
        if raw or returning_fields or _any_expression(values):
            return super()._do_insert(manager, using, fields, returning_fields, raw)  # type: ignore[misc]
        given = [(field, value) for field, value in zip(fields, values, strict=True) if value is not None]
        _execute(using, _insert(type(self), tuple(field.column for field, _ in given)), given)
        return ()

    def _do_update(  # type: ignore[override]  # the stubs are those of a newer Django
        self, base_qs: Any, using: str, pk_val: Any, values: Any, update_fields: Any, forced_update: bool
    ) -> bool:
        """Django's hook under `save()`: the UPDATE of this row. Tells whether there was one."""
        given = [(field, value) for field, _, value in values]
        if not given or self._meta.select_on_save or _any_expression(value for _, value in given):
            stock: Any = super()
            return bool(stock._do_update(base_qs, using, pk_val, values, update_fields, forced_update))  # noqa: SLF001
        sql = _update(type(self), tuple(field.column for field, _ in given))
        return _execute(using, sql, [*given, (self._meta.pk, pk_val)]) > 0


# --- the texts --------------------------------------------------------------------------------------------------------


@cache
def _insert(model: type[models.Model], columns: tuple[str, ...]) -> str:
    return f"INSERT INTO {_table(model)} ({_names(columns)}) VALUES ({', '.join(['%s'] * len(columns))})"  # noqa: S608


@cache
def _update(model: type[models.Model], columns: tuple[str, ...]) -> str:
    assignments = ", ".join(f'"{column}" = %s' for column in columns)
    return f'UPDATE {_table(model)} SET {assignments} WHERE "{_meta(model).pk.column}" = %s'  # noqa: S608


@cache
def _select(model: type[models.Model], conditions: tuple[str, ...], rest: str) -> str:
    columns = _names(field.column for field in _meta(model).concrete_fields)
    return f"SELECT {columns} FROM {_table(model)} WHERE {' AND '.join(conditions)} {rest}"  # noqa: S608


@cache
def _condition(model: type[models.Model], name: str, *, is_null: bool) -> str:
    attribute, _, comparison = name.partition("__")
    column = _meta(model).get_field(attribute).column
    return f'"{column}" IS NULL' if is_null else f'"{column}" {_COMPARISONS[comparison]} %s'


def _table(model: type[models.Model]) -> str:
    return f'"{_meta(model).db_table}"'


def _names(columns: Iterable[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _meta(model: type[models.Model]) -> Any:
    return model._meta


# --- values in and out ------------------------------------------------------------------------------------------------


def _any_expression(values: Iterable[Any]) -> bool:
    return any(hasattr(value, "resolve_expression") for value in values)


def _execute(using: str, sql: str, given: Sequence[tuple[Any, Any]]) -> int:
    connection = connections[using]
    prepared = [field.get_db_prep_save(value, connection) for field, value in given]
    with connection.cursor() as cursor:
        cursor.execute(sql, prepared)
        return cursor.rowcount


def _decoded(model: type[models.Model], row: tuple[Any, ...]) -> list[Any]:
    values = list(row)
    for position, decode in _decoders(model):
        if values[position] is not None:
            values[position] = decode(values[position])
    return values


@cache
def _decoders(model: type[models.Model]) -> list[tuple[int, Decoder]]:
    """The positions of columns that do not come from the driver as they are."""
    fields = enumerate(_meta(model).concrete_fields)
    return [(position, _decoder(field)) for position, field in fields if hasattr(field, "from_db_value")]


@cache
def _names_of(model: type[models.Model]) -> list[str]:
    return [field.attname for field in _meta(model).concrete_fields]


@cache
def _plain(model: type[models.Model]) -> Callable[[Sequence[Any]], Any]:
    make: Any = namedtuple  # its type wants the name written out
    return make(model.__name__, _names_of(model))._make


def _decoder(field: Any) -> Decoder:
    if isinstance(field, models.JSONField) and field.decoder is None:
        return _json
    raise TypeError(f"{field} needs Django's own way of reading rows")


_json: Final[Decoder] = msgspec.json.Decoder().decode
