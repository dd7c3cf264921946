"""What the database itself refuses, whoever asks: tried with plain SQL."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import Error, IntegrityError, transaction
from django.db import connection as database
from django.db.models import ProtectedError

from exceptions import services as cases
from exceptions.models import ExceptionCase
from exceptions.services import Trouble
from integration_hub.kernel.text import say
from integration_hub.models import Activity, Attempt, Connection, InboundEvent, OutboundCommand
from integration_hub.models.activity import note
from orders.models import Order
from tests import spine, standin

pytestmark = pytest.mark.django_db
GROWING = ("integration_hub_attempt", "integration_hub_activity")


@pytest.fixture(autouse=True)
def sold(joined: Connection, world: standin.World) -> Order:
    spine.teapot()
    spine.say(joined, standin.order(1))
    spine.run()
    return Order.objects.get()


def sql(statement: str, *values: Any) -> None:
    """One statement in a savepoint of its own."""
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.mark.parametrize("table", GROWING)
@pytest.mark.parametrize("role", ["origin", "replica", "local"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_what_happened_can_only_grow(table: str, role: str, statement: str) -> None:
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only_table")  # the tests' own flush has it disabled
    sql(f"SET LOCAL session_replication_role = {role}")
    with pytest.raises(Error, match="append-only"):
        sql(statement.format(table))


@pytest.mark.parametrize("table", GROWING)
def test_an_upsert_is_an_update_too(table: str) -> None:
    with pytest.raises(Error, match="append-only"):
        sql(f"INSERT INTO {table} SELECT * FROM {table} ON CONFLICT (id) DO UPDATE SET id = excluded.id")


@pytest.mark.parametrize("table", GROWING)
def test_only_the_retention_job_may_remove(table: str) -> None:
    model = Attempt if table.endswith("attempt") else Activity
    row = model._default_manager.create(**only_row(model))
    with pytest.raises(Error, match="append-only"), transaction.atomic():
        row.delete()
    sql("SET LOCAL hub.purge = 'on'")
    row.delete()
    sql("SET LOCAL hub.purge = 'off'")
    again = model._default_manager.create(**only_row(model))
    with pytest.raises(Error, match="append-only"), transaction.atomic():
        again.delete()


def only_row(model: type[Any]) -> dict[str, Any]:
    if model is Attempt:
        command = OutboundCommand.objects.first()
        return {"command": command, "number": 99, "started_at": "2026-11-20T10:00:00Z", "ms": 1, "outcome": "DONE"}
    noted = note(Order.objects.get(), "x", say("x"))
    return {name: getattr(noted, name) for name in ("subject_type", "subject_id", "action")}


def test_every_table_that_must_grow_has_both_triggers_always_on() -> None:
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger WHERE tgname LIKE 'append_only_%'"
        )
        found = {(table, name): enabled for table, name, enabled in cursor.fetchall()}
    assert {table for table, _name in found} >= set(GROWING)
    for table in {table for table, _name in found}:
        assert found[table, "append_only_rows"] == "A"
        assert (table, "append_only_table") in found


REFUSED = {
    "net and tax make gross": "UPDATE orders_orderline SET gross = gross + 0.0001",
    "one order per channel and id": """INSERT INTO orders_order (channel_id, external_id, number, buyer, placed_at,
        source_updated_at, digest, stage, vendor_status, state, fulfilment, payment, payment_method, transaction_id,
        currency, prices_include_tax, total, total_tax, refunded, note, customer_chosen) SELECT channel_id, external_id,
        'x', '{}', now(), now(), '', 'READY', '', 'HELD', 'NONE', 'OPEN', '', '', 'EUR', true, 1, 0, 0, '', false
        FROM orders_order""",
    "an order in no state": "UPDATE orders_order SET state = 'LOST'",
    "a line of no kind": "UPDATE orders_orderline SET kind = 'AIR'",
    "a negative refund": "UPDATE orders_order SET refunded = -1",
    "two lines in one place": "UPDATE orders_orderline SET position = 1",
    "two sales of one order": """INSERT INTO orders_sale (order_id, connection_id, external_id, number, stage,
        vendor_status, url) SELECT order_id, connection_id, 'other', '', 'DRAFT', '', '' FROM orders_sale""",
    "one sale for two orders": """WITH other AS (INSERT INTO orders_order (channel_id, external_id, number, buyer,
        placed_at, source_updated_at, digest, stage, vendor_status, state, fulfilment, payment, payment_method,
        transaction_id, currency, prices_include_tax, total, total_tax, refunded, note, customer_chosen) SELECT channel_id,
        'other', 'x', '{}', now(), now(), '', 'READY', '', 'HELD', 'NONE', 'OPEN', '', '', 'EUR', true, 1, 0, 0, '', false
        FROM orders_order RETURNING id) INSERT INTO orders_sale (order_id, connection_id, external_id, number, stage,
        vendor_status, url) SELECT other.id, connection_id, external_id, '', 'DRAFT', '', '' FROM orders_sale, other""",
    "the same saying twice": """INSERT INTO integration_hub_inboundevent (connection_id, door, topic, object_id, digest,
        body, context) SELECT connection_id, door, topic, object_id, digest, body, context
        FROM integration_hub_inboundevent""",
    "the same command twice": """INSERT INTO integration_hub_outboundcommand (connection_id, verb, key, subject_type_id,
        subject_id, params, state, attempts, crashes, maybe_sent, reason_code, reason, result) SELECT connection_id, verb,
        key, subject_type_id, subject_id, '{}', 'DUE', 0, 0, false, '', '{}', '{}' FROM integration_hub_outboundcommand""",
    "a leased event without a token": "UPDATE integration_hub_inboundevent SET state = 'LEASED', lease_token = NULL",
    "a leased command without a token": "UPDATE integration_hub_outboundcommand SET state = 'LEASED', lease_token = NULL",
    "two attempts of one number": """INSERT INTO integration_hub_attempt (command_id, number, started_at, ms, outcome,
        reason_code, reason, payload, exchanges) SELECT command_id, number, now(), 1, 'DONE', '', '{}', '{}', '[]'
        FROM integration_hub_attempt""",
    "a name for two objects": """INSERT INTO integration_hub_externalreference (connection_id, kind, external_id,
        subject_type_id, subject_id, gone) SELECT connection_id, kind, external_id, subject_type_id, 0, false
        FROM integration_hub_externalreference""",
    "two switches of one process": """INSERT INTO integration_hub_processswitch (channel_id, process, target_id, enabled,
        since) SELECT channel_id, process, target_id, true, now() FROM integration_hub_processswitch""",
    "two products of one number": "INSERT INTO inventory_variant (sku, gtin, title, active) VALUES ('TK-100', '', 'x', true)",
    "two customers of one address": """INSERT INTO customers_customer (name, company, email, phone, vat_id)
        SELECT '', '', email, '', '' FROM customers_customer""",
}


@pytest.mark.parametrize("statement", REFUSED.values(), ids=REFUSED.keys())
def test_the_database_refuses(statement: str) -> None:
    with pytest.raises(IntegrityError):
        sql(statement.replace("%", "%%"))


def test_one_open_case_per_cause_and_a_time_for_closed_ones(sold: Order) -> None:
    case = cases.open_case(Trouble(kind="defect", cause="c"), sold)
    again = """INSERT INTO exceptions_exceptioncase (kind, cause, params, data, expected, found, amount, currency, size, role,
        due_at, state, occurrences, close_reason, closed_at) SELECT kind, cause, '{}', '{}', '{}', '{}', 0, 'EUR', 0, role,
        now(), %s, 1, '', %s FROM exceptions_exceptioncase"""
    for state, closed_at in (("OPEN", None), ("SOLVED", None), ("OPEN", "2026-11-20")):
        with pytest.raises(IntegrityError):
            sql(again, state, closed_at)
    sql(again, "SOLVED", "2026-11-20")
    assert ExceptionCase.objects.open().get() == case


def test_events_of_a_connection_outlive_its_deletion(joined: Connection) -> None:
    with pytest.raises(ProtectedError):
        joined.delete()
    assert InboundEvent.objects.exists()
