"""Fill an empty Tryton 8.0 database with a small German web shop company.

Runs in Tryton's own environment against a running server: ``bootstrap.py URL < articles.json``, where the articles of the
played shops come as a list; passwords and key come from the environment.  Speaks XML-RPC through proteus, so nothing of
Tryton itself is imported.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from decimal import Decimal
from typing import Any

from proteus import Model, Wizard, config  # type: ignore[import-not-found]

SHOPS = ("shop", "second shop")
COUNTRIES = (
    ("DE", "DEU", "276", "Deutschland"),
    ("AT", "AUT", "040", "Österreich"),
    ("CH", "CHE", "756", "Schweiz"),
    ("FR", "FRA", "250", "France"),
    ("NL", "NLD", "528", "Nederland"),
)
GOODS = (  # code, name, net price, tax, variant suffixes, EAN
    ("TSHIRT", "T-Shirt Hafen", "16.7983", 19, ("-S", "-M", "-L"), ""),
    ("MUG", "Tasse Leuchtturm", "8.3950", 19, ("",), "4006381333931"),
    ("BOOK", "Hafenbuch", "18.6822", 7, ("",), ""),
    ("TEA", "Ostfriesentee 250 g", "5.5981", 7, ("",), ""),
)
SERVICES = (
    ("SHIP-DHL", "Versand DHL Paket", "4.1933"),
    ("DISCOUNT", "Rabatt", "0"),
    ("SURCHARGE", "Zuschlag", "0"),
)
GROUPS = (
    "sale.group_sale",
    "sale.group_sale_admin",
    "stock.group_stock",
    "stock.group_stock_admin",
    "account.group_account",
    "party.group_party_admin",
    "product.group_product_admin",
    "account_product.group_account_product_admin",
)


def first(model: str, *domain: Any) -> Any:
    """The first record that fits; IndexError if there is none."""
    return Model.get(model).find(list(domain), limit=1)[0]


def make(model: str, **values: Any) -> Any:
    """A saved record."""
    record = Model.get(model)(**values)
    record.save()
    return record


def company() -> Any:
    """The company with its country and currency; the context follows it from here on."""
    for item in Model.get("ir.module.config_wizard.item").find([("state", "=", "open")]):
        item.state = "done"
        item.save()
    for code, code3, number, name in COUNTRIES:
        make("country.country", name=name, code=code, code3=code3, code_numeric=number)
    euro = make(
        "currency.currency", name="Euro", code="EUR", symbol="€", numeric_code="978", rounding=Decimal("0.01"), digits=2
    )
    make("currency.currency.rate", date=dt.date(1999, 1, 1), rate=Decimal(1), currency=euro)
    party = Model.get("party.party")(name="Beispiel Handels GmbH")
    address = party.addresses[0]
    address.street_unstructured, address.postal_code, address.city = "Hafenstraße 1", "20457", "Hamburg"
    address.country = first("country.country", ("code", "=", "DE"))
    party.save()
    wizard = Wizard("company.company.config")
    wizard.execute("company")
    wizard.form.party, wizard.form.currency, wizard.form.timezone = party, euro, "Europe/Berlin"
    wizard.execute("add")
    current = config.get_config()
    current._context = Model.get("res.user").get_preferences(True, {})
    return first("company.company")


def account(code: str) -> Any:
    return first("account.account", ("code", "=", code))


def chart(firm: Any) -> None:
    """The accounts and taxes of SKR03 with the usual defaults."""
    template = Model.get("ir.model.data").get_id("account_de_skr03.root_de", config.get_config().context)
    wizard = Wizard("account.create_chart")
    wizard.execute("account")
    wizard.form.account_template = Model.get("account.account.template")(template)
    wizard.form.company = firm
    wizard.execute("create_account")
    wizard.form.account_receivable, wizard.form.account_payable = account("1400"), account("1600")
    wizard.form.category_account_expense, wizard.form.category_account_revenue = account("3400"), account("8400")
    wizard.execute("create_properties")


def fiscal_year(firm: Any, year: int) -> None:
    """One year with its periods and strict number sequences."""
    kinds = {name: first("ir.sequence.type", ("name", "=", name)) for name in ("Account Move", "Invoice")}

    def sequence(kind: str, name: str, prefix: str = "") -> Any:
        values = {"prefix": f"{prefix}{year}-", "padding": 5} if prefix else {}
        return make("ir.sequence.strict", name=f"{name} {year}", sequence_type=kinds[kind], company=firm, **values)

    new = Model.get("account.fiscalyear")(
        name=str(year), company=firm, start_date=dt.date(year, 1, 1), end_date=dt.date(year, 12, 31)
    )
    new.move_sequence = sequence("Account Move", "Buchung")
    (line,) = new.invoice_sequences
    line.out_invoice_sequence = sequence("Invoice", "Rechnung", "RE")
    line.out_credit_note_sequence = sequence("Invoice", "Gutschrift", "GS")
    line.in_invoice_sequence = sequence("Invoice", "Eingangsrechnung", "ER")
    line.in_credit_note_sequence = sequence("Invoice", "Eingangsgutschrift", "EG")
    new.save()
    new.click("create_period")


def books(firm: Any) -> None:
    """Chart, fiscal years (last, this, next), tax rounding per document, a payment term, how sales go on."""
    chart(firm)
    this_year = dt.datetime.now(dt.UTC).year
    for year in (this_year - 1, this_year, this_year + 1):
        fiscal_year(firm, year)
    term = Model.get("account.invoice.payment_term")(name="Sofort")
    term.lines.new(type="remainder")
    term.save()
    accounting = Model.get("account.configuration")(1)
    accounting.tax_rounding, accounting.default_customer_payment_term = "document", term
    accounting.save()
    sales = Model.get("sale.configuration")(1)
    sales.sale_invoice_method, sales.sale_shipment_method = "fulfillment", "order"
    sales.save()


def second_warehouse() -> None:
    """A store beside the main warehouse; with two there is no default warehouse any more."""
    main = first("stock.location", ("type", "=", "warehouse"))
    main.name = "Hauptlager"
    main.save()
    store = Model.get("stock.location")(name="Ladengeschäft", code="WH2", type="warehouse")
    rooms = {
        "input_location": make("stock.location", name="Eingang", code="IN2", type="storage"),
        "output_location": make("stock.location", name="Ausgang", code="OUT2", type="storage"),
        "storage_location": make("stock.location", name="Verkaufsraum", code="STO2", type="storage"),
    }
    for field, room in rooms.items():
        setattr(store, field, room)
    store.lost_found_location = first("stock.location", ("type", "=", "lost_found"))
    store.save()
    for room in rooms.values():
        room.reload()
        room.parent = store
        room.save()


def tax(name: str) -> Any:
    """The undated parent tax; the dated rates hang under it."""
    return first("account.tax", ("description", "=", name), ("parent", "=", None))


def category(name: str, revenue: str, expense: str, rate: str = "") -> Any:
    """An accounting category with its taxes for customers and suppliers, or without any."""
    new = Model.get("product.category")(name=name, accounting=True)
    new.account_revenue, new.account_expense = account(revenue), account(expense)
    if rate:
        new.customer_taxes.append(tax(f"Umsatzsteuer – {rate}"))
        new.supplier_taxes.append(tax(f"Vorsteuer – {rate}"))
    new.save()
    return new


def product(
    code: str, name: str, price: str, accounts: Any, suffixes: tuple[str, ...] = ("",), kind: str = "goods"
) -> list[Any]:
    """A template with its variants, whose codes are the template's code and a suffix each."""
    new = Model.get("product.template")(
        name=name, code=code, type=kind, salable=True, list_price=Decimal(price), account_category=accounts
    )
    new.default_uom = first("product.uom", ("symbol", "=", "u"))
    while len(new.products) < len(suffixes):
        new.products.new()
    for variant, suffix in zip(new.products, suffixes, strict=True):
        variant.suffix_code = suffix or None
    new.save()
    return list(new.products)


