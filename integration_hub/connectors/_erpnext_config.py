"""What a connection to ERPNext needs."""

from __future__ import annotations

from dataclasses import dataclass

from integration_hub.kernel.text import say

from .base import option

PO_NO = "po_no"
CUSTOMER_DETAILS = "customer_details"


@dataclass(frozen=True, kw_only=True)
class ErpNextConfig:
    """The settings; what is empty ERPNext decides."""

    url: str = option(say("Address"), help=say("Where ERPNext is opened in the browser, without /app."))
    api_key: str = option(say("API key"))
    api_secret: str = option(say("API secret"), secret=True)
    company: str = option(say("Company"), default="", help=say("Only needed where ERPNext holds several."))
    warehouse: str = option(say("Warehouse"), default="", help=say("Empty: ERPNext decides."))
    scrap_warehouse: str = option(
        say("Warehouse for what is written off"),
        default="",
        help=say("Where returned goods go that are not sold again; only needed for those."),
    )
    shipping_product: str = option(say("Product for shipping costs (item code)"), default="")
    fee_product: str = option(say("Product for fees and rounding (item code)"), default="")
    discount_product: str = option(say("Product for vouchers and rebates (item code)"), default="")
    tax_templates: tuple[str, ...] = option(
        say("Item tax templates"),
        default=(),
        help=say("One a line; only needed where ERPNext has several of one rate."),
    )
    price_list: str = option(say("Price list"), default="", help=say("Empty: products come without prices."))
    payment_account: str = option(
        say("Account for payments"),
        default="",
        help=say("A bank or cash account; only needed where payments are registered in ERPNext."),
    )
    customer_group: str = option(
        say("Customer group"), default="", help=say("Of new customers; empty: ERPNext decides.")
    )
    territory: str = option(say("Territory"), default="", help=say("Of new customers; empty: ERPNext decides."))
    reference_field: str = option(
        say("Field for our reference"),
        default=PO_NO,
        help=say("Of the sales order. A unique custom field lets ERPNext itself refuse a second sale."),
    )
    customer_field: str = option(
        say("Field for the customer's code"),
        default=CUSTOMER_DETAILS,
        help=say("Of the customer. Better a unique custom field than the remarks."),
    )
    await_tracking: bool = option(
        say("Tell parcels only with a tracking number"),
        default=False,
        help=say("For whom it comes after the delivery note. Parcels that never get one are then never told."),
    )
    confirm: bool = option(say("Submit the sale in ERPNext"), default=True)

    @property
    def services(self) -> tuple[str, ...]:
        """The items that stand for no goods."""
        return tuple(filter(None, (self.shipping_product, self.fee_product, self.discount_product)))
