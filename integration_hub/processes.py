"""The business processes a merchant switches on per sales channel, one by one."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounting.books import TO_BOOKS
from integration_hub.kernel.states import Capability, Role
from integration_hub.messaging.switches import Process
from inventory.services.push import STOCK_TO_SHOP
from orders.commands import STATUS_TO_SHOP
from orders.states import ORDER_TO_ERP
from orders.stock import RESERVE_STOCK
from payments.telling import TO_ERP, TO_SHOP

PROCESSES = (
    Process(
        code=ORDER_TO_ERP,
        label=_("Orders to the ERP"),
        help=_("Valid orders become sales in the ERP."),
        target_role=Role.ERP,
        looks_back=True,
    ),
    Process(
        code=STATUS_TO_SHOP,
        label=_("Status back to the shop"),
        help=_("The shop gets the ERP's number, tracking and shipping status."),
        target_role=Role.ERP,
        needs=frozenset({Capability.TELL_ACCEPTED, Capability.TELL_SHIPPED, Capability.TELL_CANCELLED}),
    ),
    Process(
        code=TO_ERP,
        label=_("Payments to the ERP"),
        help=_("Payments and refunds are registered on the sales in the ERP."),
        target_role=Role.ERP,
    ),
    Process(
        code=TO_SHOP,
        label=_("Payment status to the shop"),
        help=_("The shop learns what the providers and the bank say: paid, partly refunded, refunded, in dispute."),
        target_role=Role.PAYMENT,
        needs=frozenset({Capability.TELL_PAYMENT}),
    ),
    Process(
        code=RESERVE_STOCK,
        label=_("Reserve stock for orders"),
        help=_(
            "Accepted orders hold their goods until they are shipped or cancelled; what is not there is not promised."
        ),
        target_role=Role.ERP,
    ),
    Process(
        code=STOCK_TO_SHOP,
        label=_("Stock to the shop"),
        help=_("The shop shows what may be sold, within a minute of each change."),
        target_role=Role.ERP,
        needs=frozenset({Capability.SET_STOCK}),
    ),
    Process(
        code=TO_BOOKS,
        label=_("Documents to the accounting system"),
        help=_("Invoices, corrections and cancellations become vouchers in the accounting system, each once."),
        target_role=Role.BOOKS,
    ),
)
