"""Finding listings, differences and steps of mapping on the pages; every filter is a link to send to a colleague."""

from __future__ import annotations

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from exceptions.models import ExceptionCase
from integration_hub.models import Connection

from .models import Field, Listing, MappingStep
from .services import normalised_gtin, normalised_sku
from .services.mapping import WAITING

MOST_CASES = 500
SHOWN = (("unmapped", _("not mapped")), ("ignored", _("set aside")), ("mapped", _("mapped")))
_SEARCH = forms.TextInput(attrs={"type": "search", "maxlength": 80})


def connections(_request: object) -> QuerySet[Connection]:
    return Connection.objects.order_by("name")


class ListingFilter(django_filters.FilterSet):  # type: ignore[misc]
    """What systems list: what waits to be mapped, unless asked otherwise."""

    q = django_filters.CharFilter(label=_("SKU as it begins, or GTIN"), method="find", widget=_SEARCH)
    show = django_filters.ChoiceFilter(label=_("Show"), choices=SHOWN[1:], method="shown", empty_label=SHOWN[0][1])
    connection = django_filters.ModelChoiceFilter(label=_("Connection"), queryset=connections, empty_label=_("all"))
    waiting = django_filters.BooleanFilter(
        label=_("only what orders wait for"), method="waited_for", widget=forms.CheckboxInput
    )

    class Meta:
        model = Listing
        fields = ["q", "show", "connection", "waiting"]

    @property
    def qs(self) -> QuerySet[Listing]:
        rows: QuerySet[Listing] = super().qs
        chosen = self.form.cleaned_data.get("show") if self.form.is_valid() else ""
        return rows if chosen else rows.filter(variant=None, ignored=False, gone=False)

    def find(self, rows: QuerySet[Listing], _name: str, text: str) -> QuerySet[Listing]:
        sku, gtin = normalised_sku(text), normalised_gtin(text)
        return rows.filter(Q(sku__startswith=sku) | (Q(gtin=gtin) if gtin else Q(external_id=sku)))

    def shown(self, rows: QuerySet[Listing], _name: str, what: str) -> QuerySet[Listing]:
        return rows.filter(ignored=True) if what == "ignored" else rows.filter(variant__isnull=False)

    def waited_for(self, rows: QuerySet[Listing], _name: str, wanted: object) -> QuerySet[Listing]:
        """Listings whose id or number is the subject of an open case."""
        if not wanted:
            return rows
        cases = ExceptionCase.objects.open().filter(kind=WAITING).values_list("connection_id", "data")[:MOST_CASES]
        names = Q(pk=None)
        for connection, data in cases:
            sku, product_id = data.get("sku"), data.get("product_id")
            same = (Q(sku=sku) if sku else Q(pk=None)) | (Q(external_id=product_id) if product_id else Q(pk=None))
            names |= Q(connection=connection) & same
        return rows.filter(names)


class DifferenceFilter(django_filters.FilterSet):  # type: ignore[misc]
    """What others say differently: by system and field."""

    connection = django_filters.ModelChoiceFilter(label=_("Connection"), queryset=connections, empty_label=_("all"))
    field = django_filters.ChoiceFilter(
        label=_("Field"), choices=Field.choices, method="of_field", empty_label=_("all")
    )

    class Meta:
        model = Listing
        fields = ["connection", "field"]

    def of_field(self, rows: QuerySet[Listing], _name: str, field: str) -> QuerySet[Listing]:
        return rows.filter(differs__contains=[field])


class StepFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Who mapped what: by system, by what it rests on."""

    connection = django_filters.ModelChoiceFilter(label=_("Connection"), queryset=connections, empty_label=_("all"))
    how = django_filters.ChoiceFilter(
        label=_("rests on"), choices=MappingStep._meta.get_field("how").choices, empty_label=_("all")
    )

    class Meta:
        model = MappingStep
        fields = ["connection", "how"]
