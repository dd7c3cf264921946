"""Rows as Tryton's REST interface sends them, written for these tests."""

from __future__ import annotations

from typing import Any

from integration_hub.connectors.base import Delivery
from integration_hub.kernel import codec

Row = dict[str, Any]


def amount(text: str) -> Row:
    return {"__class__": "Decimal", "decimal": text}


def day(number: int) -> Row:
    return {"__class__": "date", "year": 2026, "month": 11, "day": number}


def at(hour: int) -> Row:
    return day(20) | {"__class__": "datetime", "hour": hour, "minute": 5, "second": 0, "microsecond": 7}


def move(number: int, code: str, quantity: float, state: str = "done", sale: int = 12) -> Row:
    product = {"id": number, "code": code}
    return {"id": number, "quantity": quantity, "state": state, "product": product, "sale": {"id": sale}}


def shipment(number: int, *moves: Row, state: str = "done", **changes: Any) -> Row:
    row = {"id": number, "number": f"A{number}", "reference": "00340434161094", "state": state}
    row |= {"effective_date": day(21), "create_date": at(9), "write_date": at(14), "outgoing_moves": list(moves)}
    return row | changes


def sale(*shipments: Row, moves: tuple[str, ...] = ("done",), **changes: Any) -> Row:
    """A sale of 44.97 € that was sent in full."""
    row = {
        "id": 12,
        "number": "4",
        "reference": "WEB-1001",
        "web_id": "shop:1001",
        "currency": {"id": 1, "code": "EUR"},
    }
    row |= {
        "state": "processing",
        "shipment_state": "sent",
        "invoice_state": "pending",
        "total_amount": amount("44.97"),
    }
    row |= {"create_date": at(8), "write_date": at(12), "shipments": list(shipments)}
    row |= {"lines": [{"id": 1, "moves": [{"id": i, "state": state} for i, state in enumerate(moves)]}]}
    return row | changes


def back(*states: str, shelf: str = "storage", **changes: Any) -> Row:
    """A return of two mugs, with a return shipment in each of these states."""
    put = {"id": 1, "to_location": {"id": 3, "type": shelf}, "product": {"id": 4, "code": "MUG"}}
    shipments = [
        {"id": number, "state": state, "effective_date": day(22), "create_date": at(15), "write_date": at(16)}
        | {"inventory_moves": [put] if state in ("received", "done") else []}
        for number, state in enumerate(states or ("done",), start=1)
    ]
    mug = {"id": 4, "type": "line", "quantity": -2.0, "product": {"id": 4, "code": "MUG", "type": "goods"}}
    row = {"id": 13, "number": "5", "web_id": "shop:1001/R1", "state": "processing", "origin": "sale.sale,12"}
    row |= {"create_date": at(15), "write_date": None, "shipment_returns": shipments, "lines": [mug]}
    return row | changes


def product(**changes: Any) -> Row:
    template = {"id": 4, "create_date": at(7), "write_date": at(11)}
    row = {"id": 5, "code": "MUG", "name": "Tasse", "active": True, "salable": True, "template": template}
    identifiers = [{"id": 1, "type": "mpn", "code": "X-1"}, {"id": 2, "type": "ean", "code": "4006381333931"}]
    return row | {"create_date": at(7), "write_date": None, "identifiers": identifiers} | changes


def full_product(**changes: Any) -> Row:
    """A variant as a Tryton with the modules for measurements, attributes and kits states it."""
    categories = [{"id": 9, "name": "Küche"}, {"id": 3, "name": "Geschirr"}]
    template = {"id": 4, "name": "Tasse Leuchtturm", "code": "MUG", "categories": categories, "components": []}
    row = product(template=template | {"create_date": at(7), "write_date": at(11)}, name="Tasse")
    row |= {"type": "goods", "consumable": False, "list_price_used": amount("8.3950"), "currency": "EUR"}
    row |= {"default_uom": {"id": 1, "symbol": "u"}, "account_category": {"id": 1, "name": "Waren 19 %"}}
    row |= {"weight": 350.0, "weight_uom": {"id": 3, "factor": 0.001}, "components": []}
    row |= {"attributes": {"colour": "b", "length": 7, "width": amount("1.5"), "since": day(3), "old": None}}
    row["schema"] = [
        {"id": 2, "name": "length", "string": "Länge", "type_": "integer", "selection_json": "[]"},
        {"id": 1, "name": "colour", "string": "Farbe", "type_": "selection", "selection_json": '[["b","Blau"]]'},
        {"id": 3, "name": "width", "string": "Breite", "type_": "numeric", "selection_json": None},
        {"id": 4, "name": "since", "string": "Seit", "type_": "date", "selection_json": "[]"},
        {"id": 5, "name": "old", "string": "Alt", "type_": "char", "selection_json": "[]"},
    ]
    return row | changes


def part(number: int, quantity: float, unit: float = 1.0, **changes: Any) -> Row:
    """A part of a set, counted in a unit of so many base units."""
    wanted = {"id": number, "code": f"P{number}", "default_uom": {"id": 1, "factor": 1.0}}
    return {"id": number, "quantity": quantity, "product": wanted, "unit": {"id": 2, "factor": unit}, **changes}


def kit() -> Row:
    """A set of two parts, one of them by the dozen; a third belongs to another variant."""
    parts = [part(1, 2.0, parent_product=None), part(2, 1.0, 12.0, parent_product=None)]
    other = part(3, 1.0, parent_product={"id": 99})
    row = full_product(type="kit")
    return row | {"template": row["template"] | {"components": [*parts, other]}}


def location(**changes: Any) -> Row:
    row = {"id": 5, "name": "Hauptlager", "code": "WH", "type": "warehouse", "active": True, "warehouse": {"id": 5}}
    return row | {"create_date": at(7), "write_date": None} | changes


def level(product: int = 4, **changes: Any) -> Row:
    row = {"product": product, "location": 5, "code": "MUG", "active": True, "on_hand": 98.0, "available": 17.0}
    return row | {"moved_at": "2026-11-20T14:05:00+00:00"} | changes


def levels(*rows: Row) -> Delivery:
    """What moved, as it is polled."""
    body = codec.canonical({"levels": list(rows)})
    return Delivery("stock.polled", "changed", body, {"stated_at": "2026-11-20T14:06:00+00:00"})


def delivery(row: Row, topic: str = "sale.polled") -> Delivery:
    return Delivery(topic, str(row["id"]), codec.canonical(row))
