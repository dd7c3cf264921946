"""Customers, to look up."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice.admin import ReadOnlyAdmin
from integration_hub.models import ExternalReference, origin

from .models import Customer
from .services import KIND, normalised_email


@admin.register(Customer)
class CustomerAdmin(ReadOnlyAdmin):
    """Found by e-mail, by the hub's own code or by the number in a shop: each has an index."""

    list_display = ("code", "company", "name", "email", "created_at")
    list_display_links = ("code", "company", "name")
    ordering = ("-pk",)
    sortable_by = ()
    search_fields = ("email",)
    search_help_text = _("E-mail, HUB number or the customer's number in a shop, in full")
    fields: ClassVar[tuple[str, ...]] = ("code", "company", "name", "email", "phone", "vat_id", "created_at", "names")
    readonly_fields = ("code", "names", "orders")

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Company and name tell people apart; who may not see personal data sees the code and the company."""
        return self.list_display if _personal(request) else ("code", "company", "created_at")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Whose names and addresses the list shows is written down."""
        response: HttpResponse = super().changelist_view(request, extra_context)
        if _personal(request) and isinstance(response, TemplateResponse):
            shown = (response.context_data or {}).get("cl")
            origin.saw(Customer, [row.pk for row in shown.result_list] if shown else [])
        return response

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Customer | None:
        """Without what is personal for those who may not see it: the page's title is made of it too."""
        found: Customer | None = super().get_object(request, object_id, from_field)
        if found and _personal(request):
            origin.saw(Customer, [found.pk])
        elif found:
            found.name = found.email = found.phone = found.vat_id = ""
        return found

    def get_fields(self, request: HttpRequest, obj: Customer | None = None) -> tuple[str, ...]:
        """The link to the orders is for those who may see them."""
        shown = self.fields if _personal(request) else ("code", "company", "created_at", "names")
        return (*shown, "orders") if request.user.has_perm("orders.view_order") else shown

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Customer], search_term: str
    ) -> tuple[QuerySet[Customer], bool]:
        """Exact matches only, so that a million customers are searched in a moment."""
        term = search_term.strip()
        if not term:
            return queryset, False
        number = term.upper().removeprefix("HUB-")
        ids = list(
            ExternalReference.objects.filter(kind=KIND, external_id=term[:120]).values_list("subject_id", flat=True)[
                :50
            ]
        )
        found = Q(email=normalised_email(term) or "-") | Q(pk__in=ids)
        if number.isascii() and number.isdigit() and len(number) < 19:
            found |= Q(pk=int(number))
        return queryset.filter(found), False

    @admin.display(description=_("called elsewhere"))
    def names(self, customer: Customer) -> str:
        """What the customer is called in other systems."""
        rows = ExternalReference.objects.filter(
            subject_type__app_label="customers", subject_type__model="customer", subject_id=customer.pk
        ).select_related("connection")
        return ", ".join(f"{row.connection.name}: {row.external_id}" for row in rows[:50]) or "–"

    @admin.display(description=_("orders"))
    def orders(self, customer: Customer) -> str:
        """A link to the customer's orders."""
        return format_html('<a href="{}?customer={}">{}</a>', reverse("orders"), customer.pk, _("Show the orders"))


def _personal(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("orders.see_personal_data"))