def catalogue(articles: list[dict[str, Any]]) -> None:
    """Own goods and those of the played shops, a gift card, and the services that shipping and fees are billed with."""
    accounts = {
        19: category("Waren 19 %", "8400", "3400", "Normalsatz"),
        7: category("Waren 7 %", "8300", "3300", "Ermäßigter Satz"),
    }
    for code, name, price, rate, suffixes, ean in GOODS:
        variants = product(code, name, price, accounts[rate], suffixes)
        if ean:
            make("product.identifier", product=variants[0], type="ean", code=ean)
    for item in articles:
        (variant,) = product(item["sku"], item["title"], item["net"], accounts[item["percent"]])
        make("product.identifier", product=variant, type="ean", code=item["gtin"])
    product("GIFT-25", "Geschenkgutschein 25 €", "25", category("Gutscheine", "8200", "3400"), kind="service")
    for code, name, price in SERVICES:
        product(code, name, price, accounts[19], kind="service")


def opening_stock() -> None:
    """A thousand of each in the main warehouse, ten in the store; each cost five euros."""
    goods = Model.get("product.product").find([("type", "=", "goods")])
    for code, quantity in (("STO", 1000.0), ("STO2", 10.0)):
        location = first("stock.location", ("code", "=", code))
        inventory = Model.get("stock.inventory")(location=location, empty_quantity="keep")
        for item in goods:
            line = inventory.lines.new(product=item)
            line.quantity = quantity
            line.expected_quantity = 0.0
        inventory.click("confirm")
    for item in goods:
        wizard = Wizard("product.modify_cost_price", [item])
        wizard.form.cost_price, wizard.form.date = "5", dt.datetime.now(dt.UTC).date()
        wizard.execute("modify")


def channels(firm: Any) -> None:
    """The web shops; (web_shop, web_id) is unique on sales."""
    guest = make("party.party", name="Gast (Web-Shop)")
    for name in SHOPS:
        shop = Model.get("web.shop")(
            name=name, company=firm, currency=first("currency.currency", ("code", "=", "EUR")), guest_party=guest
        )
        shop.warehouses.append(first("stock.location", ("code", "=", "WH")))
        shop.save()


def user(firm: Any, password: str, key: str) -> None:
    """The user of the hub with just the groups it needs, and its key for the REST interface."""
    hub = Model.get("res.user")(name="Integration Hub", login="hub", password=password)
    hub.companies.append(firm)
    hub.company = firm
    data, context = Model.get("ir.model.data"), config.get_config().context
    for name in GROUPS:
        hub.groups.append(Model.get("res.group")(data.get_id(name, context)))
    hub.save()
    make("res.user.application", key=key, user=hub, application="rest")


def main(url: str) -> None:
    """Everything in the order that works; sign in once, because each password check is slow on purpose."""
    with config.set_xmlrpc_session(url, "admin", os.environ["TRYTON_ADMIN_PASSWORD"]):
        firm = company()
        books(firm)
        second_warehouse()
        catalogue(json.load(sys.stdin))
        opening_stock()
        channels(firm)
        user(firm, os.environ["TRYTON_HUB_PASSWORD"], os.environ["TRYTON_HUB_KEY"])


if __name__ == "__main__":
    main(sys.argv[1])
