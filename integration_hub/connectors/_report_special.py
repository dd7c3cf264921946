"""A special case in the JSON of the merchant's own systems: a portal that announces returns, a warehouse that takes them in."""

from __future__ import annotations

from decimal import Decimal

from integration_hub.kernel import fields as read
from integration_hub.kernel.aftersales import AfterSaleKind, AfterSaleReport, AfterSaleStage, Instead, Position
from integration_hub.kernel.fields import Object

from . import _report_values as values

MAX_REASON = 300


def special_case(body: Object) -> AfterSaleReport:
    """The report of one special case; Rejected where it makes no sense."""
    updated = values.moment(body, "updated_at")
    return AfterSaleReport(
        external_id=read.identifier(body, "id"),
        order_id=read.identifier(body, "order"),
        order_channel=read.words(body, "order_channel", 40),
        kind=values.word(AfterSaleKind, body, "kind"),
        stage=values.word(AfterSaleStage, body, "stage"),
        vendor_status=read.words(body, "status", 60),
        occurred_at=values.moment(body, "occurred_at") if body.get("occurred_at") else updated,
        updated_at=updated,
        positions=tuple(map(_position, read.children(body, "positions"))),
        currency=read.currency(body, "currency") if body.get("currency") else "",
        amount=_maybe(body, "amount"),
        shipping_amount=values.not_negative(body, "shipping_amount"),
        money_moved=read.flag(body, "money_moved"),
        reason=read.words(body, "reason", MAX_REASON),
        instead=tuple(map(_instead, read.children(body, "instead"))),
    )


def _position(body: Object) -> Position:
    return Position(
        quantity=values.not_negative(body, "quantity"),
        line_id=read.identifier(body, "line", required=False),
        sku=read.identifier(body, "sku", required=False),
        amount=_maybe(body, "amount"),
        tax=_maybe(body, "tax"),
    )


def _instead(body: Object) -> Instead:
    return Instead(
        quantity=values.not_negative(body, "quantity"),
        sku=read.identifier(body, "sku", required=False),
        title=read.words(body, "title"),
        amount=_maybe(body, "amount"),
    )


def _maybe(body: Object, name: str) -> Decimal | None:
    return None if body.get(name) is None else values.not_negative(body, name)
