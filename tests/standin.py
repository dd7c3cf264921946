"""A shop and an ERP in memory, behind real connectors: for tests of the spine and the floors above.

They speak a plain JSON of their own and keep what was written, so that a test can count, break and look.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from integration_hub.connectors.base import (
    Capability,
    Connector,
    Delivery,
    Finding,
    Incoming,
    Listing,
    Page,
    Role,
    Stream,
    option,
)
from integration_hub.kernel import codec
from integration_hub.kernel.errors import HubError, RetryLater, Unauthentic, unreadable
from integration_hub.kernel.goods import ProductGone, ProductKind, ProductReport, ReportedPart, SetStock
from integration_hub.kernel.messages import (
    Address,
    Buyer,
    Command,
    Ignored,
    Listed,
    OrderGone,
    OrderReport,
    Report,
    ReportedLine,
    ReportedShipment,
    SaleReport,
    ShippedLine,
    StatedPayment,
    SubscriptionReport,
    TaxPart,
    WriteSale,
    Written,
)
from integration_hub.kernel.states import LineKind, OrderStage, SaleStage
from integration_hub.kernel.text import say
from tests import standin_stock


@dataclass
class World:
    """What the outside holds, and how it misbehaves: ``before``, ``halfway`` and ``after`` run around each write.

    Between ``halfway`` and the end a sale is a draft: ``drafts`` are the references of those that stayed one.
    ``placed`` are the orders that the shop lists, ``strange`` sales that the ERP lists though we did not write them.
    """

    sales: dict[str, list[WriteSale]] = field(default_factory=dict)
    drafts: set[str] = field(default_factory=set)
    halfway: Callable[[Command], None] | None = None
    told: list[Command] = field(default_factory=list)
    pages: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    placed: list[dict[str, Any]] = field(default_factory=list)
    strange: list[Listed] = field(default_factory=list)
    before: Callable[[Command], None] | None = None
    after: Callable[[Command], None] | None = None
    broken: HubError | None = None
    shelf: standin_stock.Shelf = field(default_factory=standin_stock.Shelf)


WORLD = World()


def sign(body: bytes, secret: str = "s3cret-for-tests") -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class _Config:
    secret: str = option(say("Secret"), secret=True)
    url: str = option(say("Address"), default="")


class StandinShop(Connector):
    code, label = "standin-shop", "Stand-in shop"
    roles = frozenset({Role.SHOP})
    capabilities = frozenset(
        {
            Capability.RECEIVE,
            Capability.POLL,
            Capability.SWEEP,
            Capability.LIST_ORDERS,
            Capability.TELL_ACCEPTED,
            Capability.TELL_SHIPPED,
            Capability.TELL_CANCELLED,
            Capability.SET_STOCK,
            Capability.LIST_LEVELS,
        }
    )
    streams = (Stream("orders", timedelta(minutes=5), timedelta(minutes=15), say("Orders")),)
    Config = _Config

    def receive(self, request: Incoming) -> Sequence[Delivery]:
        given = request.headers.get("x-signature", "")
        if not hmac.compare_digest(given.encode(), sign(request.body, self.config.secret).encode()):
            raise Unauthentic(say("The signature is missing or wrong."))
        return [
            Delivery(request.headers.get("x-topic", "order.updated"), request.headers.get("x-object", ""), request.body)
        ]

    def parse(self, delivery: Delivery) -> Sequence[Report]:
        found = codec.load_object(delivery.body)
        if delivery.topic == "levels":
            return standin_stock.parse(found)
        if delivery.topic == "order.gone":
            return [OrderGone(external_id=str(found["id"]))]
        if delivery.topic == "product.updated":
            return [product_report(found)]
        if delivery.topic == "product.gone":
            return [ProductGone(**found)]
        if delivery.topic == "webhook.state":
            return [
                SubscriptionReport(
                    external_id="1", topic=found["topic"], active=found["active"], vendor_status=found["status"]
                )
            ]
        if delivery.topic.startswith("customer."):
            return [Ignored(reason=say("customers are not taken over yet"))]
        if found.get("bug"):
            raise ZeroDivisionError("a mistake of ours")
        return [order_report(found)]

    def poll(self, stream: str, since: datetime | None, token: str | None) -> Page:
        if WORLD.broken:
            raise WORLD.broken
        pages = WORLD.pages.get(stream, [])
        place = int(token or 0)
        items = [Delivery("order.polled", str(item["id"]), codec.canonical(item)) for item in pages[place : place + 2]]
        return Page(items, str(place + 2) if place + 2 < len(pages) else None)

    def list_orders(self, start: datetime, end: datetime, token: str | None) -> Listing:
        if WORLD.broken:
            raise WORLD.broken
        rows = [row for row in WORLD.placed if start <= codec.utc(row["placed_at"], "placed_at") < end]
        place = int(token or 0)
        return Listing(list(map(_listed, rows[place : place + 2])), str(place + 2) if place + 2 < len(rows) else None)

    def gone(self, order_ids: Sequence[str]) -> Sequence[str]:
        return [order_id for order_id in order_ids if order_id in WORLD.missing]

    def gone_delivery(self, order_id: str) -> Delivery:
        return Delivery("order.gone", order_id, codec.canonical({"id": order_id}))

    def list_levels(self, token: str | None) -> Page:
        return standin_stock.page(WORLD.shelf.shown, token)

    def send(self, command: Command) -> Written:
        if WORLD.broken:
            raise WORLD.broken
        if isinstance(command, SetStock):
            return standin_stock.told(WORLD.shelf, command)
        WORLD.told.append(command)
        return Written(external_id=getattr(command, "order_id", ""))

    def find(self, command: Command) -> Written | None:
        return Written(external_id="", was_there=True) if command in WORLD.told else None

    def check(self) -> Sequence[Finding]:
        return [Finding(WORLD.broken is None, say("The shop answers."))]


class StandinErp(Connector):
    code, label = "standin-erp", "Stand-in ERP"
    roles = frozenset({Role.ERP})
    capabilities = frozenset({Capability.WRITE_SALE, Capability.POLL, Capability.LIST_SALES, Capability.LIST_LEVELS})
    streams = (Stream("sales", timedelta(minutes=1), timedelta(minutes=5), say("Sales")),)
    Config = _Config

    def parse(self, delivery: Delivery) -> Sequence[Report]:
        found = codec.load_object(delivery.body)
        if delivery.topic == "levels":
            return standin_stock.parse(found)
        if delivery.topic == "product.polled":
            return [product_report(found)]
        if delivery.topic == "product.gone":
            return [ProductGone(**found)]
        return [sale_report(found)]

    def poll(self, stream: str, since: datetime | None, token: str | None) -> Page:
        if WORLD.broken:
            raise WORLD.broken
        items = WORLD.pages.get(stream, [])
        return Page([Delivery(item["topic"], str(item["id"]), codec.canonical(item)) for item in items])

    def send(self, command: Command) -> Written:
        """As careless as an ERP without a unique key: it looks only when ``find`` is called, and for drafts."""
        assert isinstance(command, WriteSale)
        if WORLD.broken:
            raise WORLD.broken
        if WORLD.before:
            WORLD.before(command)
        was_there = command.reference in WORLD.drafts
        if not was_there:
            WORLD.sales.setdefault(command.reference, []).append(command)
            WORLD.drafts.add(command.reference)
        if WORLD.halfway:
            self.http.wrote = True
            WORLD.halfway(command)
        WORLD.drafts.discard(command.reference)
        if WORLD.after:
            WORLD.after(command)
        return self._written(command, was_there=was_there)

    def find(self, command: Command) -> Written | None:
        assert isinstance(command, WriteSale)
        if command.reference not in WORLD.sales:
            return None
        return replace(self._written(command, was_there=True), unfinished=command.reference in WORLD.drafts)

    def list_levels(self, token: str | None) -> Page:
        return standin_stock.page(WORLD.shelf.held, token)

    def list_sales(self, references: Sequence[str]) -> Sequence[Listed]:
        if WORLD.broken:
            raise WORLD.broken
        written = [command for name in references for command in WORLD.sales.get(name, [])]
        sales = [
            Listed(
                external_id=f"S-{command.reference}",
                number=f"VK-{command.number}",
                total=command.total,
                currency=command.currency,
                reference=command.reference,
            )
            for command in written
        ]
        return [*sales, *(sale for sale in WORLD.strange if sale.reference in references)]

    def _written(self, command: WriteSale, *, was_there: bool) -> Written:
        return Written(
            external_id=f"S-{command.reference}",
            number=f"VK-{command.number}",
            vendor_status="processing",
            was_there=was_there,
        )

    def check(self) -> Sequence[Finding]:
        return [Finding(WORLD.broken is None, say("The ERP answers."))]


def product_report(found: dict[str, Any]) -> ProductReport:
    """An article in the stand-ins' JSON: the fields of the report, amounts as text, options as an object."""
    said = dict(found)
    amounts: dict[str, Any] = {name: Decimal(said.pop(name)) for name in ("price", "weight") if name in said}
    moment: dict[str, Any] = (
        {"updated_at": codec.utc(said.pop("updated_at"), "updated_at")} if "updated_at" in said else {}
    )
    parts = tuple(
        ReportedPart(quantity=Decimal(part["quantity"]), product_id=part.get("product_id", ""), sku=part.get("sku", ""))
        for part in said.pop("parts", [])
    )
    return ProductReport(
        external_id=str(said.pop("id")),
        options=tuple(said.pop("options", {}).items()),
        kind=ProductKind(said.pop("kind")) if "kind" in said else None,
        parts=parts,
        **amounts,
        **moment,
        **said,
    )


