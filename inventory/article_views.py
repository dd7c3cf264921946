"""The page of an article: its facts with their owners, its names elsewhere, its parts, what others say, what was done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from exceptions import services as cases
from exceptions.presentation import Shown
from integration_hub.backoffice.actions import may
from integration_hub.backoffice.buttons import buttons, press
from integration_hub.backoffice.pages import context, person, required
from integration_hub.models import Activity, Connection

from .article_actions import ARTICLE_ACTIONS, OWN
from .mapping_views import Difference, said_differently
from .models import BundlePart, Field, FieldOwner, Listing, MappingStep, Variant
from .services import ownership

VIEW = "inventory.view_variant"
MOST = 50


@dataclass(frozen=True)
class Fact:
    """A field of the article: its value, who owns it, who says otherwise."""

    label: Any
    value: str
    owner: Any
    others: list[tuple[Connection, Difference, int]]


@required(VIEW)
def article(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything about one article but its stock."""
    variant = get_object_or_404(Variant.objects.select_related("product"), pk=pk)
    listings = list(variant.listings.select_related("connection").order_by("gone", "connection__name", "pk")[:MOST])
    shown = {
        "variant": variant,
        "facts": _facts(variant, listings),
        "listings": listings,
        "parts": BundlePart.objects.filter(bundle=variant).select_related("part").order_by("pk"),
        "part_of": BundlePart.objects.filter(part=variant).select_related("bundle").order_by("pk")[:MOST],
        "siblings": _siblings(variant),
        "cases": [Shown(case) for case in cases.open_cases_of(variant).order_by("due_at")],
        "steps": _steps(variant),
        "activities": _activities(variant),
        "buttons": buttons(request, ARTICLE_ACTIONS, variant, "article_action"),
    }
    return render(request, "inventory/article.html", context(request, variant.sku, **shown))


def _facts(variant: Variant, listings: list[Listing]) -> list[Fact]:
    held = ownership.owners()
    said = [(row, difference) for row in listings if not row.gone for difference in said_differently_of(variant, row)]
    return [
        Fact(
            one.label,
            ownership.shown(variant, one),
            held.label(one),
            [(row.connection, difference, row.pk) for row, difference in said if difference.label == one.label],
        )
        for one in ownership.COLUMNS
    ]


def said_differently_of(variant: Variant, listing: Listing) -> list[Difference]:
    """As ``said_differently``, for an article that is at hand."""
    listing.variant = variant
    return said_differently(listing)


def _siblings(variant: Variant) -> list[Variant]:
    if variant.product_id is None:
        return []
    return list(Variant.objects.filter(product=variant.product_id).exclude(pk=variant.pk).order_by("sku")[:MOST])


def _steps(variant: Variant) -> list[MappingStep]:
    rows = MappingStep.objects.filter(Q(after=variant) | Q(before=variant)).order_by("-pk")
    return list(rows.select_related("connection", "before", "after", "by")[:MOST])


def _activities(variant: Variant) -> list[Activity]:
    rows = Activity.objects.filter(subject_type=ContentType.objects.get_for_model(Variant), subject_id=variant.pk)
    return list(rows.select_related("actor").order_by("-pk")[:MOST])


@require_POST
@required(VIEW)
def article_action(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Press a button of the article's page."""
    press(request, ARTICLE_ACTIONS, code, get_object_or_404(Variant, pk=pk))
    return redirect("article", pk=pk)


@required("inventory.view_fieldowner")
def owners(request: HttpRequest) -> HttpResponse:
    """Which system says what about the articles."""
    FieldOwner.objects.bulk_create([FieldOwner(field=one) for one in Field], ignore_conflicts=True)
    rows = {row.field: row for row in FieldOwner.objects.select_related("connection")}
    held = ownership.owners()
    mine = may(OWN, person(request))
    shown = {
        "rows": [(one, held.label(one), rows[one], OWN.unbound(rows[one]) if mine else None) for one in Field],
        "erps": Connection.objects.filter(pk__in=held.erps).order_by("name"),
    }
    return render(request, "inventory/owners.html", context(request, _("Who owns which field"), **shown))


@require_POST
@required("inventory.own_fields")
def own(request: HttpRequest, pk: int) -> HttpResponse:
    """Say who owns a field."""
    press(request, (OWN,), OWN.code, get_object_or_404(FieldOwner, pk=pk))
    return redirect("article_owners")
