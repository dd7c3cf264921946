"""The ERPNext connector as the contract suite sees it; its outside world is the sandbox's ERP without the network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import requests

from integration_hub.connectors.base import Connector, Delivery
from integration_hub.connectors.erpnext import ErpNext
from integration_hub.connectors.http import Http
from integration_hub.kernel.aftersales import CancelSale, GoodsLine, WriteReturn
from integration_hub.kernel.funds import RegisterPayment
from integration_hub.kernel.messages import Address, Buyer, Command, SaleLine, WriteSale
from integration_hub.kernel.states import LineKind
from integration_hub.sandbox import world as sandbox
from integration_hub.sandbox.erpnext import ErpNext as PlayedErpNext
from integration_hub.sandbox.erpnext_furnish import BANK, COMPANY, PRICES
from integration_hub.sandbox.erpnext_levers import Levers
from integration_hub.sandbox.erpnext_stock import MAIN, REJECTED
from integration_hub.sandbox.http import Request
from tests.connectors.contract import Contract, Sample
from tests.connectors.world import Reply, World, outside

URL = "https://erp.example.test/erpnext"
HOME = Address(
    name="Jörg Müller",
    street="Hauptstraße 5",
    street2="Hinterhaus",
    postal_code="10115",
    city="Berlin",
    country="DE",
    email="joerg@example.com",
    phone="+49 30 123456",
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
        "api_key": sandbox.ERPNEXT_KEY,
        "api_secret": sandbox.ERPNEXT_SECRET,
        "shipping_product": "VERSAND",
        "fee_product": "GEBUEHR",
        "discount_product": "RABATT",
        "scrap_warehouse": REJECTED,
        "payment_account": BANK,
        "price_list": PRICES,
        **changes,
    }


def connector(**changes: Any) -> ErpNext:
    return ErpNext(ErpNext.Config(**settings(**changes)), Http())


class Erp:
    """The played ERP behind the contract's wire."""

    def __init__(self) -> None:
        self.world = sandbox.World(seed=7)
        self.world.turn(erpnext_ship_after=0)
        self.erp = PlayedErpNext(self.world)
        self.levers = Levers(self.erp)

    def answer(self, request: requests.PreparedRequest) -> Reply:
        response = self.erp.handle(_read(request))
        return response.status, dict(response.headers), response.body.decode()

    def is_write(self, request: requests.PreparedRequest) -> bool:
        return self.erp.writes(_read(request))

    def rows(self, doctype: str) -> list[dict[str, Any]]:
        return self.erp.docs.all(doctype)

    def made(self) -> Any:
        """States and amounts, without names: a try that was cut short may have used some up."""
        sales = [
            (row["po_no"], row["status"], row["grand_total"], row["advance_paid"]) for row in self.rows("Sales Order")
        ]
        lines = [(row["item_code"], row["qty"], row["amount"]) for row in self.rows("Sales Order Item")]
        notes = [
            (row["po_no"], row["status"], row["is_return"], row["total_qty"]) for row in self.rows("Delivery Note")
        ]
        bins = [
            (row["item_code"], row["warehouse"], row["actual_qty"], row["reserved_qty"]) for row in self.rows("Bin")
        ]
        money = [(row["status"], row["payment_type"], row["paid_amount"]) for row in self.rows("Payment Entry")]
        counts = {name: len(self.rows(name)) for name in ("Customer", "Address", "Comment")}
        return (sales, lines, notes, bins, money, counts) if sales or any(counts.values()) else None

    def sold(self, reference: str, *lines: SaleLine, shipped: bool = False, **changes: Any) -> None:
        """A sale that is there, shipped or not."""
        with outside(self):
            connector(**changes).send(sale(*lines, reference=reference, customer_code=reference))
        if shipped:
            self.ship(reference)

    def order(self, reference: str) -> dict[str, Any]:
        return self.levers.sale({"order": reference})

    def ship(self, reference: str, *, partial: bool = False) -> None:
        self.levers.ship(self.order(reference), partial)


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
    parts = urlsplit(request.url or "")
    return Request(request.method or "", parts.path, str(request.url), dict(parse_qsl(parts.query)), headers, raw)


