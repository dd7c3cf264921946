"""Admin pages of master data: to read and to search, never to change by hand."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import label_for_field, lookup_field
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import cached_property
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from . import exports

MOST_PAGES = 100


class UncountedPaginator(Paginator):  # type: ignore[type-arg]
    """Pages without counting the table: it looks only as far as a hundred pages reach."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows[: MOST_PAGES * self.per_page].count())


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]
    """A list and a page per row; other systems and the hub's own services write, people look."""

    list_per_page = 50
    show_full_result_count = False
    paginator = UncountedPaginator
    actions = None
    compressed_fields = True
    list_fullwidth = False
    list_after_template = "hub/exports.html"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """The list, or, if the address asks for it, the whole of it as a file with the columns of the list."""
        if request.method == "GET" and (file := self._file(request)):
            return file
        return super().changelist_view(request, extra_context)

    def _file(self, request: HttpRequest) -> HttpResponseBase | None:
        if not self.has_view_permission(request):
            return None
        query = request.GET
        narrowed = query.copy()
        narrowed.pop(exports.ASKED, None)
        vars(request)["GET"] = narrowed  # the list does not know this parameter
        try:
            rows = self.get_changelist_instance(request).get_queryset(request) if exports.ASKED in query else ()
        except IncorrectLookupParameters:
            return None
        finally:
            vars(request)["GET"] = query
        return exports.asked(request, self._sheet(request), rows)

    def _sheet(self, request: HttpRequest) -> exports.Sheet:
        names = [str(name) for name in self.get_list_display(request)]
        columns = tuple(exports.Column(label_for_field(name, self.model, self), self._value(name)) for name in names)
        return exports.Sheet(self.model._meta.model_name or "", self.model._meta.verbose_name_plural, columns)

    def _value(self, name: str) -> exports.Value:
        def value(row: Any) -> Any:
            field, _attribute, found = lookup_field(name, row, self)
            shown = getattr(row, f"get_{name}_display", None)
            if field is not None and shown is not None:
                return shown()
            return strip_tags(found) if isinstance(found, SafeString) else found

        return value

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
