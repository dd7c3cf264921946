"""The lists of orders as files."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice.exports import choice, column, sheet
from integration_hub.backoffice.words import words

from .aftersales.states import KINDS

ORDERS = sheet(
    "orders",
    _("Orders"),
    column(_("Number"), "number"),
    column(_("Channel"), "channel.name"),
    column(_("id in the shop"), "external_id"),
    column(_("Placed"), "placed_at"),
    column(_("Customer number"), "customer.code"),
    column(_("Customer"), "customer", personal=True),
    choice(_("Order state"), "state"),
    choice(_("Shipping"), "fulfilment"),
    choice(_("Payment"), "payment"),
    column(_("Payment method"), "payment_method"),
    column(_("Total"), "total"),
    column(_("tax"), "total_tax"),
    column(_("refunded"), "refunded"),
    column(_("Currency"), "currency"),
)

AFTER_SALES = sheet(
    "special-cases",
    _("Special cases"),
    column(_("Number"), "number"),
    column(_("Kind"), "kind").through(lambda kind: str(KINDS.get(kind, kind))),
    column(_("Order"), "order.number"),
    column(_("Channel"), "order.channel.name"),
    choice(_("State"), "state"),
    column(_("happened"), "occurred_at"),
    column(_("finished"), "finished_at"),
    column(_("Amount"), "amount"),
    column(_("Currency"), "currency"),
    column(_("Reason"), "reason"),
)

COMPLETENESS = sheet(
    "completeness",
    _("Completeness"),
    column(_("Day"), "day"),
    column(_("Connection"), "connection.name"),
    column(_("checked"), "checked_at"),
    column(_("Differences"), "differing"),
    column(_("Note"), "note").through(words),
)
