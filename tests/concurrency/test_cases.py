"""Cases under fire: one per cause, none that outlives it, and no order stays held by what is mended already."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from exceptions import services as cases
from exceptions.models import CaseSubject, ExceptionCase
from exceptions.services import Trouble
from integration_hub.backoffice.actions import Action, perform
from integration_hub.kernel.errors import HubError, RetryLater
from integration_hub.kernel.text import Text, say
from integration_hub.messaging import inbox, pump
from integration_hub.models import Connection, InboundEvent, User
from inventory import services as inventory
from inventory.models import Variant
from inventory.services import naming
from orders import actions, services, validation
from orders.models import Order
from tests import spine, standin

from .together import elsewhere, once, together

pytestmark = pytest.mark.django_db(transaction=True)
Person = Callable[..., User]


def strange(number: int, **changes: Any) -> dict[str, Any]:
    """An order of a product nobody knows."""
    item, shipping = standin.order()["lines"]
    return standin.order(number, lines=[item | {"sku": "TK-100-B"}, shipping], **changes)


def held() -> int:
    return Order.objects.filter(state="HELD").count()


def test_many_orders_of_one_unknown_product_are_one_case(joined: Connection, world: standin.World) -> None:
    for number in range(1, 13):
        spine.say(joined, strange(number))
    together(*[spine.run] * 4)
    spine.later()
    assert spine.open_cases() == [("unknown_product", 12)]
    assert ExceptionCase.objects.count() == 1


def test_mapping_while_new_orders_of_the_product_come(joined: Connection, world: standin.World, person: Person) -> None:
    teapot, somebody = spine.teapot(), person("operations")
    for number in range(1, 5):
        spine.say(joined, strange(number))
    spine.run()
    case = ExceptionCase.objects.get()
    for number in range(5, 17):
        spine.say(joined, strange(number))
    fix = {"variant": str(teapot.pk)}
    together(spine.run, spine.run, lambda: perform(actions.MAP_PRODUCT, case, by=somebody, data=fix))
    spine.later()
    assert (held(), spine.open_cases(), spine.sales(world)) == (0, [], [1] * 16)


def between(monkeypatch: pytest.MonkeyPatch, work: Callable[[], object]) -> None:
    """Let another worker do this after an order was judged and before its cases are opened."""
    real, act = validation.problems, once(lambda: elsewhere(work))

    def problems(order: Order) -> list[Trouble]:
        found = real(order)
        act()
        return found

    monkeypatch.setattr(validation, "problems", problems)


def test_a_mapping_that_commits_after_the_order_was_matched(
    joined: Connection, world: standin.World, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    teapot, somebody = spine.teapot(), person("operations")
    spine.say(joined, strange(1))
    spine.run()
    case = ExceptionCase.objects.get()
    between(monkeypatch, lambda: perform(actions.MAP_PRODUCT, case, by=somebody, data={"variant": str(teapot.pk)}))
    spine.say(joined, strange(2))
    spine.later()
    assert (held(), spine.open_cases(), spine.sales(world)) == (0, [], [1, 1])


def product(erp: Connection) -> None:
    """The ERP tells of the product."""
    spine.say(erp, {"id": "9", "sku": "TK-100-B", "title": "Teekanne blau"}, topic="product.polled")


def test_a_product_that_comes_after_the_order_was_matched(
    joined: Connection, erp: Connection, world: standin.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    spine.say(joined, strange(1))

    def arrives() -> None:
        product(erp)
        pump.run("in")

    between(monkeypatch, arrives)
    spine.run()
    spine.later()
    assert (held(), spine.open_cases(), spine.sales(world)) == (0, [], [1])


def test_a_product_that_comes_while_the_case_is_opened(
    joined: Connection, erp: Connection, world: standin.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, looked = inventory.hold_names, threading.Event()
    wait = once(until_somebody_waits)

    def hold_names(names: Any) -> None:
        real(names)
        looked.set()
        wait()

    monkeypatch.setattr(inventory, "hold_names", hold_names)
    spine.say(joined, strange(1))

    def arrives() -> None:
        looked.wait(20)
        product(erp)
        pump.run("in")

    together(lambda: pump.run("in"), arrives)
    spine.later()
    assert (held(), spine.open_cases(), spine.sales(world)) == (0, [], [1])


_WAITING = """SELECT EXISTS (SELECT 1 FROM pg_locks JOIN pg_database ON pg_database.oid = database
  WHERE NOT granted AND locktype = 'advisory' AND datname = current_database())"""


def until_somebody_waits() -> None:
    for _turn in range(1000):
        with connection.cursor() as cursor:
            cursor.execute(_WAITING)
            if cursor.fetchone()[0]:
                return
        threading.Event().wait(0.02)
    raise AssertionError("nobody waits")


def test_an_order_that_meets_a_product_just_coming_waits_its_turn(
    joined: Connection, erp: Connection, world: standin.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = naming.map_name

    def map_name(*arguments: Any) -> None:
        real(*arguments)
        elsewhere(judged)

    def judged() -> None:
        InboundEvent.objects.filter(topic="order.updated").update(due_at=spine.LONG_AGO)
        pump.run("in")
        # it comes back, and holds nobody up
        assert InboundEvent.objects.get(topic="order.updated").state == "DUE"

    monkeypatch.setattr(naming, "map_name", map_name)
    product(erp)
    spine.say(joined, strange(1))
    InboundEvent.objects.filter(topic="order.updated").update(due_at="2099-01-01T00:00:00Z")
    inbox.process(limit=1)
    spine.later()
    assert (held(), spine.open_cases(), spine.sales(world)) == (0, [], [1])


def trouble() -> Trouble:
    return Trouble(kind="unknown_product", cause="race", found=say("x"))


def test_a_case_that_closes_while_another_order_joins_it(joined: Connection) -> None:
    for number in (1, 2):
        spine.say(joined, standin.order(number))
    spine.run()
    first, second = Order.objects.order_by("pk")
    for _round in range(12):
        cases.open_case(trouble(), first)
        together(
            lambda: cases.settle(first, kinds=("unknown_product",)),
            lambda: cases.open_case(trouble(), second),
        )
        joins = CaseSubject.objects.filter(case__cause="race", case__state="OPEN", open=True)
        assert list(joins.values_list("subject_id", flat=True)) == [second.pk]
        assert ExceptionCase.objects.filter(cause="race", state="OPEN").get().size == 1
        cases.settle(second, kinds=("unknown_product",))
        assert not ExceptionCase.objects.filter(cause="race", state="OPEN").exists()


def test_who_loses_a_deadlock_tries_again(
    joined: Connection, world: standin.World, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person holds the case and wants the order; a worker holds the order and wants the case."""
    somebody = person("operations")
    spine.say(joined, strange(1))
    spine.run()
    case, order = ExceptionCase.objects.get(), Order.objects.get()
    both = threading.Barrier(2)
    meet = [once(lambda: both.wait(20)), once(lambda: both.wait(20))]
    real = validation.problems

    def problems(row: Order) -> list[Trouble]:
        if threading.current_thread().name == "worker":
            meet[0]()
        return real(row)

    def run(_case: ExceptionCase, *, by: User) -> Text:
        meet[1]()
        services.reconsider(order.pk, by=by)
        return say("done")

    monkeypatch.setattr(validation, "problems", problems)
    action = Action(code="x.again", label="x", permission="exceptions.retry_exceptioncase", run=run)
    spine.say(joined, strange(1, note="by the door", city="Bremen", updated_at="2026-11-20T11:00:00Z"))

    def worker() -> None:
        threading.current_thread().name = "worker"
        pump.run("in")

    together(worker, lambda: perform(action, case, by=somebody))
    spine.later()
    assert set(InboundEvent.objects.values_list("state", flat=True)) == {"DONE"}
    assert Order.objects.get().addresses.get(role="BILLING").city == "Bremen"
    assert spine.open_kinds() >= {"unknown_product"}
    assert ExceptionCase.objects.filter(kind="unknown_product").count() == 1


