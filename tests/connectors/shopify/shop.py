"""A Shopify shop in memory: answers the connector's GraphQL documents by their operation name."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import requests

from integration_hub.connectors import shopify
from tests.connectors.world import Reply

from . import payloads
from .goods import Goods

ORDER = "gid://shopify/Order/1"
_OPERATION = re.compile(r"(query|mutation) (\w+)")


def _handler(operation: str) -> str:
    return "_on" + re.sub("([A-Z])", r"_\1", operation).lower()


def utc(moment: str) -> str:
    return datetime.fromisoformat(moment).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def line_gid(number: int) -> str:
    return f"gid://shopify/LineItem/{number}"


class Shop:
    """One order with lines that wait at locations; keeps tags, note and fulfilments."""

    def __init__(self, *waiting: tuple[str, str, int, int]) -> None:
        """``waiting``: fulfilment order, location, line, pieces."""
        self.waiting: list[list[Any]] = [list(row) for row in (waiting or (("FO1", "L1", 11, 3), ("FO1", "L1", 12, 1)))]
        self.tags: list[str] = ["vip"]
        self.note = "Bitte klingeln"
        self.fulfilments: list[dict[str, Any]] = []
        self.notes_written: list[str] = []
        self.orders = [payloads.node(payloads.order())]
        self.webhooks = [{"id": "gid://shopify/WebhookSubscription/1", "topic": topic} for topic in shopify.WATCHED]
        self.scopes = [*shopify.SCOPES, shopify.ALL_ORDERS, *shopify.STOCK_SCOPES, *shopify.RETURN_SCOPES]
        self.status = "PENDING"
        self.cancelled_at = ""
        self.by_hand = True  # the payment went past every gateway
        self.refunds: list[dict[str, Any]] = []
        self.returns = [payloads.return_node()]
        self.goods = Goods()
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def is_write(self, request: requests.PreparedRequest) -> bool:
        return bool(json.loads(request.body or b"{}")["query"].startswith("mutation"))

    def made(self) -> Any:
        told: list[Any] = [tag for tag in self.tags if tag != "vip"]
        told += (
            [self.status] * (self.status != "PENDING") + [self.cancelled_at] * bool(self.cancelled_at) + self.refunds
        )
        return told + self.notes_written + self.fulfilments + self.goods.set

    def answer(self, request: requests.PreparedRequest) -> Reply:
        body = json.loads(request.body or b"{}")
        found = _OPERATION.match(body["query"])
        assert found
        self.asked.append((found[2], body["variables"]))
        handler = _handler(found[2])
        own = getattr(self, handler, None) or getattr(self.goods, handler.removeprefix("_"))
        return 200, {}, json.dumps({"data": own(body["variables"])})

    def _scopes_data(self) -> dict[str, Any]:
        return {"accessScopes": [{"handle": scope} for scope in self.scopes]}

    def _on_shop(self, variables: dict[str, Any]) -> Any:
        return {"shop": {"name": "Teeladen"}, "currentAppInstallation": self._scopes_data()}

    def _on_webhooks(self, variables: dict[str, Any]) -> Any:
        return {"webhookSubscriptions": {"nodes": self.webhooks}}

    def _on_present(self, variables: dict[str, Any]) -> Any:
        held = {node["id"] for node in self.orders}
        nodes = [{"id": gid} if gid in held else None for gid in variables["ids"]]
        oldest = [{"id": min(held, key=lambda gid: int(gid.rpartition("/")[2]))}] if held else []
        return {"nodes": nodes, "currentAppInstallation": self._scopes_data(), "orders": {"nodes": oldest}}

    def _on_orders(self, variables: dict[str, Any]) -> Any:
        place = int(variables["after"] or 0)
        more = place + 1 < len(self.orders)
        info = {"hasNextPage": more, "endCursor": str(place + 1)}
        return {"orders": {"pageInfo": info, "nodes": self.orders[place : place + 1]}}

    def _on_listed(self, variables: dict[str, Any]) -> Any:
        start, end = re.findall(r"'([^']+)'", variables["query"])
        nodes = [node for node in self.orders if start <= utc(node["processedAt"]) < end]
        return {"orders": {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": nodes}}

    def _on_order_lines(self, variables: dict[str, Any]) -> Any:
        number = int(variables["after"])
        line = payloads.line_node(payloads.item(number))
        info = {"hasNextPage": number < 3, "endCursor": str(number + 1)}
        return {"order": {"lineItems": {"pageInfo": info, "nodes": [line]}}}

    def _on_order_tags(self, variables: dict[str, Any]) -> Any:
        order = {"id": ORDER, "name": "#1001", "note": self.note, "tags": self.tags}
        return {"order": order if variables["id"] == ORDER else None}

    def _on_one_order(self, variables: dict[str, Any]) -> Any:
        return {"order": next((node for node in self.orders if node["id"] == variables["id"]), None)}

    def _on_refunds_of_order(self, variables: dict[str, Any]) -> Any:
        return {"order": {"refunds": [payloads.refund_node()]}}

    def _on_one_return(self, variables: dict[str, Any]) -> Any:
        return {"return": next((node for node in self.returns if node["id"] == variables["id"]), None)}

    def _on_returns(self, variables: dict[str, Any]) -> Any:
        nodes = [{"id": ORDER, "returns": {"nodes": self.returns}}]
        return {"orders": {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": nodes}}

    def _on_order_refunds(self, variables: dict[str, Any]) -> Any:
        sale = {
            "id": "gid://shopify/OrderTransaction/1",
            "kind": "SALE",
            "status": "SUCCESS",
            "gateway": "Vorkasse",
            "manualPaymentGateway": self.by_hand,
            "amountSet": payloads.bag("37.03"),
        }
        kept = [{"id": f"gid://shopify/Refund/{n}", "note": one["note"]} for n, one in enumerate(self.refunds, 1)]
        order: dict[str, Any] = {"id": ORDER, "name": "#1001", "note": self.note}
        order |= {"displayFinancialStatus": self.status}
        order |= {"refunds": kept, "transactions": [sale]}
        return {"order": order if variables["id"] == ORDER else None}

    def _on_write_refund(self, variables: dict[str, Any]) -> Any:
        self.refunds.append(variables["input"])
        return {"refundCreate": {"refund": {"id": f"gid://shopify/Refund/{len(self.refunds)}"}, "userErrors": []}}

    def _on_order_standing(self, variables: dict[str, Any]) -> Any:
        order = {"id": ORDER, "name": "#1001", "tags": self.tags, "cancelledAt": self.cancelled_at or None}
        order |= {"displayFinancialStatus": self.status}
        return {"order": order if variables["id"] == ORDER else None}

    def _on_cancel_order(self, variables: dict[str, Any]) -> Any:
        self.cancelled_at = "2026-11-21T18:00:00Z"
        return {"orderCancel": {"job": {"id": "gid://shopify/Job/1", "done": False}, "orderCancelUserErrors": []}}

    def _on_mark_paid(self, variables: dict[str, Any]) -> Any:
        self.status = "PAID"
        return {"orderMarkAsPaid": {"userErrors": []}}

    def _on_add_tags(self, variables: dict[str, Any]) -> Any:
        self.tags += [tag for tag in variables["tags"] if tag not in self.tags]
        return {"tagsAdd": {"userErrors": []}}

    def _on_set_note(self, variables: dict[str, Any]) -> Any:
        self.note = variables["input"]["note"]
        self.notes_written.append(self.note)
        return {"orderUpdate": {"userErrors": []}}

    def _on_order_fulfilments(self, variables: dict[str, Any]) -> Any:
        if variables["id"] != ORDER:
            return {"order": None}
        known = [
            {"id": made["id"], "status": "SUCCESS", "trackingInfo": [{"number": made["trackingInfo"]["number"]}]}
            for made in self.fulfilments
        ]
        orders = {"pageInfo": {"hasNextPage": False}, "nodes": self._fulfilment_orders()}
        return {"order": {"id": ORDER, "name": "#1001", "fulfillments": known, "fulfillmentOrders": orders}}

    def _fulfilment_orders(self) -> list[dict[str, Any]]:
        nodes: dict[str, dict[str, Any]] = {}
        for place, (order, location, line, left) in enumerate(self.waiting):
            blank = {"id": order, "status": "OPEN", "assignedLocation": {"location": {"id": location}}}
            held = nodes.setdefault(str(order), {**blank, "lineItems": {"nodes": []}})
            item = {"id": f"FOL{place}", "remainingQuantity": left, "lineItem": {"id": line_gid(int(line))}}
            held["lineItems"]["nodes"].append(item)
        return list(nodes.values())

    def _on_fulfilled(self, variables: dict[str, Any]) -> Any:
        (made,) = [made for made in self.fulfilments if made["id"] == variables["id"]]
        return {"fulfillment": {"fulfillmentLineItems": {"nodes": made["lines"]}}}

    def _on_fulfil(self, variables: dict[str, Any]) -> Any:
        wish = variables["fulfillment"]
        lines = []
        for group in wish["lineItemsByFulfillmentOrder"]:
            for item in group["fulfillmentOrderLineItems"]:
                row = self.waiting[int(item["id"].removeprefix("FOL"))]
                row[3] = int(row[3]) - item["quantity"]
                lines.append({"quantity": item["quantity"], "lineItem": {"id": line_gid(int(row[2]))}})
        gid = f"gid://shopify/Fulfillment/{len(self.fulfilments) + 1}"
        self.fulfilments.append({"id": gid, "lines": lines, **wish})
        return {"fulfillmentCreate": {"fulfillment": {"id": gid, "status": "SUCCESS"}, "userErrors": []}}
