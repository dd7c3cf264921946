"""The part of Odoo's models that an integration touches: fields with their types, and how values look on the wire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .store import Record, Store

# A kind is an Odoo field type; relations carry their model: "many2one:res.partner", "one2many:sale.order.line:order_id".
_LOG = {"write_date": "datetime", "create_date": "datetime", "display_name": "char"}
MODELS: dict[str, dict[str, str]] = {
    "res.company": {"name": "char", "currency_id": "many2one:res.currency"},
    "res.currency": {"name": "char", "active": "boolean"},
    "res.country": {"name": "char", "code": "char"},
    "res.country.state": {"name": "char", "code": "char", "country_id": "many2one:res.country"},
    "res.partner": {
        **dict.fromkeys("name ref email phone street street2 zip city vat type comment lang".split(), "char"),
        **dict.fromkeys(("active", "is_company"), "boolean"),
        "country_id": "many2one:res.country",
        "state_id": "many2one:res.country.state",
        "parent_id": "many2one:res.partner",
        "child_ids": "one2many:res.partner:parent_id",
    },
    "decimal.precision": {"name": "char", "digits": "integer"},
    "product.pricelist": {"name": "char", "currency_id": "many2one:res.currency", "active": "boolean"},
    "product.product": {
        **dict.fromkeys("name default_code barcode type".split(), "char"),
        **dict.fromkeys(("active", "sale_ok"), "boolean"),
        **dict.fromkeys(("list_price", "lst_price", "weight"), "float"),
        "weight_uom_name": "char",
        "is_storable": "boolean",
        "currency_id": "many2one:res.currency",
        "product_tmpl_id": "many2one:product.template",
        "uom_id": "many2one:uom.uom",
        "categ_id": "many2one:product.category",
        "taxes_id": "many2many:account.tax",
        "product_template_attribute_value_ids": "many2many:product.template.attribute.value",
    },
    "product.template": {"name": "char"},
    "product.category": {"name": "char"},
    "product.attribute": {"name": "char"},
    "product.template.attribute.value": {"name": "char", "attribute_id": "many2one:product.attribute"},
    "uom.uom": {"name": "char", **dict.fromkeys(("factor", "relative_factor"), "float")},
    "account.tax": {
        **dict.fromkeys("name type_tax_use amount_type".split(), "char"),
        **dict.fromkeys(("active", "price_include"), "boolean"),
        "amount": "float",
        "sequence": "integer",
    },
    "mail.message": {**dict.fromkeys("model body".split(), "char"), "res_id": "integer"},
    "account.journal": dict.fromkeys("name code type".split(), "char"),
    "account.payment": {
        **dict.fromkeys("name state payment_type partner_type memo payment_reference date".split(), "char"),
        "amount": "float",
        "partner_id": "many2one:res.partner",
        "currency_id": "many2one:res.currency",
        "journal_id": "many2one:account.journal",
    },
    "stock.warehouse": {"name": "char", "code": "char", "active": "boolean"},
    "sale.order": {
        **dict.fromkeys("name state client_order_ref origin note".split(), "char"),
        **dict.fromkeys(("amount_untaxed", "amount_tax", "amount_total"), "float"),
        "date_order": "datetime",
        "partner_id": "many2one:res.partner",
        "partner_invoice_id": "many2one:res.partner",
        "partner_shipping_id": "many2one:res.partner",
        "pricelist_id": "many2one:product.pricelist",
        "currency_id": "many2one:res.currency",
        "warehouse_id": "many2one:stock.warehouse",
        "order_line": "one2many:sale.order.line:order_id",
        "picking_ids": "one2many:stock.picking:sale_id",
    },
    "sale.order.line": {
        "name": "char",
        **dict.fromkeys(
            "product_uom_qty price_unit discount price_subtotal price_tax price_total qty_delivered".split(), "float"
        ),
        "order_id": "many2one:sale.order",
        "product_id": "many2one:product.product",
        "tax_id": "many2many:account.tax",
    },
    "stock.picking": {
        **dict.fromkeys(
            "name state origin picking_type_code carrier_tracking_ref carrier_tracking_url".split(), "char"
        ),
        "date_done": "datetime",
        "sale_id": "many2one:sale.order",
        "note": "char",
        "partner_id": "many2one:res.partner",
        "picking_type_id": "many2one:stock.picking.type",
        "location_id": "many2one:stock.location",
        "location_dest_id": "many2one:stock.location",
        "group_id": "many2one:procurement.group",
        "return_id": "many2one:stock.picking",
        "backorder_id": "many2one:stock.picking",
        "carrier_id": "many2one:delivery.carrier",
        "move_ids": "one2many:stock.move:picking_id",
    },
    "stock.picking.type": {
        **dict.fromkeys("name code".split(), "char"),
        "return_picking_type_id": "many2one:stock.picking.type",
        "default_location_dest_id": "many2one:stock.location",
    },
    "procurement.group": {"name": "char", "sale_id": "many2one:sale.order"},
    "stock.scrap": {
        **dict.fromkeys("name state origin".split(), "char"),
        "scrap_qty": "float",
        "product_id": "many2one:product.product",
        "product_uom_id": "many2one:uom.uom",
        "location_id": "many2one:stock.location",
        "picking_id": "many2one:stock.picking",
    },
    "stock.move": {
        **dict.fromkeys("name state procure_method".split(), "char"),
        **dict.fromkeys(("picked", "to_refund"), "boolean"),
        "product_uom": "many2one:uom.uom",
        "sale_line_id": "many2one:sale.order.line",
        "origin_returned_move_id": "many2one:stock.move",
        "group_id": "many2one:procurement.group",
        **dict.fromkeys(("product_uom_qty", "quantity"), "float"),
        "picking_id": "many2one:stock.picking",
        "product_id": "many2one:product.product",
        "location_id": "many2one:stock.location",
        "location_dest_id": "many2one:stock.location",
    },
    "delivery.carrier": {"name": "char"},
    "stock.location": {
        **dict.fromkeys("name complete_name usage".split(), "char"),
        "active": "boolean",
        "location_id": "many2one:stock.location",
    },
    "stock.quant": {
        **dict.fromkeys(("quantity", "reserved_quantity"), "float"),
        "product_id": "many2one:product.product",
        "location_id": "many2one:stock.location",
    },
    "mrp.bom": {
        "type": "char",
        "active": "boolean",
        "sequence": "integer",
        "product_qty": "float",
        "product_id": "many2one:product.product",
        "product_tmpl_id": "many2one:product.template",
        "product_uom_id": "many2one:uom.uom",
        "bom_line_ids": "one2many:mrp.bom.line:bom_id",
    },
    "mrp.bom.line": {
        "product_qty": "float",
        "bom_id": "many2one:mrp.bom",
        "product_id": "many2one:product.product",
        "product_uom_id": "many2one:uom.uom",
        "bom_product_template_attribute_value_ids": "many2many:product.template.attribute.value",
    },
}
INDEXES = (
    ("res.partner", "ref"),
    ("res.partner", "parent_id"),
    ("product.product", "default_code"),
    ("sale.order", "client_order_ref"),
    ("sale.order.line", "order_id"),
    ("stock.picking", "sale_id"),
    ("stock.picking", "state"),
    ("stock.move", "picking_id"),
    ("stock.scrap", "origin"),
    ("stock.picking", "origin"),
    ("mail.message", "res_id"),
    ("stock.quant", "product_id"),
    ("mrp.bom", "product_tmpl_id"),
    ("mrp.bom.line", "bom_id"),
)


class OdooError(Exception):
    """An error as Odoo states it: Python path of the exception, message, and the HTTP status JSON-2 gives it."""

    def __init__(self, name: str, message: str, status: int) -> None:
        self.name = name
        self.message = message
        self.status = status
        super().__init__(message)


def user_error(message: str) -> OdooError:
    return OdooError("odoo.exceptions.UserError", message, 422)


def missing(model: str, number: Any) -> OdooError:
    words = f"Record does not exist or has been deleted.\n(Record: {model}({number},), User: 2)"
    return OdooError("odoo.exceptions.MissingError", words, 404)


def bad_field(model: str, name: str) -> OdooError:
    return OdooError("builtins.ValueError", f"Invalid field {name!r} on model {model!r}", 500)


@dataclass(frozen=True)
class Kind:
    """A field's type, its related model, and for one2many the field that points back."""

    type: str
    model: str = ""
    back: str = ""


