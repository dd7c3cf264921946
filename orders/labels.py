"""What the states that other systems report are called on our screens."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from integration_hub.kernel.states import LineKind, OrderStage, SaleStage

STAGES: dict[str, Any] = {
    OrderStage.PENDING: _("not to be fulfilled yet"),
    OrderStage.READY: _("to be fulfilled"),
    OrderStage.COMPLETED: _("completed"),
    OrderStage.CANCELLED: _("cancelled"),
    OrderStage.REFUNDED: _("refunded"),
    OrderStage.GONE: _("deleted in the shop"),
}
SALES: dict[str, Any] = {
    SaleStage.DRAFT: _("draft"),
    SaleStage.CONFIRMED: _("confirmed"),
    SaleStage.PARTLY_SHIPPED: _("partly shipped"),
    SaleStage.SHIPPED: _("shipped"),
    SaleStage.CANCELLED: _("cancelled"),
    SaleStage.TROUBLE: _("waits for a person in the ERP"),
}
LINES: dict[str, Any] = {
    LineKind.ITEM: _("product"),
    LineKind.SHIPPING: _("shipping"),
    LineKind.FEE: _("fee or discount"),
    LineKind.GIFT_CARD: _("gift card"),
}
WAIVED: dict[str, Any] = {
    "address_incomplete": _("incomplete address"),
    "totals_disagree": _("total disagrees with the lines"),
    "tax_rate_unknown": _("unknown tax rate"),
}
