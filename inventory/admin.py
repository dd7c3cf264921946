"""Products, to look up."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice.admin import ReadOnlyAdmin
from integration_hub.models import ExternalReference

from .models import Variant
from .services import normalised_gtin, normalised_sku


@admin.register(Variant)
class VariantAdmin(ReadOnlyAdmin):
    """Found by SKU (as it begins) or GTIN."""

    list_display = ("sku", "title", "gtin", "active")
    list_display_links = ("sku", "title")
    ordering = ("sku",)
    sortable_by = ()
    search_fields = ("sku",)
    search_help_text = _("SKU as it begins, or the whole GTIN")
    fields = ("sku", "title", "gtin", "active", "created_at", "names")
    readonly_fields = ("names",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Variant], search_term: str
    ) -> tuple[QuerySet[Variant], bool]:
        """By the two indexes there are."""
        sku, gtin = normalised_sku(search_term), normalised_gtin(search_term)
        if not sku:
            return queryset, False
        found = Q(sku__startswith=sku)
        return queryset.filter(found | Q(gtin=gtin) if gtin else found), False

    @admin.display(description=_("called elsewhere"))
    def names(self, variant: Variant) -> str:
        """What the product is called in other systems."""
        rows = ExternalReference.objects.filter(
            subject_type__app_label="inventory", subject_type__model="variant", subject_id=variant.pk
        ).select_related("connection")
        return ", ".join(f"{row.connection.name}: {row.external_id} ({row.kind})" for row in rows[:50]) or "–"
