"""The Odoo connector as the contract suite sees it; its outside world is the sandbox's ERP without the network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import urlsplit

import requests

from integration_hub.connectors.base import Connector, Delivery
from integration_hub.connectors.http import Http
from integration_hub.connectors.odoo import Odoo
from integration_hub.kernel.aftersales import CancelSale, GoodsLine, WriteReturn
from integration_hub.kernel.funds import RegisterPayment
from integration_hub.kernel.messages import Address, Buyer, Command, SaleLine, WriteSale
from integration_hub.kernel.states import LineKind
from integration_hub.sandbox import odoo_sales
from integration_hub.sandbox import world as sandbox
from integration_hub.sandbox.http import Request
from integration_hub.sandbox.odoo import Odoo as PlayedOdoo
from tests.connectors.contract import Contract, Sample
from tests.connectors.world import Reply, World, outside

URL = "https://erp.example.test/odoo"
HOME = Address(
    name="Jörg Müller",
    street="Hauptstraße 5",
    street2="Hinterhaus",
    postal_code="10115",
    city="Berlin",
    country="DE",
    email="joerg@example.com",
)


def sale_line(gross: str, net: str, quantity: int = 1, rate: str = "0.19", **changes: Any) -> SaleLine:
    """A line without discount whose unit price follows from its total."""
    total = Decimal(gross)
    values: dict[str, Any] = {
        "kind": LineKind.ITEM,
        "title": "Teekanne",
        "sku": "TK-100",
        "quantity": Decimal(quantity),
        "unit_price": total / quantity,
        "discount": Decimal(0),
        "net": Decimal(net),
        "tax": total - Decimal(net),
        "gross": total,
        "tax_rate": Decimal(rate),
    }
    return SaleLine(**{**values, **changes})


POT = sale_line("39.95", "33.57")
TEA = sale_line("38.70", "36.17", 3, "0.07", sku="TEE-250", title="Darjeeling")
PARCEL = sale_line("4.90", "4.12", kind=LineKind.SHIPPING, sku="", title="DHL Paket")


def sale(*lines: SaleLine, **changes: Any) -> WriteSale:
    lines = lines or (POT, TEA, PARCEL)
    values: dict[str, Any] = {
        "reference": "H-1001",
        "number": "1001",
        "channel": "laden",
        "customer_code": "K-17",
        "buyer": Buyer(email="joerg@example.com", name="Jörg Müller"),
        "billing": HOME,
        "shipping": HOME,
        "placed_at": datetime(2026, 11, 21, 9, 30, tzinfo=UTC),
        "currency": "EUR",
        "prices_include_tax": True,
        "lines": lines,
        "total": sum((line.gross for line in lines), Decimal(0)),
        "total_tax": sum((line.tax for line in lines), Decimal(0)),
    }
    return WriteSale(**{**values, **changes})


def settings(**changes: Any) -> dict[str, Any]:
    return {
        "url": URL,
        "database": sandbox.ODOO_DATABASE,
        "login": sandbox.ODOO_LOGIN,
        "api_key": sandbox.ODOO_KEY,
        "shipping_product": "VERSAND",
        "fee_product": "GEBUEHR",
        "discount_product": "RABATT",
        "payment_journal": "BNK1",
        **changes,
    }


def connector(**changes: Any) -> Odoo:
    return Odoo(Odoo.Config(**settings(**changes)), Http())


class Erp:
    """The played ERP behind the contract's wire."""

    def __init__(self, version: str = "19") -> None:
        self.world = sandbox.World()
        self.world.turn(odoo_version=version, odoo_ship_after=0)
        self.odoo = PlayedOdoo(self.world)

    def answer(self, request: requests.PreparedRequest) -> Reply:
        response = self.odoo.handle(_read(request))
        return response.status, dict(response.headers), response.body.decode()

    def is_write(self, request: requests.PreparedRequest) -> bool:
        return self.odoo.writes(_read(request))

    def rows(self, model: str) -> list[dict[str, Any]]:
        return self.world.store.rows(model)

    def made(self) -> Any:
        """Counts and states, without ids: a try that was cut short may have used some up."""
        sales = [(row["client_order_ref"], row["state"], row["amount_total"]) for row in self.rows("sale.order")]
        counts = {
            model: len(self.rows(model)) for model in ("res.partner", "stock.picking", "stock.scrap", "mail.message")
        }
        lines = [(row["product_uom_qty"], row["price_total"]) for row in self.rows("sale.order.line")]
        moves = [(row["state"], row["product_uom_qty"], row["quantity"]) for row in self.rows("stock.move")]
        money = [(row["state"], row["payment_type"], row["amount"]) for row in self.rows("account.payment")]
        return (sales, counts, lines, moves, money) if sales or any(counts.values()) else None

    def sold(self, reference: str, *lines: SaleLine, shipped: bool = False, **changes: Any) -> None:
        """A sale that is there, shipped or not."""
        with outside(self):
            url = {"transport": "auto" if self.world.switch("odoo_version") == "19" else "jsonrpc"}
            connector(**url, **changes).send(sale(*lines, reference=reference, customer_code=reference))
        if shipped:
            self.ship(reference)

    def ship(self, reference: str, *, partial: bool = False) -> None:
        """Its open parcels leave."""
        (row,) = [row for row in self.rows("sale.order") if row["client_order_ref"] == reference]
        for picking in self.rows("stock.picking"):
            if picking["sale_id"] == row["id"] and picking["state"] == odoo_sales.OPEN_PICKING:
                odoo_sales.ship(self.world, picking, partial)


