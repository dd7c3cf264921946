"""What happens to an order after it was taken: what systems say about it, and what we ask of them.

Quantities are positive pieces, amounts positive and gross (with tax) in the order's currency; moments are UTC-aware.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class AfterSaleKind(StrEnum):
    """The special cases of an order."""

    CANCELLATION = "CANCELLATION"  # Storno: the whole order or lines of it
    PARTIAL_DELIVERY = "PARTIAL_DELIVERY"  # Teillieferung
    RETURN = "RETURN"  # Retoure, Teilretoure
    EXCHANGE = "EXCHANGE"  # Umtausch: a return and what is sent instead
    REFUND = "REFUND"  # Erstattung of money, with or without goods
    DISCOUNT = "DISCOUNT"  # Rabatt granted later
    VOUCHER = "VOUCHER"  # Gutschein used or issued
    ADDRESS_CHANGE = "ADDRESS_CHANGE"
    EDIT = "EDIT"  # lines changed after the order was taken over


class AfterSaleStage(StrEnum):
    """Where the special case stands with the system that reports it, in our words."""

    REQUESTED = "REQUESTED"  # asked for; nobody has agreed yet
    ANNOUNCED = "ANNOUNCED"  # agreed: a return is on its way
    RECEIVED = "RECEIVED"  # the goods are back
    DONE = "DONE"
    DECLINED = "DECLINED"  # refused or taken back


@dataclass(frozen=True, kw_only=True)
class Position:
    """Part of a special case: a line of the order by the shop's line id, else by SKU.

    ``amount`` is the gross money that goes back for it and ``tax`` the tax in it (None: not stated); ``restock`` says
    whether that system has put the goods back into stock (None: it does not say).
    """

    quantity: Decimal
    line_id: str = ""
    sku: str = ""
    amount: Decimal | None = None
    tax: Decimal | None = None
    restock: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Instead:
    """What is sent instead of goods that come back; ``amount`` is gross for all pieces (None: not stated)."""

    quantity: Decimal
    sku: str = ""
    product_id: str = ""
    title: str = ""
    amount: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class AfterSaleReport:
    """A special case as a shop shows it now; (connection, kind, ``external_id``) is its identity.

    ``amount`` is all that goes back, goods, shipping and whatever is tied to no line; positions and ``shipping_amount``
    explain it as far as the shop does.  ``money_moved``: the shop's payment gateway has sent the money back itself.
    ``instead`` is what an exchange sends in place of the positions.  ``order_channel`` names the channel that the order belongs
    to, where that is not the system that reports.
    """

    external_id: str
    order_id: str
    kind: AfterSaleKind
    stage: AfterSaleStage
    vendor_status: str
    occurred_at: datetime
    updated_at: datetime
    positions: tuple[Position, ...] = ()
    currency: str = ""
    amount: Decimal | None = None
    shipping_amount: Decimal = Decimal(0)
    shipping_tax: Decimal | None = None
    money_moved: bool | None = None
    payment_ids: tuple[str, ...] = ()
    reason: str = ""
    instead: tuple[Instead, ...] = ()
    order_channel: str = ""


@dataclass(frozen=True, kw_only=True)
class ReportedReturn:
    """A return of a sale as the ERP shows it; ``reference`` is the key we wrote it under (empty: made there)."""

    external_id: str
    number: str
    stage: AfterSaleStage
    vendor_status: str = ""
    reference: str = ""
    received_at: datetime | None = None
    positions: tuple[Position, ...] = ()


AfterSalesReport = AfterSaleReport


@dataclass(frozen=True, kw_only=True)
class GoodsLine:
    """What comes back, or is not to be delivered: the ERP's product id where we know it, else the SKU."""

    sku: str
    quantity: Decimal
    product_id: str = ""
    restock: bool = True


@dataclass(frozen=True, kw_only=True)
class CancelSale:
    """Take a sale of ours back in the ERP, or lines of it (``lines`` empty: the whole), as far as it is not shipped.

    Refused (Rejected, code ``already_shipped``) where goods of it have left the house or are packed.  ``sale_reference`` is
    the key the sale was written under, ``key`` that of this wish: doing it twice changes nothing.
    """

    key: str
    sale_reference: str
    sale_id: str
    sale_number: str
    reason: str
    lines: tuple[GoodsLine, ...] = ()


@dataclass(frozen=True, kw_only=True)
class WriteReturn:
    """Bring a return into the ERP under ``reference`` (unique for ever, what ``find`` looks for).

    ``received``: the goods are here, book them in; else they are expected.
    """

    reference: str
    sale_reference: str
    sale_id: str
    sale_number: str
    reason: str
    lines: tuple[GoodsLine, ...]
    received: bool = False


@dataclass(frozen=True, kw_only=True)
class TellRefunded:
    """Write into the shop that money went back, without letting the shop's gateway move any.

    ``positions`` by the shop's line ids; ``amount`` gross; ``restock`` is left to the stock process.
    """

    key: str
    reference: str
    order_id: str
    positions: tuple[Position, ...]
    amount: Decimal
    currency: str
    shipping_amount: Decimal = Decimal(0)
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class CancelOrder:
    """Cancel the order in its shop, without the shop moving money or stock."""

    key: str
    reference: str
    order_id: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class TellExchanged:
    """Write into the shop that goods of this order are exchanged: what is sent instead, and each parcel of it.

    ``sale_number`` is the replacement's in the ERP; ``difference`` is what the customer still pays for it (negative: gets
    back), in ``currency``; ``tracking`` is empty where this is not about a parcel.  No money and no stock moves by it.
    """

    key: str
    reference: str
    order_id: str
    number: str
    sale_number: str
    returned: tuple[GoodsLine, ...]
    sent: tuple[GoodsLine, ...]
    difference: Decimal
    currency: str
    tracking: str = ""
    tracking_url: str = ""


@dataclass(frozen=True, kw_only=True)
class TellReturned:
    """Write into the shop that pieces of this order are back; ``complete``: all that was delivered is.  No money moves by it."""

    key: str
    reference: str
    order_id: str
    positions: tuple[Position, ...]
    complete: bool
    reason: str = ""


AfterSalesCommand = CancelSale | WriteReturn | TellRefunded | CancelOrder | TellExchanged | TellReturned


@dataclass(frozen=True, kw_only=True)
class AfterSaleMoved:
    """News: a special case has gone to another state."""

    after_sale_id: int
    state: str


@dataclass(frozen=True, kw_only=True)
class AfterSaleMoneyDue:
    """News: money of a special case has to go back; ``by`` is the id of the user who confirmed that, None where nobody did."""

    after_sale_id: int
    by: int | None