def _listed(found: dict[str, Any]) -> Listed:
    return Listed(
        external_id=str(found["id"]),
        number=found["number"],
        total=Decimal(found["total"]),
        currency=found["currency"],
        live=found["stage"] != "CANCELLED",
        updated_at=codec.utc(found["updated_at"], "updated_at"),
        test=found.get("test", False),
    )


def timeout(_command: Command) -> None:
    raise RetryLater(say("No answer in time."), maybe_written=True, code="no_answer")


def order(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A good order of two teapots and shipping, in the stand-in's own JSON."""
    base: dict[str, Any] = {
        "id": number,
        "number": f"#{number}",
        "stage": "READY",
        "placed_at": "2026-11-20T10:00:00Z",
        "updated_at": "2026-11-20T10:00:00Z",
        "currency": "EUR",
        "total": "28.70",
        "total_tax": "4.58",
        "email": f"kunde{number}@example.com",
        "city": "Hamburg",
        "lines": [
            {
                "id": "1",
                "sku": "TK-100",
                "title": "Teekanne",
                "quantity": "2",
                "price": "11.90",
                "net": "20.00",
                "tax": "3.80",
            },
            {
                "id": "2",
                "kind": "SHIPPING",
                "title": "DHL",
                "quantity": "1",
                "price": "4.90",
                "net": "4.12",
                "tax": "0.78",
            },
        ],
    }
    return base | changes


def order_report(found: dict[str, Any]) -> OrderReport:
    try:
        address = Address(
            name="Erika Mustermann",
            street=found.get("street", "Hafenstraße 1"),
            postal_code=found.get("postal_code", "20457"),
            city=found["city"],
            country=found.get("country", "DE"),
        )
        return OrderReport(
            external_id=str(found["id"]),
            number=found["number"],
            stage=OrderStage(found["stage"]),
            vendor_status=found["stage"].lower(),
            placed_at=codec.utc(found["placed_at"], "placed_at"),
            updated_at=codec.utc(found["updated_at"], "updated_at"),
            currency=found["currency"],
            prices_include_tax=True,
            total=codec.money_amount(found["total"], "total"),
            total_tax=codec.money_amount(found["total_tax"], "total_tax"),
            lines=tuple(_line(line) for line in found["lines"]),
            buyer=Buyer(external_id=found.get("customer", ""), email=found["email"], name="Erika Mustermann"),
            billing=address,
            payment=StatedPayment(method="card", title="Karte", paid=found.get("paid", True)),
            refunded=Decimal(found.get("refunded", "0")),
            is_test=found.get("test", False),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise unreadable(str(error)) from error


def _line(line: dict[str, Any]) -> ReportedLine:
    net, tax = Decimal(line["net"]), Decimal(line["tax"])
    rate = Decimal(line.get("rate", "0.19"))
    return ReportedLine(
        external_id=line["id"],
        kind=LineKind(line.get("kind", "ITEM")),
        title=line["title"],
        sku=line.get("sku", ""),
        gtin=line.get("gtin", ""),
        product_id=line.get("product_id", ""),
        quantity=Decimal(line["quantity"]),
        unit_price=Decimal(line["price"]),
        net=net,
        tax=tax,
        gross=net + tax,
        taxes=(TaxPart(rate=rate, amount=tax),),
    )


def sale_report(found: dict[str, Any]) -> SaleReport:
    return SaleReport(
        external_id=found["id"],
        number=found["number"],
        reference=found.get("reference", ""),
        stage=SaleStage(found["stage"]),
        vendor_status=found["stage"].lower(),
        updated_at=codec.utc(found["updated_at"], "updated_at"),
        shipments=tuple(
            ReportedShipment(
                external_id=item["id"],
                number=item["id"],
                tracking_number=item["tracking"],
                carrier="DHL",
                lines=tuple(ShippedLine(sku=sku, quantity=Decimal(quantity)) for sku, quantity in item["lines"]),
            )
            for item in found.get("shipments", [])
        ),
    )
