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


def product(**changes: Any) -> Row:
    template = {"id": 4, "create_date": at(7), "write_date": at(11)}
    row = {"id": 5, "code": "MUG", "name": "Tasse", "active": True, "salable": True, "template": template}
    identifiers = [{"id": 1, "type": "mpn", "code": "X-1"}, {"id": 2, "type": "ean", "code": "4006381333931"}]
    return row | {"create_date": at(7), "write_date": None, "identifiers": identifiers} | changes


def delivery(row: Row, topic: str = "sale.polled") -> Delivery:
    return Delivery(topic, str(row["id"]), codec.canonical(row))
