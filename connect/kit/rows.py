"""What the rows of every environment share, whichever app they belong to.

Django compiles the SQL of every query anew. For a table of 25 columns that takes longer than PostgreSQL needs to run it,
and it is the same text each time. So `save()` of a tenant row, `objects.one(…)` and `fetch(queryset)` keep the text per
model and set of columns. They mean exactly what Django's own would; whatever is unusual is left to Django.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, ClassVar, Final, Self, TypeVar

import msgspec
from django.db import connections, models

from connect.kit import ids

M = TypeVar("M", bound=models.Model)
Decoder = Callable[[Any], Any]


class TenantManager(models.Manager[M]):
    """The usual manager, and a short way to one row."""

    def one(self, *, lock: bool = False, **key: Any) -> M | None:
        """The row whose columns have these values, or None; `key` has to name one row at most.

        With `lock` it is locked until the transaction ends. None finds nothing, as in SQL.
        """
        using = self.db  # raises outside of an environment
        with connections[using].cursor() as cursor:
            cursor.execute(_select(self.model, tuple(key), lock), list(key.values()))
            found = cursor.fetchone()
        return None if found is None else _load(self.model, using, (found,))[0]


class TenantModel(models.Model):
    """A row of an environment's schema, reachable only inside `use_environment`. Its key is a UUIDv7 made by us."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)

    objects: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta:
        abstract = True

    def _do_insert(
        self, manager: Any, using: str, fields: Sequence[Any], returning_fields: Sequence[Any], raw: bool
    ) -> Any:
        """Django's hook under `save()`: the INSERT."""
        values = [field.pre_save(self, True) for field in fields]
        if raw or returning_fields or _any_expression(values):
            return super()._do_insert(manager, using, fields, returning_fields, raw)  # type: ignore[misc]
        _execute(using, _insert(type(self), tuple(field.column for field in fields)), fields, values)
        return ()

    def _do_update(
        self, base_qs: Any, using: str, pk_val: Any, values: Any, update_fields: Any, forced_update: bool
    ) -> bool:
        """Django's hook under `save()`: the UPDATE of this row. Tells whether there was one."""
        fields, given = [field for field, _, _ in values], [value for _, _, value in values]
        if not fields or self._meta.select_on_save or _any_expression(given):
            return bool(super()._do_update(base_qs, using, pk_val, values, update_fields, forced_update))  # type: ignore[misc]
        sql = _update(type(self), tuple(field.column for field in fields))
        return _execute(using, sql, [*fields, self._meta.pk], [*given, pk_val]) > 0


def fetch(queryset: models.QuerySet[M]) -> list[M]:
    """The rows of a plain queryset over whole rows: no `only`, `values`, annotations or joined objects."""
    sql, parameters = queryset.query.sql_with_params()
    with connections[queryset.db].cursor() as cursor:
        cursor.execute(sql, parameters)
        return _load(queryset.model, queryset.db, cursor.fetchall())


# --- the texts --------------------------------------------------------------------------------------------------------


@cache
def _insert(model: type[models.Model], columns: tuple[str, ...]) -> str:
    return f"INSERT INTO {_table(model)} ({_names(columns)}) VALUES ({', '.join(['%s'] * len(columns))})"  # noqa: S608


@cache
def _update(model: type[models.Model], columns: tuple[str, ...]) -> str:
    assignments = ", ".join(f'"{column}" = %s' for column in columns)
    return f'UPDATE {_table(model)} SET {assignments} WHERE "{_meta(model).pk.column}" = %s'  # noqa: S608


@cache
def _select(model: type[models.Model], key: tuple[str, ...], lock: bool) -> str:
    columns = _names(field.column for field in _meta(model).concrete_fields)
    condition = " AND ".join(f'"{_meta(model).get_field(name).column}" = %s' for name in key)
    return f"SELECT {columns} FROM {_table(model)} WHERE {condition}{' FOR UPDATE' if lock else ''}"  # noqa: S608


def _table(model: type[models.Model]) -> str:
    return f'"{_meta(model).db_table}"'


def _names(columns: Iterable[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _meta(model: type[models.Model]) -> Any:
    return model._meta  # noqa: SLF001 - Django's documented name


# --- values in and out ------------------------------------------------------------------------------------------------


def _any_expression(values: Sequence[Any]) -> bool:
    return any(hasattr(value, "resolve_expression") for value in values)


def _execute(using: str, sql: str, fields: Sequence[Any], values: Sequence[Any]) -> int:
    connection = connections[using]
    prepared = [field.get_db_prep_save(value, connection) for field, value in zip(fields, values, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(sql, prepared)
        return cursor.rowcount


def _load(model: type[M], using: str, found: Iterable[tuple[Any, ...]]) -> list[M]:
    names, decoders = _loading(model)
    loaded = []
    for row in found:
        values = list(row)
        for position, decode in decoders:
            if values[position] is not None:
                values[position] = decode(values[position])
        loaded.append(model.from_db(using, names, values))
    return loaded


@cache
def _loading(model: type[models.Model]) -> tuple[list[str], list[tuple[int, Decoder]]]:
    """The attributes of a row in the order of its columns, and those that do not come from the driver as they are."""
    fields = _meta(model).concrete_fields
    decoders = [(position, _decoder(field)) for position, field in enumerate(fields) if hasattr(field, "from_db_value")]
    return [field.attname for field in fields], decoders


def _decoder(field: Any) -> Decoder:
    if isinstance(field, models.JSONField) and field.decoder is None:
        return _json
    raise TypeError(f"{field} needs Django's own way of reading rows")


_json: Final[Decoder] = msgspec.json.Decoder().decode
