"""Growth: an order costs the same number of queries, and about the same time, beside a thousand stored orders and a million.

The million are copies of one processed order with all its rows, made within the database.  ``STORED`` says how many,
100,000 unless told; a million take some minutes to copy.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psutil
from django.db import connection as database
from django.db import reset_queries
from django.test.utils import CaptureQueriesContext

from benchmarks import processing
from integration_hub.messaging import inbox
from integration_hub.models import Connection
from orders.models import Order

FEW, STORED = 1_000, 100_000
GOAL = 0.8
BATCH = 50
ROUNDS, ROUND = 5, 200
FIRST = 70_000_000
OF_ORDER, OF_SUBJECT = "order_id = {order}", "subject_type_id = {kind} AND subject_id = {order}"
HANGS, ABOUT = {"order_id": "{far_order} + n"}, {"subject_id": "{far_order} + n"}
NAME, DAY = "'g' || n", "'2026-11-20T10:00:00Z'::timestamptz - n * interval '1 minute'"
# by table: which of its rows belong to the copied order, and what a copy (the n-th) has of its own
TABLES: dict[str, tuple[str, dict[str, str]]] = {
    "customers_customer": ("id = {customer}", {"email": "'g' || n || '@example.test'"}),
    "orders_order": (
        "id = {order}",
        {
            "external_id": NAME,
            "number": NAME,
            "customer_id": "{far_customer} + n",
            "placed_at": DAY,
            "source_updated_at": DAY,
        },
    ),
    "orders_orderline": (OF_ORDER, HANGS),
    "orders_orderaddress": (OF_ORDER, HANGS),
    "integration_hub_externalreference": (OF_SUBJECT, ABOUT | {"external_id": NAME}),
    "integration_hub_activity": (
        OF_SUBJECT,
        ABOUT | {"event_id": "CASE WHEN t.event_id IS NULL THEN NULL ELSE {far_event} + n END"},
    ),
    "integration_hub_outboundcommand": (
        OF_SUBJECT,
        ABOUT | {"key": "'sale:g' || n", "state": "'DONE'", "finished_at": "t.created_at"},
    ),
    "integration_hub_inboundevent": (
        "id = {event}",
        {"object_id": NAME, "digest": "sha256(n::text::bytea)", "body": "''::bytea"},
    ),
}


def run() -> None:
    """Queries, rate and cost at both sizes; the ratio of what the database works for an order."""
    shop = processing.connect("wachstum", "wachstum-erp")
    processing.store(shop, FIRST, 1)
    while inbox.process():
        pass
    few = _measure(shop, FIRST + 1_000_000, FEW)
    many = _measure(shop, FIRST + 2_000_000, int(os.environ.get("STORED") or STORED))
    assert few[:2] == many[:2], "the query count depends on how many orders exist"
    # with the same queries, what can grow is the database's work; the wall clock says more about this machine's other work
    print(f"bench growth {many[2]:.2f} database_ms/order ratio={few[2] / many[2]:.2f} goal={GOAL}", flush=True)


def _measure(shop: Connection, first: int, stored: int) -> tuple[float, float, float]:
    """Queries per order alone and in a batch, and the database's milliseconds of CPU per order, with so many stored."""
    began = time.perf_counter()
    fill(shop, stored - Order.objects.count())
    filled, held = time.perf_counter() - began, Order.objects.count()
    alone, together = queries(shop, first, 1), queries(shop, first + 100, BATCH)
    rate, ours, its = _rate(shop, first + 1000)
    print(
        f"  growth: {held} orders stored (copied in {filled:.0f} s), {alone:.1f} queries per order alone,"
        f" {together:.2f} in batches of {BATCH}, {rate:.0f} orders/s, CPU per order {ours:.2f} ms and the database's"
        f" {its:.2f} ms"
    )
    return alone, together, its