def kind(schema: Mapping[str, str], model: str, name: str) -> Kind:
    """The kind of a field; Odoo's own error for one that does not exist."""
    if name == "id":
        return Kind("integer")
    if name not in schema:
        raise bad_field(model, name)
    return Kind(*schema[name].split(":"))


def schema_of(model: str, version: str) -> dict[str, str]:
    """A model's fields in that version of Odoo; KeyError for an unknown model.

    18 made a flag of what was a type of product; 19 renamed the taxes of a line, turned the factors of units round and gave
    up groups of procurements and the names of moves.
    """
    fields = {**MODELS[model], **_LOG}
    if model == "sale.order.line" and int(version) >= 19:
        fields["tax_ids"] = fields.pop("tax_id")
    if model == "account.payment" and int(version) < 18:
        fields["ref"] = fields.pop("memo")
    if model == "product.product" and int(version) < 18:
        del fields["is_storable"]
    if model == "uom.uom" and int(version) < 19:
        del fields["relative_factor"]
    if model in ("stock.picking", "stock.move") and int(version) >= 19:
        del fields["group_id"]
    if model == "stock.move" and int(version) >= 19:
        del fields["name"]
    return fields


def kept_as(model: str, record: Record, name: str, version: str) -> Any:
    """What a record holds of a field, as that version of Odoo says it."""
    if model == "product.product" and name == "type" and record.get("is_storable") and int(version) < 18:
        return "product"
    if model == "uom.uom" and name == "factor" and int(version) < 19:
        return 1 / record["factor"]
    return record.get("tax_id" if name == "tax_ids" else name)


