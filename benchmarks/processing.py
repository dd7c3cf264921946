"""Processing without HTTP: stored event to canonical order with lines, addresses, customer, activity and outbox row."""

from __future__ import annotations

import time
from decimal import Decimal

from django.db import connection as database
from django.db import reset_queries
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from benchmarks import load
from benchmarks.bare_rows import BARE_TABLES, write_bare
from integration_hub.connectors.base import Delivery
from integration_hub.messaging import inbox
from integration_hub.models import Connection, InboundEvent, OutboundCommand, ProcessSwitch
from integration_hub.models.inbound import Door
from inventory.models import Location, Movement, StockLevel, Supply, Variant
from inventory.services import ledger
from orders.models import Order

ORDERS = 400
FIRST = 10_000_000


def run() -> None:
    """Orders per second, and database queries per order with few and with many orders stored."""
    shop = connect("werkbank", "werkbank-erp")
    InboundEvent.objects.update(state="IGNORED", finished_at=Now())  # what the intake benchmark left
    few = _queries(shop, FIRST)
    found = rate(shop, FIRST + 1000, ORDERS)
    many = _queries(shop, FIRST + 900_000)
    print(f"  processing: {few} queries per order at {1} stored orders, {many} at {Order.objects.count()}")
    assert few == many, "the query count depends on how many orders exist"
    assert OutboundCommand.objects.filter(verb="sale.write").count() == Order.objects.filter(channel=shop).count()
    yardstick = bare(ORDERS)
    print(f"bench processing {found:.1f} orders/s ratio={found / yardstick:.2f} goal=0.4", flush=True)
    _stock_up(shop)
    found = rate(shop, FIRST + 2000, ORDERS)
    assert StockLevel.objects.get().reserved == ORDERS, "not every order holds its goods"
    print(f"bench processing_reserving {found:.1f} orders/s ratio={found / yardstick:.2f} goal=0.4", flush=True)


def _stock_up(shop: Connection) -> None:
    """Enough of the one article that all orders want, so that each of them holds a piece."""
    place = Location.objects.create(code="WB", name="Werkbank")
    Supply.objects.create(channel=shop, location=place)
    pot, erp = Variant.objects.get(sku="TK-100"), Connection.objects.get(slug="werkbank-erp")
    step = ledger.Step(variant_id=pot.pk, location_id=place.pk, kind=Movement.COUNT, quantity=Decimal(100_000))
    ledger.book([step])
    ProcessSwitch.objects.create(channel=shop, process="reserve_stock", target=erp, since="2020-01-01T00:00:00Z")


def connect(slug: str, erp_slug: str) -> Connection:
    """A shop and an ERP that nobody answers for, joined by the first process."""
    Variant.objects.get_or_create(sku="TK-100", defaults={"title": "Teekanne"})
    shop = Connection(kind="woocommerce", slug=slug, name=slug, role="SHOP", config={"url": "http://127.0.0.1:9"})
    shop.set_secrets({"consumer_key": "ck", "consumer_secret": "cs", "webhook_secret": "whsec"})
    shop.save()
    erp = Connection(
        kind="odoo", slug=erp_slug, name=erp_slug, role="ERP", config={"url": "http://127.0.0.1:9", "database": "x"}
    )
    erp.set_secrets({"api_key": "key"})
    erp.save()
    ProcessSwitch.objects.create(channel=shop, process="order_to_erp", target=erp, since="2020-01-01T00:00:00Z")
    return shop


def store(shop: Connection, first: int, count: int) -> None:
    """Put so many different orders into the inbox."""
    numbers = range(first, first + count)
    inbox.store(shop, [Delivery("order.updated", str(number), load.order(number)) for number in numbers], Door.WEBHOOK)


def _queries(shop: Connection, number: int) -> int:
    """Statements for one event, the claim of the batch included."""
    store(shop, number, 1)
    while inbox.process(1):
        pass
    store(shop, number + 1, 1)
    reset_queries()
    with CaptureQueriesContext(database) as seen:
        assert inbox.process(1) == 1
    # a kick is sent at most four times a second, whatever the number of orders
    return len([query for query in seen.captured_queries if "django_q" not in query["sql"]])


def rate(shop: Connection, first: int, count: int) -> float:
    """Orders per second, put into the inbox beforehand."""
    store(shop, first, count)
    began = time.perf_counter()
    while inbox.process():
        pass
    return count / (time.perf_counter() - began)


def bare(count: int) -> float:
    """The yardstick: psycopg writes the same rows, one transaction per order."""
    import json  # noqa: PLC0415

    import psycopg  # noqa: PLC0415

    database.ensure_connection()
    bodies = [load.order(FIRST + 2_000_000 + place) for place in range(count)]
    with psycopg.connect(database.connection.info.dsn, autocommit=True) as raw:
        raw.execute(BARE_TABLES)
        began = time.perf_counter()
        for body in bodies:
            with raw.transaction():
                write_bare(raw, json.loads(body), body)
        return count / (time.perf_counter() - began)
