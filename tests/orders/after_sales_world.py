"""A shop and an ERP that know special cases, for the tests of them: the stand-ins with more capabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from integration_hub.connectors.base import Capability, Delivery
from integration_hub.kernel import codec
from integration_hub.kernel.aftersales import (
    AfterSaleKind,
    AfterSaleReport,
    AfterSaleStage,
    CancelOrder,
    CancelSale,
    Instead,
    Position,
    TellRefunded,
    WriteReturn,
)
from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.messages import Command, Report, Written
from integration_hub.kernel.text import say
from integration_hub.models import Connection, ProcessSwitch
from orders.aftersales.models import AfterSaleRule
from orders.models import Order
from tests import spine, standin

MORE = frozenset({Capability.CANCEL_SALE, Capability.WRITE_RETURN})


class FullShop(standin.StandinShop):
    """Says what it does with returns and refunds, and can be told of them."""

    code, label = "standin-full-shop", "Stand-in shop 2"
    capabilities = standin.StandinShop.capabilities | {
        Capability.CANCEL_ORDER,
        Capability.TELL_REFUNDED,
        Capability.TELL_EXCHANGED,
    }

    def parse(self, delivery: Delivery) -> Sequence[Report]:
        if delivery.topic != "after_sale":
            return super().parse(delivery)
        return [report(codec.load_object(delivery.body))]


class FullErp(standin.StandinErp):
    """Cancels and takes back what has not (or has) left the house."""

    code, label = "standin-full-erp", "Stand-in ERP 2"
    capabilities = standin.StandinErp.capabilities | MORE
    shipped: frozenset[str] = frozenset()

    def send(self, command: Command) -> Written:
        if not isinstance(command, CancelSale | WriteReturn):
            return super().send(command)
        if isinstance(command, CancelSale) and "shipped" in command.reason:
            raise Rejected(say("The goods have left the house."), code="already_shipped")
        if command not in standin.WORLD.told:
            standin.WORLD.told.append(command)
        return Written(external_id="R1", vendor_status="cancelled")

    def find(self, command: Command) -> Written | None:
        if not isinstance(command, CancelSale | WriteReturn):
            return super().find(command)
        return Written(external_id="R1", was_there=True) if command in standin.WORLD.told else None


def report(found: dict[str, Any]) -> AfterSaleReport:
    positions = tuple(
        Position(
            quantity=Decimal(one.get("quantity", "0")),
            line_id=one.get("line", ""),
            sku=one.get("sku", ""),
            amount=Decimal(one["amount"]) if "amount" in one else None,
        )
        for one in found.get("positions", [])
    )
    return AfterSaleReport(
        external_id=str(found["id"]),
        order_id=str(found.get("order", "1")),
        kind=AfterSaleKind(found["kind"]),
        stage=AfterSaleStage(found.get("stage", "DONE")),
        vendor_status="x",
        occurred_at=codec.utc("2026-11-21T10:00:00Z", "at"),
        updated_at=codec.utc(found.get("updated_at", "2026-11-21T10:00:00Z"), "at"),
        positions=positions,
        amount=Decimal(found["amount"]) if "amount" in found else None,
        money_moved=found.get("money_moved", True),
        instead=tuple(
            Instead(
                quantity=Decimal(one["quantity"]),
                sku=one.get("sku", ""),
                product_id=one.get("product_id", ""),
                amount=Decimal(one["amount"]) if "amount" in one else None,
            )
            for one in found.get("instead", [])
        ),
    )


def joined() -> Connection:
    """Both sides joined, with both processes on."""
    teapot = spine.teapot()
    shop = Connection(kind="standin-full-shop", slug="laden", name="Laden", role="SHOP")
    erp = Connection(kind="standin-full-erp", slug="erp", name="ERP", role="ERP")
    for connection in (shop, erp):
        connection.set_secrets({"secret": "s3cret-for-tests"})
        connection.save()
    for process in ("order_to_erp", "status_to_shop"):
        ProcessSwitch.objects.create(channel=shop, process=process, target=erp, since="2020-01-01T00:00:00Z")
    assert teapot
    return shop


def rule(shop: Connection, kind: str, mode: str = "AUTOMATIC", wins: str = "ASK") -> None:
    AfterSaleRule.objects.create(channel=shop, kind=kind, mode=mode, wins=wins)


def placed(shop: Connection, number: int = 1, *, paid: bool = True, **changes: Any) -> Order:
    """An order that the ERP holds."""
    spine.say(shop, standin.order(number, **changes))
    spine.run()
    return Order.objects.get(external_id=str(number))


def ship(order: Order, quantity: str, *, parcel: str = "P1", stage: str = "PARTLY_SHIPPED", minute: int = 1) -> None:
    """A parcel with so many teapots leaves."""
    sale = order.sales.get()
    found = {
        "id": sale.external_id,
        "number": sale.number,
        "stage": stage,
        "updated_at": f"2026-11-21T09:{minute:02}:00Z",
        "shipments": [{"id": parcel, "tracking": "T" + parcel, "lines": [["TK-100", quantity]]}],
    }
    spine.say(sale.connection, found, topic="sale.polled")
    spine.run()


def told(kind: type[Command]) -> list[Any]:
    return [command for command in standin.WORLD.told if isinstance(command, kind)]


__all__ = ["CancelOrder", "CancelSale", "TellRefunded", "WriteReturn", "replace"]