def stamp(moment: datetime) -> str:
    """Odoo's way to write a moment: UTC, no zone, whole seconds."""
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def related(store: Store, model: str, back: str, number: int) -> list[Record]:
    """The records of a model that point at this one."""
    if store.indexed(model, back):
        return store.where(model, back, number)
    return [row for row in store.rows(model) if row.get(back) == number]


def display(store: Store, model: str, number: int) -> str:
    """What Odoo shows for a record: for an address of a company "Company, Name"."""
    record = store.get(model, number) or {}
    parent = store.get(model, record.get("parent_id") or 0) if model == "res.partner" else None
    name = record.get("name") or ""
    return f"{parent['name']}, {name}" if parent else name


def shown(store: Store, model: str, record: Record, names: Iterable[str], version: str) -> Record:
    """A record as ``read`` gives it: false for nothing, [id, name] for many2one, ids for the rest."""
    schema = schema_of(model, version)
    found: Record = {"id": record["id"]}
    for name in names:
        of = kind(schema, model, name)
        found[name] = _value(store, model, record, name, of, version)
    return found


def _value(store: Store, model: str, record: Record, name: str, of: Kind, version: str) -> Any:
    if of.type == "one2many":
        return [row["id"] for row in related(store, of.model, of.back, record["id"])]
    if name == "display_name":
        return display(store, model, record["id"])
    value = kept_as(model, record, name, version)
    if of.type == "many2one":
        return [value, display(store, of.model, value)] if value else False
    if of.type == "many2many":
        return list(value or [])
    if of.type in ("float", "integer"):
        return value or 0
    return value if value not in (None, "") else False
