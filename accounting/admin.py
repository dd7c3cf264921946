"""What finance sets: who issues, number ranges, rates, levels of articles, seller data."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from integration_hub.backoffice.pages import person
from integration_hub.kernel.states import Role
from integration_hub.kernel.text import say
from integration_hub.models.activity import note

from .models import GoodsTax, IssuingRule, NumberRange, Seller, TaxRate


class _Noted(ModelAdmin):  # type: ignore[misc]
    """Every change is a step of the audit trail."""

    list_per_page = 50
    show_full_result_count = False
    actions = None
    compressed_fields = True

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm[Any], change: bool) -> None:
        super().save_model(request, obj, form, change)
        data = {name: str(form.cleaned_data.get(name)) for name in form.changed_data}
        note(obj, "accounting.set", say("Set: %(row)s", row=str(obj)), by=person(request), data=data)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        note(obj, "accounting.unset", say("Taken away: %(row)s", row=str(obj)), by=person(request))
        super().delete_model(request, obj)


@admin.register(IssuingRule)
class IssuingRuleAdmin(_Noted):
    """Who issues in which channel, and when."""

    exclude = ("mail",)
    list_display = ("channel", "issuer", "trigger", "invoices", "advances", "small_amounts")
    list_select_related = ("channel", "invoices")
    ordering = ("channel",)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "channel":
            kwargs["queryset"] = db_field.related_model.objects.filter(role=Role.SHOP)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


@admin.register(NumberRange)
class NumberRangeAdmin(_Noted):
    """A range that was used keeps its pattern: the database refuses another."""

    list_display = ("name", "pattern", "digits", "yearly")
    ordering = ("name",)

    def get_readonly_fields(self, request: HttpRequest, obj: NumberRange | None = None) -> tuple[str, ...]:
        used = obj is not None and obj.series.filter(next__gt=1).exists()
        return ("pattern", "digits", "yearly") if used else ()


@admin.register(TaxRate)
class TaxRateAdmin(_Noted):
    """Rates with the day from which they hold; shipped ones can be corrected, new ones added."""

    list_display = ("country", "level", "rate", "valid_from", "source")
    list_filter = ("country", "level")
    ordering = ("country", "level", "-valid_from")


@admin.register(GoodsTax)
class GoodsTaxAdmin(_Noted):
    """Which level articles of a group or tax class have."""

    list_display = ("group", "tax_class", "country", "buyer", "level", "valid_from")
    ordering = ("group", "tax_class", "country", "-valid_from")


@admin.register(Seller)
class SellerAdmin(_Noted):
    """Seller data with history: what documents say is what held on their day."""

    list_display = ("name", "valid_from", "vat_id", "small_business", "oss")
    ordering = ("-valid_from",)
