"""The stock of the stand-in shop and ERP: what they show, what they are told, how they misbehave."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils import timezone

from integration_hub.connectors.base import Delivery, Page
from integration_hub.kernel import codec
from integration_hub.kernel.goods import Level, LevelSet, LevelToSet, LocationReport, SetStock, StockReport
from integration_hub.kernel.messages import Report, Written
from integration_hub.kernel.text import say

PAGE = 2


@dataclass
class Shelf:
    """What a shop shows by (product, place); what an ERP holds by the same; and every push that came."""

    shown: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    held: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    pushes: list[SetStock] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    before: Callable[[], None] | None = None
    compares: bool = True


def told(shelf: Shelf, command: SetStock) -> Written:
    """Set the levels as the shop would, compare-and-set where it can."""
    if shelf.before:
        shelf.before()
    shelf.pushes.append(command)
    return Written(external_id="", levels=tuple(_set(shelf, level) for level in command.levels))


def _set(shelf: Shelf, level: LevelToSet) -> LevelSet:
    key = (level.product_id, level.location_id)
    found = shelf.shown.get(key)
    if code := shelf.refused.get(level.product_id):
        return LevelSet(product_id=key[0], location_id=key[1], problem=say("No."), problem_code=code)
    if shelf.compares and level.expected is not None and found is not None and found != level.expected:
        return LevelSet(
            product_id=key[0],
            location_id=key[1],
            found=found,
            problem=say("Changed."),
            problem_code="changed_meanwhile",
        )
    shelf.shown[key] = level.quantity
    return LevelSet(product_id=key[0], location_id=key[1], found=found)


def parse(found: dict[str, Any]) -> Sequence[Report]:
    """``{"at": …, "levels": [[product, place, quantity], …], "places": [[id, name], …]}``"""
    places = [LocationReport(external_id=one[0], name=one[1]) for one in found.get("places", [])]
    levels = tuple(
        Level(product_id=one[0], location_id=one[1], on_hand=Decimal(one[2]), sku=one[3] if len(one) > 3 else "")
        for one in found.get("levels", [])
    )
    stated = [StockReport(levels=levels, stated_at=codec.utc(found["at"], "at"))] if levels else []
    return [*places, *stated]


def page(shelf: Mapping[tuple[str, str], Decimal], token: str | None) -> Page:
    """Two levels a page."""
    rows = sorted(shelf.items())
    place = int(token or 0)
    levels = [[product, where, str(quantity), product] for (product, where), quantity in rows[place : place + PAGE]]
    body = codec.canonical({"at": timezone.now().isoformat(), "levels": levels})
    return Page([Delivery("levels", "", body)], str(place + PAGE) if place + PAGE < len(rows) else None)