def goods(sku: str, pieces: int, **changes: Any) -> GoodsLine:
    return GoodsLine(sku=sku, quantity=Decimal(pieces), **changes)


def cancel(reference: str, *lines: GoodsLine, key: str = "C1") -> CancelSale:
    words = {"sale_id": "", "sale_number": "", "reason": "Kunde hat <storniert> & ist weg"}
    return CancelSale(key=f"{reference}/{key}", sale_reference=reference, lines=lines, **words)


def back(reference: str, *lines: GoodsLine, received: bool = True) -> WriteReturn:
    words = {"sale_id": "", "sale_number": "", "reason": "gefällt nicht"}
    return WriteReturn(reference=f"{reference}/R1", sale_reference=reference, lines=lines, received=received, **words)


def paid(reference: str, amount: str, key: str = "money:7", **changes: Any) -> RegisterPayment:
    at = datetime(2026, 11, 21, 9, 40, tzinfo=UTC)
    values: dict[str, Any] = {"sale_id": "", "sale_number": "", "currency": "EUR", "paid_at": at, "payment_id": "pi_1"}
    return RegisterPayment(key=key, reference=reference, amount=Decimal(amount), **{**values, **changes})


def _read(request: requests.PreparedRequest) -> Request:
    body = request.body or b""
    raw = body.encode() if isinstance(body, str) else bytes(body)
    headers = {name.lower(): str(value) for name, value in request.headers.items()}
    path = urlsplit(request.url or "").path
    return Request(request.method or "", path, str(request.url), {}, headers, raw)


def sold(**changes: Any) -> dict[str, Any]:
    """A polled sale with one parcel that left and one that waits."""
    done = {
        "id": 5,
        "name": "WH/OUT/00005",
        "state": "done",
        "date_done": "2026-11-21 10:00:00",
        "write_date": "2026-11-21 10:00:01",
        "sale_id": [7, "S00007"],
        "carrier_id": [1, "DHL Paket"],
        "carrier_tracking_ref": "00340434101234567890",
        "carrier_tracking_url": "https://tracking.example/1",
        "moves": [{"sku": "TEE-250", "quantity": 2.0}],
    }
    waiting = {**done, "id": 6, "name": "WH/OUT/00006", "state": "assigned", "date_done": False, "moves": []}
    record = {
        "id": 7,
        "name": "S00007",
        "client_order_ref": "H-1001",
        "state": "sale",
        "write_date": "2026-11-21 09:00:00",
        "amount_total": 83.55,
        "currency_id": [1, "EUR"],
    }
    return {"sale": {**record, **changes}, "pickings": [done, waiting]}


