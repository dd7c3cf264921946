"""The audit trail: whatever changes a row, past the program too, leaves who, what, why and from where; and the seals hold."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection as database
from django.db import connections, transaction
from django.test import Client

from exceptions.actions import ALWAYS
from exceptions.models import ExceptionCase
from integration_hub import audited
from integration_hub.backoffice import seals, trail
from integration_hub.backoffice.invariants import judge
from integration_hub.kernel.text import say
from integration_hub.models import Activity, AuditEntry, Connection, Seal, User
from integration_hub.models.activity import note
from orders.models import Order, OrderAddress
from tests import spine, standin
from tests.exceptions import scene

pytestmark = pytest.mark.django_db
CHAIN = {one.code: one for one in seals.INVARIANTS}


def sql(statement: str, *values: Any) -> None:
    with database.cursor() as cursor:
        cursor.execute(statement, values)


def last(relation: str) -> Any:
    """The newest entry about a table."""
    return AuditEntry.objects.filter(relation=relation).latest("pk")


@pytest.fixture
def order(joined: Connection, world: standin.World) -> Order:
    spine.teapot()
    spine.say(joined, standin.order(1))
    spine.run()
    return Order.objects.get()


def test_every_table_of_ours_is_under_audit_or_named_with_a_reason() -> None:
    assert trail.unguarded() == []
    known = set(database.introspection.table_names())
    assert {table for table in audited.EXEMPT if table not in known} == set()
    assert all(len(reason.split()) > 3 for reason in audited.EXEMPT.values())
    columns = {table: {one.name for one in _columns(table)} for table in (*audited.IGNORED, *audited.SECRET)}
    for told in (audited.IGNORED, audited.SECRET):
        for table, names in told.items():
            assert set(names) <= columns[table], table
    assert set(audited.ALWAYS) <= set(trail.audited())


def _columns(table: str) -> list[Any]:
    with database.cursor() as cursor:
        return database.introspection.get_table_description(cursor, table)


def test_a_change_by_plain_sql_leaves_what_it_was_and_what_it_is(order: Order) -> None:
    sql("UPDATE orders_order SET total = total + 1, source_updated_at = now() WHERE id = %s", order.pk)
    entry = last("orders_order")
    assert (entry.deed, entry.row_id, entry.actor_id) == ("UPDATE", str(order.pk), None)
    assert entry.before == {"total": float(order.total)}
    assert entry.after == {"total": float(order.total) + 1}
    assert entry.db_user
    assert entry.program.startswith("hub")


def test_what_changes_nothing_leaves_nothing(order: Order) -> None:
    before = AuditEntry.objects.count()
    sql("UPDATE orders_order SET total = total, source_updated_at = now()")
    assert AuditEntry.objects.count() == before


def test_a_stranger_is_known_by_the_name_of_the_program(shop: Connection) -> None:
    sql("SET LOCAL application_name = 'psql'")
    sql("INSERT INTO customers_customer (name, email, company, phone, vat_id) VALUES ('Eve', '', '', '', '')")
    entry = last("customers_customer")
    assert (entry.deed, entry.program, entry.after["name"]) == ("INSERT", "psql", "Eve")


def test_rows_that_the_hub_makes_from_messages_are_not_written_twice(order: Order) -> None:
    assert not AuditEntry.objects.filter(relation__in=["orders_order", "orders_orderline"], deed="INSERT").exists()


def test_many_rows_in_one_statement_are_as_many_entries(order: Order) -> None:
    lines = order.lines.count()
    sql("DELETE FROM orders_orderaddress")
    sql("UPDATE orders_orderline SET title = title || '!'")
    found = AuditEntry.objects.filter(relation="orders_orderline", deed="UPDATE")
    assert {entry.row_id for entry in found} == {str(pk) for pk in order.lines.values_list("pk", flat=True)}
    assert len(found) == lines > 1
    removed = AuditEntry.objects.filter(relation="orders_orderaddress", deed="DELETE")
    assert {(entry.before or {}).get("role") for entry in removed} == {"BILLING", "SHIPPING"}


def test_roles_and_rights_of_people(person: Callable[..., User]) -> None:
    somebody = person("auditor")
    somebody.groups.add(Group.objects.get(name="finance"))
    entry = last("integration_hub_user_groups")
    assert (entry.deed, entry.after["user_id"]) == ("INSERT", somebody.pk)
    somebody.is_superuser = True
    somebody.set_password("another-pw-1")
    somebody.save()
    entry = last("integration_hub_user")
    assert entry.before["is_superuser"] is False
    assert entry.after["password"].startswith("•••")
    assert somebody.password not in str(entry.after)


def test_secrets_of_a_connection_are_a_fingerprint(shop: Connection) -> None:
    shop.set_secrets({"secret": "quite-another-one"})
    shop.save()
    entry = last("integration_hub_connection")
    assert entry.before.keys() == entry.after.keys() == {"sealed"}
    assert entry.after["sealed"].startswith("•••")
    assert len(entry.after["sealed"]) == 11


def test_an_action_of_a_person_says_who_why_and_from_where(
    joined: Connection, person: Callable[..., User], client: Client
) -> None:
    case = scene.wrong_total(1)
    operator = person("finance")
    client.force_login(operator, backend="django.contrib.auth.backends.ModelBackend")
    fix = next(one for one in ALWAYS if one.code.endswith("dismiss"))
    answer = client.post(
        f"/exceptions/{case.pk}/do/{fix.code}/",
        {"reason": "OTHER", "why": "Kundin zahlt die Summe"},
        headers={"user-agent": "t"},
    )
    assert answer.status_code == 302
    entry = last("exceptions_exceptioncase")
    assert (entry.actor, entry.action, entry.why) == (operator, fix.code, "Kundin zahlt die Summe")
    assert entry.before["state"] == "OPEN"
    assert entry.after["state"] == "DISMISSED"
    assert entry.origin["address"] == "127.0.0.1"
    assert entry.origin["page"] == f"POST /exceptions/{case.pk}/do/{fix.code}/"
    assert len(entry.origin["session"]) == 12
    assert str(client.session.session_key) not in str(entry.origin)


def test_after_a_request_nobody_is_at_work(joined: Connection, person: Callable[..., User], client: Client) -> None:
    case = scene.wrong_total(1)
    client.force_login(person("finance"), backend="django.contrib.auth.backends.ModelBackend")
    client.post(f"/exceptions/{case.pk}/do/exceptions.take/")
    ExceptionCase.objects.filter(pk=case.pk).update(role="operations")
    entry = last("exceptions_exceptioncase")
    assert (entry.actor_id, entry.origin, entry.after) == (None, {}, {"role": "operations"})


def test_reading_personal_data_is_written_down_and_only_of_those_who_saw_it(
    order: Order, person: Callable[..., User], client: Client
) -> None:
    reader, masked = person("operations"), person("integrator")
    client.force_login(masked, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(f"/orders/{order.pk}/").status_code == 200
    assert not AuditEntry.objects.filter(deed="READ").exists()
    client.force_login(reader, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(f"/orders/{order.pk}/").status_code == 200
    entry = AuditEntry.objects.get(deed="READ")
    assert (entry.relation, entry.row_id, entry.actor) == ("orders_order", str(order.pk), reader)
    assert entry.origin["page"] == f"GET /orders/{order.pk}/"
    client.get("/orders/")
    assert last("customers_customer").row_id == str(order.customer_id)


def test_the_trail_can_only_grow(order: Order) -> None:
    sql("UPDATE orders_order SET total = total + 1")
    for statement in ("UPDATE integration_hub_auditentry SET why = ''", "DELETE FROM integration_hub_seal"):
        seals.seal()
        with pytest.raises(Exception, match="append-only"), transaction.atomic():
            sql(statement)


def broken() -> set[str]:
    return {code for code, one in CHAIN.items() if not judge(one).kept}


@pytest.fixture
def sealed(order: Order) -> Order:
    for more in range(5):
        sql("UPDATE orders_order SET total = total + %s", more + 1)
    assert seals.seal()["audit"] >= 5
    assert seals.seal() == {"audit": 0, "activity": 0}
    assert broken() == set()
    return order


TAMPERED = {
    "a changed reason": ("UPDATE integration_hub_auditentry SET why = 'x' WHERE id = {id}", "sealed_trail_stands"),
    "another person": ("UPDATE integration_hub_auditentry SET actor_id = 7 WHERE id = {id}", "sealed_trail_stands"),
    "another time": (
        "UPDATE integration_hub_auditentry SET at = at - interval '1 s' WHERE id = {id}",
        "sealed_trail_stands",
    ),
    "a removed row": ("DELETE FROM integration_hub_auditentry WHERE id = {id}", "sealed_trail_stands"),
    "another content": (
        "UPDATE integration_hub_auditentry SET after = '{{\"total\": 1}}' WHERE id = {id}",
        "trail_has_its_digests",
    ),
    "an activity": (
        "UPDATE integration_hub_activity SET why = 'x' WHERE id = (SELECT min(id) FROM integration_hub_activity)",
        "sealed_trail_stands",
    ),
    "a removed seal": (
        "DELETE FROM integration_hub_seal WHERE number = 1 AND ledger = 'activity'",
        "chain_of_seals_is_whole",
    ),
    "a seal that was made to fit": (
        "UPDATE integration_hub_seal SET root = '\\x00' WHERE number = 1",
        "chain_of_seals_is_whole",
    ),
    "a trigger switched off": ("ALTER TABLE orders_order DISABLE TRIGGER hub_audit_update", "tables_are_audited"),
}


@pytest.mark.parametrize(("statement", "found_by"), TAMPERED.values(), ids=TAMPERED.keys())
def test_who_tampers_is_found(sealed: Order, statement: str, found_by: str) -> None:
    note(sealed, "x", say("x"))
    seals.seal()  # a second seal of the activity, so that there is a chain
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql("SET LOCAL hub.purge = 'on'")
    sql(statement.format(id=last("orders_order").pk))
    assert found_by in broken()


def test_a_row_put_in_later_with_an_old_time_is_found(sealed: Order) -> None:
    sql(
        "INSERT INTO integration_hub_auditentry (at, deed, relation, digest, xid)"
        " VALUES (now() - interval '2 hours', 'UPDATE', 'orders_order', sha256('|'::bytea), 1)"
    )
    assert broken() == {"trail_is_sealed"}


def test_erasure_that_the_law_demands_leaves_the_chain_whole(sealed: Order) -> None:
    sql("SET LOCAL hub.purge = 'on'")
    sql("UPDATE integration_hub_auditentry SET before = NULL, after = NULL WHERE relation = 'orders_order'")
    assert broken() == set()


def test_what_seals_hold_is_all_there_is_and_nothing_twice(sealed: Order) -> None:
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT sum(rows), (SELECT count(*) FROM integration_hub_auditentry) FROM integration_hub_seal WHERE ledger = 'audit'"
        )
        held, there = cursor.fetchone()
    assert held == there
    assert Seal.objects.filter(ledger="activity").exists()
    assert Activity.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_lower_id_that_commits_later_comes_under_a_later_seal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seals, "SETTLE", "0 seconds")
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        try:
            with transaction.atomic():
                Group.objects.create(name="slow")
                begun.set()
                assert go_on.wait(20)
        finally:
            connections.close_all()

    other = threading.Thread(target=slow)
    other.start()
    assert begun.wait(20)
    Group.objects.create(name="fast")
    slow_id = last("auth_group").pk - 1
    seals.seal()
    seals.seal()
    go_on.set()
    other.join()
    Group.objects.create(name="after")
    assert seals.seal()["audit"] == 2
    Group.objects.create(name="again")
    assert seals.seal()["audit"] == 1
    assert broken() - {"tables_are_audited"} == set()
    assert AuditEntry.objects.filter(pk=slow_id, after__name="slow").exists()
    assert sum(Seal.objects.filter(ledger="audit").values_list("rows", flat=True)) == AuditEntry.objects.count()


def test_an_address_corrected_by_hand_in_the_database_shows_the_old_one(order: Order) -> None:
    row = OrderAddress.objects.filter(order=order).earliest("pk")
    sql("UPDATE orders_orderaddress SET city = 'Köln' WHERE id = %s", row.pk)
    assert (last("orders_orderaddress").before, last("orders_orderaddress").after) == (
        {"city": row.city},
        {"city": "Köln"},
    )
