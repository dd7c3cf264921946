"""The sandbox's own page: what it plays, with buttons for orders, trouble and faults."""

from __future__ import annotations

from dataclasses import asdict
from html import escape
from typing import Any

from . import world as facts
from .basket import TROUBLES
from .faults import Fault
from .odoo_stock import shelf
from .world import World

_FAULTS = (
    ("odoo", "latency_ms", "2000", "ERP answers slowly (2 s)"),
    ("odoo", "error_rate", "0.5", "ERP fails every second time (503)"),
    ("odoo", "timeout_after_write_rate", "0.3", "ERP writes, then says nothing (3 of 10)"),
    ("odoo", "drop_after_write_rate", "0.3", "ERP writes, then drops the line (3 of 10)"),
    ("erpnext", "error_rate", "0.5", "ERPNext fails every second time (503)"),
    ("erpnext", "timeout_after_write_rate", "0.3", "ERPNext writes, then says nothing (3 of 10)"),
    ("woo", "error_rate", "0.5", "WooCommerce fails every second time"),
    ("shopify", "error_rate", "0.5", "Shopify fails every second time"),
    ("webhooks", "lost_rate", "0.3", "Webhooks get lost (3 of 10)"),
    ("webhooks", "duplicate_rate", "0.5", "Webhooks come twice (every second)"),
    ("webhooks", "reorder_window", "10", "Webhooks come out of order (within 10 s)"),
)
LATEST = 5
_WOO_MOVES = (
    ("Refund 5.00", {"action": "refund", "amount": "5.00"}),
    ("Refund all", {"action": "refund"}),
    ("Cancel", {"action": "cancel"}),
    ("Delete", {"action": "delete"}),
)
_SHOPIFY_MOVES = _WOO_MOVES[:3]
_STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
form{display:inline}button{margin:.15rem;padding:.35rem .7rem}td{padding:.3rem 1rem .3rem 0;vertical-align:top}
code{background:#eee;color:#222;overflow-wrap:anywhere}h3{margin:.8rem 0 .2rem}"""


def _button(where: str, label: str, **values: str) -> str:
    hidden = "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in values.items())
    return f'<form method="post" action="/control/{where}">{hidden}<button>{escape(label)}</button></form>'


def _shelf(world: World) -> str:
    """The shops' stock, to be changed by hand as a colleague would."""
    store = world.store
    skus = {row["item"]: (row["id"], row["sku"]) for row in store.rows("shopify.variants")}
    woo = "".join(
        _by_hand(row["sku"], f"woo/products/{row['id']}", row["stock_quantity"])
        for row in store.rows("woo.products")
        if row["manage_stock"] is True
    )
    levels = [row for row in store.rows("shopify.levels") if row["location"] == 1 and row["item"] in skus]
    shopify = "".join(
        _by_hand(skus[row["item"]][1], f"shopify/variants/{skus[row['item']][0]}", row["available"]) for row in levels
    )
    return f"<h3>WooCommerce</h3><table>{woo}</table><h3>Shopify, Hauptlager</h3><table>{shopify}</table>"


def _by_hand(sku: str, what: str, quantity: int) -> str:
    name = escape(sku)
    return _row(
        name,
        f'<form method="post" action="/control/{what}"><input type="hidden" name="action" value="stock">'
        f'<input name="quantity" type="number" aria-label="Stock of {name}" value="{quantity}"><button>Set</button></form>',
    )


def _after_sale(world: World) -> str:
    """The latest orders of each shop with what may happen to them afterwards."""
    parts = []
    for shop, name, moves in (("woo", "WooCommerce", _WOO_MOVES), ("shopify", "Shopify", _SHOPIFY_MOVES)):
        rows = "".join(
            _row(
                escape(str(order.get("name") or order["number"])),
                "".join(_button(f"{shop}/orders/{order['id']}", text, **values) for text, values in moves)
                + (_return_buttons(order) if shop == "shopify" else ""),
            )
            for order in world.store.rows(f"{shop}.orders")[: -LATEST - 1 : -1]
        )
        parts.append(f"<h3>{name}</h3><table>{rows}</table>")
    return "".join(parts)


def _return_buttons(order: dict[str, Any]) -> str:
    first = order["line_items"][0]["sku"]
    where = f"shopify/orders/{order['id']}"
    moves = (
        ("request", "Ask to return a piece"),
        ("approve", "approve"),
        ("process", "it arrived"),
        ("close", "close"),
    )
    return "".join(_button(where, text, action="return", move=move, sku=first) for move, text in moves)


def _row(*cells: str) -> str:
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _in_force(world: World) -> list[str]:
    """The faults that differ from none, as target, name and value."""
    usual = asdict(Fault())
    return [
        f"{target} {name} {value}"
        for target, fault in world.faults.as_json()["in_force"].items()
        for name, value in fault.items()
        if value != usual[name]
    ]


def page(world: World, second: str) -> str:
    """The page as HTML; ``second`` is what the second ERP shows of itself."""
    store = world.store
    systems = (
        ("WooCommerce", f"{world.address}/woo", store.count("woo.orders"), facts.WOO_KEY, facts.WOO_SECRET),
        (
            "Shopify",
            f"{world.address}/shopify",
            store.count("shopify.orders"),
            facts.SHOPIFY_TOKEN,
            facts.SHOPIFY_SECRET,
        ),
        ("Odoo", f"{world.address}/odoo", store.count("sale.order"), facts.ODOO_LOGIN, facts.ODOO_KEY),
        (
            "ERPNext",
            f"{world.address}/erpnext",
            store.count("erpnext.Sales Order"),
            facts.ERPNEXT_KEY,
            facts.ERPNEXT_SECRET,
        ),
    )
    rows = "".join(
        _row(name, f"<code>{address}</code>", f"{count}&nbsp;orders", f"<code>{key}</code><br><code>{secret}</code>")
        for name, address, count, key, secret in systems
    )
    orders = "".join(
        f"<h3>{escape(name)}</h3><div>"
        + _button("orders", "An order", shop=shop)
        + _button("orders", "Ten orders", shop=shop, count="10")
        + "".join(_button("orders", text, shop=shop, trouble=trouble) for trouble, text in TROUBLES.items())
        + "</div>"
        for shop, name in (("woo", "WooCommerce"), ("shopify", "Shopify"))
    )
    faults = "".join(_button("faults", text, target=target, **{fault: value}) for target, fault, value, text in _FAULTS)
    in_force = escape(", ".join(_in_force(world))) or "none"
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Sandbox</title><style>{_STYLE}</style>
<h1>Sandbox: the outside world</h1>
<p>Two shops and two ERPs that are not real. They place orders, send signed webhooks, ship parcels and can misbehave.
All credentials are invented and open nothing else. <a href="/control/state">State as JSON</a></p>
<table>{rows}</table>
<h2>Orders</h2>{orders}<h3>By themselves</h3><div>{_button("pause", "Pause")}{_button("resume", "Go on")}</div>
<h2>After the sale</h2>{_after_sale(world)}
<h2>Stock, set by hand</h2>{_shelf(world)}
<h3>Odoo, WH/Stock</h3><details><summary>Count by hand</summary><table>{shelf(world)}</table></details>
{second}
<h2>Faults</h2><div>{faults}{_button("reset", "All well again")}</div><p>In force: {in_force}</p></html>"""
