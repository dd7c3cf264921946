"""Setting stock up: locations and whose word counts there, what systems call them, what channels sell from and how."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from integration_hub.backoffice import exports
from integration_hub.backoffice.buttons import buttons, press
from integration_hub.backoffice.pages import context, person, required
from integration_hub.kernel.states import Capability, Role
from integration_hub.kernel.text import say
from integration_hub.models import Connection, ProcessSwitch
from integration_hub.models.activity import note

from . import sheets
from .models import (
    ChannelAvailability,
    Comparison,
    Drift,
    Location,
    LocationMapping,
    StockDifference,
    UnplacedLevel,
)
from .services import places, push
from .stock_actions import CHANNEL_ACTIONS, COMPARE, MAP_PLACE, SOURCE

VIEW = "inventory.view_location"
SET_UP = "inventory.set_up_stock"
MOST = 50


class LocationForm(forms.ModelForm):  # type: ignore[type-arg]
    """A location of the hub's own."""

    class Meta:
        model = Location
        fields = ("code", "name", "confirm_hours")
        help_texts = {
            "code": gettext_lazy("Letters, digits, point and dash; orders take from locations in this order.")
        }


@required(VIEW)
def locations(request: HttpRequest) -> HttpResponseBase:
    """The hub's locations, what systems call theirs, and what could not be placed."""
    form = LocationForm(request.POST or None)
    if request.method == "POST" and person(request).has_perm(SET_UP) and form.is_valid():
        made = form.save()
        note(made, "inventory.location", say("Location made"), by=person(request))
        messages.success(request, _("Location %(name)s made.") % {"name": made.name})
        return redirect("stock_locations")
    rows = Location.objects.select_related("source").annotate(held=Count("levels", filter=~Q(levels__on_hand=0)))
    if file := exports.asked(request, sheets.LOCATIONS, rows.order_by("code")):
        return file
    mapped = LocationMapping.objects.select_related("connection", "location").order_by(
        "connection__name", "external_id"
    )
    shown = {
        "locations": [(row, buttons(request, [SOURCE], row, "stock_location_action")) for row in rows],
        "mappings": [(row, buttons(request, [MAP_PLACE], row, "stock_place_action")) for row in mapped],
        "unplaced": UnplacedLevel.objects.select_related("connection").order_by("-pk")[:MOST],
        "differences": StockDifference.objects.filter(gone_at=None)
        .select_related("connection", "variant", "location")
        .order_by("-seen_at")[:MOST],
        "form": form,
        "may": person(request).has_perm(SET_UP),
    }
    return render(request, "inventory/stock_locations.html", context(request, _("Stock locations"), **shown))


@require_POST
@required(VIEW)
def location_action(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Say whose word counts at a location."""
    press(request, [SOURCE], code, get_object_or_404(Location, pk=pk))
    return redirect("stock_locations")


@require_POST
@required(VIEW)
def place_action(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Say which location a system's place is."""
    press(request, [MAP_PLACE], code, get_object_or_404(LocationMapping.objects.select_related("connection"), pk=pk))
    return redirect("stock_locations")


@required(VIEW)
def channels(request: HttpRequest) -> HttpResponse:
    """Every channel: what it sells from, what waits to be told, the last comparison; and ERPs, which are compared too."""
    rows = Connection.objects.order_by("role", "name")
    told = dict(
        ChannelAvailability.objects.filter(dirty_since__isnull=False)
        .values_list("channel_id")
        .annotate(size=Count("pk"))
        .order_by()
    )
    on = set(
        ProcessSwitch.objects.filter(process=push.STOCK_TO_SHOP, enabled=True).values_list("channel_id", flat=True)
    )
    compared = {row.connection_id: row for row in Comparison.objects.all()}
    shown = {
        "shops": [
            (row, row.supplies.select_related("location"), row.pk in on, told.get(row.pk, 0), compared.get(row.pk))
            for row in rows
            if row.role == Role.SHOP
        ],
        "others": [
            (row, compared.get(row.pk), buttons(request, [COMPARE], row, "stock_channel_action"))
            for row in rows
            if row.role != Role.SHOP and Capability.LIST_LEVELS in row.capabilities
        ],
    }
    return render(request, "inventory/stock_channels.html", context(request, _("Stock by channel"), **shown))


@required(VIEW)
def channel(request: HttpRequest, pk: int) -> HttpResponse:
    """One channel: rule, locations, what waits, what was not taken, drifts."""
    row = get_object_or_404(Connection, pk=pk, role=Role.SHOP)
    shops = ChannelAvailability.objects.filter(channel=row).select_related("listing__variant")
    shown = {
        "channel": row,
        "rule": places.rule_of(row),
        "supplies": row.supplies.select_related("location"),
        "on": ProcessSwitch.objects.filter(channel=row, process=push.STOCK_TO_SHOP, enabled=True).exists(),
        "waiting": shops.filter(dirty_since__isnull=False, problem_code="").order_by("dirty_since", "pk")[:MOST],
        "refused": shops.exclude(problem_code="").order_by("pk")[:MOST],
        "drifts": Drift.objects.filter(channel=row).select_related("variant").order_by("-pk")[:MOST],
        "comparison": Comparison.objects.filter(connection=row).first(),
        "buttons": buttons(request, CHANNEL_ACTIONS, row, "stock_channel_action"),
    }
    title = _("Stock in %(shop)s") % {"shop": row.name}
    return render(request, "inventory/stock_channel.html", context(request, title, **shown))


@require_POST
@required(VIEW)
def channel_action(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Change rule or locations, compare, tell everything anew."""
    row = get_object_or_404(Connection, pk=pk)
    press(request, CHANNEL_ACTIONS, code, row)
    return redirect("stock_channel", pk=pk) if row.role == Role.SHOP else redirect("stock_channels")
