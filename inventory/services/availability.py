"""What a channel may sell: reckoned from the levels by the channel's formula, for what has changed, set by set.

    at each place of the shop:  on hand (- reserved) of the locations that supply it  - buffer
    a bundle:                   as many as the scarcest of its parts allows
    then:                       never below 0; less than the minimum shows as 0; never more than the maximum

An article of which no location of the channel has ever stated a level is left out: nobody knows, so nothing is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from django.db import connection as database
from django.db import transaction

from integration_hub.models import Connection

from ..models import Formula, StockLevel, StockRule, Supply, Variant
from . import places
from .bundles import parts_of

ZERO = Decimal(0)

# {listed} and {lying} narrow it down: to some articles (as arrays, so that the indexes are used), or to nothing at all
_RECKON = """
WITH RECURSIVE touched (id) AS (
  SELECT unnest(%(variants)s::bigint[])
  UNION
  SELECT p.bundle_id FROM inventory_bundlepart p JOIN touched ON p.part_id = touched.id),
place AS (
  SELECT DISTINCT s.channel_id, s.place FROM inventory_supply s
  WHERE %(channels)s::bigint[] IS NULL OR s.channel_id = ANY(%(channels)s::bigint[])),
shown AS MATERIALIZED (
  SELECT g.id AS listing_id, g.connection_id AS channel_id, g.variant_id, v.kind, v.pieces_only
  FROM inventory_listing g JOIN inventory_variant v ON v.id = g.variant_id AND v.kind IN ('GOODS', 'BUNDLE')
  WHERE NOT g.gone AND g.tracked IS NOT FALSE AND g.connection_id = ANY(ARRAY(SELECT channel_id FROM place)) {listed}),
taken (bundle_id, part_id, quantity) AS (
  SELECT DISTINCT variant_id, variant_id, 1::numeric FROM shown WHERE kind = 'BUNDLE'
  UNION ALL
  SELECT t.bundle_id, p.part_id, t.quantity * p.quantity FROM taken t JOIN inventory_bundlepart p ON p.bundle_id = t.part_id),
part AS MATERIALIZED (
  SELECT DISTINCT variant_id AS bundle_id, variant_id AS part_id, 1::numeric AS quantity FROM shown WHERE kind = 'GOODS'
  UNION ALL
  SELECT t.bundle_id, t.part_id, sum(t.quantity) FROM taken t
  JOIN inventory_variant v ON v.id = t.part_id AND v.kind = 'GOODS' GROUP BY t.bundle_id, t.part_id),
held AS (
  SELECT s.channel_id, s.place, l.variant_id,
    sum(l.on_hand - CASE WHEN coalesce(r.formula, 'FREE') = 'FREE' THEN l.reserved ELSE 0 END)
      - coalesce(max(r.buffer), 0) AS free
  FROM inventory_stocklevel l JOIN inventory_supply s ON s.location_id = l.location_id
  LEFT JOIN inventory_stockrule r ON r.channel_id = s.channel_id
  WHERE (%(channels)s::bigint[] IS NULL OR s.channel_id = ANY(%(channels)s::bigint[])) {lying}
  GROUP BY s.channel_id, s.place, l.variant_id),
able AS (
  SELECT w.listing_id, w.channel_id, p.place, min(CASE WHEN w.kind = 'BUNDLE' OR w.pieces_only
    THEN floor(h.free / part.quantity) ELSE h.free / part.quantity END) AS pieces
  FROM shown w JOIN place p ON p.channel_id = w.channel_id JOIN part ON part.bundle_id = w.variant_id
  LEFT JOIN held h ON h.channel_id = w.channel_id AND h.place = p.place AND h.variant_id = part.part_id
  GROUP BY w.listing_id, w.channel_id, p.place HAVING bool_and(h.free IS NOT NULL)),
wanted AS (
  SELECT a.listing_id, a.channel_id, a.place, CASE WHEN a.pieces < coalesce(r.minimum, 0) THEN 0
    ELSE round(least(greatest(a.pieces, 0), coalesce(r.maximum, 9999999999)), 4) END AS quantity
  FROM able a LEFT JOIN inventory_stockrule r ON r.channel_id = a.channel_id)
