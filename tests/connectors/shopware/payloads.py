"""Orders as Shopware's Admin API answers them (plain JSON), as far as they matter; made up, not captured."""

from __future__ import annotations

import json
from typing import Any

from integration_hub.connectors.base import Delivery

ORDER, OTHER = "0" * 31 + "1", "0" * 31 + "2"
LINE, PROMOTION, BOX = "a" * 31 + "1", "a" * 31 + "2", "a" * 31 + "3"
DELIVERY, DISCOUNTED = "d" * 31 + "1", "d" * 31 + "2"
PAYMENT, RETRIED = "e" * 31 + "1", "e" * 31 + "2"
PRODUCT = "f" * 32
REFUND, RETURN = "b" * 31 + "1", "b" * 31 + "2"
PLACED, MOVED = "2026-11-21T17:00:00.125+00:00", "2026-11-21T17:00:05.250+00:00"


def state(name: str) -> dict[str, Any]:
    return {"technicalName": name, "name": name.title(), "translated": {"name": name.title()}}


def price(total: float, *taxes: tuple[float, float, float], quantity: int = 1, unit: float | None = None) -> Any:
    """A calculated price; taxes are rate, tax, and the part of the price that they are of."""
    parts = [{"taxRate": rate, "tax": tax, "price": part} for rate, tax, part in taxes]
    unit = total / quantity if unit is None else unit
    return {"unitPrice": unit, "quantity": quantity, "totalPrice": total, "calculatedTaxes": parts}


def item(total: float = 30.0, *taxes: tuple[float, float, float], quantity: int = 3, **changes: Any) -> dict[str, Any]:
    return {
        "id": LINE,
        "parentId": None,
        "productId": PRODUCT,
        "type": "product",
        "good": True,
        "label": "Becher blau",
        "position": 1,
        "quantity": quantity,
        "totalPrice": total,
        "price": price(total, *(taxes or ((19, 4.79, 30.0),)), quantity=quantity),
        "payload": {"productNumber": "MUG-B"},
        "createdAt": PLACED,
        "updatedAt": None,
        **changes,
    }


def promotion(total: float = -3.0, *taxes: tuple[float, float, float], **changes: Any) -> dict[str, Any]:
    kind = {"id": PROMOTION, "type": "promotion", "good": False, "productId": None, "label": "10 %", "payload": []}
    return item(total, *(taxes or ((19, -0.48, -3.0),)), quantity=1, **{**kind, **changes})


def address(**changes: Any) -> dict[str, Any]:
    return {
        "firstName": "Anna",
        "lastName": "Grün",
        "company": "Grün GmbH",
        "department": None,
        "street": "Hauptstr. 1",
        "additionalAddressLine1": "Hinterhof",
        "additionalAddressLine2": None,
        "zipcode": "10115",
        "city": "Berlin",
        "country": {"iso": "DE"},
        "countryState": {"name": "Berlin", "shortCode": "DE-BE"},
        "phoneNumber": "+49 30 1",
        **changes,
    }


def delivery_row(**changes: Any) -> dict[str, Any]:
    """4.90 incl. 19 %, by DHL."""
    return {
        "id": DELIVERY,
        "createdAt": PLACED,
        "updatedAt": None,
        "trackingCodes": [],
        "shippingCosts": price(4.9, (19, 0.78, 4.9)),
        "shippingMethod": {"name": None, "translated": {"name": "DHL"}},
        "shippingOrderAddress": address(),
        "positions": [{"orderLineItemId": LINE}],
        "stateMachineState": state("open"),
        **changes,
    }


def payment(**changes: Any) -> dict[str, Any]:
    return {
        "id": PAYMENT,
        "createdAt": PLACED,
        "updatedAt": MOVED,
        "amount": price(31.9),
        "stateMachineState": state("paid"),
        "paymentMethod": {"technicalName": "swag_paypal", "translated": {"name": "PayPal"}},
        "customFields": {"swag_paypal_resource_id": "8XY"},
        "captures": [],
        **changes,
    }


