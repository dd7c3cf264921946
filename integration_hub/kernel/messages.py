"""The messages of the hub: reports come in, commands go out, news travels inside.

A *report* is what an external system states: a snapshot, never an instruction.  A *command* is what we want a system
to hold.  All are frozen; amounts are Decimal in the document's currency; moments are UTC-aware.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from .aftersales import AfterSaleMoneyDue as AfterSaleMoneyDue  # noqa: PLC0414  news are found here
from .aftersales import AfterSaleMoved as AfterSaleMoved  # noqa: PLC0414
from .aftersales import AfterSalesCommand, AfterSalesReport, ReportedReturn
from .books import BooksCommand
from .documents import DocumentIssued as DocumentIssued  # noqa: PLC0414  news are found here
from .funds import FundsCommand, FundsReport
from .goods import GoodsCommand, GoodsReport, LevelSet
from .states import LineKind, OrderStage, SaleStage
from .text import Text


@dataclass(frozen=True, kw_only=True)
class Address:
    """A postal address as stated; ``country`` is ISO 3166-1 alpha-2 in upper case or empty."""

    name: str = ""
    company: str = ""
    street: str = ""
    street2: str = ""
    postal_code: str = ""
    city: str = ""
    region: str = ""
    country: str = ""
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, kw_only=True)
class Buyer:
    """Who ordered.  ``external_id`` is empty for a guest."""

    external_id: str = ""
    email: str = ""
    name: str = ""
    company: str = ""
    phone: str = ""
    vat_id: str = ""


@dataclass(frozen=True, kw_only=True)
class TaxPart:
    """One tax of a line: ``rate`` as a fraction (0.19), ``amount`` in the order's currency."""

    rate: Decimal
    amount: Decimal
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class ReportedLine:
    """One line as stated.

    ``unit_price`` and ``discount`` are in the order's pricing (gross when ``prices_include_tax``), ``discount`` is a
    positive total for the line.  ``net``, ``tax`` and ``gross`` are line totals after discount; net + tax = gross.
    ``product_id`` is the shop's own id of the sellable variant (empty where the shop does not know it any more).
    """

    external_id: str
    kind: LineKind
    title: str
    quantity: Decimal
    unit_price: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal
    discount: Decimal = Decimal(0)
    taxes: tuple[TaxPart, ...] = ()
    sku: str = ""
    gtin: str = ""
    product_id: str = ""


@dataclass(frozen=True, kw_only=True)
class StatedPayment:
    """How the shop says the order is paid.  A fact of the shop's, not a booking."""

    method: str = ""
    title: str = ""
    paid: bool = False
    paid_at: datetime | None = None
    transaction_id: str = ""


@dataclass(frozen=True, kw_only=True)
class OrderReport:
    """An order as its shop shows it now.

    ``total`` is what the customer owes for it including tax, as placed (refunds do not reduce it); ``refunded`` is the
    positive sum returned so far.  ``updated_at`` orders reports of one order; ``vendor_status`` is the shop's word.
    """

    external_id: str
    number: str
    stage: OrderStage
    vendor_status: str
    placed_at: datetime
    updated_at: datetime
    currency: str
    prices_include_tax: bool
    total: Decimal
    total_tax: Decimal
    lines: tuple[ReportedLine, ...]
    buyer: Buyer = field(default_factory=Buyer)
    billing: Address = field(default_factory=Address)
    shipping: Address | None = None
    payment: StatedPayment = field(default_factory=StatedPayment)
    refunded: Decimal = Decimal(0)
    note: str = ""
    is_test: bool = False


@dataclass(frozen=True, kw_only=True)
class OrderGone:
    """The shop does not show this order any more."""

    external_id: str


@dataclass(frozen=True, kw_only=True)
class ShippedLine:
    """What a parcel holds, by the ERP's product code."""

    sku: str
    quantity: Decimal


