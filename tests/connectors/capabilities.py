"""What each capability asks of a connector: the methods it has, the command it carries out."""

from __future__ import annotations

from integration_hub.connectors.base import Capability
from integration_hub.kernel.aftersales import (
    CancelOrder,
    CancelSale,
    TellExchanged,
    TellRefunded,
    TellReturned,
    WriteReturn,
)
from integration_hub.kernel.books import WriteVoucher
from integration_hub.kernel.funds import RefundPayment, RegisterPayment, TellPayment
from integration_hub.kernel.goods import SetStock
from integration_hub.kernel.messages import Command, TellAccepted, TellCancelled, TellShipped, WriteSale

METHODS = {
    Capability.RECEIVE: ("receive",),
    Capability.POLL: ("poll",),
    Capability.SWEEP: ("gone", "gone_delivery"),
    Capability.SWEEP_PRODUCTS: ("gone_products", "gone_product_delivery"),
    Capability.LIST_ORDERS: ("list_orders",),
    Capability.LIST_SALES: ("list_sales",),
    Capability.LIST_LEVELS: ("list_levels",),
    Capability.WRITE_SALE: ("send", "find"),
    Capability.TELL_ACCEPTED: ("send", "find"),
    Capability.TELL_SHIPPED: ("send", "find"),
    Capability.TELL_CANCELLED: ("send", "find"),
    Capability.SET_STOCK: ("send", "find"),
    Capability.TAKE_FILES: ("take",),
    Capability.REFUND: ("send", "find"),
    Capability.CANCEL_SALE: ("send", "find"),
    Capability.WRITE_RETURN: ("send", "find"),
    Capability.TELL_REFUNDED: ("send", "find"),
    Capability.TELL_PAYMENT: ("send", "find"),
    Capability.CANCEL_ORDER: ("send", "find"),
    Capability.TELL_EXCHANGED: ("send", "find"),
    Capability.TELL_RETURNED: ("send", "find"),
    Capability.REGISTER_PAYMENT: ("send", "find"),
    Capability.WRITE_VOUCHER: ("send", "find"),
}
COMMANDS: dict[Capability, type[Command]] = {
    Capability.WRITE_SALE: WriteSale,
    Capability.TELL_ACCEPTED: TellAccepted,
    Capability.TELL_SHIPPED: TellShipped,
    Capability.TELL_CANCELLED: TellCancelled,
    Capability.SET_STOCK: SetStock,
    Capability.REFUND: RefundPayment,
    Capability.CANCEL_SALE: CancelSale,
    Capability.WRITE_RETURN: WriteReturn,
    Capability.TELL_REFUNDED: TellRefunded,
    Capability.TELL_PAYMENT: TellPayment,
    Capability.CANCEL_ORDER: CancelOrder,
    Capability.TELL_EXCHANGED: TellExchanged,
    Capability.TELL_RETURNED: TellReturned,
    Capability.REGISTER_PAYMENT: RegisterPayment,
    Capability.WRITE_VOUCHER: WriteVoucher,
}
