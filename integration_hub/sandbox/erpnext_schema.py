"""What the played ERPNext knows: its doctypes with their fields, tables and links, and its errors.

Only what the hub or a colleague touches; fields that nobody knows are refused in queries and ignored in documents, as Frappe does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

STANDARD = frozenset({"name", "owner", "creation", "modified", "modified_by", "docstatus", "idx"})
CHILD = frozenset({"parent", "parenttype", "parentfield"})
DRAFT, SUBMITTED, CANCELLED = 0, 1, 2


class FrappeError(Exception):
    """An exception of Frappe's: its class name, what the screen would show, and the status it is answered with."""

    def __init__(self, kind: str, message: str, status: int = 417) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.status = status


def refuse(message: str, kind: str = "ValidationError") -> FrappeError:
    """What ``frappe.throw`` makes."""
    return FrappeError(kind, message)


@dataclass(frozen=True)
class Doctype:
    """A kind of document.  ``series`` names new ones: a pattern of a number, a field, or empty for a hash."""

    fields: frozenset[str]
    tables: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    mandatory: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    series: str = ""
    submittable: bool = False
    after_submit: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()  # that are 0 where nothing is said


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_MONEY = _words(
    "total net_total total_taxes_and_charges grand_total rounding_adjustment conversion_rate per_billed total_qty"
)
_ROW = _words(
    "item_code item_name description qty uom stock_uom conversion_factor stock_qty price_list_rate discount_amount rate amount "
    "net_rate net_amount item_tax_template item_tax_rate warehouse"
)
_ROW_NUMBERS = _words("price_list_rate discount_amount rate amount net_rate net_amount qty stock_qty")
_TAX = Doctype(
    _words("charge_type account_head description rate included_in_print_rate tax_amount total"),
    links={"account_head": "Account"},
    mandatory=("charge_type", "account_head"),
    numbers=_words("rate included_in_print_rate tax_amount total"),
)
_ITEM_LINKS = {"item_code": "Item", "item_tax_template": "Item Tax Template", "warehouse": "Warehouse"}