@dataclass(frozen=True, kw_only=True)
class ReportedShipment:
    """A shipment of the ERP that has left the house."""

    external_id: str
    number: str
    carrier: str = ""
    tracking_number: str = ""
    tracking_url: str = ""
    shipped_at: datetime | None = None
    lines: tuple[ShippedLine, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SaleReport:
    """A sale as the ERP shows it now.  ``reference`` is the key we wrote it under (empty: not ours)."""

    external_id: str
    number: str
    reference: str
    stage: SaleStage
    vendor_status: str
    updated_at: datetime
    total: Decimal | None = None
    currency: str = ""
    shipments: tuple[ReportedShipment, ...] = ()
    returns: tuple[ReportedReturn, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SubscriptionReport:
    """A webhook subscription as the sender shows it now."""

    external_id: str
    topic: str
    active: bool
    vendor_status: str
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Ignored:
    """An authentic message that means nothing to us; ``reason`` is kept with the event."""

    reason: Text


Report = (
    OrderReport | OrderGone | SaleReport | SubscriptionReport | Ignored | GoodsReport | FundsReport | AfterSalesReport
)


@dataclass(frozen=True, kw_only=True)
class SaleLine:
    """A line to be written.  ``product_id`` is the target's own id of the product where we know it, else empty.

    Same conventions of ``unit_price``, ``discount``, ``net``, ``tax``, ``gross`` as in ReportedLine.
    """

    kind: LineKind
    title: str
    sku: str
    quantity: Decimal
    unit_price: Decimal
    discount: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal
    tax_rate: Decimal
    product_id: str = ""


@dataclass(frozen=True, kw_only=True)
class WriteSale:
    """Bring this order into the ERP as a confirmed sale.

    ``reference`` is unique over all orders and is what ``find`` looks for; ``number`` is the shop's number for people;
    ``channel`` is the slug of the shop's connection; ``customer_code`` is stable and unique per customer.
    """

    reference: str
    number: str
    channel: str
    customer_code: str
    buyer: Buyer
    billing: Address
    shipping: Address
    placed_at: datetime
    currency: str
    prices_include_tax: bool
    lines: tuple[SaleLine, ...]
    total: Decimal
    total_tax: Decimal
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """A shipment to tell the shop about.  ``lines`` pairs the shop's line id with a quantity."""

    key: str
    number: str
    carrier: str
    tracking_number: str
    tracking_url: str
    lines: tuple[tuple[str, Decimal], ...] = ()


@dataclass(frozen=True, kw_only=True)
class TellAccepted:
    """Tell the shop that the ERP has the order.  ``order_id`` is the shop's id, ``sale_number`` the ERP's number."""

    reference: str
    order_id: str
    sale_number: str
    erp: str


@dataclass(frozen=True, kw_only=True)
class TellShipped:
    """Tell the shop about a parcel; ``complete`` when nothing is left to ship."""

    reference: str
    order_id: str
    parcel: Parcel
    complete: bool


@dataclass(frozen=True, kw_only=True)
class TellCancelled:
    """Tell the shop that the sale was cancelled in the ERP."""

    reference: str
    order_id: str
    reason: str


Command = (
    WriteSale
    | TellAccepted
    | TellShipped
    | TellCancelled
    | GoodsCommand
    | FundsCommand
    | AfterSalesCommand
    | BooksCommand
)


@dataclass(frozen=True, kw_only=True)
class Written:
    """What the target answered: its id, its number for people, its own word for the state, a link if it has one.

    ``levels`` says of each level of a SetStock what became of it.  ``unfinished``: it is there, but a try that broke off left
    it half done, such as a draft that is to be confirmed; sending once more finishes it.
    """

    external_id: str
    number: str = ""
    vendor_status: str = ""
    url: str = ""
    was_there: bool = False
    unfinished: bool = False
    levels: tuple[LevelSet, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Listed:
    """An order or sale as one line of a list: what is needed to compare, and no more.

    ``external_id`` is the system's own id.  ``live`` is False for what is cancelled there.  Of sales, ``reference`` is the key
    we wrote them under; of orders, ``updated_at`` orders them as reports do, and ``test`` marks those that nobody placed.
    """

    external_id: str
    number: str
    total: Decimal
    currency: str
    reference: str = ""
    live: bool = True
    updated_at: datetime | None = None
    test: bool = False


@dataclass(frozen=True, kw_only=True)
class OrderAccepted:
    """News: the order passed validation and may be written."""

    order_id: int


@dataclass(frozen=True, kw_only=True)
class SaleRecorded:
    """News: the ERP holds the order under its number."""

    order_id: int
    sale_id: int


@dataclass(frozen=True, kw_only=True)
class ShipmentRecorded:
    """News: a parcel left the house."""

    order_id: int
    shipment_id: int


@dataclass(frozen=True, kw_only=True)
class SaleCancelled:
    """News: the ERP cancelled the sale."""

    order_id: int
    sale_id: int


@dataclass(frozen=True, kw_only=True)
class ProductKnown:
    """News: a product has come or has got another number.

    With ``connection_id`` the number is what that system alone calls it (its own ``product_id``, its ``sku``): somebody has
    mapped it.  ``by`` is the id of the user who brought that about, None where nobody did.
    """

    variant_id: int
    connection_id: int | None = None
    product_id: str = ""
    sku: str = ""
    by: int | None = None


@dataclass(frozen=True, kw_only=True)
class OrderMoneyChanged:
    """News: the order stands differently with its money; ``before`` is empty the first time."""

    order_id: int
    status: str
    before: str


@dataclass(frozen=True, kw_only=True)
class StockMoved:
    """News: levels of these articles have changed; None: look at everything that waits for stock."""

    variant_ids: tuple[int, ...] | None


News = (
    AfterSaleMoneyDue
    | DocumentIssued
    | OrderMoneyChanged
    | ProductKnown
    | StockMoved
    | OrderAccepted
    | SaleRecorded
    | ShipmentRecorded
    | SaleCancelled
    | AfterSaleMoved
)
