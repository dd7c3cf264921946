"""The hub on one page: report -> handlers; news -> reactions; commands; kinds of case; lanes of work."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

import inventory.services
import orders.cases
import orders.commands
import orders.erp
import orders.handlers
from exceptions import kinds
from integration_hub.kernel import messages
from integration_hub.messaging import cases, dispatch, inbox, outbox, polling, pump
from integration_hub.messaging.dispatch import Verb

REPORTS = {
    messages.OrderReport: [orders.handlers.order_reported],
    messages.OrderGone: [orders.handlers.order_gone],
    messages.SaleReport: [orders.handlers.sale_reported],
    messages.ProductReport: [inventory.services.record],
    messages.SubscriptionReport: [orders.handlers.subscription_reported],
}

NEWS = {
    messages.OrderAccepted: [orders.commands.write_sale],
    messages.SaleRecorded: [orders.commands.tell_accepted],
    messages.ShipmentRecorded: [orders.commands.tell_shipped],
    messages.SaleCancelled: [orders.commands.tell_cancelled],
}

VERBS = {
    "sale.write": Verb(orders.commands.build_sale, orders.erp.sale_written, _("Write the order to the ERP")),
    "shop.accepted": Verb(orders.commands.build_accepted, orders.commands.told, _("Tell the shop the ERP's number")),
    "shop.shipped": Verb(orders.commands.build_shipped, orders.commands.told, _("Tell the shop about the shipment")),
    "shop.cancelled": Verb(
        orders.commands.build_cancelled, orders.commands.told, _("Tell the shop about the cancellation")
    ),
}

KINDS = (*cases.KINDS, *orders.cases.KINDS)

LANES = {"in": inbox.process, "out": outbox.deliver, "poll": polling.work}


def connect() -> None:
    """Put the tables where the lower floors look for them."""
    dispatch.connect(REPORTS, NEWS, VERBS)
    kinds.register(KINDS)
    for lane, work in LANES.items():
        pump.register(lane, work)
