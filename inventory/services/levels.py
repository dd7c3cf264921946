"""What systems state about levels: taken over where their word counts, a difference where it does not, kept where unclear.

A statement becomes a movement by its difference to what we hold, set by set: the number of statements to the database does
not depend on how many levels were stated.  An older statement than the last one changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection as database
from django.db.models import Q

from integration_hub.kernel.goods import StockReport
from integration_hub.kernel.states import Role
from integration_hub.kernel.text import mark, say
from integration_hub.messaging import pump
from integration_hub.models import Connection, InboundEvent

from ..models import Kind, Listing, Location, LocationMapping, Unplaced, UnplacedLevel, Variant
from . import drifts, places, unplaced
from .ledger import LANE
from .stated import Stated, named, read

_ROWS = """stated (variant_id, location_id, on_hand, at) AS (
  SELECT * FROM unnest(%(variants)s::bigint[], %(locations)s::bigint[], %(quantities)s::numeric[], %(ats)s::timestamptz[]))"""
_THERE = f"""WITH {_ROWS}
INSERT INTO inventory_stocklevel (variant_id, location_id) SELECT variant_id, location_id FROM stated s
WHERE NOT EXISTS (SELECT 1 FROM inventory_stocklevel l WHERE l.variant_id = s.variant_id AND l.location_id = s.location_id)
ORDER BY variant_id, location_id ON CONFLICT DO NOTHING"""  # noqa: S608  our own statements
# what changes is confirmed by the ledger's trigger, what does not is confirmed here
_BOOK = f"""WITH {_ROWS}, held AS MATERIALIZED (
  SELECT l.id, l.variant_id, l.location_id, s.on_hand - l.on_hand AS change, s.on_hand, s.at
  FROM inventory_stocklevel l JOIN stated s USING (variant_id, location_id)
  WHERE l.stated_at IS NULL OR l.stated_at <= s.at
  ORDER BY l.variant_id, l.location_id FOR UPDATE OF l),
booked AS (
  INSERT INTO inventory_stockmovement (variant_id, location_id, kind, quantity, reserved, cause_type_id, cause_id, text,
    stated_by_id, stated_at)
  SELECT variant_id, location_id, 'COUNT', change, 0, %(cause_type)s, %(cause)s, jsonb_build_object('msgid',
    %(msgid)s::text, 'params', jsonb_build_object('system', %(name)s::text, 'count', trim_scale(on_hand)::text)),
    %(source)s, at FROM held WHERE change <> 0 RETURNING 1),
confirmed AS (
  UPDATE inventory_stocklevel l SET stated_at = h.at, confirmed_at = statement_timestamp() FROM held h
  WHERE l.id = h.id AND h.change = 0 RETURNING 1)
SELECT 1 FROM held"""  # noqa: S608  our own statements
# what was shipped before the source counted is in its count: it is held no longer
_COUNTED_OUT = f"""WITH {_ROWS}, counted AS MATERIALIZED (
  SELECT r.id, r.variant_id, r.location_id, r.shipped, r.subject_type_id, r.subject_id, r.label
  FROM inventory_reservation r JOIN inventory_location p ON p.id = r.location_id AND p.source_id = %(source)s
  WHERE r.shipped > 0 AND EXISTS (SELECT 1 FROM stated s WHERE s.variant_id = r.variant_id AND r.shipped_at <= s.at)
  ORDER BY r.id FOR UPDATE OF r),
gone AS (
  UPDATE inventory_reservation r SET open = r.open - c.shipped, taken = r.taken + c.shipped, shipped = 0
  FROM counted c WHERE r.id = c.id)
INSERT INTO inventory_stockmovement (variant_id, location_id, kind, quantity, reserved, cause_type_id, cause_id, text,
  stated_by_id)
SELECT variant_id, location_id, 'SALE', 0, -shipped, subject_type_id, subject_id, jsonb_build_object('msgid',
  %(shipped)s::text, 'params', jsonb_build_object('label', label)), %(source)s FROM counted"""  # noqa: S608  our own statements
_DIFFER = f"""WITH {_ROWS}, seen AS (
  SELECT s.*, coalesce(l.on_hand, 0) AS ours FROM stated s LEFT JOIN inventory_stocklevel l USING (variant_id, location_id)),
same AS (
  UPDATE inventory_stockdifference d SET gone_at = statement_timestamp() FROM seen s
  WHERE d.connection_id = %(source)s AND d.variant_id = s.variant_id AND d.location_id = s.location_id
    AND d.gone_at IS NULL AND s.ours = s.on_hand AND d.stated_at <= s.at)
INSERT INTO inventory_stockdifference AS d (connection_id, variant_id, location_id, ours, stated, stated_at)
SELECT %(source)s, variant_id, location_id, ours, on_hand, at FROM seen WHERE ours <> on_hand
ON CONFLICT (connection_id, variant_id, location_id) WHERE gone_at IS NULL DO UPDATE SET ours = excluded.ours,
  stated = excluded.stated, stated_at = excluded.stated_at, seen_at = statement_timestamp()
