"""Finding levels and movements on the pages and over REST; every filter is a link to send to a colleague."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

import django_filters
from django import forms
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .models import Location, Movement, StockLevel, StockMovement, Variant
from .services import normalised_sku

_SEARCH = forms.TextInput(attrs={"type": "search", "maxlength": 80})
SHOWN = (
    ("negative", _("negative")),
    ("oversold", _("more promised than held")),
    ("sold_out", _("nothing free")),
    ("reserved", _("reserved")),
)
MOST = 500


def locations(_request: object) -> QuerySet[Location]:
    return Location.objects.order_by("code")


def of_sku(rows: QuerySet[Any], _name: str, text: str) -> QuerySet[Any]:
    """The rows of articles whose number begins so."""
    found = Variant.objects.filter(sku__startswith=normalised_sku(text)).values_list("pk", flat=True)[:MOST]
    return rows.filter(variant_id__in=list(found))


class LevelFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Which levels."""

    q = django_filters.CharFilter(label=_("SKU as it begins"), method=of_sku, widget=_SEARCH)
    location = django_filters.ModelChoiceFilter(label=_("stock location"), queryset=locations, empty_label=_("all"))
    show = django_filters.ChoiceFilter(label=_("Show"), choices=SHOWN, method="shown", empty_label=_("all"))

    class Meta:
        model = StockLevel
        fields = ["q", "location", "show"]

    def shown(self, rows: QuerySet[StockLevel], _name: str, what: str) -> QuerySet[StockLevel]:
        if what == "negative":
            return rows.filter(on_hand__lt=0)
        if what == "oversold":
            return rows.filter(reserved__gt=F("on_hand")).exclude(reserved=0)
        return rows.filter(reserved__gt=0) if what == "reserved" else rows.filter(on_hand__lte=F("reserved"))


class MovementFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Which movements."""

    q = django_filters.CharFilter(label=_("SKU as it begins"), method=of_sku, widget=_SEARCH)
    location = django_filters.ModelChoiceFilter(label=_("stock location"), queryset=locations, empty_label=_("all"))
    kind = django_filters.ChoiceFilter(label=_("kind"), choices=Movement.choices, empty_label=_("all"))
    since = django_filters.DateFilter(
        label=_("since"), method="begins", widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    variant = django_filters.NumberFilter(field_name="variant_id", min_value=1, widget=forms.HiddenInput)

    class Meta:
        model = StockMovement
        fields = ["q", "location", "kind", "since", "variant"]

    def begins(self, rows: QuerySet[StockMovement], _name: str, day: date) -> QuerySet[StockMovement]:
        return rows.filter(at__gte=timezone.make_aware(datetime.combine(day, time.min)))
