"""Finding postings; every filter is a plain link that can be sent to a colleague."""

from __future__ import annotations

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from .events import Source
from .models import Posting

_DAY = {"widget": forms.DateInput(attrs={"type": "date"})}


class PostingFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Postings by account, document field 1, day and what they are about."""

    account = django_filters.CharFilter(label=_("Account"), max_length=9)
    belegfeld1 = django_filters.CharFilter(label=_("Document field 1"), max_length=60)
    source = django_filters.ChoiceFilter(
        label=_("About"), field_name="entry__source", choices=Source.choices, empty_label=_("all")
    )
    since = django_filters.DateFilter(label=_("From day"), field_name="entry__booked_on", lookup_expr="gte", **_DAY)
    until = django_filters.DateFilter(label=_("Until day"), field_name="entry__booked_on", lookup_expr="lte", **_DAY)
    order = django_filters.NumberFilter(field_name="entry__order_id", widget=forms.HiddenInput, min_value=1)
    payout = django_filters.NumberFilter(field_name="entry__payout_id", widget=forms.HiddenInput, min_value=1)
    sides = django_filters.ChoiceFilter(
        label=_("Which lines"), method="of_sides", choices=[("rows", _("booking rows only"))], empty_label=_("all")
    )

    class Meta:
        model = Posting
        fields = ["account", "belegfeld1", "source", "since", "until", "order", "payout", "sides"]

    def of_sides(self, rows: QuerySet[Posting], _name: str, _value: str) -> QuerySet[Posting]:
        return rows.filter(side="HEAD")