def test_the_work_of_a_lost_race_leaves_nothing_behind(joined: Connection, person: Person) -> None:
    spine.say(joined, strange(1))
    spine.run()
    case, tries = ExceptionCase.objects.get(), []

    def run(row: ExceptionCase, *, by: User) -> Text:
        tries.append(1)
        cases.assign(row, to=by)
        if len(tries) < 3:
            raise RetryLater("somebody else is at it")
        return say("done")

    action = Action(code="x.again", label="x", permission="exceptions.retry_exceptioncase", run=run)
    perform(action, case, by=person("operations"))
    assert len(tries) == 3
    tries.clear()
    with transaction.atomic(), pytest.raises(RetryLater):
        perform(action, case, by=User.objects.get())
    assert len(tries) == 1  # inside another transaction there is nothing to undo


def test_two_mappings_of_one_case_at_once(joined: Connection, world: standin.World, person: Person) -> None:
    """The second person is told that the case is closed; the first mapping stands."""
    spine.teapot()
    Variant.objects.create(sku="TK-200", title="Andere Kanne")
    people = [person("operations", "anna"), person("operations", "bert")]
    spine.say(joined, strange(1))
    spine.run()
    case, said = ExceptionCase.objects.get(), []

    def choose(who: User, sku: str) -> None:
        try:
            said.append(str(perform(actions.MAP_PRODUCT, case, by=who, data={"sku": sku})))
        except HubError as error:
            said.append(type(error).__name__)

    together(lambda: choose(people[0], "TK-100"), lambda: choose(people[1], "TK-200"))
    spine.run()
    assert sorted(name for name in said if name == "NotNow") == ["NotNow"]
    assert spine.sales(world) == [1]