INSERT INTO inventory_channelavailability AS c (listing_id, channel_id, place, wanted)
SELECT listing_id, channel_id, place, quantity FROM wanted ORDER BY listing_id, place
ON CONFLICT (listing_id, place) DO UPDATE SET wanted = excluded.wanted,
  dirty_since = CASE WHEN c.push IS NULL AND c.told = excluded.wanted THEN NULL
    ELSE coalesce(c.dirty_since, statement_timestamp()) END
WHERE c.wanted <> excluded.wanted
"""
_SOME = _RECKON.format(
    listed="AND g.variant_id = ANY(ARRAY(SELECT id FROM touched))",
    lying="AND l.variant_id = ANY(ARRAY(SELECT part_id FROM part))",
)
_ALL = _RECKON.format(listed="", lying="")
# what was listed or supplied once and is not any more
_DROP = """
DELETE FROM inventory_channelavailability c USING inventory_listing g
WHERE g.id = c.listing_id AND c.channel_id = ANY(%(channels)s::bigint[]) AND c.push IS NULL AND (
  g.gone OR g.variant_id IS NULL OR g.tracked IS FALSE OR NOT EXISTS (
    SELECT 1 FROM inventory_supply s WHERE s.channel_id = c.channel_id AND s.place = c.place))
"""


def reckon(variants: Iterable[int]) -> int:
    """Reckon anew what every channel may sell of these articles and the bundles they are in; returns what changed."""
    ids = sorted(set(variants))
    return _run(_SOME, variants=ids, channels=None) if ids else 0


@transaction.atomic
def reckon_channel(channel: Connection) -> int:
    """Reckon everything of one channel anew: its locations or its rule have changed, or articles were listed."""
    _run(_DROP, channels=[channel.pk])
    return _run(_ALL, variants=[], channels=[channel.pk])


def _run(sql: str, **values: Any) -> int:
    with database.cursor() as cursor:
        cursor.execute(sql, values)
        return int(cursor.rowcount)


@dataclass(frozen=True)
class Source:
    """What one location adds for one article."""

    level: StockLevel
    counted: Decimal


@dataclass(frozen=True)
class PartFigures:
    """What is free of one part at one place of a shop, and for how many that is enough."""

    variant: Variant
    each: Decimal
    sources: Sequence[Source]
    buffer: Decimal
    free: Decimal
    enough: Decimal


@dataclass(frozen=True)
class Figures:
    """The formula of one channel and place with its numbers filled in; ``result`` None: nobody has stated a level."""

    channel: Connection
    place: str
    rule: StockRule
    parts: Sequence[PartFigures]
    result: Decimal | None

    @property
    def minus_reserved(self) -> bool:
        return self.rule.formula == Formula.FREE


def preview(variant: Variant, channel: Connection) -> list[Figures]:
    """What the formula gives for an article, place by place, with every number it is made of."""
    rule = places.rule_of(channel)
    supplies = list(Supply.objects.filter(channel=channel).select_related("location"))
    needs = parts_of([variant.pk]).get(variant.pk, [])
    parts = Variant.objects.in_bulk([need.variant_id for need in needs])
    levels = list(StockLevel.objects.filter(variant_id__in=parts).select_related("location").order_by("location__code"))
    found = []
    for place in dict.fromkeys(supply.place for supply in supplies):
        here = {supply.location_id for supply in supplies if supply.place == place}
        shown = [
            _part(parts[need.variant_id], need.quantity, rule, [one for one in levels if one.location_id in here])
            for need in needs
        ]
        found.append(Figures(channel, place, rule, shown, _result(variant, rule, shown)))
    return found


def _part(variant: Variant, each: Decimal, rule: StockRule, levels: Sequence[StockLevel]) -> PartFigures:
    sources = [
        Source(row, row.on_hand - (row.reserved if rule.formula == Formula.FREE else ZERO))
        for row in levels
        if row.variant_id == variant.pk
    ]
    free = sum((source.counted for source in sources), ZERO) - rule.buffer
    return PartFigures(variant, each, sources, rule.buffer, free, free / each)


def _result(variant: Variant, rule: StockRule, parts: Sequence[PartFigures]) -> Decimal | None:
    if not parts or not all(part.sources for part in parts):
        return None
    pieces = min(part.enough for part in parts)
    if variant.kind == "BUNDLE" or variant.pieces_only:
        pieces = pieces.to_integral_value(ROUND_FLOOR)
    if pieces < rule.minimum:
        return ZERO
    most = pieces if rule.maximum is None else min(pieces, rule.maximum)
    return max(most, ZERO).quantize(Decimal("0.0001"))
