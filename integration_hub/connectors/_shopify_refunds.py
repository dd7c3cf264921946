"""Shopify's refunds into reports of special cases.  Pure translation of the REST shape, which webhooks have.

A refund has no amount: its successful transactions are the money, its lines what it was reckoned for.  So where the lines
come to more than the money, they share the money; what the money exceeds them by is tied to no line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from integration_hub.kernel import fields
from integration_hub.kernel.aftersales import AfterSaleKind, AfterSaleReport, AfterSaleStage, Position
from integration_hub.kernel.fields import Object
from integration_hub.kernel.messages import OrderReport
from integration_hub.kernel.money import Money, rounded

from . import _shopify_graphql as graphql
from ._shopify_lines import ZERO, shop_amount
from ._shopify_order import money_back, order_report

MAX_REASON = 300
RESTOCKED = frozenset({"cancel", "return", "legacy_restock"})
_OURS = re.compile(r"\[hub [^\[\]]+\]")


def marker(key: str) -> str:
    """What a refund of ours carries in its note."""
    return f"[hub {key.replace('[', '(').replace(']', ')')}]"


def is_ours(note: str) -> bool:
    """Whether the hub itself wrote this."""
    return _OURS.search(note) is not None


def whole_order(
    raw: Object, ready: Iterable[str], *, is_test: bool = False
) -> tuple[OrderReport | AfterSaleReport, ...]:
    """The order in the REST shape, and behind it each of its refunds."""
    order = order_report(raw, ready, is_test=is_test)
    return (order, *refund_reports(raw, order))


def polled_order(node: Object, ready: Iterable[str]) -> tuple[OrderReport | AfterSaleReport, ...]:
    """The same from a GraphQL node."""
    raw = graphql.rest_shape(node)
    return whole_order({**raw, "refunds": [_rest_refund(one) for one in fields.children(node, "refunds")]}, ready)


def refund_reports(raw: Object, order: OrderReport) -> tuple[AfterSaleReport, ...]:
    """The order's refunds, those left out that the hub itself has written."""
    return tuple(
        _report(refund, raw, order)
        for refund in fields.children(raw, "refunds")
        if fields.identifier(refund, "id", required=False) and not is_ours(fields.words(refund, "note", 5000))
    )


def _report(refund: Object, raw: Object, order: OrderReport) -> AfterSaleReport:
    money = money_back(refund, raw, order.currency)
    shipping = _shipping(refund, order.prices_include_tax)
    positions, shipping = _within(money, _positions(refund, order.prices_include_tax), shipping, order.currency)
    sent = [one for one in fields.children(refund, "transactions") if one.get("status") == "success"]
    return AfterSaleReport(
        external_id=fields.identifier(refund, "id"),
        order_id=order.external_id,
        kind=AfterSaleKind.REFUND,
        stage=AfterSaleStage.DONE,
        vendor_status="refunded" if money else "restocked",
        occurred_at=fields.moment(refund, "created_at") or order.updated_at,
        updated_at=order.updated_at,
        positions=positions,
        currency=order.currency,
        amount=money,
        shipping_amount=shipping.amount or ZERO,
        shipping_tax=shipping.tax,
        money_moved=any(not fields.flag(one, "manual_payment_gateway") for one in sent),
        payment_ids=tuple(filter(None, (fields.words(one, "payment_id", 100) for one in sent))),
        reason=fields.words(refund, "note", MAX_REASON),
    )


def _positions(refund: Object, taxes_included: bool) -> tuple[Position, ...]:
    return tuple(_position(line, taxes_included) for line in fields.children(refund, "refund_line_items"))


