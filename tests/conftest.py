"""What every test gets: PostgreSQL with the hub's triggers, no real kicks, and makers of connections and people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection as database

from integration_hub.connectors import registry
from integration_hub.messaging import inbox, polling, pump, views
from integration_hub.models import Connection, ProcessSwitch, User
from orders.commands import STATUS_TO_SHOP
from orders.states import ORDER_TO_ERP
from tests import standin

pytest_plugins = ["tests.erp.fixtures"]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Flush after transactional tests truncates; only the TRUNCATE half of the append-only triggers gives way.

    At the end nobody else may hold the database: a server thread of a test may still be closing its connection.
    """
    with django_db_blocker.unblock(), database.cursor() as cursor:
        cursor.execute(
            "SELECT event_object_table FROM information_schema.triggers WHERE trigger_name = 'append_only_rows'"
        )
        for table in {row[0] for row in cursor.fetchall()}:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only_table")
        # knox's own table is swapped out but there: flush leaves it out, and its foreign key forbids the TRUNCATE
        cursor.execute("DROP TABLE IF EXISTS knox_authtoken")
        # what the clock asks for waits for the tests that are about it
        cursor.execute("UPDATE integration_hub_duty SET due_at = '2040-01-01T00:00:00Z'")
    yield
    with django_db_blocker.unblock(), database.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture(scope="session", autouse=True)
def _every_stand_in_is_known() -> None:
    """Whoever looked at the register while tests were collected saw only the stand-ins that had been imported by then."""
    registry.cache_clear()


@pytest.fixture(autouse=True)
def kicks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Kicks are written down, not sent: tests move the lanes themselves with ``pump.drain``."""
    sent: list[str] = []
    monkeypatch.setattr(views, "REMEMBERED", 0.0)
    monkeypatch.setattr(inbox, "REMEMBERED", 0.0)
    monkeypatch.setattr(pump, "kick", sent.append)
    return sent


@pytest.fixture
def world() -> standin.World:
    """The outside world of the stand-in connectors, new for each test."""
    standin.WORLD = standin.World()
    return standin.WORLD


@pytest.fixture
def shop(db: None, world: standin.World) -> Connection:
    return make_connection("standin-shop", "laden", "SHOP")


@pytest.fixture
def erp(db: None, world: standin.World) -> Connection:
    return make_connection("standin-erp", "erp", "ERP")


@pytest.fixture
def joined(shop: Connection, erp: Connection) -> Connection:
    """The shop with both processes switched on towards the ERP."""
    switch_on(shop, erp)
    return shop


def make_connection(kind: str, slug: str, role: str, **config: Any) -> Connection:
    made = Connection(kind=kind, slug=slug, name=slug.title(), role=role, config=config)
    made.set_secrets({"secret": "s3cret-for-tests"})
    made.save()
    polling.prepare(made)
    return made


def switch_on(shop: Connection, erp: Connection) -> None:
    for process in (ORDER_TO_ERP, STATUS_TO_SHOP):
        ProcessSwitch.objects.create(channel=shop, process=process, target=erp, since="2020-01-01T00:00:00Z")


@pytest.fixture
def person(db: None) -> Callable[..., User]:
    """``person("operations")`` makes somebody of that role."""

    def make(role: str, name: str = "") -> User:
        user = User.objects.create_user(username=name or role, password="pw-for-tests-1", is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        return user

    return make
