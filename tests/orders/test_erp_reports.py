"""What the ERP says of a sale: number, state, parcels; told back to the shop once, and never for a sale that is not ours."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from integration_hub.messaging import pump
from integration_hub.models import Connection, InboundEvent
from orders import exported
from orders.models import Order, Sale, Shipment, ShipmentLine
from tests import spine, standin

pytestmark = pytest.mark.django_db


@pytest.fixture
def written(joined: Connection, world: standin.World) -> Order:
    spine.teapot()
    spine.say(joined, standin.order(1))
    spine.run()
    return Order.objects.get()


def says(erp: Connection, stage: str, minute: int = 30, **changes: Any) -> InboundEvent:
    base = {"id": "S-laden:1", "number": "VK-#1", "stage": stage, "updated_at": f"2026-11-20T10:{minute}:00Z"}
    pk = spine.say(erp, base | changes, topic="sale.polled")
    spine.run()
    return InboundEvent.objects.get(pk=pk)


def parcel(name: str, *lines: tuple[str, str]) -> dict[str, Any]:
    return {"id": name, "tracking": f"T-{name}", "lines": [list(line) for line in lines]}


def parcels(world: standin.World) -> list[tuple[str, bool]]:
    told = [command for command in world.told if type(command).__name__ == "TellShipped"]
    return [(command.parcel.number, command.complete) for command in told]  # type: ignore[union-attr]


def test_parcels_are_told_one_by_one_and_the_last_as_last(
    written: Order, erp: Connection, world: standin.World
) -> None:
    says(erp, "PARTLY_SHIPPED", 30, shipments=[parcel("P1", ("TK-100", "1"))])
    assert Order.objects.get().fulfilment == "PARTIAL"
    says(erp, "SHIPPED", 31, shipments=[parcel("P1", ("TK-100", "1")), parcel("P2", ("TK-100", "1"))])
    assert Order.objects.get().fulfilment == "FULL"
    assert parcels(world) == [("P1", False), ("P2", True)]
    says(erp, "SHIPPED", 32, shipments=[parcel("P1", ("TK-100", "1")), parcel("P2", ("TK-100", "1"))])
    assert len(parcels(world)) == 2


def test_a_parcel_never_holds_more_than_was_ordered(written: Order, erp: Connection) -> None:
    says(erp, "SHIPPED", 30, shipments=[parcel("P1", ("TK-100", "5"), ("GESCHENK", "1"))])
    assert [row.quantity for row in ShipmentLine.objects.all()] == [Decimal(2)]


def test_one_product_on_two_lines_is_shared_out(joined: Connection, erp: Connection, world: standin.World) -> None:
    spine.teapot()
    item, shipping = standin.order()["lines"]
    half = item | {"quantity": "1", "net": "10.00", "tax": "1.90"}
    spine.say(joined, standin.order(1, lines=[half, half | {"id": "3"}, shipping]))
    spine.run()
    says(erp, "SHIPPED", 30, shipments=[parcel("P1", ("TK-100", "2"))])
    assert sorted(row.line.external_id for row in ShipmentLine.objects.select_related("line")) == ["1", "3"]
    assert Order.objects.get().fulfilment == "FULL"


def test_older_news_is_no_news(written: Order, erp: Connection) -> None:
    says(erp, "SHIPPED", 40)
    assert says(erp, "CONFIRMED", 39).state == "IGNORED"
    assert Sale.objects.get().stage == "SHIPPED"


def test_the_same_again_is_ignored(written: Order, erp: Connection) -> None:
    says(erp, "SHIPPED", 40)
    assert says(erp, "SHIPPED", 41).state == "IGNORED"


def test_sales_that_are_not_ours_are_left_alone(written: Order, erp: Connection) -> None:
    event = says(erp, "SHIPPED", id="S-77", reference="from the counter")
    assert (event.state, Shipment.objects.count()) == ("IGNORED", 0)
    assert says(erp, "SHIPPED", id="S-78").state == "IGNORED"


def test_a_sale_that_ships_before_its_answer_is_booked(
    joined: Connection, erp: Connection, world: standin.World
) -> None:
    """The worker that wrote it is dead, the ERP already ships: the parcel must not be lost."""
    spine.teapot()
    world.after = standin.timeout
    spine.say(joined, standin.order(1))
    spine.run()
    world.after = None
    early = says(erp, "SHIPPED", 30, reference="laden:1", shipments=[parcel("P1", ("TK-100", "2"))])
    assert early.state == "DUE"
    spine.later()  # the command looks and finds the sale
    spine.later()
    early.refresh_from_db()
    assert (early.state, Order.objects.get().fulfilment, parcels(world)) == ("DONE", "FULL", [("P1", True)])


def test_a_sale_that_ships_while_its_answer_is_being_booked(
    joined: Connection, erp: Connection, world: standin.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker commits the sale after this one has looked for it and before it asks whether it is under way."""
    spine.teapot()
    spine.say(joined, standin.order(1))
    pump.run("in")
    asked = exported.is_under_way

    def booked_meanwhile(*given: Any) -> bool:
        pump.run("out")
        return asked(*given)

    monkeypatch.setattr(exported, "is_under_way", booked_meanwhile)
    assert says(erp, "SHIPPED", shipments=[parcel("P1", ("TK-100", "2"))]).state == "DONE"
    assert Shipment.objects.count() == 1


def test_the_shop_hears_nothing_that_it_cannot_be_told(
    joined: Connection, erp: Connection, world: standin.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    spine.teapot()
    monkeypatch.setattr(standin.StandinShop, "capabilities", frozenset())
    spine.say(joined, standin.order(1))
    spine.run()
    assert (spine.sales(world), world.told) == ([1], [])


def test_without_the_process_the_shop_is_not_told(joined: Connection, world: standin.World) -> None:
    spine.teapot()
    joined.switches.filter(process="status_to_shop").update(enabled=False)
    spine.say(joined, standin.order(1))
    spine.run()
    assert (spine.sales(world), world.told) == ([1], [])
