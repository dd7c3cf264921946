"""One order becomes one sale in a real Tryton, with the shop's figures to the cent."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal

import pytest

from integration_hub.connectors import _tryton_records
from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.messages import Address, SaleLine, WriteSale
from tests.erp.office import Office
from tests.erp.server import Erp

from .orders import HOME, connector, fee, line, order, shipping

pytestmark = pytest.mark.erp


def test_everything_of_an_order_arrives(real_erp: Erp, office: Office) -> None:
    command = order(
        line("TSHIRT-M", 3, "53.97", off="6.00"),
        line("BOOK", 2, "39.98", "0.07"),
        shipping(),
        fee("2.50"),
        fee("-5.00"),
    )

    written = connector(real_erp).send(command)

    sale = office.sale(
        command.reference,
        *("number", "reference", "comment", "total_amount", "web_shop.name", "party.code", "currency.code"),
        *(
            "invoice_address.full_address",
            "shipment_address.party_name",
            "shipment_address.attn",
            "warehouse.code",
            "invoices.id",
        ),
        *(f"lines.{name}" for name in ("product.code", "quantity", "unit_price", "base_price", "taxes.name")),
    )
    assert (written.external_id, written.number) == (str(sale["id"]), sale["number"])
    assert (written.vendor_status, written.was_there) == ("processing", False)
    assert sale["total_amount"] == command.total == Decimal("96.44")
    assert (sale["reference"], sale["comment"]) == (command.number, "Bitte klingeln")
    assert (sale["web_shop"]["name"], sale["party"]["code"]) == ("shop", command.customer_code)
    assert sale["warehouse"]["code"] == "WH"
    assert "Am Kai 7" in sale["invoice_address"]["full_address"]
    to = sale["shipment_address"]
    assert (to["party_name"], to["attn"]) == ("Hafenbüro GmbH", "Erika Muster")
    assert len(sale["invoices"]) == 1
    shirt, book, *services = sale["lines"]
    assert (shirt["product"]["code"], shirt["quantity"], shirt["unit_price"]) == ("TSHIRT-M", 3, Decimal("15.1176"))
    assert shirt["base_price"] == Decimal("16.7983")
    assert book["taxes"][0]["name"] == "Umsatzsteuer – Ermäßigter Satz"
    assert [item["product"]["code"] for item in services[:3]] == ["SHIP-DHL", "SURCHARGE", "DISCOUNT"]


def test_what_is_sent_twice_is_there_once(real_erp: Erp, office: Office) -> None:
    command = order()

    first = connector(real_erp).send(command)
    second = connector(real_erp).send(command)

    assert replace(first, was_there=True) == second == connector(real_erp).find(command)
    assert len(office.sales(command.reference)) == 1


def test_orders_of_one_customer_share_party_and_addresses(real_erp: Erp, office: Office) -> None:
    one = order()
    other = order(customer_code=one.customer_code, shipping=HOME)
    for command in (one, other):
        connector(real_erp, confirm=False).send(command)

    sales = [
        office.sale(item.reference, "party.id", "party.addresses.id", "invoice_address.id") for item in (one, other)
    ]

    assert sales[0]["party"]["id"] == sales[1]["party"]["id"]
    assert sales[0]["invoice_address"] == sales[1]["invoice_address"]
    assert len(sales[0]["party"]["addresses"]) == 2


def test_a_customer_that_was_merged_stays_merged(real_erp: Erp, office: Office) -> None:
    one, other, again = order(), order(), order()
    for command in (one, other):
        connector(real_erp, confirm=False).send(command)

    office.merge(one.customer_code, into=other.customer_code)
    connector(real_erp, confirm=False).send(replace(again, customer_code=one.customer_code))

    assert office.sale(again.reference, "party.code")["party"]["code"] == other.customer_code


def test_a_deactivated_customer_is_named(real_erp: Erp, office: Office) -> None:
    command = order()
    connector(real_erp, confirm=False).send(command)
    party = office.sale(command.reference, "party.id")["party"]["id"]
    office.rest.write("party.party", party, {"active": False})

    with pytest.raises(Rejected, match=command.customer_code) as refused:
        connector(real_erp).send(order(customer_code=command.customer_code))

    assert refused.value.code == "customer_deactivated"


def test_an_order_without_any_address_still_arrives(real_erp: Erp, office: Office) -> None:
    command = order(billing=Address(), shipping=Address())

    assert connector(real_erp).send(command).vendor_status == "processing"


def test_without_confirmation_the_sale_waits_as_a_draft(real_erp: Erp, office: Office) -> None:
    command = order()

    written = connector(real_erp, confirm=False).send(command)

    assert written.vendor_status == office.sale(command.reference)["state"] == "draft"
    as_draft, to_be_confirmed = connector(real_erp, confirm=False).find(command), connector(real_erp).find(command)
    assert as_draft is not None
    assert to_be_confirmed is not None
    assert (as_draft.unfinished, to_be_confirmed.unfinished) == (False, True)


def test_services_alone_are_a_sale_too(real_erp: Erp, office: Office) -> None:
    command = order(fee("12.34"))

    connector(real_erp).send(command)

    assert office.sale(command.reference, "total_amount")["total_amount"] == Decimal("12.34")


def baskets() -> list[WriteSale]:
    """Baskets that are hard on net prices with four digits: small gross prices, odd quantities, mixed rates."""
    dice = random.Random(19)
    rates = {"TSHIRT-S": "0.19", "TSHIRT-M": "0.19", "MUG": "0.19", "BOOK": "0.07", "TEA": "0.07"}

    def some_line() -> SaleLine:
        sku, quantity = dice.choice(list(rates)), dice.randint(1, 13)
        gross = Decimal(quantity * dice.randint(49, 3999)) / 100
        off = min(Decimal(dice.choice([0, 0, 33, 101])) / 100, gross / 2)
        return line(sku, quantity, str((gross - off).quantize(Decimal("0.01"))), rates[sku], off=str(off))

    made = [order(*(some_line() for _ in range(count)), shipping("3.95")) for count in (1, 2, 3, 5, 8, 8, 13, 21)]
    return [
        *made,
        order(line("MUG", 333, "333.00"), line("TEA", 999, "10.00", "0.07"), fee("-0.37")),
        order(line("MUG", 1, "0.01"), line("TEA", 1, "0.01", "0.07"), line("BOOK", 1, "0.01", "0.07")),
        order(line("MUG", 3, "10.00"), fee("-10.00")),
        order(line("MUG", 1, "10.00"), shipping("4.90", "0.07"), fee("-1.00", "0.07"), fee("1.50", "0")),
    ]


@pytest.mark.parametrize("command", baskets(), ids=lambda command: f"{len(command.lines)} lines {command.total}")
def test_totals_agree_to_the_cent(real_erp: Erp, office: Office, command: WriteSale) -> None:
    connection = connector(real_erp, confirm=False)

    connection.send(command)

    assert office.sale(command.reference, "total_amount")["total_amount"] == command.total
    assert not [exchange for exchange in connection.http.exchanges if exchange.method == "PUT"], (
        "reckoned wrongly first"
    )


def test_net_prices_of_a_shop_for_business_customers(real_erp: Erp, office: Office) -> None:
    gross = line("MUG", 3, "29.97")
    command = order(replace(gross, unit_price=gross.net / 3), prices_include_tax=False)

    connector(real_erp, confirm=False).send(command)

    assert office.sale(command.reference, "total_amount")["total_amount"] == command.total


def test_a_total_that_is_no_rounding_is_refused(real_erp: Erp, office: Office) -> None:
    command = order(total=Decimal("30.00"))

    with pytest.raises(Rejected, match=r"30\.00.*24\.97") as refused:
        connector(real_erp).send(command)

    assert refused.value.code == "totals_disagree"
    assert office.sales(command.reference) == []


def test_another_way_of_rounding_in_tryton_is_met_as_well(real_erp: Erp, office: Office) -> None:
    command = order(*[line("MUG", 1, "0.40")] * 6)
    office.configure("account.configuration", tax_rounding="line")
    connection = connector(real_erp)
    try:
        connection.send(command)
    finally:
        office.configure("account.configuration", tax_rounding="document")

    assert office.sale(command.reference, "total_amount")["total_amount"] == command.total
    assert [exchange for exchange in connection.http.exchanges if exchange.method == "PUT"], "the formula was right"


def test_an_unknown_product_is_named(real_erp: Erp, office: Office) -> None:
    command = order(line("MUG", 1, "9.99"), line("NO-SUCH-THING", 1, "5.00"))

    with pytest.raises(Rejected, match="NO-SUCH-THING") as refused:
        connector(real_erp).send(command)

    assert refused.value.code == "unknown_product_in_erp"
    assert office.sales(command.reference) == []


def test_an_unknown_tax_rate_names_both(real_erp: Erp) -> None:
    with pytest.raises(Rejected, match=r"21 %.*MUG.*19 %") as refused:
        connector(real_erp).send(order(line("MUG", 1, "9.99", "0.21")))

    assert refused.value.code == "tax_rate_unknown"


def test_a_country_that_tryton_does_not_know_is_refused(real_erp: Erp) -> None:
    with pytest.raises(Rejected, match="JP"):
        connector(real_erp).send(order(shipping=replace(HOME, country="JP")))


def test_a_rule_of_tryton_is_refused_in_its_own_words(real_erp: Erp) -> None:
    with pytest.raises(Rejected, match=r"Tryton refuses it: .*[Qq]uantity") as refused:
        connector(real_erp).send(order(line("MUG", "1.5", "9.99")))

    assert refused.value.code == "refused"


def test_the_product_known_by_its_id_wins_over_its_code(real_erp: Erp, office: Office) -> None:
    (mug,) = office.rest.search("product.product", [["code", "=", "MUG"]], ["id"])
    command = order(replace(line("OLD-CODE", 1, "9.99"), product_id=str(mug["id"])))

    connector(real_erp, confirm=False).send(command)

    assert office.sale(command.reference, "lines.product.code")["lines"][0]["product"]["code"] == "MUG"


def test_products_are_looked_up_in_batches(real_erp: Erp, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_tryton_records, "BATCH", 2)
    command = order(line("MUG", 1, "9.99"), line("TSHIRT-S", 1, "19.99"), line("BOOK", 1, "19.99", "0.07"))

    connector(real_erp, confirm=False).send(command)

    assert len(office.sale(command.reference, "lines.id")["lines"]) >= 3
