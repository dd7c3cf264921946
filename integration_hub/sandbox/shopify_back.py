"""The played Shopify's way back: refunds without an amount of their own, returns with their stages, payments marked by hand."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from .shopify_graph import Node, connection, gid, listed, number_of, plain_bag, utc
from .shopify_order import local, money_set
from .shopify_return import nodes, return_node
from .shopify_shop import ShopifyShop
from .shopify_types import order as order_node
from .store import Record
from .world import World

ZERO = Decimal(0)
CENT = Decimal("0.01")
MOVES = {
    "request": ("", "REQUESTED"),
    "approve": ("REQUESTED", "OPEN"),
    "process": ("OPEN", "OPEN"),
    "close": ("OPEN", "CLOSED"),
    "cancel": ("OPEN", "CANCELED"),
    "decline": ("REQUESTED", "DECLINED"),
}


class ShopifyBack:
    """Refunds and returns of one shop."""

    def __init__(self, world: World, shop: ShopifyShop) -> None:
        self._world = world
        self._store = world.store
        self._shop = shop
        self._store.start_at("shopify.refunds", 983_000_000_001)
        self._store.start_at("shopify.returns", 17_000_000_001)

    def order(self, order_id: int) -> Record:
        """The stored order; KeyError where there is none."""
        found = self._store.get("shopify.orders", order_id)
        if found is None:
            raise KeyError(order_id)
        return found

    def by_hand(self, order_id: int, lines: Mapping[str, int], amount: str = "", reason: str = "") -> Record:
        """Staff refunds pieces by SKU, an amount, or (neither given) all that is left, through the gateway."""
        order = self.order(order_id)
        wanted = {line["id"]: lines[line["sku"]] for line in order["line_items"] if lines.get(line["sku"])}
        goods = sum((_worth(line, wanted[line["id"]])[0] for line in order["line_items"] if line["id"] in wanted), ZERO)
        left = Decimal(order["total_price"]) - refunded(order)
        money = Decimal(amount) if amount else goods or left
        if not ZERO < money <= left:
            raise ValueError("more than is left")
        restock = "return" if order["fulfillments"] else "cancel"
        return self.refund(order, wanted, money, reason, restock, gateway=order["payment_gateway_names"][0])

    def refund(
        self,
        order: Record,
        wanted: Mapping[int, int],
        money: Decimal,
        note: str,
        restock: str,
        gateway: str = "",
        key: str = "",
    ) -> Record:
        """Write it; webhooks tell of the refund and of the order."""
        with self._world.lock:
            number, now = self._store.next_id("shopify.refunds"), local(self._world.now())
            row = {
                "id": number,
                "admin_graphql_api_id": gid("Refund", number),
                "order_id": order["id"],
                "created_at": now,
                "processed_at": now,
                "note": note,
                "return": None,
                **({"key": key} if key else {}),
                "order_adjustments": [],
                "refund_shipping_lines": [],
                "refund_line_items": [
                    _line(line, wanted[line["id"]], restock, order)
                    for line in order["line_items"]
                    if line["id"] in wanted
                ],
                "transactions": [_sent(order, number, money, gateway, now)] if money else [],
            }
            self._store.put("shopify.refunds", row)
            if restock == "cancel":
                self._give_up(order, wanted)
            for line in order["line_items"]:
                line["current_quantity"] -= wanted.get(line["id"], 0)
            changes: Record = {"refunds": [*order["refunds"], row]}
            if money:
                back_now = refunded(order) + money
                whole = back_now >= Decimal(order["total_price"])
                changes["financial_status"] = "refunded" if whole else "partially_refunded"
            self._shop.edit(order["id"], changes)
            self._shop.hooks.send(("refunds/create",), row)
        return row

    def _give_up(self, order: Record, wanted: Mapping[int, int]) -> None:
        """Pieces that will not be sent lie on the shelf again."""
        lines = [line for line in order["line_items"] if line["id"] in wanted]
        self._shop.shelf.put_back([{**line, "fulfillable_quantity": wanted[line["id"]]} for line in lines])
        for line in lines:
            line["fulfillable_quantity"] = max(0, line["fulfillable_quantity"] - wanted[line["id"]])

    def write(self, given: Mapping[str, Any], idempotent: str) -> tuple[Node | None, str]:
        """``refundCreate``: the same key is the same refund.  Payments through a gateway would really be sent back."""
        number = number_of(given.get("orderId"), "Order")
        order = self._store.get("shopify.orders", number)
        if order is None:
            return None, "Order does not exist"
        made = next((row for row in order["refunds"] if row.get("key") == idempotent), None)
        if made:
            return refund_node(made, order["currency"]), ""
        lines = {
            number_of(one["lineItemId"], "LineItem"): one["quantity"] for one in given.get("refundLineItems") or []
        }
        sent = given.get("transactions") or []
        held = {line["id"]: line["current_quantity"] for line in order["line_items"]}
        if not lines and not sent:
            return None, "Refund must have at least one line item, shipping or transaction"
        if any(quantity > held.get(line, 0) for line, quantity in lines.items()):
            return None, "Quantity cannot refund more items than were purchased"
        money = sum((Decimal(one["amount"]) for one in sent), ZERO)
        gateway = sent[0]["gateway"] if sent else ""
        row = self.refund(order, lines, money, given.get("note") or "", "no_restock", gateway, idempotent)
        return refund_node(row, order["currency"]), ""

    def turn_back(
        self,
        order_id: int,
        move: str,
        lines: Mapping[str, int],
        reason: str = "",
        instead: Mapping[str, int] | None = None,
    ) -> Record:
        """A return: requested, approved, processed (it arrived), closed, cancelled or declined; with ``instead`` an exchange."""
        before, after = MOVES[move]
        with self._world.lock:
            order = self.order(order_id)
            rows = [row for row in self._store.rows("shopify.returns") if row["order_id"] == order_id]
            if move == "request":
                number = self._store.next_id("shopify.returns")
                pieces = [
                    {"id": number * 10 + place, "line": line["id"], "sku": line["sku"], "quantity": lines[line["sku"]]}
                    for place, line in enumerate(order["line_items"])
                    if lines.get(line["sku"])
                ]
                name = f"{order['name']}-R{len(rows) + 1}"
                row: Record = {"id": number, "order_id": order_id, "name": name, "lines": pieces, "reason": reason}
                row |= {"created_at": local(self._world.now()), "processed": False}
                row["instead"] = [
                    {"id": number * 10 + place, "sku": sku, "quantity": pieces_wanted}
                    for place, (sku, pieces_wanted) in enumerate((instead or {}).items(), start=5)
                ]
            else:
                row = next(row for row in reversed(rows) if row["status"] == before)
            row["status"] = after
            row["processed"] = row["processed"] or move in ("process", "close")
            self._store.put("shopify.returns", row)
            self._shop.edit(
                order_id, {"return_status": "no_return" if after in ("CANCELED", "DECLINED") else "in_progress"}
            )
            self._shop.hooks.send((f"returns/{move}",), self._told(row, order))
        return row

    def _told(self, row: Record, order: Record) -> Record:
        """What a webhook says of a return: little."""
        named = {"id": order["id"], "admin_graphql_api_id": order["admin_graphql_api_id"]}
        return {
            "id": row["id"],
            "admin_graphql_api_id": gid("Return", row["id"]),
            "name": row["name"],
            "status": row["status"].lower(),
            "order": named,
        }

    def view(self, row: Record) -> Node:
        """The GraphQL type Order with what came back."""
        returns = [one for one in self._store.rows("shopify.returns") if one["order_id"] == row["id"]]
        gateway = row["payment_gateway_names"][0]
        found = order_node(row)
        found["transactions"] = listed(
            "OrderTransaction", [{**one, "manualPaymentGateway": is_manual(gateway)} for one in found["transactions"]()]
        )
        back = {
            "refunds": listed("Refund", [refund_node(one, row["currency"]) for one in row["refunds"]]),
            "returns": connection("Return", returns, lambda one: return_node(one, row)),
            "totalRefundedSet": plain_bag(refunded(row), row["currency"]),
        }
        return {**found, **back}

    def node(self, number: int) -> Node | None:
        row = self._store.get("shopify.returns", number)
        return return_node(row, self.order(row["order_id"])) if row else None


def refunded(order: Record) -> Decimal:
    """The money that went back with all refunds."""
    sent = (one for refund in order["refunds"] for one in refund["transactions"])
    return sum((Decimal(one["amount"]) for one in sent), ZERO)


def _worth(line: Record, pieces: int) -> tuple[Decimal, Decimal]:
    """What so many pieces cost, and the tax in it."""
    taken = sum((Decimal(part["amount"]) for part in line["discount_allocations"]), ZERO)
    gross = (Decimal(line["price"]) * line["quantity"] - taken) * pieces / line["quantity"]
    tax = sum((Decimal(part["price"]) for part in line["tax_lines"]), ZERO) * pieces / line["quantity"]
    return gross.quantize(CENT), tax.quantize(CENT)


def _line(line: Record, pieces: int, restock: str, order: Record) -> Record:
    gross, tax = _worth(line, pieces)
    return {
        "id": line["id"],
        "line_item_id": line["id"],
        "quantity": pieces,
        "restock_type": restock,
        "location_id": None,
        "subtotal": float(gross),
        "subtotal_set": money_set(str(gross), order["currency"]),
        "total_tax": float(tax),
        "total_tax_set": money_set(str(tax), order["currency"]),
        "line_item": {"id": line["id"], "sku": line["sku"], "name": line["name"]},
    }


def _sent(order: Record, number: int, money: Decimal, gateway: str, now: str) -> Record:
    return {
        "id": number + 1,
        "order_id": order["id"],
        "kind": "refund",
        "status": "success",
        "gateway": gateway,
        "amount": str(money),
        "currency": order["currency"],
        "created_at": now,
        "payment_id": f"sandbox.{order['order_number']}.{len(order['refunds']) + 1}",
        "manual_payment_gateway": is_manual(gateway),
    }


def is_manual(gateway: str) -> bool:
    """Whether a payment goes past every gateway."""
    return gateway not in ("paypal", "shopify_payments")


def refund_node(row: Record, currency: str) -> Node:
    """The GraphQL type Refund."""
    total = sum((Decimal(one["amount"]) for one in row["transactions"]), ZERO)
    lines = [
        {
            "__typename": "RefundLineItem",
            "quantity": item["quantity"],
            "restockType": item["restock_type"].upper(),
            "subtotalSet": plain_bag(item["subtotal_set"]["shop_money"]["amount"], currency),
            "totalTaxSet": plain_bag(item["total_tax_set"]["shop_money"]["amount"], currency),
            "lineItem": {
                "__typename": "LineItem",
                "id": gid("LineItem", item["line_item_id"]),
                "sku": item["line_item"]["sku"],
            },
        }
        for item in row["refund_line_items"]
    ]
    sent = [
        {
            "__typename": "OrderTransaction",
            "kind": "REFUND",
            "status": "SUCCESS",
            "paymentId": one["payment_id"],
            "manualPaymentGateway": one["manual_payment_gateway"],
            "amountSet": plain_bag(one["amount"], currency),
        }
        for one in row["transactions"]
    ]
    return {
        "__typename": "Refund",
        "id": gid("Refund", row["id"]),
        "note": row["note"],
        "createdAt": utc(row["created_at"]),
        "totalRefundedSet": plain_bag(total, currency),
        "transactions": nodes("OrderTransaction", sent),
        "refundLineItems": nodes("RefundLineItem", lines),
        "refundShippingLines": nodes("RefundShippingLine", []),
    }
