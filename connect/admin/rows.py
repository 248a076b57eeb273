"""Lists and pages of rows that staff may read and never write; what they may do are actions that call services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, Final
from uuid import UUID

from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.text import capfirst
from unfold import paginator
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.views import ChangeList

from connect.kit import ids

IDS: Final = frozenset({"UUIDField", "ForeignKey", "OneToOneField"})
"""What holds another row's id as a UUID; other references hold the public id as text."""


class InfinitePaginator(paginator.InfinitePaginator):
    """Pages back and forth without counting. It ends after 10,000 rows: older ones are found by id or by filter.

    The theme knows it by its name and shows no number of results.
    """

    @cached_property
    def count(self) -> int:
        return 10_000


class RowList(ChangeList):
    """Links a row by its public id."""

    def url_for_result(self, result: Model) -> str:
        """The address of the row's page."""
        admin = self.model_admin
        options = admin.model._meta
        name = f"admin:{options.app_label}_{options.model_name}_change"
        return reverse(name, args=[admin.row_id(result)], current_app=admin.admin_site.name)


class RowAdmin(ModelAdmin):
    """Read-only rows, newest first, found by public id.

    `prefix` is that of their public ids. `references` maps the prefix of another object's id to the field that holds
    it: typing `cus_…` finds the payments of that customer. `exact` are text fields that are compared whole. `title` is
    the plural that people read, where it is not the model's name and an s.
    """

    prefix: ClassVar[str] = ""
    references: ClassVar[Mapping[str, str]] = {}
    exact: ClassVar[Sequence[str]] = ()
    view_permission: ClassVar[str] = ""
    title: ClassVar[str] = ""

    ordering: tuple[str, ...] = ("-id",)
    sortable_by = ()
    list_per_page = 50
    paginator = InfinitePaginator
    show_full_result_count = False
    list_filter_submit = False
    search_fields = ("id",)
    list_fullwidth = True

    def __init__(self, model: type[Model], admin_site: Any) -> None:
        super().__init__(model, admin_site)
        if self.title:
            # Not in the model's own Meta: there a word would be a migration of every environment.
            model._meta.verbose_name_plural = self.title

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        title = capfirst(self.model._meta.verbose_name_plural or "")
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    @property
    def search_help_text(self) -> str:
        """What may be typed into the search box."""
        prefixes = [f"{prefix}_…" for prefix in (self.prefix, *self.references) if prefix]
        return ", ".join([*prefixes, *(name.replace("_", " ") for name in self.exact)]) or "UUID"

    @display(description="ID")
    def public_id(self, row: Any) -> str:
        """The id as the API shows it."""
        return self.row_id(row)

    def row_id(self, row: Any) -> str:
        """The row's public id, or its UUID where the API shows no such object."""
        return ids.encode(self.prefix, row.pk) if self.prefix else str(row.pk)

    def is_now(self, object_id: Any, **state: Any) -> bool:
        """Whether the row of an address is in this state: for buttons that make sense in one only."""
        with suppress(ValueError, ValidationError):
            return self.model._default_manager.filter(pk=self._pk_of(str(object_id)), **state).exists()
        return False

    # --- nothing is written here --------------------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        options = self.model._meta
        user: Any = request.user
        return bool(user.has_perm(self.view_permission or f"{options.app_label}.view_{options.model_name}"))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        return flatten_fieldsets(self.get_fieldsets(request, obj))

    # --- finding ------------------------------------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[RowList]:
        return RowList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Rows that the text names exactly: by public id, UUID, a related object's id, or one of the `exact` fields."""
        term = search_term.strip()
        if not term:
            return queryset, False
        conditions = [Q(**{name: term}) for name in self.exact]
        parts = ids.split(term)
        field = {**self.references, self.prefix: "pk"}.get(parts[0]) if parts else None
        if parts and field:
            is_text = field != "pk" and self.model._meta.get_field(field).get_internal_type() not in IDS
            conditions.append(Q(**{field: term if is_text else ids.decode(parts[0], term)}))
        with suppress(ValueError):
            conditions.append(Q(pk=UUID(term)))
        if not conditions:
            return queryset.none(), False
        found = conditions[0]
        for condition in conditions[1:]:
            found |= condition
        return queryset.filter(found), False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only the filters that are offered. Django allows every field, and so to guess a hash letter by letter."""
        offered = [getattr(item, "parameter_name", item) for item in self.get_list_filter(request)]
        return lookup.partition("__")[0] in offered

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return super().changeform_view(request, self._pk_of(object_id), form_url, extra_context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().history_view(request, self._pk_of(object_id), extra_context)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().delete_view(request, self._pk_of(object_id), extra_context)

    def _pk_of(self, object_id: str | None) -> str | None:
        """Addresses carry public ids; Django's own code below expects primary keys."""
        identifier = ids.decode(self.prefix, object_id) if self.prefix else None
        return str(identifier) if identifier else object_id
