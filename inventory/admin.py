"""Articles, to look up; each has a page of its own."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice.admin import ReadOnlyAdmin

from .models import Variant
from .services import normalised_gtin, normalised_sku


@admin.register(Variant)
class VariantAdmin(ReadOnlyAdmin):
    """Found by SKU (as it begins) or GTIN."""

    list_display = ("sku", "title", "kind", "group", "gtin", "active")
    list_display_links = ("sku", "title")
    list_filter = ("kind", "active")
    ordering = ("sku",)
    sortable_by = ()
    search_fields = ("sku",)
    search_help_text = _("SKU as it begins, or the whole GTIN")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Variant], search_term: str
    ) -> tuple[QuerySet[Variant], bool]:
        """By the two indexes there are."""
        sku, gtin = normalised_sku(search_term), normalised_gtin(search_term)
        if not sku:
            return queryset, False
        found = Q(sku__startswith=sku)
        return queryset.filter(found | Q(gtin=gtin) if gtin else found), False

    def change_view(self, request: HttpRequest, object_id: str, *_args: Any, **_kwargs: Any) -> HttpResponse:
        """An article's own page; it asks for its permission itself."""
        return redirect("article", pk=int(object_id)) if object_id.isdigit() else redirect("..")