RETURN = {
    "id": 9,
    "name": "WH/IN/00009",
    "state": "done",
    "origin": "H-1001/R1",
    "date_done": "2026-11-21 12:00:00",
    "write_date": "2026-11-21 12:00:01",
    "sale_id": [7, "S00007"],
    "moves": [{"sku": "TEE-250", "quantity": 2.0}],
    "scraps": [{"sku": "TEE-250", "quantity": 1.0}],
}


def delivery(body: dict[str, Any], topic: str = "sale.polled") -> Delivery:
    return Delivery(topic, "7", json.dumps(body).encode())


PRODUCT = {
    "id": 3,
    "default_code": "TEE-250",
    "barcode": False,
    "display_name": "[TEE-250] Darjeeling",
    "active": True,
    "write_date": "2026-11-21 09:00:00",
}

FULL_PRODUCT = {
    **PRODUCT,
    "product_tmpl_id": [2, "Darjeeling"],
    "type": "consu",
    "is_storable": True,
    "lst_price": 12.9,
    "currency_id": [1, "EUR"],
    "uom_id": [1, "Stück"],
    "categ_id": [4, "Handelsware / Tee"],
    "taxes_id": [3],
    "weight": 0.25,
    "weight_uom_name": "kg",
    "product_template_attribute_value_ids": [6],
    "taxes": [{"id": 3, "name": "7% USt inkl.", "price_include": True}],
    "values": [{"id": 6, "name": "250 g", "attribute_id": [1, "Packung"]}],
    "kit": None,
}
KIT = {
    **FULL_PRODUCT,
    "kit": {
        "makes": {"quantity": 1.0, "factor": 12.0, "own_factor": 1.0, "upwards": True},
        "parts": [
            {"quantity": 24.0, "factor": 1.0, "own_factor": 1.0, "upwards": True, "product": 8, "code": "TK-100"},
            {"quantity": 1.0, "factor": 12.0, "own_factor": 1.0, "upwards": True, "product": 9, "code": ""},
        ],
    },
}
PLACE = {"id": 2, "complete_name": "WH/Stock", "active": True, "location_id": [1, "WH"]}
PLACE["write_date"] = "2026-11-21 09:00:00"
LEVEL = {"product": 3, "location": 2, "code": "TEE-250", "on_hand": 5.0, "available": 3.0, "moved_at": None}


def levels(*rows: dict[str, Any]) -> Delivery:
    """What moved, as it is polled."""
    body = json.dumps({"levels": rows}).encode()
    return Delivery("stock.polled", "changed", body, {"stated_at": "2026-11-21T09:00:00+00:00"})


class Mine(Contract):
    connector_class: ClassVar[type[Connector]] = Odoo
    version: ClassVar[str] = "19"

    def config(self) -> dict[str, Any]:
        return settings()

    def samples(self) -> Sequence[Sample]:
        return [
            Sample("partly shipped", delivery(sold())),
            Sample("cancelled", delivery(sold(state="cancel"))),
            Sample("with a return", delivery({**sold(), "returns": [RETURN]})),
            Sample("product of an older version", delivery(PRODUCT, "product.polled")),
            Sample("product", delivery(FULL_PRODUCT, "product.polled")),
            Sample("kit", delivery(KIT, "product.polled")),
            Sample("location", delivery(PLACE, "location.polled")),
            Sample("levels", levels(LEVEL, {**LEVEL, "location": 5})),
        ]

    def commands(self) -> Sequence[Command]:
        elsewhere = replace(HOME, name="Oma Müller", street="Am Mühlbach 2")
        return [
            sale(shipping=elsewhere),
            cancel("H-2001"),
            cancel("H-2002", goods("TEE-250", 2)),
            back("H-3001", goods("TEE-250", 2), goods("TK-100", 1, restock=False)),
            paid("H-3001", "83.55"),
            paid("H-2001", "-12.90", key="money:8"),
        ]

    def world(self) -> World:
        """With two sales to take back and one that was shipped."""
        erp = Erp(self.version)
        for reference in ("H-2001", "H-2002", "H-3001"):
            erp.sold(reference, shipped=reference == "H-3001")
        return erp


class MineBefore19(Mine):
    """The same over JSON-RPC."""

    version: ClassVar[str] = "17"

    def config(self) -> dict[str, Any]:
        return settings(transport="jsonrpc")
