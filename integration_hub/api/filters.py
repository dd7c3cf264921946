"""Filters that refuse what they do not know: a misspelt filter must not answer with everything."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

PAGING = frozenset({"cursor", "page_size", "ordering"})


class KnownFilters(DjangoFilterBackend):  # type: ignore[misc]
    """The filters of the viewset's ``filterset_class``, and an error for every other name in the query."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        chosen = self.get_filterset_class(view, queryset)
        known = PAGING | set(chosen.base_filters if chosen else ())
        strange = sorted(set(request.query_params) - known)
        if strange:
            raise ValidationError({name[:80]: [_("Unknown filter.")] for name in strange[:20]})
        found: QuerySet[Any] = super().filter_queryset(request, queryset, view)
        return found