WHERE d.stated_at <= excluded.stated_at"""  # noqa: S608  our own statements
_STATES = say("%(system)s states %(count)s")
_SHIPPED = say("Shipped and counted out: %(label)s")


def report(connection: Connection, stated: StockReport, event: InboundEvent | None) -> str | None:
    """Take over what a system states; returns why nothing came of it, if so."""
    found = read(connection, stated)
    if not found:
        return mark("states no levels")
    if connection.role == Role.SHOP:
        drifted = drifts.stated(connection, found)
        found = _counting(connection, found)
        if not found:
            return None if drifted else mark("as the hub knows it")
    return None if take(connection, found, event) else mark("older than what the hub holds")


def _counting(shop: Connection, found: Sequence[Stated]) -> list[Stated]:
    """Of what a shop states, that which counts: at places where its word is the source of truth, as with its till."""
    mine = LocationMapping.objects.filter(connection=shop, location__source=shop)
    names = set(mine.values_list("external_id", flat=True))
    return [one for one in found if one.place in names]


def take(connection: Connection, found: Sequence[Stated], event: InboundEvent | None) -> bool:
    """Sort what was stated by what can be done with it, and do it; False if all of it is older than what we hold."""
    where = places.known(connection, {one.place for one in found})
    owned = set(Location.objects.filter(source=connection).values_list("pk", flat=True))
    doubled = _doubled(found)
    apply: list[tuple[Stated, int]] = []
    differ: list[tuple[Stated, int]] = []
    kept: list[UnplacedLevel] = []
    for one in found:
        location, reason = where[one.place], _hindrance(one, where[one.place], doubled)
        if reason:
            kept.append(unplaced.row(connection, one, reason))
        elif _keeps_stock(one) and location is not None:
            (apply if location in owned else differ).append((one, location))
    unplaced.keep(connection, kept, placed=[one for one, _location in [*apply, *differ]])
    applied = _apply(connection, apply, event)
    if differ:
        _run(_DIFFER, connection, differ, event)
    return bool(applied or differ or kept or not apply)


def _doubled(found: Sequence[Stated]) -> set[tuple[int, str]]:
    """Articles of ours that two articles there state a level for at one place."""
    seen: set[tuple[int, str]] = set()
    twice: set[tuple[int, str]] = set()
    for one in found:
        key = (one.variant.pk if one.variant else 0, one.place)
        (twice if key in seen else seen).add(key)
    return twice


def _hindrance(one: Stated, location: int | None, doubled: set[tuple[int, str]]) -> Unplaced | None:
    if one.variant is None:
        return Unplaced.ARTICLE
    if location is None:
        return Unplaced.LOCATION
    if one.variant.pieces_only and one.on_hand != one.on_hand.to_integral_value():
        return Unplaced.FRACTION
    return Unplaced.TWICE if (one.variant.pk, one.place) in doubled else None


def _keeps_stock(one: Stated) -> bool:
    return one.variant is not None and one.variant.kind == Kind.GOODS


def _apply(connection: Connection, rows: Sequence[tuple[Stated, int]], event: InboundEvent | None) -> int:
    """Make the levels what the source of truth states; returns how many were not older than what we hold."""
    if not rows:
        return 0
    _run(_THERE, connection, rows, event)
    applied = _run(_BOOK, connection, rows, event)
    _run(_COUNTED_OUT, connection, rows, event)
    pump.kick(LANE)
    return applied


def _run(sql: str, source: Connection, rows: Iterable[tuple[Stated, int]], event: InboundEvent | None) -> int:
    rows = list(rows)
    values: dict[str, Any] = {
        "variants": [one.variant.pk for one, _location in rows if one.variant],
        "locations": [location for _one, location in rows],
        "quantities": [one.on_hand for one, _location in rows],
        "ats": [one.at for one, _location in rows],
        "source": source.pk,
        "name": source.name,
        "cause_type": ContentType.objects.get_for_model(InboundEvent).pk if event else None,
        "cause": event.pk if event else None,
        "msgid": _STATES.msgid,
        "shipped": _SHIPPED.msgid,
    }
    with database.cursor() as cursor:
        cursor.execute(sql, values)
        return int(cursor.rowcount)


def restate(connection: Connection) -> int:
    """Try again what could not be placed before: an article or a location has become known.  Returns how many were taken."""
    rows = list(UnplacedLevel.objects.select_for_update().filter(connection=connection).order_by("pk"))
    found = [Stated(row.product_id, row.product_id, row.sku, row.place, row.on_hand, row.stated_at) for row in rows]
    if not found:
        return 0
    take(connection, named(connection, found), None)
    return len(rows) - UnplacedLevel.objects.filter(connection=connection).count()


def products_known(variants: Iterable[int]) -> None:
    """Levels that waited for these articles are taken over."""
    skus = list(Variant.objects.filter(pk__in=list(variants)).values_list("sku", flat=True))
    listed = Listing.objects.filter(variant__sku__in=skus).values_list("connection_id", "external_id", "stock_id")
    ids = {name for _connection, *names in listed for name in names} - {""}
    waiting = UnplacedLevel.objects.filter(Q(sku__in=skus) | Q(product_id__in=ids))
    for connection in Connection.objects.filter(pk__in=waiting.values("connection_id")).order_by("pk"):
        restate(connection)