def queries(shop: Connection, first: int, count: int) -> float:
    """Statements per order for one batch, its claim included."""
    processing.store(shop, first, count)
    while inbox.process(count):
        pass
    processing.store(shop, first + count, count)
    reset_queries()
    with CaptureQueriesContext(database) as seen:
        assert inbox.process(count) == count
    # a kick is sent at most four times a second, whatever the number of orders
    return len([query for query in seen.captured_queries if "django_q" not in query["sql"]]) / count


def _rate(shop: Connection, first: int) -> tuple[float, float, float]:
    """Orders per second, and milliseconds of CPU per order, ours and the database's.

    The best of some rounds each: whoever else is on this machine slows a round down, none makes it faster.
    """
    database.ensure_connection()
    database.close_at = None  # this session is measured, so it lives on
    us, it = psutil.Process(), psutil.Process(database.connection.info.backend_pid)
    rates, ours, its = [], [], []
    for number in range(ROUNDS):
        processing.store(shop, first + number * ROUND, ROUND)
        began, spent = time.perf_counter(), (_cpu(us), _cpu(it))
        while inbox.process(BATCH):
            pass
        rates.append(ROUND / (time.perf_counter() - began))
        ours.append(1000 * (_cpu(us) - spent[0]) / ROUND)
        its.append(1000 * (_cpu(it) - spent[1]) / ROUND)
    return max(rates), min(ours), min(its)


def _cpu(process: psutil.Process) -> float:
    return sum(process.cpu_times()[:2])


def fill(shop: Connection, count: int) -> None:
    """So many copies of the shop's first order, finished, with fresh statistics."""
    if count < 1:
        return
    order = Order.objects.filter(channel=shop, external_id=str(FIRST)).get()
    copied = Order.objects.filter(number__startswith="g").count()
    with database.cursor() as cursor:
        names = _names(cursor, order)
        cursor.execute(
            "SET session_replication_role = replica"
        )  # neither foreign keys nor triggers: the rows are sound
        try:
            for table, (which, own) in TABLES.items():
                filled = {column: value.format(**names) for column, value in own.items()}
                with _without_indexes(cursor, table):
                    _copy(cursor, table, which.format(**names), filled, range(copied + 1, copied + count + 1))
        finally:
            cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("CHECKPOINT")  # what copying has left to write is not the price of an order


def _names(cursor: Any, order: Order) -> dict[str, int]:
    cursor.execute(
        "SELECT subject_type_id, event_id FROM integration_hub_activity WHERE subject_id = %s AND event_id IS NOT NULL",
        [order.pk],
    )
    kind, event = cursor.fetchone()
    near = {"order": order.pk, "customer": order.customer_id or 0, "event": event}
    return near | {"kind": kind} | {f"far_{name}": _far(value) for name, value in near.items()}


def _far(row: int) -> int:
    """Where the ids of a row's copies begin: far above what the sequences give."""
    return 1_000_000_000 + row * 10_000_000


def _copy(cursor: Any, table: str, which: str, own: dict[str, str], numbers: range) -> None:
    cursor.execute(f"SELECT * FROM {table} WHERE {which} ORDER BY id")
    columns = [column[0] for column in cursor.description]
    for row in [dict(zip(columns, found, strict=True))["id"] for found in cursor.fetchall()]:
        values = own | {"id": f"{_far(row)} + n"}
        cursor.execute(
            f"""INSERT INTO {table} ({", ".join(f'"{name}"' for name in columns)})
            SELECT {", ".join(values.get(name, f't."{name}"') for name in columns)}
            FROM {table} t, generate_series(%s, %s) n WHERE t.id = %s""",
            [numbers[0], numbers[-1], row],
        )
    cursor.execute(f"ANALYZE {table}")


@contextmanager
def _without_indexes(cursor: Any, table: str) -> Iterator[None]:
    """The plain indexes are made anew afterwards, which is faster than feeding them row by row."""
    cursor.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index i WHERE indrelid = %s::regclass"
        " AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid)",
        [table],
    )
    made: Sequence[tuple[str, str]] = cursor.fetchall()
    for name, _definition in made:
        cursor.execute(f"DROP INDEX {name}")
    yield
    for _name, definition in made:
        cursor.execute(definition)