def _position(line: Object, taxes_included: bool) -> Position:
    """``subtotal`` holds the tax where the shop's prices do."""
    tax = shop_amount(line, "total_tax", ZERO)
    restock = fields.words(line, "restock_type").lower()
    return Position(
        quantity=abs(fields.quantity({"quantity": line.get("quantity") or 0}, "quantity")),
        line_id=fields.identifier(line, "line_item_id", required=False),
        sku=fields.identifier(fields.child(line, "line_item"), "sku", required=False),
        amount=abs(shop_amount(line, "subtotal", ZERO)) + (ZERO if taxes_included else abs(tax)),
        tax=abs(tax),
        restock=restock in RESTOCKED if restock else None,
    )


def _shipping(refund: Object, taxes_included: bool) -> Position:
    """Shipping costs that went back: as adjustments (net and negative), else as shipping lines."""
    adjusted = [one for one in fields.children(refund, "order_adjustments") if one.get("kind") == "shipping_refund"]
    if adjusted:
        tax = abs(sum((shop_amount(one, "tax_amount", ZERO) for one in adjusted), ZERO))
        return Position(
            quantity=ZERO, amount=abs(sum((shop_amount(one, "amount", ZERO) for one in adjusted), ZERO)) + tax, tax=tax
        )
    lines = fields.children(refund, "refund_shipping_lines")
    tax = abs(sum((shop_amount(one, "tax_amount", ZERO) for one in lines), ZERO))
    net = abs(sum((shop_amount(one, "subtotal_amount", ZERO) for one in lines), ZERO))
    return Position(quantity=ZERO, amount=net + (ZERO if taxes_included else tax), tax=tax if lines else None)


def _within(
    money: Decimal, positions: Sequence[Position], shipping: Position, currency: str
) -> tuple[tuple[Position, ...], Position]:
    """No more than the money that went back, shared by what each part was reckoned at; loses no cent."""
    parts = [*positions, shipping]
    weights = [part.amount or ZERO for part in parts]
    if sum(weights, ZERO) <= money:
        return tuple(positions), shipping
    shares = Money(money, currency).split(weights)
    scaled = [_scaled(part, share.amount, currency) for part, share in zip(parts, shares, strict=True)]
    return tuple(scaled[:-1]), scaled[-1]


def _scaled(part: Position, amount: Decimal, currency: str) -> Position:
    tax = rounded(part.tax * amount / part.amount, currency) if part.tax and part.amount else part.tax
    return replace(part, amount=amount, tax=tax)


def _rest_refund(node: Object) -> dict[str, Any]:
    """A GraphQL refund as the REST object that a webhook would carry, as far as we read it."""
    return {
        "id": _number(node),
        "note": node.get("note"),
        "created_at": node.get("createdAt"),
        "transactions": [
            {
                "kind": fields.words(one, "kind").lower(),
                "status": fields.words(one, "status").lower(),
                "amount": _money(one, "amountSet"),
                "payment_id": one.get("paymentId"),
                "manual_payment_gateway": one.get("manualPaymentGateway"),
            }
            for one in _nodes(node, "transactions")
        ],
        "refund_line_items": [
            {
                "quantity": one.get("quantity"),
                "restock_type": one.get("restockType"),
                "subtotal": _money(one, "subtotalSet"),
                "total_tax": _money(one, "totalTaxSet"),
                "line_item_id": _number(fields.child(one, "lineItem")),
                "line_item": {"sku": fields.child(one, "lineItem").get("sku")},
            }
            for one in _nodes(node, "refundLineItems")
        ],
        "refund_shipping_lines": [
            {"subtotal_amount": _money(one, "subtotalAmountSet"), "tax_amount": _money(one, "taxAmountSet")}
            for one in _nodes(node, "refundShippingLines")
        ],
        "order_adjustments": [],
    }


def _nodes(node: Object, name: str) -> list[Object]:
    return fields.children(fields.child(node, name), "nodes")


def _number(node: Object) -> str:
    return str(node.get("id") or "").rpartition("/")[2]


def _money(node: Object, name: str) -> Any:
    return fields.child(fields.child(node, name), "shopMoney").get("amount")
