"""What an empty played ERP is filled with: company, taxes, products and the like."""

from __future__ import annotations

from . import odoo_stock
from .catalogue import ARTICLES, SERVICES, title
from .odoo_schema import INDEXES, stamp
from .world import World


def furnish(world: World) -> None:
    """Fill an empty ERP with company, taxes, products and the like; indexes are made in any case."""
    store = world.store
    for table, name in INDEXES:
        store.index(table, name)
    if not store.count("account.journal"):
        store.add("account.journal", {"name": "Bank", "code": "BNK1", "type": "bank"})
        store.add("account.journal", {"name": "Ausgangsrechnungen", "code": "RE", "type": "sale"})
    if not store.count("res.company"):
        _company(world)
    odoo_stock.furnish(world)


def _company(world: World) -> None:
    store = world.store
    for name in ("EUR", "CHF"):
        store.add("res.currency", {"name": name, "active": True})
    store.add("res.company", {"name": "Sandkasten Tee GmbH", "currency_id": 1})
    for code, name in (("DE", "Deutschland"), ("AT", "Österreich"), ("CH", "Schweiz"), ("FR", "Frankreich")):
        store.add("res.country", {"code": code, "name": name})
    store.add("res.country.state", {"country_id": 1, "code": "NW", "name": "Nordrhein-Westfalen"})
    store.add("product.pricelist", {"name": "Standard", "currency_id": 1, "active": True})
    store.add("decimal.precision", {"name": "Product Price", "digits": 2})
    store.add("stock.warehouse", {"name": "Hauptlager", "code": "WH", "active": True})
    store.add("delivery.carrier", {"name": "DHL Paket"})
    _taxes(world)
    _products(world)


def _taxes(world: World) -> None:
    for rate in (19, 7):
        for inside in (False, True):
            name = f"{rate}% USt{' inkl.' if inside else ''}"
            kept = {"type_tax_use": "sale", "amount_type": "percent", "active": True, "sequence": 1}
            world.store.add("account.tax", {"name": name, "amount": float(rate), "price_include": inside, **kept})


def _products(world: World) -> None:
    made = stamp(world.now())
    kept = {"active": True, "sale_ok": True, "write_date": made, "create_date": made}
    for article in ARTICLES:
        goods = {"default_code": article.sku, "barcode": article.gtin, "type": "consu", "name": title(article)}
        world.store.add("product.product", {**goods, "list_price": float(article.price), **kept})
    for code, name in SERVICES.items():
        world.store.add("product.product", {"default_code": code, "name": name, "type": "service", **kept})
