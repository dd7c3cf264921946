"""The merchant's rules for special cases, one per channel and kind."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from integration_hub.kernel.text import say
from integration_hub.models.activity import note

from .aftersales.models import AfterSaleRule


@admin.register(AfterSaleRule)
class AfterSaleRuleAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Without a rule the hub proposes what moves money or goods, and asks in a conflict."""

    list_display = ("channel", "kind", "mode", "wins")
    list_select_related = ("channel",)
    ordering = ("channel__name", "kind")

    def save_model(self, request: HttpRequest, obj: AfterSaleRule, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        text = say("Rule for special cases: %(kind)s %(mode)s %(wins)s", kind=obj.kind, mode=obj.mode, wins=obj.wins)
        note(obj.channel, "orders.rule", text, by=request.user)
