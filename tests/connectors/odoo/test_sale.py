"""A sale in Odoo: looked for, written once, to the cent, for the right customer; refusals in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from integration_hub.connectors.odoo import Odoo
from integration_hub.kernel.errors import Misconfigured, Rejected, Unsupported
from integration_hub.kernel.messages import Address, Buyer, TellAccepted, WriteSale
from integration_hub.kernel.states import LineKind
from tests.connectors.world import Wire, outside

from .mine import HOME, PARCEL, POT, TEA, Erp, connector, sale, sale_line


@pytest.fixture
def erp() -> Erp:
    return Erp()


@pytest.fixture(autouse=True)
def wire(erp: Erp) -> Iterator[Wire]:
    with outside(erp) as found:
        yield found


def only(rows: list[dict[str, Any]]) -> dict[str, Any]:
    (row,) = rows
    return row


def named(erp: Erp, model: str, number: int) -> dict[str, Any]:
    found = erp.world.store.get(model, number)
    assert found is not None
    return found


def test_is_confirmed_under_our_reference_with_the_shops_number_for_people(erp: Erp) -> None:
    written = connector().send(sale(note="Klingel <defekt> & Hinterhaus"))
    row = only(erp.rows("sale.order"))
    assert (row["client_order_ref"], row["origin"], row["state"]) == ("H-1001", "laden 1001", "sale")
    assert row["note"] == "Klingel &lt;defekt&gt; &amp; Hinterhaus"
    assert (written.external_id, written.number, written.vendor_status) == (str(row["id"]), row["name"], "sale")
    assert written.url == f"https://erp.example.test/odoo/web#id={row['id']}&model=sale.order&view_type=form"


def test_stays_a_quotation_where_the_merchant_confirms_himself(erp: Erp) -> None:
    it = connector(confirm=False)
    written = it.send(sale())
    assert only(erp.rows("sale.order"))["state"] == "draft"
    assert it.find(sale()) == replace(written, was_there=True)


def test_lines_carry_products_taxes_and_gross_prices(erp: Erp) -> None:
    connector().send(sale())
    products = {row["id"]: row["default_code"] for row in erp.rows("product.product")}
    taxes = {row["id"]: (row["amount"], row["price_include"]) for row in erp.rows("account.tax")}
    lines = [
        (products[row["product_id"]], row["product_uom_qty"], row["price_unit"], [taxes[tax] for tax in row["tax_id"]])
        for row in erp.rows("sale.order.line")
    ]
    assert lines == [
        ("TK-100", 1, 39.95, [(19.0, True)]),
        ("TEE-250", 3, 12.9, [(7.0, True)]),
        ("VERSAND", 1, 4.9, [(19.0, True)]),
    ]
    assert only(erp.rows("sale.order"))["amount_total"] == 83.55


def test_a_known_product_is_taken_by_its_id(erp: Erp) -> None:
    connector().send(sale(replace(POT, sku="whatever", product_id="2")))
    assert only(erp.rows("sale.order.line"))["product_id"] == 2


@pytest.mark.parametrize(
    ("quantity", "gross", "discount"),
    [(3, "34.83", "3.87"), (3, "10.00", "28.70"), (7, "77.77", "12.53"), (1, "0.00", "12.90")],
)
def test_a_discount_keeps_the_total_to_the_cent(erp: Erp, quantity: int, gross: str, discount: str) -> None:
    net = str(round(Decimal(gross) / Decimal("1.07"), 2))
    line = sale_line(
        gross, net, quantity, "0.07", sku="TEE-250", unit_price=Decimal("12.90"), discount=Decimal(discount)
    )
    connector().send(sale(line))
    assert Decimal(str(only(erp.rows("sale.order"))["amount_total"])) == Decimal(gross)


def test_an_exact_percentage_is_shown_as_discount(erp: Erp) -> None:
    connector().send(
        sale(replace(TEA, discount=Decimal("3.87"), gross=Decimal("34.83"), net=Decimal("32.55"), tax=Decimal("2.28")))
    )
    line = only(erp.rows("sale.order.line"))
    assert (line["price_unit"], line["discount"]) == (12.9, 10.0)


def test_an_odd_cent_goes_into_a_line_without_tax(erp: Erp) -> None:
    connector().send(sale(replace(TEA, gross=Decimal("38.71"), tax=Decimal("2.54"), unit_price=Decimal("12.9033"))))
    lines = erp.rows("sale.order.line")
    assert [(row["price_total"], bool(row["tax_id"])) for row in lines] == [(38.7, True), (0.01, False)]
    assert only(erp.rows("sale.order"))["amount_total"] == 38.71


def test_net_taxes_do_where_odoo_has_no_gross_ones(erp: Erp) -> None:
    for tax in erp.rows("account.tax"):
        if tax["price_include"]:
            erp.world.store.remove("account.tax", tax["id"])
    connector().send(sale())
    assert only(erp.rows("sale.order"))["amount_total"] == 83.55
    assert [row["price_unit"] for row in erp.rows("sale.order.line")][:3] == [33.57, 12.06, 4.12]


def test_net_prices_stay_net(erp: Erp) -> None:
    line = sale_line("119.00", "100.00", 2, unit_price=Decimal(50))
    connector().send(sale(line, prices_include_tax=False))
    row = only(erp.rows("sale.order.line"))
    assert (row["price_unit"], row["price_subtotal"], row["price_total"]) == (50.0, 100.0, 119.0)


def test_a_line_without_tax_has_none(erp: Erp) -> None:
    connector().send(sale(sale_line("24.11", "24.11", rate="0")))
    assert only(erp.rows("sale.order.line"))["tax_id"] == []


def test_a_voucher_is_a_negative_line_with_its_own_product(erp: Erp) -> None:
    voucher = sale_line("-5.00", "-4.20", kind=LineKind.FEE, sku="", title="Gutschein")
    connector().send(sale(POT, voucher))
    products = {row["id"]: row["default_code"] for row in erp.rows("product.product")}
    lines = [(products[row["product_id"]], row["price_total"]) for row in erp.rows("sale.order.line")]
    assert lines == [("TK-100", 39.95), ("RABATT", -5.0)]


def test_an_unknown_article_is_for_a_person_and_leaves_nothing_behind(erp: Erp) -> None:
    with pytest.raises(Rejected) as caught:
        connector().send(sale(POT, replace(TEA, sku="TK-100-B")))
    assert caught.value.code == "unknown_product_in_erp"
    assert "TK-100-B" in str(caught.value)
    assert erp.made() is None


def test_an_article_that_stands_twice_in_odoo_is_not_guessed(erp: Erp) -> None:
    erp.world.store.add(
        "product.product", {"default_code": "TK-100", "name": "Zweite", "active": True, "type": "consu"}
    )
    with pytest.raises(Rejected) as caught:
        connector().send(sale(POT))
    assert caught.value.code == "product_ambiguous_in_erp"


def test_an_unknown_rate_is_for_a_person(erp: Erp) -> None:
    with pytest.raises(Rejected) as caught:
        connector().send(sale(sale_line("11.20", "10.00", rate="0.12")))
    assert caught.value.code == "tax_rate_unknown"
    assert "12 %" in str(caught.value)
    assert erp.made() is None


def test_an_unknown_currency_is_for_a_person(erp: Erp) -> None:
    with pytest.raises(Rejected) as caught:
        connector().send(sale(currency="CHF"))
    assert caught.value.code == "currency_unknown_in_erp"
    assert erp.made() is None


def test_another_currency_goes_by_its_pricelist(erp: Erp) -> None:
    erp.world.store.add("product.pricelist", {"name": "Schweiz", "currency_id": 2, "active": True})
    connector().send(sale(currency="CHF"))
    assert only(erp.rows("sale.order"))["currency_id"] == 2


def test_an_unknown_country_is_for_a_person(erp: Erp) -> None:
    with pytest.raises(Rejected) as caught:
        connector().send(sale(billing=replace(HOME, country="XK")))
    assert caught.value.code == "country_unknown_in_erp"


def test_shipping_costs_need_a_product_of_the_settings(erp: Erp) -> None:
    with pytest.raises(Misconfigured):
        connector(shipping_product="").send(sale(POT, PARCEL))
    with pytest.raises(Misconfigured):
        connector(warehouse="NOWHERE").send(sale())
    assert erp.rows("sale.order") == []


def test_the_warehouse_of_the_settings_is_used(erp: Erp) -> None:
    connector(warehouse="WH").send(sale())
    assert only(erp.rows("sale.order"))["warehouse_id"] == 1


def test_totals_that_disagree_are_refused_before_confirmation(erp: Erp) -> None:
    command = sale(POT, total=Decimal("41.95"))
    for _ in range(2):
        with pytest.raises(Rejected) as caught:
            connector().send(command)
    assert caught.value.code == "totals_disagree"
    assert only(erp.rows("sale.order"))["state"] == "draft"
    assert unfinished(connector(), command)


def test_a_draft_of_an_earlier_try_gets_the_corrected_lines(erp: Erp) -> None:
    with pytest.raises(Rejected):
        connector().send(sale(POT, total=Decimal("41.95")))
    written = connector().send(sale(POT, TEA))
    row = only(erp.rows("sale.order"))
    assert written.was_there
    assert (row["state"], row["amount_total"]) == ("sale", 78.65)
    assert len(erp.rows("sale.order.line")) == 2


def test_a_cancelled_sale_is_not_written_again(erp: Erp) -> None:
    connector().send(sale())
    erp.world.store.rows("sale.order")[0]["state"] = "cancel"
    written = connector().send(sale())
    assert (written.was_there, written.vendor_status) == (True, "cancel")
    assert len(erp.rows("sale.order")) == 1


def test_of_two_sales_the_live_one_is_found(erp: Erp) -> None:
    connector().send(sale())
    first = only(erp.rows("sale.order"))
    erp.world.store.add("sale.order", {**first, "id": 99, "name": "S00099"})
    first["state"] = "cancel"
    found = connector().find(sale())
    assert found is not None
    assert found.external_id == "99"


def test_a_second_order_of_a_customer_uses_the_same_partner_and_addresses(erp: Erp) -> None:
    gift = replace(HOME, name="Oma Müller", street="Am Mühlbach 2")
    connector().send(sale(shipping=gift))
    connector().send(sale(reference="H-1002", shipping=gift))
    parent, child = erp.rows("res.partner")
    assert (parent["ref"], parent["name"], parent["city"]) == ("K-17", "Jörg Müller", "Berlin")
    assert (child["parent_id"], child["type"], child["name"]) == (parent["id"], "delivery", "Oma Müller")
    for row in erp.rows("sale.order"):
        addresses = (row["partner_id"], row["partner_invoice_id"], row["partner_shipping_id"])
        assert addresses == (parent["id"], parent["id"], child["id"])


def test_a_new_invoice_address_does_not_overwrite_the_customer(erp: Erp) -> None:
    connector().send(sale())
    moved = replace(HOME, street="Neue Straße 1")
    connector().send(sale(reference="H-1002", billing=moved, shipping=moved))
    parent, child = erp.rows("res.partner")
    second = erp.rows("sale.order")[1]
    assert parent["street"] == "Hauptstraße 5"
    assert (child["type"], child["street"]) == ("invoice", "Neue Straße 1")
    assert second["partner_invoice_id"] == second["partner_shipping_id"] == child["id"]


def test_a_company_is_a_company_with_its_vat_id_and_the_person_on_the_invoice(erp: Erp) -> None:
    office = Address(
        name="Käthe Vogt",
        company="Teestube Möller GmbH",
        street="Im Hof 1",
        postal_code="50667",
        city="Köln",
        country="DE",
    )
    buyer = Buyer(name="Käthe Vogt", company="Teestube Möller GmbH", vat_id="DE136695976", email="k@example.com")
    connector().send(sale(buyer=buyer, billing=office, shipping=office))
    company, person = erp.rows("res.partner")
    assert (company["name"], company["is_company"], company["vat"]) == ("Teestube Möller GmbH", True, "DE136695976")
    assert (person["name"], person["type"], person["parent_id"]) == ("Käthe Vogt", "invoice", company["id"])


def test_a_region_is_set_where_odoo_knows_it(erp: Erp) -> None:
    connector().send(sale(billing=replace(HOME, region="NW"), shipping=replace(HOME, region="NW")))
    assert only(erp.rows("res.partner"))["state_id"] == 1
    connector().send(sale(reference="H-2", customer_code="K-2", billing=replace(HOME, region="Nirgendwo")))
    assert not erp.rows("res.partner")[1]["state_id"]


def test_reads_before_it_writes_and_needs_few_requests(wire: Wire) -> None:
    it = connector()
    it.send(sale())
    assert wire.writes == 3  # partner, sale, confirmation
    assert len(it.http.exchanges) <= 15


def test_other_commands_are_unsupported() -> None:
    command = TellAccepted(reference="H-1", order_id="1", sale_number="S1", erp="Odoo")
    with pytest.raises(Unsupported):
        connector().send(command)
    with pytest.raises(Unsupported):
        connector().find(command)


def unfinished(it: Odoo, command: WriteSale) -> bool:
    found = it.find(command)
    assert found is not None
    return found.unfinished


def test_a_quotation_is_unfinished_where_it_is_to_be_confirmed_or_has_another_total() -> None:
    it = connector(confirm=False)
    it.send(sale(POT))
    assert not unfinished(it, sale(POT))
    assert unfinished(it, sale(POT, TEA))
    assert unfinished(connector(), sale(POT))


def test_the_companys_own_currency_needs_no_pricelist(erp: Erp) -> None:
    erp.world.store.remove("product.pricelist", 1)
    connector().send(sale())
    assert only(erp.rows("sale.order"))["state"] == "sale"


def test_without_a_product_for_rounding_an_odd_cent_is_for_a_person() -> None:
    line = replace(TEA, gross=Decimal("38.71"), tax=Decimal("2.54"), unit_price=Decimal("12.9033"))
    with pytest.raises(Rejected) as caught:
        connector(fee_product="").send(sale(line))
    assert caught.value.code == "totals_disagree"
    assert "38.70" in str(caught.value)


def test_the_check_names_what_is_missing(erp: Erp) -> None:
    for tax in erp.rows("account.tax"):
        erp.world.store.remove("account.tax", tax["id"])
    findings = connector(shipping_product="DHL").check()
    wrong = [str(item.text) for item in findings if not item.ok]
    assert len(wrong) == 2
    assert "DHL" in wrong[0]
    assert "taxes" in wrong[1]


def test_a_draft_in_another_currency_is_for_a_person(erp: Erp) -> None:
    it = connector(confirm=False)
    it.send(sale())
    only(erp.rows("sale.order"))["currency_id"] = 2
    with pytest.raises(Rejected) as caught:
        connector().send(sale())
    assert caught.value.code == "currency_unknown_in_erp"


def test_a_place_without_country_is_written_as_it_is(erp: Erp) -> None:
    connector().send(sale(billing=replace(HOME, country=""), shipping=replace(HOME, country="")))
    assert only(erp.rows("res.partner"))["country_id"] is False


def test_an_address_that_bears_the_customers_code_is_not_the_customer(erp: Erp) -> None:
    erp.world.store.add("res.partner", {"name": "Lager", "ref": "K-17", "parent_id": 77, "active": True})
    connector().send(sale())
    customer = erp.rows("res.partner")[1]
    assert only(erp.rows("sale.order"))["partner_id"] == customer["id"]
    assert customer["name"] == "Jörg Müller"
