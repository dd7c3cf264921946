"""Pages: how long the main pages take beside many rows, next to a stock Django admin list of the same tables.

``PAGES_ORDERS`` says how many orders there are (20,000 unless told; a million need some minutes to copy), each with ten rows of
timeline, and with ``PAGES_CASES`` open cases (a twentieth of the orders unless told, at most 50,000).
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psutil
from django.contrib.auth.models import Group
from django.db import connection as database
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from benchmarks import growth, processing
from exceptions.models import ExceptionCase
from integration_hub.dashboards import rollup
from integration_hub.messaging import inbox
from integration_hub.models import User
from orders.models import Order

ORDERS, TIMELINE = 20_000, 10
ROUNDS = int(os.environ.get("PAGES_ROUNDS") or 20)
LIMIT, LATE = 300, 800  # milliseconds at the median and at the 95th percentile
KINDS = (("unknown_product", "operations"), ("totals_disagree", "finance"), ("address_incomplete", "operations"))
FIRST = growth.FIRST


def run() -> None:
    """Build, count the hours, then ask for every page in turn."""
    orders = int(os.environ.get("PAGES_ORDERS") or ORDERS)
    cases = int(os.environ.get("PAGES_CASES") or min(orders // 20, 50_000))
    build(orders, cases)
    client = Client(HTTP_HOST="localhost")
    client.force_login(_administrator())
    found = {name: _told(name, _ask(client, url)) for name, url in addresses().items()}
    for name, took in _plain().items():
        print(f"  pages: stock admin list of {name:14} median {statistics.median(took):5.0f} ms", flush=True)
    slow = {name: round(one.median) for name, one in found.items() if one.median > LIMIT}
    late = {name: round(one.p95) for name, one in found.items() if one.p95 > LATE}
    worst = max(one.median for one in found.values())
    print(f"  pages: over {LIMIT} ms at the median: {slow or 'none'}; over {LATE} ms at p95: {late or 'none'}")
    print(f"bench pages {worst:.1f} ms_median_of_slowest_page ratio={LIMIT / worst:.2f} goal=1", flush=True)


@dataclass(frozen=True)
class Asked:
    """Milliseconds of each round, of CPU per round (ours and the database's), and the number of queries."""

    took: list[float]
    cpu: float
    queries: int

    @property
    def median(self) -> float:
        return statistics.median(self.took)

    @property
    def p95(self) -> float:
        return sorted(self.took)[max(int(len(self.took) * 0.95) - 1, 0)]


def _told(name: str, one: Asked) -> Asked:
    print(
        f"  pages: {name:24} median {one.median:5.0f} ms, p95 {one.p95:5.0f} ms, CPU {one.cpu:5.0f} ms, {one.queries} queries",
        flush=True,
    )
    return one


def build(orders: int, cases: int) -> None:
    """Orders as the hub makes them, copied; timelines and cases made by the database; all hours counted."""
    shop = processing.connect("wachstum", "wachstum-erp")
    processing.store(shop, FIRST, 1)
    while inbox.process():
        pass
    order = Order.objects.get(channel=shop, external_id=str(FIRST))
    _spread()
    _said("orders", lambda: growth.fill(shop, orders - 1))
    _said("timeline", lambda: _timeline(order, orders))
    _said("exceptions", lambda: _cases(order, cases))
    _said("hours", _hours)
    with database.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _spread() -> None:
    """Copies came in and went out a minute apart, as orders do, and not all in one hour."""
    then = "now() - n * interval '1 minute'"
    later = f"{then} + interval '2 seconds'"
    growth.TABLES["integration_hub_inboundevent"][1].update(received_at=then, finished_at=later)
    growth.TABLES["integration_hub_outboundcommand"][1].update(
        created_at=later, finished_at=f"{later} + interval '1 second'"
    )


def _said(what: str, make: Callable[[], Any]) -> None:
    began = time.perf_counter()
    make()
    print(f"  pages: {what} made in {time.perf_counter() - began:.0f} s", flush=True)


def _timeline(order: Order, orders: int) -> None:
    """Fill up to ten steps per order."""
    far = growth._far(order.pk)
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM integration_hub_activity WHERE subject_id = %s", [order.pk])
        more = max(TIMELINE - cursor.fetchone()[0], 0)
        cursor.execute("SET session_replication_role = replica")
        try:
            with growth._without_indexes(cursor, "integration_hub_activity"):
                cursor.execute(
                    """INSERT INTO integration_hub_activity (at, subject_type_id, subject_id, action, text, system, why, data)
                    SELECT now() - n * interval '1 minute', (SELECT id FROM django_content_type WHERE app_label = 'orders' AND model = 'order'),
                      %s + n, 'orders.state', '{"msgid": "Order accepted", "params": {}}', 'hub', '', '{}'
                    FROM generate_series(1, %s) n, generate_series(1, %s) step""",
                    [far, orders - 1, more],
                )
        finally:
            cursor.execute("SET session_replication_role = DEFAULT")


def _cases(order: Order, cases: int) -> None:
    """Open cases of a few kinds, each with one of the copied orders, and as many closed ones."""
    far = growth._far(order.pk)
    kinds, roles = [kind for kind, _role in KINDS], [role for _kind, role in KINDS]
    with database.cursor() as cursor:
        cursor.execute(
            """INSERT INTO exceptions_exceptioncase (kind, cause, params, data, expected, found, amount, currency, size, role,
              connection_id, due_at, state, occurrences, first_seen_at, last_seen_at, closed_at, close_reason)
            SELECT (%(kinds)s::text[])[1 + n %% 3], 'bench:' || n, '{}', '{}', '{}', '{}', (n * 7919 %% 500000) / 100.0, 'EUR', 1,
              (%(roles)s::text[])[1 + n %% 3], %(shop)s, now() + (n %% 200 - 100) * interval '1 hour',
              CASE WHEN n <= %(open)s THEN 'OPEN' ELSE 'SOLVED' END, 1, now() - n %% 900 * interval '1 hour',
              now(), CASE WHEN n <= %(open)s THEN NULL ELSE now() - n %% 800 * interval '1 hour' END, ''
            FROM generate_series(1, 2 * %(open)s) n""",
            {"kinds": kinds, "roles": roles, "shop": order.channel_id, "open": cases},
        )
        cursor.execute(
            """INSERT INTO exceptions_casesubject (case_id, subject_type_id, subject_id, label, amount, currency, open, added_at)
            SELECT id, (SELECT id FROM django_content_type WHERE app_label = 'orders' AND model = 'order'),
              %s + split_part(cause, ':', 2)::bigint, 'Laden ' || cause, amount, 'EUR', state = 'OPEN', first_seen_at
            FROM exceptions_exceptioncase WHERE cause LIKE 'bench:%%'""",
            [far],
        )


def _hours() -> None:
    while rollup.count_due(timezone.now()).left:
        pass


def _administrator() -> User:
    user = User.objects.create_user(username="bench", password="only-for-a-benchmark", is_staff=True)
    user.groups.add(Group.objects.get(name="administrator"))
    return user


def addresses() -> dict[str, str]:
    """The main pages by name."""
    order = Order.objects.order_by("-pk").values_list("pk", flat=True)[5]
    case = ExceptionCase.objects.open().earliest("pk").pk
    shop = Order.objects.values_list("channel", flat=True).earliest("pk")
    roles = {
        f"start {role}": reverse("start_page", args=[role])
        for role in ("finance", "operations", "integrator", "auditor")
    }
    return roles | {
        "start operations month": f"{reverse('start_page', args=['operations'])}?period=month",
        "start operations now": reverse("start_live", args=["operations"]),
        "orders": reverse("orders"),
        "orders held": f"{reverse('orders')}?state=HELD",
        "order": reverse("order", args=[order]),
        "exceptions": f"{reverse('exceptions')}?tab=all",
        "exceptions closed": f"{reverse('exceptions')}?tab=auto",
        "exceptions found": f"{reverse('exceptions')}?tab=all&q=4711",
        "exception": reverse("exception", args=[case]),
        "activity": reverse("activity"),
        "events": reverse("events"),
        "commands": reverse("commands"),
        "connections": reverse("connections"),
        "connection": reverse("connection", args=[shop]),
        "completeness": reverse("completeness"),
        "special cases": reverse("after_sales"),
        "stock": reverse("stock"),
        "customers": reverse("admin:customers_customer_changelist"),
    }


def _ask(client: Client, url: str) -> Asked:
    """Ask so many times, after one to warm up; the CPU tells what a page costs where the machine has other work, too."""
    statements = []
    with database.execute_wrapper(lambda run, *given: statements.append(given[0]) or run(*given)):
        answer = client.get(url, follow=True)
        assert answer.status_code == 200, (url, answer.status_code)
    database.close_at = None  # this session is measured, so it lives on
    processes = psutil.Process(), psutil.Process(database.connection.info.backend_pid)
    took, spent = [], sum(map(growth._cpu, processes))
    for _round in range(ROUNDS):
        began = time.perf_counter()
        client.get(url)
        took.append(1000 * (time.perf_counter() - began))
    return Asked(took, 1000 * (sum(map(growth._cpu, processes)) - spent) / ROUNDS, len(statements))


def _plain() -> dict[str, list[float]]:
    """The same tables in a stock Django admin, in a process of its own."""
    made = subprocess.run(
        [sys.executable, "-m", "benchmarks.plain_admin"],
        capture_output=True,
        check=False,
        text=True,
        env=dict(os.environ),
    )
    if made.returncode:
        raise RuntimeError(made.stderr[-2000:])
    found: dict[str, list[float]] = json.loads(made.stdout)
    return found
