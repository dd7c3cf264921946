"""``manage.py verify`` finds nothing in a sound hub, and each way to break the rows is found by its name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.utils import timezone

import exceptions.invariants
import orders.invariants
from exceptions.models import ExceptionCase
from integration_hub.backoffice import seals
from integration_hub.backoffice.actions import perform
from integration_hub.backoffice.invariants import all_invariants, invariant_of, judge
from integration_hub.messaging import actions, pump, schedules, verification
from integration_hub.messaging import invariants as messaging_invariants
from integration_hub.messaging.guards import guarded_tables
from integration_hub.models import Duty, OutboundCommand
from orders.models import Order
from tests import standin
from tests.dashboards.filled import Filled, fill
from tests.spine import open_kinds
from tests.spine import say as report

pytestmark = pytest.mark.django_db

# what somebody, or a defect, could do to the rows; {…} are ids of the filled hub
BREAKS: dict[str, str] = {
    "event_is_finished": "UPDATE integration_hub_inboundevent SET finished_at = NULL WHERE state = 'DONE'",
    "parked_event_has_case": "UPDATE exceptions_exceptioncase SET state = 'SOLVED', closed_at = now() WHERE kind = 'not_understood'",
    "parked_command_has_case": "UPDATE exceptions_exceptioncase SET state = 'SOLVED', closed_at = now() WHERE kind = 'target_refused'",
    "lease_is_not_forgotten": """UPDATE integration_hub_inboundevent SET state = 'LEASED', finished_at = NULL,
        lease_token = gen_random_uuid(), due_at = now() - interval '1 hour' WHERE id = {event}""",
    "nothing_is_overdue_in_silence": """UPDATE exceptions_exceptioncase SET connection_id = NULL;
        UPDATE integration_hub_outboundcommand SET state = 'DUE', finished_at = NULL, due_at = now() - interval '2 days'
        WHERE state = 'DONE'""",
    "command_is_finished": "UPDATE integration_hub_outboundcommand SET finished_at = NULL WHERE state = 'DONE'",
    "done_command_has_proof": """UPDATE integration_hub_outboundcommand SET state = 'DONE', finished_at = now()
        WHERE state = 'PARKED'""",
    "tries_are_numbered": "SET LOCAL hub.purge = 'on'; UPDATE integration_hub_attempt SET number = 7",
    "command_subject_exists": "UPDATE integration_hub_outboundcommand SET subject_id = 999999",
    "reference_leads_somewhere": "UPDATE integration_hub_externalreference SET subject_id = 999999",
    "workers_are_at_work": """UPDATE integration_hub_heartbeat SET at = now() - interval '1 day';
        UPDATE integration_hub_inboundevent SET state = 'DUE', finished_at = NULL, due_at = now() - interval '1 hour'""",
    "ledgers_only_grow": "ALTER TABLE integration_hub_activity ENABLE TRIGGER append_only_rows",
    "constraints_are_there": "ALTER TABLE integration_hub_inboundevent DROP CONSTRAINT one_event_per_saying",
    "sealed_trail_stands": "SET LOCAL hub.purge = 'on'; UPDATE integration_hub_activity SET why = 'another reason'",
    "chain_of_seals_is_whole": "SET LOCAL hub.purge = 'on'; UPDATE integration_hub_seal SET previous = '\\x00'",
    "trail_is_sealed": """INSERT INTO integration_hub_auditentry (at, deed, relation, digest, xid)
        VALUES (now() - interval '2 hours', 'UPDATE', 'orders_order', sha256('|'::bytea), 1)""",
    "trail_has_its_digests": "SET LOCAL hub.purge = 'on'; UPDATE integration_hub_auditentry SET after = '{{\"total\": 1}}'",
    "tables_are_audited": "DROP TRIGGER hub_audit_delete ON orders_order",
    "case_is_measured": "UPDATE exceptions_exceptioncase SET amount = amount + 1 WHERE state = 'OPEN'",
    "open_case_holds_something": "UPDATE exceptions_casesubject SET open = FALSE",
    "closed_case_holds_nothing": "UPDATE exceptions_exceptioncase SET state = 'SOLVED', closed_at = now()",
    "one_open_case_per_cause": """DROP INDEX one_open_case_per_cause;
        INSERT INTO exceptions_exceptioncase (kind, cause, params, data, expected, found, amount, currency, size, role, due_at,
          state, occurrences, close_reason)
        SELECT kind, cause, params, data, expected, found, amount, currency, size, role, due_at, state, occurrences, ''
        FROM exceptions_exceptioncase""",
    "held_object_exists": "UPDATE exceptions_casesubject SET subject_id = 999999 + id",
    "order_is_whole": "UPDATE orders_order SET digest = ''",
    "one_order_per_id": """ALTER TABLE orders_order DROP CONSTRAINT one_order_per_channel_and_id;
        UPDATE orders_order SET external_id = 'same'""",
    "one_sale_per_order": """ALTER TABLE orders_sale DROP CONSTRAINT one_sale_per_order_and_erp;
        UPDATE orders_sale SET order_id = {order}""",
    "accepted_order_goes_on": "UPDATE orders_order SET state = 'ACCEPTED' WHERE state = 'WAITING'",
    "written_order_has_its_sale": "DELETE FROM orders_sale WHERE order_id = {order}",
    "held_order_has_case": "UPDATE orders_order SET state = 'HELD' WHERE state = 'WAITING'",
    "case_holds_held_orders": "UPDATE orders_order SET state = 'RECORDED' WHERE state = 'HELD'",
    "line_adds_up": """ALTER TABLE orders_orderline DROP CONSTRAINT net_and_tax_make_gross;
        UPDATE orders_orderline SET tax = tax + 0.01 WHERE order_id = {order}""",
    "order_adds_up": "UPDATE orders_order SET total = total + 0.01 WHERE id = {order}",
    "shipping_is_that_of_the_parcels": "UPDATE orders_order SET fulfilment = 'FULL' WHERE id = {order}",
    "parcel_holds_what_was_ordered": "UPDATE orders_shipmentline SET quantity = 99",
}


@pytest.fixture
def sound(joined: Any, erp: Any, world: standin.World) -> Iterator[Filled]:
    """A hub with everything in it, a parcel too, and its guards as in production."""
    filled = fill(joined, erp, world)
    order = Order.objects.get(external_id="2")
    parcel = {"id": "P1", "tracking": "0034", "lines": [["TK-100", "1"]]}
    reference = order.reference
    sale = {"topic": "sale.polled", "id": f"S-{reference}", "number": "VK-#2", "reference": reference}
    world.pages["sales"] = [
        {**sale, "stage": "PARTLY_SHIPPED", "updated_at": "2026-11-20T12:00:00Z", "shipments": [parcel]}
    ]
    pump.drain(lanes=("poll", "in", "out"))
    seals.seal()
    with everything_is_guarded():
        yield filled


@contextmanager
def everything_is_guarded() -> Iterator[None]:
    """The test database leaves one trigger out; here it stands, until the test's transaction is undone."""
    sql(*(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only_table" for table in guarded_tables()))
    yield


def sql(*statements: str) -> None:
    with database.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for statement in statements:
            cursor.execute(statement)


def verify(*only: str) -> tuple[int, str]:
    """The exit status and what was written."""
    said = StringIO()
    try:
        call_command("verify", *(["--only", *only] if only else []), stdout=said)
    except SystemExit as end:
        return int(str(end.code)), said.getvalue()
    return 0, said.getvalue()


def test_a_sound_hub_is_found_sound(sound: Filled) -> None:
    status, said = verify()
    assert (status, said.splitlines()[-1].split(",")[:2]) == (0, [f"{len(all_invariants())} invariants", " 0 broken"])


def test_an_empty_hub_is_found_sound(db: None) -> None:
    with everything_is_guarded():
        assert verify()[0] == 0


def test_every_invariant_has_its_break() -> None:
    """Those of stock and money are broken in tests/inventory and tests/payments as far as the database lets them be."""
    rooms = (messaging_invariants, exceptions.invariants, orders.invariants, seals)
    assert set(BREAKS) == {one.code for room in rooms for one in room.INVARIANTS}


@pytest.mark.parametrize("code", BREAKS)
def test_what_is_broken_is_found(sound: Filled, code: str) -> None:
    assert judge(invariant_of(code)).kept
    order = Order.objects.get(external_id="1")
    event = order.channel.inboundevent_set.filter(state="DONE").earliest("pk")
    sql(BREAKS[code].format(order=order.pk, event=event.pk))
    status, said = verify()
    assert status == 1
    (line,) = [line for line in said.splitlines() if line.startswith(f"BROKEN {code}:")]
    assert said.splitlines()[said.splitlines().index(line) + 1].strip()


def test_one_alone_can_be_asked(sound: Filled) -> None:
    sql(BREAKS["order_adds_up"].format(order=Order.objects.get(external_id="1").pk))
    assert verify("line_adds_up")[0] == 0
    assert verify("order_adds_up")[0] == 1
    with pytest.raises(CommandError):
        verify("no_such_thing")


def test_at_night_a_broken_one_is_a_case_until_it_holds_again(sound: Filled) -> None:
    before = open_kinds()
    Order.objects.filter(external_id="1").update(total="99.00")
    Duty.objects.filter(name__startswith="verify:").update(due_at=timezone.now())
    while schedules.work():
        pass
    case = ExceptionCase.objects.get(kind="invariant_broken")
    assert (case.role, case.data["invariant"], case.size) == ("integrator", "order_adds_up", 1)
    assert case.data["sample"] == [str(Order.objects.get(external_id="1").pk)]
    Order.objects.filter(external_id="1").update(total="28.70")
    verification.rerun(case)
    schedules.work()
    assert open_kinds() == before


def test_a_command_that_a_person_took_back_breaks_nothing(sound: Filled, person: Any) -> None:
    report(sound.shop, standin.order(9))
    pump.drain(lanes=("in",))
    row = OutboundCommand.objects.get(subject_id=Order.objects.get(external_id="9").pk, verb="sale.write")
    perform(actions.CANCEL, row, by=person("operations"), data={"why": "not wanted"})
    assert verify("accepted_order_goes_on")[0] == 0
