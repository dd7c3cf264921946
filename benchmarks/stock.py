"""Stock: an ERP's delta over many articles, and fifty processes that want the same last pieces."""

from __future__ import annotations

import multiprocessing
import time
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection as database
from django.db import connections, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from benchmarks.processing import connect, store
from integration_hub.kernel.goods import Level, StockReport
from integration_hub.messaging import inbox
from integration_hub.models import Connection, ProcessSwitch
from inventory.models import (
    ChannelAvailability,
    Location,
    LocationMapping,
    Movement,
    StockLevel,
    StockMovement,
    Supply,
    Variant,
)
from inventory.services import availability, drifts, ledger, levels, watch
from inventory.services.stated import Stated
from orders.models import Order

ARTICLES, PLACES, DELTA, LIMIT = 100_000, 5, 1_000, 2.0
PIECES, PROCESSES, ORDERS = 100, 50, 150
FIRST = 30_000_000


def run() -> None:
    shop = connect("lager", "lager-erp")
    erp = Connection.objects.get(slug="lager-erp")
    _warehouse(shop, erp)
    _delta(erp)
    _comparison(shop)
    _race(shop, erp)


def _warehouse(shop: Connection, erp: Connection) -> None:
    """A hundred thousand articles at five places, all listed in one shop; rows made by the database itself."""
    began = time.perf_counter()
    for number in range(PLACES):
        place = Location.objects.create(code=f"P{number}", name=f"Lager {number}", source=erp)
        LocationMapping.objects.create(connection=erp, external_id=str(number), location=place)
        Supply.objects.create(channel=shop, location=place, rank=number)
    with database.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inventory_variant (sku, title, gtin, active) SELECT 'A-' || n, 'Artikel ' || n, '', true FROM generate_series(1, %s) n",
            [ARTICLES],
        )
        cursor.execute(
            "INSERT INTO inventory_listing (connection_id, external_id, sku, variant_id) "
            "SELECT c.id, v.sku, v.sku, v.id FROM inventory_variant v, integration_hub_connection c "
            "WHERE v.sku LIKE 'A-%%' AND c.id IN (%s, %s)",
            [shop.pk, erp.pk],
        )
        cursor.execute(
            "INSERT INTO inventory_stockmovement (variant_id, location_id, kind, quantity, reserved, text, stated_by_id) "
            "SELECT v.id, l.id, 'COUNT', 20, 0, '{}', l.source_id FROM inventory_variant v, inventory_location l "
            "WHERE v.sku LIKE 'A-%%'"
        )
        cursor.execute("UPDATE inventory_stocklevel SET moved = false")
        cursor.execute("ANALYZE")
    booked = time.perf_counter() - began
    rows = availability.reckon_channel(shop)
    took = time.perf_counter() - began - booked
    print(
        f"  stock: {StockLevel.objects.count()} levels booked in {booked:.0f} s, {rows} articles reckoned in {took:.0f} s"
    )


