"""What an empty played ERPNext is filled with: company, accounts, tax templates, warehouses and items."""

from __future__ import annotations

from typing import Any

from . import erpnext_stock as stock
from .catalogue import ARTICLES, BUNDLE, BUNDLE_PARTS, GRAMS, SERVICES, Article, title
from .erpnext_docs import Docs

COMPANY = "Sandkasten Tee GmbH"
VAT = {19: "1776 - Umsatzsteuer 19 % - ST", 7: "1771 - Umsatzsteuer 7 % - ST"}
BANK = "1200 - Bank - ST"
PRICES = "Standard-Vertrieb"
FAMILIES = {"TS": "T-Shirt Teeliebe"}


def furnish(docs: Docs) -> None:
    """Fill it where there is nothing yet."""
    if docs.all("Company"):
        return
    with docs.world.lock:
        _add(docs, "Company", company_name=COMPANY, abbr="ST", default_currency="EUR")
        for code, name in (("de", "Germany"), ("at", "Austria"), ("ch", "Switzerland"), ("fr", "France")):
            _add(docs, "Country", country_name=name, code=code)
        _accounts(docs)
        _add(docs, "Selling Settings", allow_negative_rates_for_items=1, dont_reserve_sales_order_qty_on_sales_return=1)
        for place in ("Hauptlager", "Laden", "Ausschuss"):
            _add(docs, "Warehouse", warehouse_name=place, company=COMPANY, is_group=0, disabled=0)
        _add(docs, "Warehouse", warehouse_name="Alle Lager", company=COMPANY, is_group=1, disabled=0)
        _items(docs)
        stock.fill(docs)


def _add(docs: Docs, doctype: str, **values: Any) -> None:
    docs.put(doctype, docs.new(doctype, values))


def _accounts(docs: Docs) -> None:
    """The two rates of Germany as ERPNext's setup makes them: each template knows both accounts."""
    kept = {"company": COMPANY, "account_currency": "EUR", "is_group": 0}
    for rate, name in VAT.items():
        _add(docs, "Account", account_name=name.removesuffix(" - ST"), account_type="Tax", tax_rate=rate, **kept)
    _add(docs, "Account", account_name="1400 - Forderungen", account_type="Receivable", **kept)
    _add(docs, "Account", account_name="1200 - Bank", account_type="Bank", **kept)
    for rate in (*VAT, 0):
        taxes = [{"tax_type": name, "tax_rate": float(rate if rate == one else 0)} for one, name in VAT.items()]
        name = f"Umsatzsteuer {rate} %" if rate else "Steuerfrei"
        _add(docs, "Item Tax Template", title=name, company=COMPANY, disabled=0, taxes=taxes)


def _items(docs: Docs) -> None:
    for family, name in FAMILIES.items():
        template = {"item_code": family, "item_name": name, "has_variants": 1, "is_stock_item": 1}
        _add(docs, "Item", **template, item_group="Handelsware", stock_uom="Nos", disabled=0)
    for article in ARTICLES:
        _article(docs, article, 1)
    for code, name in SERVICES.items():
        _add(
            docs,
            "Item",
            item_code=code,
            item_name=name,
            item_group="Dienstleistungen",
            stock_uom="Nos",
            is_stock_item=0,
        )
    _article(docs, BUNDLE, 0)
    parts = [{"item_code": code, "qty": pieces} for code, pieces in BUNDLE_PARTS]
    _add(docs, "Product Bundle", new_item_code=BUNDLE.sku, items=parts)


def _article(docs: Docs, article: Article, stocked: int) -> None:
    rate = int(article.rate * 100)
    goods: dict[str, Any] = {
        "item_code": article.sku,
        "item_name": title(article),
        "item_group": "Handelsware",
        "stock_uom": "Nos",
        "is_stock_item": stocked,
        "weight_per_unit": float(GRAMS),
        "weight_uom": "Gram",
        "barcodes": [{"barcode": article.gtin, "barcode_type": "EAN"}],
        "taxes": [{"item_tax_template": f"Umsatzsteuer {rate} % - ST"}],
    }
    if article.variant:
        goods |= {
            "variant_of": article.family,
            "attributes": [{"attribute": "Größe", "attribute_value": article.option}],
        }
    _add(docs, "Item", **goods)
    price = {"price_list": PRICES, "price_list_rate": float(article.price), "currency": "EUR", "selling": 1}
    _add(docs, "Item Price", item_code=article.sku, **price)
