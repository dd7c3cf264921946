"""WooCommerce's refunds: what an order says about them, and how the hub writes one that was paid elsewhere.

An order names its refunds with id, reason and total only; lines and tax stand at ``GET /orders/{id}/refunds``, which is
read into the order under ``DETAILS``.  There amounts of lines are negative and net, the refund's own ``amount`` is
positive and gross, and ``_refunded_item_id`` names the order's line.  A refund over an amount only has no lines at all.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from integration_hub.kernel import fields
from integration_hub.kernel.aftersales import AfterSaleKind, AfterSaleReport, AfterSaleStage, Position, TellRefunded
from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.fields import Object
from integration_hub.kernel.messages import OrderReport, Written
from integration_hub.kernel.money import rounded
from integration_hub.kernel.text import say

from ._woocommerce_api import GONE, V3, Api
from ._woocommerce_order import status_of

ZERO = Decimal(0)
DETAILS = "hub_refunds"
MOST_PAGES = 10
MAX_REASON = 300
_NAMED = re.compile(rb'"refunds"\s*:\s*\[\s*\{')
_OURS = re.compile(r"\[hub [^\[\]]+\]")


def names_refunds(body: bytes) -> bool:
    """Whether an order's bytes name a refund; cheap, as it is asked of every order that comes in."""
    return _NAMED.search(body) is not None


def with_details(api: Api, order: Object) -> dict[str, Any]:
    """The order with all that the shop holds about its refunds; without, where the shop does not hold the order any more."""
    path = f"{V3}/orders/{quote(fields.identifier(order, 'id'), safe='')}/refunds"
    try:
        return {**order, DETAILS: _all(api, path)}
    except Rejected as error:
        if error.code != GONE:
            raise
        return {**order, DETAILS: []}


def _all(api: Api, path: str) -> list[Object]:
    found: list[Object] = []
    for page in range(1, MOST_PAGES + 1):
        items, more = api.items(path, {"page": page, "orderby": "id", "order": "asc"})
        found += items
        if not more:
            return found
    raise Rejected(say("The order has too many refunds."), code="endless")


def refund_reports(raw: Object, order: OrderReport) -> tuple[AfterSaleReport, ...]:
    """The order's refunds, those left out that the hub itself has written."""
    details = {fields.identifier(item, "id"): item for item in fields.children(raw, DETAILS)}
    named = fields.children(raw, "refunds")
    return tuple(
        _report(item, details.get(fields.identifier(item, "id"), {}), order) for item in named if not _is_ours(item)
    )


def _is_ours(item: Object) -> bool:
    return _OURS.search(_reason(item)) is not None


def _reason(item: Object) -> str:
    """Old documentation calls it ``refund``."""
    return html.unescape(fields.words(item, "reason", 1000) or fields.words(item, "refund", 1000))


def _report(item: Object, detail: Object, order: OrderReport) -> AfterSaleReport:
    """The order's own time orders the reports: a refund is never changed, only known in part or whole."""
    shipping = fields.children(detail, "shipping_lines")
    return AfterSaleReport(
        external_id=fields.identifier(item, "id"),
        order_id=order.external_id,
        kind=AfterSaleKind.REFUND,
        stage=AfterSaleStage.DONE,
        vendor_status="refunded",
        occurred_at=fields.moment(detail, "date_created_gmt") or order.updated_at,
        updated_at=order.updated_at,
        positions=_positions(detail),
        currency=order.currency,
        amount=abs(fields.amount(detail, "amount", fields.amount(item, "total", ZERO))),
        shipping_amount=sum((_gross(line) for line in shipping), ZERO),
        shipping_tax=sum((abs(fields.amount(line, "total_tax", ZERO)) for line in shipping), ZERO)
        if shipping
        else None,
        money_moved=fields.flag(detail, "refunded_payment") if detail else None,
        reason=_reason(item)[:MAX_REASON],
    )


def _gross(line: Object) -> Decimal:
    return abs(fields.amount(line, "total", ZERO)) + abs(fields.amount(line, "total_tax", ZERO))


def _positions(detail: Object) -> tuple[Position, ...]:
    """Goods with their pieces, fees as an amount; a line without pieces and money says nothing."""
    lines = [
        *(_position(line, abs(fields.quantity(line, "quantity"))) for line in fields.children(detail, "line_items")),
        *(_position(line, ZERO) for line in fields.children(detail, "fee_lines")),
    ]
    return tuple(line for line in lines if line.quantity or line.amount)


def _position(line: Object, quantity: Decimal) -> Position:
    return Position(
        quantity=quantity,
        line_id=_refunded_line(line),
        sku=fields.identifier(line, "sku", required=False),
        amount=_gross(line),
        tax=abs(fields.amount(line, "total_tax", ZERO)),
    )


