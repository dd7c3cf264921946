"""The pages of stock: levels, one article's stock with what is reserved for whom, the ledger, what will be oversold next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from exceptions.models import ExceptionCase
from exceptions.presentation import Shown
from exceptions.subjects import face_of, url_of
from integration_hub.backoffice import exports, keyset
from integration_hub.backoffice.buttons import buttons, press
from integration_hub.backoffice.pages import context, person, required
from integration_hub.models import Connection
from integration_hub.models.access import User

from . import sheets, stock_chart
from .models import ChannelAvailability, Drift, LocationMapping, Reservation, StockLevel, StockMovement, Variant
from .services import alarms, availability, demand
from .services.availability import Figures
from .stock_actions import VARIANT_ACTIONS
from .stock_filters import LevelFilter, MovementFilter

VIEW = "inventory.view_stocklevel"
LEDGER = "inventory.view_stockmovement"
MOST = 100


@dataclass(frozen=True)
class Promised:
    """A reservation with the page of what it is for."""

    row: Reservation
    url: str


@dataclass(frozen=True)
class Sold:
    """What one channel is to show, was told, and the formula behind it with its numbers."""

    channel: Connection
    figures: Sequence[tuple[str, Figures]]
    rows: Sequence[tuple[str, ChannelAvailability]]


@required(VIEW)
def stock_list(request: HttpRequest) -> HttpResponseBase:
    """Every level, the newest first."""
    found = LevelFilter(request.GET, queryset=StockLevel.objects.select_related("variant", "location"))
    if file := exports.asked(request, sheets.STOCK, found.qs.order_by("-pk")):
        return file
    shown = {
        "slice": keyset.newest(found.qs, request),
        "form": found.form,
        "filtered": any(request.GET.get(name) for name in LevelFilter.base_filters),
    }
    return render(request, "inventory/stock.html", context(request, _("Stock"), **shown))


@required(VIEW)
def stock_of(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything about one article's stock."""
    variant = get_object_or_404(Variant, pk=pk)
    levels = list(variant.levels.select_related("location__source").order_by("location__code"))
    shown = {
        "variant": variant,
        "levels": levels,
        "on_hand": sum((level.on_hand for level in levels), Decimal(0)),
        "reserved": sum((level.reserved for level in levels), Decimal(0)),
        "promised": _promised(variant, person(request)),
        "sold": _sold(variant),
        "chart": stock_chart.of(variant),
        "movements": _with_causes(variant.movements.order_by("-pk")[:20], person(request)),
        "drifts": Drift.objects.filter(variant=variant).select_related("channel").order_by("-pk")[:10],
        "cases": _cases(variant),
        "buttons": buttons(request, VARIANT_ACTIONS, variant, "stock_action"),
    }
    title = _("Stock of %(sku)s") % {"sku": variant.sku}
    return render(request, "inventory/stock_of.html", context(request, title, **shown))


def _promised(variant: Variant, user: User) -> list[Promised]:
    rows = Reservation.objects.filter(variant=variant, open__gt=0).select_related("location", "channel", "subject_type")
    return [Promised(row, _url(row.subject_type, row.subject_id, user)) for row in rows.order_by("promised_at")[:MOST]]


def _url(kind: ContentType | None, pk: int | None, user: User) -> str:
    return url_of(face_of(kind), pk, user) if kind and pk else ""


def _sold(variant: Variant) -> list[Sold]:
    """Every channel that lists the article, with the formula of each."""
    rows = list(
        ChannelAvailability.objects.filter(listing__variant=variant).select_related("channel", "listing").order_by("pk")
    )
    channels = Connection.objects.filter(supplies__isnull=False, listing__variant=variant).distinct().order_by("name")
    named = {
        (row.connection_id, row.external_id): row.name
        for row in LocationMapping.objects.filter(connection__in=[one.pk for one in channels])
    }

    def name(channel: Connection, place: str) -> str:
        return named.get((channel.pk, place)) or place

    return [
        Sold(
            one,
            [(name(one, found.place), found) for found in availability.preview(variant, one)],
            [(name(one, row.place), row) for row in rows if row.channel_id == one.pk],
        )
        for one in channels
    ]


def _cases(variant: Variant) -> list[Shown]:
    """Open cases about this article's stock."""
    kinds = (alarms.NEGATIVE, alarms.OVERSOLD, "stock_short")
    rows = ExceptionCase.objects.open().filter(kind__in=kinds, data__variant=variant.pk).order_by("due_at")
    return [Shown(case) for case in rows[:MOST]]


@dataclass(frozen=True)
class Step:
    """A movement with the page of its cause."""

    row: StockMovement
    url: str


def _with_causes(rows: models.QuerySet[StockMovement], user: User) -> list[Step]:
    found: Iterable[StockMovement] = rows.select_related("variant", "location", "stated_by", "by", "cause_type")
    return [Step(row, _url(row.cause_type, row.cause_id, user)) for row in found]


@require_POST
@required(VIEW)
def stock_action(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Book or transfer."""
    press(request, VARIANT_ACTIONS, code, get_object_or_404(Variant, pk=pk))
    return redirect("stock_of", pk=pk)


@required(VIEW)
def level(request: HttpRequest, pk: int) -> HttpResponse:
    """A level's page is that of its article's stock."""
    return stock_of(request, pk=get_object_or_404(StockLevel, pk=pk).variant_id)  # type: ignore[return-value]


@required(LEDGER)
def ledger(request: HttpRequest) -> HttpResponseBase:
    """Every movement, the newest first."""
    found = MovementFilter(request.GET, queryset=StockMovement.objects.all())
    every = found.qs.select_related("variant", "location", "stated_by", "by", "cause_type")
    if file := exports.asked(request, sheets.LEDGER, every.order_by("-pk")):
        return file
    rows = keyset.newest(every, request)
    user = person(request)
    shown: dict[str, Any] = {
        "slice": rows,
        "steps": [Step(row, _url(row.cause_type, row.cause_id, user)) for row in rows.rows],
        "form": found.form,
        "filtered": any(request.GET.get(name) for name in MovementFilter.base_filters),
    }
    return render(request, "inventory/stock_ledger.html", context(request, _("Stock ledger"), **shown))


@required(VIEW)
def risk(request: HttpRequest) -> HttpResponseBase:
    """Fast sellers near zero."""
    risks = demand.risks()
    if file := exports.asked(request, sheets.RISKS, risks):
        return file
    shown = {"risks": risks, "days": demand.DAYS, "soon": demand.SOON}
    return render(request, "inventory/stock_risk.html", context(request, _("Oversell risk"), **shown))
