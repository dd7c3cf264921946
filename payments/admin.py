"""What finance sets: agreed fees, terms of payment, how order numbers are written, limits."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from integration_hub.backoffice.pages import person
from integration_hub.kernel.text import say
from integration_hub.models.activity import note

from . import fees
from .models import FeeContract, NumberRule, PaymentTerm, Policy


class _Noted(ModelAdmin):  # type: ignore[misc]
    """Every change is a step of the audit trail."""

    list_per_page = 50
    show_full_result_count = False
    actions = None
    compressed_fields = True

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm[Any], change: bool) -> None:
        super().save_model(request, obj, form, change)
        data = {name: str(form.cleaned_data.get(name)) for name in form.changed_data}
        note(obj, "payments.set", say("Set: %(row)s", row=str(obj)), by=person(request), data=data)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        note(obj, "payments.unset", say("Taken away: %(row)s", row=str(obj)), by=person(request))
        super().delete_model(request, obj)


@admin.register(FeeContract)
class FeeContractAdmin(_Noted):
    """Entering or changing a contract compares what it is about anew."""

    list_display = (
        "connection",
        "method",
        "country",
        "card",
        "currency",
        "percent",
        "fixed",
        "valid_from",
        "valid_until",
    )
    list_select_related = ("connection",)
    ordering = ("connection", "-valid_from")

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm[Any], change: bool) -> None:
        super().save_model(request, obj, form, change)
        fees.check_again(obj)


@admin.register(PaymentTerm)
class PaymentTermAdmin(_Noted):
    list_display = ("method", "days")
    ordering = ("method",)


@admin.register(NumberRule)
class NumberRuleAdmin(_Noted):
    list_display = ("channel", "prefix")
    list_select_related = ("channel",)
    ordering = ("channel", "prefix")


@admin.register(Policy)
class PolicyAdmin(_Noted):
    list_display = (
        "currency",
        "refund_alone",
        "write_off_by_rule",
        "write_off_alone",
        "write_off_most",
        "fee_tolerance",
    )
    ordering = ("currency",)