def _refunded_line(line: Object) -> str:
    """Plugins write what they like into ``meta_data``, so only this one entry is read."""
    found = line.get("meta_data")
    for item in found if isinstance(found, list) else ():
        if isinstance(item, dict) and item.get("key") == "_refunded_item_id":
            return fields.identifier(item, "value", required=False)
    return ""


class Refunder:
    """Writes refunds that were paid elsewhere: no gateway is asked, no stock is moved."""

    def __init__(self, api: Api, shop: str) -> None:
        self.api = api
        self.shop = shop

    def find(self, command: TellRefunded) -> Written | None:
        """The refund whose reason carries our key."""
        order = self._order(command)
        for item in fields.children(order, "refunds"):
            if _marker(command) in _reason(item):
                return self._written(command, order, item, was_there=True)
        return None

    def carry_out(self, command: TellRefunded) -> Written:
        """Write it unless it is there: WooCommerce knows no idempotency keys."""
        if found := self.find(command):
            return found
        order = self._order(command)
        made = self.api.write("POST", f"{_path(command)}/refunds", _body(command, order))
        return self._written(command, order, made, was_there=False)

    def _order(self, command: TellRefunded) -> Object:
        if not (command.order_id.isascii() and command.order_id.isdigit()):
            raise Rejected(say("%(order)s is no order number of this shop.", order=command.order_id[:100]))
        found = self.api.read_or_none(_path(command))
        if found is None:
            raise Rejected(say("The shop does not hold order %(order)s any more.", order=command.order_id), code="gone")
        return found

    def _written(self, command: TellRefunded, order: Object, item: Object, *, was_there: bool) -> Written:
        return Written(
            external_id=fields.identifier(item, "id"),
            number=fields.words(order, "number") or command.order_id,
            vendor_status=status_of(order),
            url=f"{self.shop}/wp-admin/admin.php?page=wc-orders&action=edit&id={quote(command.order_id, safe='')}",
            was_there=was_there,
        )


def _path(command: TellRefunded) -> str:
    return f"{V3}/orders/{quote(command.order_id, safe='')}"


def _marker(command: TellRefunded) -> str:
    return f"[hub {command.key.replace('[', '(').replace(']', ')')}]"


def _body(command: TellRefunded, order: Object) -> dict[str, Any]:
    return {
        "amount": _text(command.amount),
        "reason": f"{command.reason[:MAX_REASON]} {_marker(command)}".strip(),
        "api_refund": False,
        "api_restock": False,
        "line_items": _lines(command, order),
    }


def _lines(command: TellRefunded, order: Object) -> list[Mapping[str, Any]]:
    """The order's own lines with what goes back of each; what stands for no line of the shop is in the amount only."""
    named = ("line_items", "shipping_lines", "fee_lines")
    held = {
        fields.identifier(line, "id", required=False): line for name in named for line in fields.children(order, name)
    }
    wanted = [*command.positions, *_shipping(command, order)]
    return [_line(position, held[position.line_id], command) for position in wanted if held.get(position.line_id)]


def _shipping(command: TellRefunded, order: Object) -> Sequence[Position]:
    """Shipping costs as a position of the first shipping line, unless it is one already."""
    lines = fields.children(order, "shipping_lines")
    named = {position.line_id for position in command.positions}
    first = fields.identifier(lines[0], "id", required=False) if lines else ""
    if not command.shipping_amount or not first or first in named:
        return ()
    whole = _gross(lines[0])
    part = abs(fields.amount(lines[0], "total_tax", ZERO)) / whole if whole else ZERO
    tax = rounded(command.shipping_amount * part, command.currency)
    return (Position(quantity=ZERO, line_id=first, amount=command.shipping_amount, tax=tax),)


def _line(position: Position, line: Object, command: TellRefunded) -> Mapping[str, Any]:
    tax, amount = position.tax or ZERO, position.amount or ZERO
    return {
        "id": int(position.line_id),
        "quantity": int(position.quantity) if position.quantity == int(position.quantity) else str(position.quantity),
        "refund_total": _text(amount - tax),
        "refund_tax": [
            {"id": int(rate_id), "refund_total": _text(part)} for rate_id, part in _by_rate(line, tax, command.currency)
        ],
    }


def _by_rate(line: Object, tax: Decimal, currency: str) -> list[tuple[str, Decimal]]:
    """The tax over the line's rates by what the order states; the last one takes what rounding leaves."""
    stated = [
        (fields.identifier(item, "id", required=False), abs(fields.amount(item, "total", ZERO)))
        for item in fields.children(line, "taxes")
    ]
    rates = [(rate_id, part) for rate_id, part in stated if rate_id.isdigit() and part]
    whole, left, parts = sum((part for _, part in rates), ZERO), tax, []
    for rate_id, part in rates[:-1]:
        share = rounded(tax * part / whole, currency)
        parts.append((rate_id, share))
        left -= share
    return [*parts, (rates[-1][0], left)] if rates and tax else []


def _text(amount: Decimal) -> str:
    return format(amount, "f")