DOCTYPES: dict[str, Doctype] = {
    "Company": Doctype(_words("company_name abbr default_currency default_receivable_account"), series="company_name"),
    "Country": Doctype(_words("country_name code"), series="country_name"),
    "Account": Doctype(
        _words("account_name account_type account_currency company is_group tax_rate"), series="full_name"
    ),
    "Warehouse": Doctype(_words("warehouse_name company is_group disabled"), series="full_name"),
    "Selling Settings": Doctype(
        _words("allow_negative_rates_for_items dont_reserve_sales_order_qty_on_sales_return customer_group territory"),
        series="title",
    ),
    "Customer": Doctype(
        _words(
            "customer_name customer_type customer_group territory tax_id email_id mobile_no customer_details disabled "
            "custom_hub_code"
        ),
        mandatory=("customer_name", "customer_type"),
        unique=("custom_hub_code",),
        series="customer_name",
    ),
    "Address": Doctype(
        _words("address_title address_type address_line1 address_line2 city state pincode country email_id phone"),
        tables={"links": "Dynamic Link"},
        links={"country": "Country"},
        mandatory=("address_type", "address_line1", "city", "country"),
        series="address_title",
    ),
    "Dynamic Link": Doctype(_words("link_doctype link_name"), mandatory=("link_doctype", "link_name")),
    "Comment": Doctype(_words("comment_type reference_doctype reference_name content"), mandatory=("comment_type",)),
    "Item Tax Template": Doctype(
        _words("title company disabled"), tables={"taxes": "Item Tax Template Detail"}, series="full_name"
    ),
    "Item Tax Template Detail": Doctype(_words("tax_type tax_rate"), links={"tax_type": "Account"}),
    "Item": Doctype(
        _words(
            "item_code item_name item_group stock_uom disabled has_variants variant_of is_stock_item weight_per_unit weight_uom"
        ),
        tables={"attributes": "Item Variant Attribute", "barcodes": "Item Barcode", "taxes": "Item Tax"},
        mandatory=("item_code", "item_group", "stock_uom"),
        series="item_code",
        numbers=_words("disabled has_variants is_stock_item weight_per_unit"),
    ),
    "Item Variant Attribute": Doctype(_words("attribute attribute_value")),
    "Item Barcode": Doctype(_words("barcode barcode_type")),
    "Item Tax": Doctype(_words("item_tax_template valid_from")),
    "Item Price": Doctype(
        _words("item_code price_list price_list_rate currency uom valid_from valid_upto customer selling"),
        links={"item_code": "Item"},
    ),
    "Product Bundle": Doctype(
        _words("new_item_code description"), tables={"items": "Product Bundle Item"}, series="new_item_code"
    ),
    "Product Bundle Item": Doctype(_words("item_code qty uom"), links={"item_code": "Item"}),
    "Bin": Doctype(
        _words("item_code warehouse actual_qty reserved_qty reserved_qty_for_production reserved_qty_for_sub_contract"),
        numbers=_words("actual_qty reserved_qty reserved_qty_for_production reserved_qty_for_sub_contract"),
    ),
    "Sales Order": Doctype(
        _MONEY
        | _words(
            "customer customer_name company order_type transaction_date delivery_date po_no po_date title currency status "
            "ignore_pricing_rule disable_rounded_total terms set_warehouse customer_address shipping_address_name per_delivered "
            "advance_paid amended_from custom_hub_reference"
        ),
        tables={"items": "Sales Order Item", "taxes": "Sales Taxes and Charges"},
        links={
            "customer": "Customer",
            "company": "Company",
            "customer_address": "Address",
            "shipping_address_name": "Address",
            "set_warehouse": "Warehouse",
        },
        mandatory=("customer", "company", "transaction_date", "items"),
        unique=("custom_hub_reference",),
        series="SAL-ORD-2026-{:05d}",
        submittable=True,
        after_submit=_words("po_no po_date delivery_date title terms shipping_address_name"),
        numbers=_MONEY | _words("per_delivered advance_paid"),
    ),
    "Sales Order Item": Doctype(
        _ROW | _words("delivery_date delivered_qty returned_qty picked_qty billed_amt"),
        links=_ITEM_LINKS,
        mandatory=("item_code", "qty"),
        numbers=_ROW_NUMBERS | _words("delivered_qty returned_qty picked_qty billed_amt"),
    ),
    "Sales Taxes and Charges": _TAX,
    "Delivery Note": Doctype(
        _MONEY
        | _words(
            "customer customer_name company posting_date posting_time po_no is_return return_against status currency instructions "
            "lr_no transporter_name customer_address shipping_address_name per_returned"
        ),
        tables={"items": "Delivery Note Item", "taxes": "Sales Taxes and Charges"},
        links={"customer": "Customer", "company": "Company", "return_against": "Delivery Note"},
        mandatory=("customer", "company", "items"),
        series="MAT-DN-2026-{:05d}",
        submittable=True,
        after_submit=_words("po_no lr_no transporter_name instructions"),
        numbers=_MONEY | _words("is_return per_returned"),
    ),
    "Delivery Note Item": Doctype(
        _ROW | _words("against_sales_order so_detail dn_detail returned_qty"),
        links=_ITEM_LINKS,
        mandatory=("item_code", "qty"),
        numbers=_ROW_NUMBERS | _words("returned_qty"),
    ),
    "Shipment": Doctype(
        _words("awb_number carrier tracking_url status"),
        tables={"shipment_delivery_note": "Shipment Delivery Note"},
        series="SHIPMENT-{:05d}",
        submittable=True,
    ),
    "Shipment Delivery Note": Doctype(_words("delivery_note"), links={"delivery_note": "Delivery Note"}),
    "Payment Entry": Doctype(
        _words(
            "payment_type posting_date company party_type party party_name paid_from paid_to paid_from_account_currency "
            "paid_to_account_currency paid_amount received_amount source_exchange_rate target_exchange_rate reference_no "
            "reference_date custom_remarks remarks status unallocated_amount"
        ),
        tables={"references": "Payment Entry Reference"},
        links={"company": "Company", "paid_from": "Account", "paid_to": "Account", "party": "Customer"},
        mandatory=("payment_type", "company", "posting_date", "paid_from", "paid_to", "paid_amount", "received_amount"),
        series="ACC-PAY-2026-{:05d}",
        submittable=True,
        numbers=_words("paid_amount received_amount unallocated_amount"),
    ),
    "Payment Entry Reference": Doctype(
        _words("reference_doctype reference_name allocated_amount"),
        mandatory=("reference_doctype", "reference_name"),
        numbers=_words("allocated_amount"),
    ),
}


def the(doctype: str) -> Doctype:
    """The doctype of this name."""
    if doctype not in DOCTYPES:
        raise FrappeError("DoesNotExistError", f"DocType {doctype} not found", 404)
    return DOCTYPES[doctype]


def is_child(doctype: str) -> bool:
    return any(doctype in one.tables.values() for one in DOCTYPES.values())


def known(doctype: str) -> frozenset[str]:
    """All that may be asked for."""
    return the(doctype).fields | STANDARD | (CHILD if is_child(doctype) else frozenset())
