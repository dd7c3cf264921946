"""The audit trail for those who check: who, when, what (before and after), why, from where; searched and exported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any

import django_filters
from django import forms
from django.apps import apps
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from exceptions.presentation import person_name
from integration_hub.backoffice import exports, keyset, masking, seals, trail
from integration_hub.backoffice.pages import context, person, required
from integration_hub.backoffice.words import term
from integration_hub.models import AuditEntry, origin
from integration_hub.models.audit import Deed

from .filters import ALL, people
from .sheets import AUDIT

PERSONAL = "orders.see_personal_data"
_DAY = forms.DateInput(attrs={"type": "date"})


@cache
def models() -> dict[str, type[Model]]:
    """The model of each table."""
    return {model._meta.db_table: model for model in apps.get_models(include_auto_created=True)}


def table_name(table: str) -> str:
    """What a table is called in the reader's language."""
    model = models().get(table)
    return str(model._meta.verbose_name_plural) if model else table


def tables() -> list[tuple[str, str]]:
    found = [(table, table_name(table)) for table in trail.audited()]
    return sorted(found, key=lambda one: one[1].casefold())


class AuditFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Who, what, which thing, which row of it, which action, from where, when."""

    actor = django_filters.ModelChoiceFilter(label=gettext_lazy("Person"), queryset=people, empty_label=ALL)
    deed = django_filters.ChoiceFilter(label=gettext_lazy("Deed"), choices=Deed.choices, empty_label=ALL)
    relation = django_filters.ChoiceFilter(label=gettext_lazy("Thing"), choices=tables, empty_label=ALL)
    row_id = django_filters.CharFilter(label=gettext_lazy("Id"), max_length=64)
    action = django_filters.CharFilter(label=gettext_lazy("Action"), max_length=60, lookup_expr="startswith")
    address = django_filters.CharFilter(label=gettext_lazy("From address"), field_name="origin__address", max_length=45)
    since = django_filters.DateFilter(label=gettext_lazy("From"), method="from_day", widget=_DAY)
    until = django_filters.DateFilter(label=gettext_lazy("Until"), method="to_day", widget=_DAY)

    class Meta:
        model = AuditEntry
        fields = ["actor", "deed", "relation", "row_id", "action", "address", "since", "until"]

    def from_day(self, rows: QuerySet[AuditEntry], _name: str, day: date) -> QuerySet[AuditEntry]:
        return rows.filter(at__gte=_midnight(day))

    def to_day(self, rows: QuerySet[AuditEntry], _name: str, day: date) -> QuerySet[AuditEntry]:
        return rows.filter(at__lt=_midnight(day + timedelta(days=1)))


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


@dataclass(frozen=True)
class Change:
    """One column: what it is called, what it held, what it holds."""

    label: str
    before: str
    after: str


class Shown:
    """An entry for the page, as this person may see it."""

    def __init__(self, entry: AuditEntry, *, personal: bool) -> None:
        self.entry = entry
        self._personal = personal

    @property
    def table(self) -> str:
        model = models().get(self.entry.relation)
        return str(model._meta.verbose_name) if model else term(self.entry.relation)

    @property
    def who(self) -> str:
        if self.entry.actor_id is None:
            return self.entry.program or "–"
        return person_name(self.entry.actor) if self.entry.actor else f"#{self.entry.actor_id}"

    @property
    def stranger(self) -> bool:
        """Done past the hub: by a program that is none of ours."""
        return not self.entry.program.startswith("hub")

    @property
    def where(self) -> list[tuple[str, str]]:
        names = {"address": _("Address"), "session": _("Session"), "token": _("Token"), "page": _("Page")}
        return [(label, self.entry.origin[name]) for name, label in names.items() if self.entry.origin.get(name)]

    @property
    def url(self) -> str:
        """Where the row is shown, for those of our things that have a page."""
        model = models().get(self.entry.relation)
        if model is None or not self.entry.row_id.isdigit():
            return ""
        address = getattr(model(pk=int(self.entry.row_id)), "get_absolute_url", None)
        return str(address()) if address else ""

    @property
    def erased(self) -> bool:
        """The law asked for it: what was there is gone, its digest stays."""
        kept = self.entry.before is not None or self.entry.after is not None
        return not kept and self.entry.deed != Deed.TRUNCATE

    @property
    def changes(self) -> list[Change]:
        before, after = (masking.masked(side or {}, personal=self._personal) for side in self._sides())
        return [Change(self._label(name), _said(before.get(name)), _said(after.get(name))) for name in before | after]

    def _sides(self) -> tuple[Any, Any]:
        return self.entry.before, self.entry.after

    def _label(self, column: str) -> str:
        model = models().get(self.entry.relation)
        for one in model._meta.concrete_fields if model else ():
            if one.column == column:
                return str(one.verbose_name)
        return {"rows": _("rows"), "ids": _("Ids")}.get(column, column)


def _said(value: Any) -> str:
    if value is None:
        return ""
    said = masking.indented(value) if isinstance(value, dict | list) else str(value)
    return said if len(said) <= 400 else said[:400] + " …"


def _found(request: HttpRequest) -> AuditFilter:
    return AuditFilter(request.GET, AuditEntry.objects.select_related("actor"), request=request)


@required("integration_hub.view_auditentry")
@require_GET
def page(request: HttpRequest) -> HttpResponseBase:
    """The trail, newest first, and how far it is sealed."""
    found = _found(request)
    if file := exports.asked(request, AUDIT, found.qs.order_by("-pk")):
        return file
    rows = keyset.newest(found.qs, request)
    personal = _note_reading(request, rows.rows)
    return render(
        request,
        "dashboards/audit.html",
        context(
            request,
            _("Audit trail"),
            slice=rows,
            shown=[Shown(row, personal=personal) for row in rows.rows],
            form=found.form,
            filtered=any(request.GET.get(name) for name in found.base_filters),
            route="audit",
            heads=[(head, bytes(head.hash).hex()) for head in seals.heads()],
        ),
    )


def _note_reading(request: HttpRequest, rows: Iterable[AuditEntry]) -> bool:
    """Whether the person may see what is personal in it; that it was seen stands in the trail itself."""
    if not person(request).has_perm(PERSONAL):
        return False
    origin.saw(AuditEntry, [row.pk for row in rows])
    return True
