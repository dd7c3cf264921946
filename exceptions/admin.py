"""What is set about exceptions: service levels, working hours, limits."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from integration_hub.backoffice.pages import person
from integration_hub.kernel.text import say
from integration_hub.models.activity import note

from . import levels
from .kinds import all_kinds, team_label
from .models import AmountLimit, ServiceLevel, WorkCalendar
from .presentation import plain


class _Noted(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Every change is a step of the audit trail, and open exceptions are weighed again."""

    list_per_page = 50
    show_full_result_count = False
    actions = None
    compressed_fields = True

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm[Any], change: bool) -> None:
        super().save_model(request, obj, form, change)
        data = {name: str(form.cleaned_data.get(name)) for name in form.changed_data}
        note(obj, "exceptions.set", say("Set: %(row)s", row=str(obj)), by=person(request), data=data)
        levels.settings_changed()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        note(obj, "exceptions.unset", say("Taken away: %(row)s", row=str(obj)), by=person(request))
        super().delete_model(request, obj)
        levels.settings_changed()


class _LevelForm(forms.ModelForm):  # type: ignore[type-arg]
    """The kind is chosen by its title."""

    kind = forms.ChoiceField(label=_("Kind"), required=False)

    class Meta:
        model = ServiceLevel
        fields = ("kind", "severity", "hours", "around_the_clock")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = sorted(((kind.code, plain(str(kind.title))) for kind in all_kinds()), key=lambda one: one[1].casefold())
        self.fields["kind"].choices = [("", _("every kind")), *kinds]  # type: ignore[attr-defined]


@admin.register(ServiceLevel)
class ServiceLevelAdmin(_Noted):
    """The most exact row counts: kind and severity, kind, severity, all."""

    form = _LevelForm
    list_display = ("kind_title", "severity", "hours", "around_the_clock")
    ordering = ("kind", "severity")

    @admin.display(description=_("Kind"))
    def kind_title(self, obj: ServiceLevel) -> str:
        titles = {kind.code: plain(str(kind.title)) for kind in all_kinds()}
        return titles.get(obj.kind, obj.kind) or str(_("every kind"))


class _CalendarForm(forms.ModelForm):  # type: ignore[type-arg]
    """The team is chosen by its name."""

    role = forms.ChoiceField(label=_("Team"), required=False)

    class Meta:
        model = WorkCalendar
        fields = ("role", "days", "opens", "closes", "country", "state")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams = sorted({(kind.role, str(team_label(kind.role))) for kind in all_kinds()}, key=lambda one: one[1])
        self.fields["role"].choices = [("", _("every other team")), *teams]  # type: ignore[attr-defined]


@admin.register(WorkCalendar)
class WorkCalendarAdmin(_Noted):
    form = _CalendarForm
    list_display = ("team", "days", "opens", "closes", "country", "state")
    ordering = ("role",)

    @admin.display(description=_("Team"))
    def team(self, obj: WorkCalendar) -> str:
        return str(team_label(obj.role)) if obj.role else str(_("every other team"))


@admin.register(AmountLimit)
class AmountLimitAdmin(_Noted):
    list_display = ("currency", "high_from", "critical_from", "alone_up_to")
    ordering = ("currency",)