NOTE = {
    "name": "MAT-DN-2026-00005",
    "docstatus": 1,
    "status": "To Bill",
    "is_return": 0,
    "reference": "H-1001",
    "posted_at": "2026-11-21T10:00:00+00:00",
    "modified_at": "2026-11-21T10:00:01.000002+00:00",
    "carrier": "DHL Paket",
    "tracking_number": "00340434101234567890",
    "tracking_url": "https://tracking.example/1",
    "lines": [{"sku": "TEE-250", "quantity": 2.0, "scrapped": False}],
}
RETURN = {
    **NOTE,
    "name": "MAT-DN-2026-00009",
    "status": "Return",
    "is_return": 1,
    "reference": "H-1001/R1",
    "modified_at": "2026-11-21T12:00:00+00:00",
    "lines": [
        {"sku": "TEE-250", "quantity": 1.0, "scrapped": False},
        {"sku": "TEE-250", "quantity": 1.0, "scrapped": True},
    ],
}


def sold(**changes: Any) -> dict[str, Any]:
    """A polled sale with one parcel that left and one that waits."""
    record = {
        "name": "SAL-ORD-2026-00007",
        "docstatus": 1,
        "status": "To Deliver and Bill",
        "grand_total": 83.55,
        "currency": "EUR",
        "reference": "H-1001",
        "modified_at": "2026-11-21T09:00:00+00:00",
    }
    items = [{"sku": "TEE-250", "quantity": 3.0}, {"sku": "TK-100", "quantity": 1.0}]
    waiting = {**NOTE, "name": "MAT-DN-2026-00006", "docstatus": 0, "status": "Draft"}
    return {"sale": {**record, **changes}, "items": items, "notes": [NOTE, waiting]}


def delivery(body: dict[str, Any], topic: str = "sale.polled") -> Delivery:
    return Delivery(topic, "7", json.dumps(body).encode())


PRODUCT = {
    "name": "TS-M",
    "item_name": "T-Shirt Teeliebe - M",
    "disabled": 0,
    "variant_of": "TS",
    "variant_title": "T-Shirt Teeliebe",
    "is_stock_item": 1,
    "stock_uom": "Nos",
    "item_group": "Handelsware",
    "weight_per_unit": 350.0,
    "weight_uom": "Gram",
    "attributes": [{"attribute": "Größe", "attribute_value": "M"}],
    "barcodes": [{"barcode": "REGAL-7"}, {"barcode": "2999000000073"}],
    "taxes": [{"item_tax_template": "Umsatzsteuer 19 % - ST"}],
    "price": {"price_list_rate": 19.9, "currency": "EUR", "modified": "2026-11-21 09:00:00.000000"},
    "parts": [],
    "modified_at": "2026-11-21T09:00:00+00:00",
}
KIT = {**PRODUCT, "name": "SET-TEE", "variant_of": None, "is_stock_item": 0, "price": None, "attributes": []}
KIT["parts"] = [{"item_code": "TK-100", "qty": 1.0}, {"item_code": "TEE-250", "qty": 2.0}]
PLACE = {"name": MAIN, "disabled": 0}
LEVEL = {
    "product": "TEE-250",
    "location": MAIN,
    "on_hand": 5.0,
    "available": 3.0,
    "moved_at": "2026-11-21T09:00:00+00:00",
}


def levels(*rows: dict[str, Any]) -> Delivery:
    """What moved, as it is polled."""
    body = json.dumps({"levels": rows}).encode()
    return Delivery("stock.polled", "changed", body, {"stated_at": "2026-11-21T09:00:00+00:00"})


class Mine(Contract):
    connector_class: ClassVar[type[Connector]] = ErpNext

    def config(self) -> dict[str, Any]:
        return settings(company=COMPANY)

    def samples(self) -> Sequence[Sample]:
        return [
            Sample("partly shipped", delivery(sold())),
            Sample("cancelled", delivery(sold(status="Cancelled", docstatus=2))),
            Sample("with a return", delivery({**sold(), "notes": [NOTE, RETURN]})),
            Sample("variant", delivery(PRODUCT, "product.polled")),
            Sample("bundle", delivery(KIT, "product.polled")),
            Sample("location", delivery(PLACE, "location.polled")),
            Sample("levels", levels(LEVEL, {**LEVEL, "location": REJECTED})),
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
        """With two sales to take back and one that was shipped, in two parcels."""
        erp = Erp()
        for reference in ("H-2001", "H-2002", "H-3001"):
            erp.sold(reference)
        erp.ship("H-3001", partial=True)
        erp.ship("H-3001")
        return erp
