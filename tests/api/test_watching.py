"""Health, readiness and metrics: what a load balancer and Prometheus get to see."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.db import connection as database
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from integration_hub.api import figures
from integration_hub.messaging import pump
from integration_hub.messaging.guards import guarded_tables
from integration_hub.models import Connection, Heartbeat, InboundEvent
from orders.models import Order
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db


def test_alive_needs_no_database(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        answer = Client().get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_ready_while_database_migrations_and_guards_are_in_place() -> None:
    for lane in pump.LANES:
        pump.beat(lane)
    answer = Client().get("/readyz")
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["kicks"]) == ("ready", True)
    assert answer.json()["checks"] == {"database": True, "migrations": True, "append_only": True, "writable": True}


def test_idle_workers_degrade_but_take_no_traffic_away(shop: Connection) -> None:
    InboundEvent.objects.create(connection=shop, door="POLL", topic="x", object_id="1", digest=b"1", body=b"{}")
    for worked, stale in ((timedelta(seconds=5), []), (timedelta(hours=1), ["in"])):
        for lane in pump.LANES:
            pump.beat(lane)
        Heartbeat.objects.filter(lane="in").update(at=timezone.now() - worked)
        answer = Client().get("/readyz")
        assert (answer.status_code, answer.json()["stale_lanes"]) == (200, stale)
        assert answer.json()["status"] == ("degraded" if stale else "ready")


def test_not_ready_without_a_guard_or_a_migration() -> None:
    assert "integration_hub_activity" in guarded_tables()
    with database.cursor() as cursor:
        cursor.execute("DROP TRIGGER append_only_rows ON integration_hub_activity")
        cursor.execute("DELETE FROM django_migrations WHERE app = 'orders'")
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "unready")
    assert answer.json()["checks"] == {"database": True, "migrations": False, "append_only": False, "writable": True}


def test_not_ready_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise OperationalError

    monkeypatch.setattr(figures, "heartbeats", gone)
    monkeypatch.setattr(database, "close", lambda: None)
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] is False


def scraped(answer: Any) -> dict[tuple[str, ...], float]:
    assert answer.status_code == 200
    found = text_string_to_metric_families(answer.content.decode())
    return {(s.name, *s.labels.values()): s.value for family in found for s in family.samples}


def test_the_figures_are_those_of_the_database(caller: Caller, reported: Order, shop: Connection) -> None:
    for place, state in enumerate(("DUE", "DUE", "PARKED")):
        InboundEvent.objects.create(
            connection=shop, door="POLL", topic="x", object_id=str(place), digest=b"1", body=b"{}", state=state
        )
    InboundEvent.objects.filter(state="DUE").update(due_at=timezone.now() - timedelta(minutes=5))
    found = scraped(caller("integrator").get("/metrics", headers={"Accept": "application/openmetrics-text"}))
    assert found[("hub_events", "due")] == 2
    assert found[("hub_events", "parked")] == 1
    assert found[("hub_events", "leased")] == 0
    assert 290 < found[("hub_lane_overdue_seconds", "in")] < 330
    assert found[("hub_open_exceptions", "unknown_product")] == 1
    assert found[("hub_connection", "laden", "active")] == 1
    assert found[("hub_orders_held",)] == 1
    assert ("hub_lane_seconds_since_worked", "in") in found
    assert ("hub_table_rows_estimate", "orders_order") in found


def test_a_scraper_has_a_token_of_its_own(settings: Settings) -> None:
    scraper = Client(headers={"Authorization": "Bearer scrape-me-please"})
    assert scraper.get("/metrics").status_code == 401
    settings.HUB_METRICS_TOKEN = "scrape-me-please"
    assert scraper.get("/metrics").status_code == 200
    assert scraper.get("/api/v1/connections/").status_code == 401
    settings.HUB_METRICS_TOKEN = ""
    assert Client(headers={"Authorization": "Bearer "}).get("/metrics").status_code == 401