def refund(amount: float = 10.0, name: str = "completed", **changes: Any) -> dict[str, Any]:
    """A refund of a capture; its position gives one of the three mugs back."""
    return {
        "id": REFUND,
        "createdAt": MOVED,
        "updatedAt": None,
        "reason": "broken",
        "amount": price(amount),
        "stateMachineState": state(name),
        "positions": [{"id": "9" * 32, "orderLineItemId": LINE, "quantity": 1, "amount": price(amount)}],
        **changes,
    }


def refunded(*refunds: dict[str, Any], state_name: str = "refunded_partially") -> dict[str, Any]:
    """The order with refunds of its payment."""
    captures = [{"externalReference": "8XY", "refunds": list(refunds or (refund(),))}]
    return order(transactions=[payment(captures=captures, stateMachineState=state(state_name))])


def returned(name: str, **changes: Any) -> dict[str, Any]:
    """The order, its delivery in this state with all it held."""
    held = [{"orderLineItemId": LINE, "quantity": 3, "price": price(30.0, quantity=3)}]
    return order(deliveries=[delivery_row(stateMachineState=state(name), positions=held)], **changes)


def back(name: str = "in_progress", line: str = "return_requested", **changes: Any) -> dict[str, Any]:
    """A return of the return management: one mug of three."""
    return {
        "id": RETURN,
        "orderId": ORDER,
        "order": {"id": ORDER, "currency": {"isoCode": "EUR"}},
        "returnNumber": "R-1000",
        "requestedAt": PLACED,
        "createdAt": PLACED,
        "updatedAt": MOVED,
        "amountTotal": 10.0,
        "state": state(name),
        "lineItems": [
            {
                "id": "8" * 32,
                "orderLineItemId": LINE,
                "quantity": 1,
                "refundAmount": 10.0,
                "restockQuantity": 0,
                "state": state(line),
                "createdAt": PLACED,
                "updatedAt": None,
            }
        ],
        **changes,
    }


def cart(total: float, *taxes: tuple[float, float, float], **changes: Any) -> dict[str, Any]:
    parts = price(0, *taxes)["calculatedTaxes"]
    return {"totalPrice": total, "rawTotal": total, "taxStatus": "gross", "calculatedTaxes": parts, **changes}


def order(**changes: Any) -> dict[str, Any]:
    """A paid order over 31.90 incl. 19 %: three mugs, a promotion and shipping."""
    return {
        "id": ORDER,
        "autoIncrement": 71,
        "orderNumber": "SW-10077",
        "orderDateTime": PLACED,
        "createdAt": PLACED,
        "updatedAt": None,
        "amountTotal": 31.9,
        "amountNet": 26.81,
        "taxStatus": "gross",
        "price": cart(31.9, (19, 5.09, 31.9)),
        "shippingCosts": price(4.9, (19, 0.78, 4.9)),
        "currency": {"isoCode": "EUR"},
        "customerComment": "Bitte klingeln",
        "orderCustomer": {
            "customerId": "c" * 32,
            "email": "anna@example.test",
            "firstName": "Anna",
            "lastName": "Grün",
            "company": None,
            "vatIds": ["DE123456789"],
            "customer": {"guest": False},
        },
        "billingAddress": address(),
        "lineItems": [item(), promotion()],
        "deliveries": [delivery_row()],
        "transactions": [payment()],
        "stateMachineState": state("open"),
        "customFields": None,
        **changes,
    }


def delivery(body: Any, topic: str = "order.polled") -> Delivery:
    return Delivery(topic, ORDER, json.dumps(body).encode())


def event(name: str, payload: Any) -> bytes:
    source = {"url": "https://shop.example.test", "shopId": "S1", "eventId": "9" * 32}
    return json.dumps({"data": {"payload": payload, "event": name}, "source": source, "timestamp": 1795280000}).encode()


def written(entity: str, row_id: str, operation: str = "update") -> dict[str, Any]:
    return {"entity": entity, "operation": operation, "primaryKey": row_id, "updatedFields": [], "versionId": None}