def _delta(erp: Connection) -> None:
    """A thousand articles at five places each state another level; taken over, reckoned, troubles looked for."""
    figures: dict[int, tuple[float, int, float]] = {}
    for size, on_hand in ((DELTA // 10, 19), (DELTA, 18), (DELTA, 17), (DELTA, 16)):
        stated = StockReport(
            levels=tuple(
                Level(product_id=f"A-{number}", sku=f"A-{number}", location_id=str(place), on_hand=Decimal(on_hand))
                for number in range(1, size + 1)
                for place in range(PLACES)
            ),
            stated_at=timezone.now(),
        )
        began = time.perf_counter()
        with CaptureQueriesContext(database) as taken:
            levels.report(erp, stated, None)
        batches = 0
        with CaptureQueriesContext(database) as reckoned:
            while watch.work():
                batches += 1
        one = (time.perf_counter() - began, len(taken), len(reckoned) / (batches + 1))
        figures[size] = min(one, figures.get(size, one))
    seconds, queries, per_batch = figures[DELTA]
    print(f"  stock: {queries} queries to take {DELTA} articles over, {figures[DELTA // 10][1]} for {DELTA // 10}")
    assert queries == figures[DELTA // 10][1], "the query count depends on how many levels were stated"
    print(f"  stock: {per_batch:.0f} queries per batch of reckoning")
    print(f"  stock: {seconds:.2f} s, the best of three, for {DELTA} articles at {PLACES} places")
    print(f"bench stock_delta {DELTA / seconds:.1f} articles/s ratio={LIMIT / seconds:.2f} goal=1.0", flush=True)


def _comparison(shop: Connection) -> None:
    """What the hub itself takes for a page of a hundred levels of a full comparison, against a shop that answers in 300 ms."""
    told = ChannelAvailability.objects.filter(channel=shop).select_related("listing__variant").order_by("-pk")
    told.update(told=F("wanted"), told_at=timezone.now(), dirty_since=None)
    rows, later = list(told[:1000]), timezone.now() + timedelta(minutes=1)
    began = time.perf_counter()
    for first in range(0, len(rows), 100):
        page = [_stated(row, later, 7 if row.pk % 100 == 0 else 0) for row in rows[first : first + 100]]
        with transaction.atomic():
            drifts.stated(shop, page)
    each = (time.perf_counter() - began) / (len(rows) / 100)
    print(f"  stock: {each * 1000:.1f} ms per page of 100 levels, one in a hundred of them drifted")
    print(
        f"bench stock_comparison {0.3 / each:.1f} pages per page of the shop ratio={0.3 / each:.2f} goal=1.0",
        flush=True,
    )


def _stated(row: ChannelAvailability, at: datetime, drift: int) -> Stated:
    name = row.listing.external_id
    return Stated(name, "", name, "", row.wanted + drift, at, row.listing.variant)


def _race(shop: Connection, erp: Connection) -> None:
    """Fifty processes at once order the same last hundred pieces, one each: exactly a hundred are sold."""
    pot, place = Variant.objects.get(sku="TK-100"), Location.objects.get(code="P0")
    ProcessSwitch.objects.create(channel=shop, process="reserve_stock", target=erp, since="2020-01-01T00:00:00Z")
    step = ledger.Step(variant_id=pot.pk, location_id=place.pk, kind=Movement.COUNT, quantity=Decimal(PIECES))
    ledger.book([step], stated_by=erp)
    store(shop, FIRST, ORDERS)
    connections.close_all()
    gate = multiprocessing.Barrier(PROCESSES + 1)
    workers = [multiprocessing.Process(target=_work, args=(gate,)) for _number in range(PROCESSES)]
    for worker in workers:
        worker.start()
    gate.wait(timeout=120)
    began = time.perf_counter()
    for worker in workers:
        worker.join(timeout=300)
    took = time.perf_counter() - began
    while inbox.process():
        pass
    orders = Order.objects.filter(channel=shop)
    accepted, held = orders.filter(state="ACCEPTED").count(), orders.filter(state="HELD").count()
    level = StockLevel.objects.get(variant=pot, location=place)
    sold = StockMovement.objects.filter(variant=pot, kind=Movement.RESERVED).count()
    print(f"  stock: {PROCESSES} processes, {ORDERS} orders: {accepted} sold, {held} wait, reserved {level.reserved:f}")
    assert (accepted, held, sold, int(level.reserved)) == (PIECES, ORDERS - PIECES, PIECES, PIECES)
    rate = ORDERS / took
    print(f"bench stock_race {rate:.1f} orders/s ratio={accepted / PIECES:.2f} goal=1.0", flush=True)


def _work(gate: object) -> None:
    """One process: takes one event at a time until nothing is due."""
    connections.close_all()
    database.ensure_connection()
    gate.wait(timeout=120)  # type: ignore[attr-defined]
    while inbox.process(1):
        pass
