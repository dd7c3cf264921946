"""Admin pages of master data: to read and to search, never to change by hand."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin

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

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
