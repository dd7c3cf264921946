"""One order becomes one sales order of ERPNext: to the cent, with its taxes, for its customer, and only once."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration_hub.connectors._erpnext_sale import pieces
from integration_hub.kernel.errors import HubError, Misconfigured, Rejected, RetryLater
from integration_hub.kernel.messages import Buyer, WriteSale, Written
from integration_hub.kernel.states import LineKind
from tests.connectors.world import Fault, outside

from .mine import HOME, PARCEL, POT, TEA, Erp, connector, sale, sale_line


def send(erp: Erp, command: WriteSale, **changes: Any) -> Written:
    with outside(erp):
        return connector(**changes).send(command)


def refused(erp: Erp, command: WriteSale, **changes: Any) -> HubError:
    with outside(erp), pytest.raises(HubError) as caught:
        connector(**changes).send(command)
    return caught.value


def test_lines_taxes_and_total_are_those_of_the_order() -> None:
    erp = Erp()
    written = send(erp, sale())
    (order,) = erp.rows("Sales Order")
    assert (order["name"], order["status"]) == (written.number, "To Deliver and Bill")
    assert (order["grand_total"], order["total_taxes_and_charges"]) == (83.55, 9.69)
    assert [(row["item_code"], row["qty"], row["rate"], row["uom"]) for row in order["items"]] == [
        ("TK-100", 1, 39.95, "Nos"),
        ("TEE-250", 3, 12.9, "Nos"),
        ("VERSAND", 1, 4.9, "Nos"),
    ]
    assert {row["account_head"]: row["tax_amount"] for row in order["taxes"]} == {
        "1776 - Umsatzsteuer 19 % - ST": 7.16,
        "1771 - Umsatzsteuer 7 % - ST": 2.53,
    }
    assert written.url == "https://erp.example.test/erpnext/app/sales-order/SAL-ORD-2026-00001"


def test_net_prices_stay_net() -> None:
    erp = Erp()
    lines = (
        sale_line("47.54", "39.95", unit_price=Decimal("39.95")),
        sale_line("13.80", "12.90", 1, "0.07", sku="TEE-250", unit_price=Decimal("12.90")),
    )
    send(erp, sale(*lines, prices_include_tax=False))
    (order,) = erp.rows("Sales Order")
    assert (order["net_total"], order["grand_total"]) == (52.85, 61.34)
    assert {row["included_in_print_rate"] for row in order["taxes"]} == {0}


def test_a_cent_that_rounding_moves_has_a_row_of_its_own() -> None:
    erp = Erp()
    # three lines of 0.10 net: the shop rounds each tax to 0.02, ERPNext their sum to 0.06 as well; with 0.13 they part
    lines = tuple(
        sale_line("0.15", "0.13", unit_price=Decimal("0.13"), sku=sku) for sku in ("TK-100", "TK-200", "SIEB-01")
    )
    send(erp, sale(*lines, prices_include_tax=False))
    (order,) = erp.rows("Sales Order")
    assert order["grand_total"] == 0.45
    assert [row["item_code"] for row in order["items"]][3:] == ["GEBUEHR"]
    assert order["items"][3]["rate"] == -0.01


def test_a_total_that_no_rounding_explains_is_refused_and_leaves_a_draft() -> None:
    erp = Erp()
    error = refused(erp, sale(total=Decimal("90.00")))
    assert (type(error), error.code) == (Rejected, "totals_disagree")
    assert [row["status"] for row in erp.rows("Sales Order")] == ["Draft"]
    with outside(erp):
        found = connector().find(sale())
    assert found is not None
    assert found.unfinished


def test_a_draft_of_an_older_state_gets_the_lines_of_now() -> None:
    erp = Erp()
    refused(erp, sale(total=Decimal("90.00")))
    written = send(erp, sale(POT, PARCEL))
    (order,) = erp.rows("Sales Order")
    assert written.was_there
    assert (order["status"], order["grand_total"], len(order["items"])) == ("To Deliver and Bill", 44.85, 2)


def test_tax_of_another_rate_than_stated_is_refused() -> None:
    """ERPNext takes an item's own template where the one we named is not among them."""
    erp = Erp()
    tea = sale_line("12.90", "10.84", sku="TEE-250")  # 19 % on what has 7 % there
    error = refused(erp, sale(tea))
    assert error.code == "totals_disagree"
    assert "0.84" in str(error)


def test_discount_is_the_difference_to_the_listed_price() -> None:
    erp = Erp()
    line = sale_line("34.83", "32.55", 3, "0.07", sku="TEE-250", unit_price=Decimal("12.90"), discount=Decimal("3.87"))
    send(erp, sale(line))
    (row,) = erp.rows("Sales Order Item")
    assert (row["price_list_rate"], row["rate"], row["discount_amount"]) == (12.9, 11.61, 1.29)


def test_a_price_that_no_coin_gives_is_two_prices_a_cent_apart() -> None:
    erp = Erp()
    send(erp, sale(sale_line("10.00", "9.35", 3, "0.07", sku="TEE-250")))
    (order,) = erp.rows("Sales Order")
    assert [(row["qty"], row["rate"]) for row in order["items"]] == [(2, 3.33), (1, 3.34)]
    assert order["grand_total"] == 10.0


@given(st.integers(-100_000, 100_000), st.integers(1, 500), st.integers(0, 3))
def test_pieces_always_come_to_the_total(cents: int, quantity: int, digits: int) -> None:
    total = Decimal(cents).scaleb(-digits)
    found = pieces(total, Decimal(quantity), digits)
    assert sum(number * price for number, price in found) == total
    assert sum(number for number, _ in found) == quantity
    assert all(number > 0 and price == round(price, digits) for number, price in found)
    assert len(found) <= 2


def test_a_free_article_stays_free() -> None:
    erp = Erp()
    send(erp, sale(POT, sale_line("0", "0", sku="SIEB-01")))
    assert [row["rate"] for row in erp.rows("Sales Order Item")] == [39.95, 0]


def test_a_voucher_is_a_row_below_zero() -> None:
    erp = Erp()
    voucher = sale_line("-5.00", "-4.20", kind=LineKind.FEE, sku="", title="Gutschein")
    send(erp, sale(POT, voucher))
    (order,) = erp.rows("Sales Order")
    assert [(row["item_code"], row["rate"]) for row in order["items"]] == [("TK-100", 39.95), ("RABATT", -5.0)]
    assert order["grand_total"] == 34.95


def test_an_order_without_tax_has_none() -> None:
    erp = Erp()
    send(erp, sale(sale_line("33.57", "33.57", rate="0", sku="SET-TEE")))
    (order,) = erp.rows("Sales Order")
    assert (order["grand_total"], order["total_taxes_and_charges"]) == (33.57, 0)
    assert [(row["charge_type"], row["tax_amount"]) for row in order["taxes"]] == [("Actual", 0)]


@pytest.mark.parametrize(
    ("command", "changes", "code"),
    [
        (sale(sale_line("44.95", "37.77", sku="TK-100-B")), {}, "unknown_product_in_erp"),
        (sale(sale_line("11.20", "10.00", rate="0.12")), {}, "tax_rate_unknown"),
        (sale(billing=replace(HOME, country="XX")), {}, "country_unknown_in_erp"),
        (sale(), {"shipping_product": ""}, "service_product_missing"),
        (sale(), {"shipping_product": "PORTO"}, "service_product_missing"),
        (sale(), {"company": "Andere GmbH"}, "unknown_company"),
        (sale(), {"reference_field": "custom_nowhere"}, "unknown_field"),
        (sale(), {"api_secret": "wrong-secret"}, "refused_credentials"),
        (sale(sale_line("19.90", "16.72", sku="TS")), {}, "unknown_product_in_erp"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_cannot_be_written_is_refused_before_anything_is(
    command: WriteSale, changes: dict[str, Any], code: str
) -> None:
    erp = Erp()
    assert refused(erp, command, **changes).code == code
    assert not erp.made()


def test_two_templates_of_one_rate_are_for_the_settings() -> None:
    erp = Erp()
    with erp.erp.docs.transaction():
        second = erp.erp.docs.get("Item Tax Template", "Umsatzsteuer 19 % - ST")
        erp.erp.docs.put(
            "Item Tax Template", erp.erp.docs.new("Item Tax Template", {**second, "title": "Innergemeinschaftlich"})
        )
    error = refused(erp, sale())
    assert (type(error), error.code) == (Misconfigured, "tax_ambiguous")
    names = ("Umsatzsteuer 19 % - ST", "Umsatzsteuer 7 % - ST")
    send(erp, sale(), tax_templates=names)
    assert len(erp.rows("Sales Order")) == 1


def test_customer_and_addresses_are_made_once() -> None:
    erp = Erp()
    aunt = replace(HOME, name="Oma Müller", street="Am Mühlbach 2")
    send(erp, sale(shipping=aunt))
    send(erp, sale(shipping=aunt, reference="H-1002"))
    send(erp, sale(reference="H-1003"))
    assert len(erp.rows("Customer")) == 1
    assert [row["address_title"] for row in erp.rows("Address")] == ["Jörg Müller", "Oma Müller"]
    first, _, third = erp.rows("Sales Order")
    assert (first["customer_address"], first["shipping_address_name"]) == ("Jörg Müller-Billing", "Oma Müller-Shipping")
    assert third["shipping_address_name"] == "Jörg Müller-Billing"


def test_two_customers_of_one_name_stay_two() -> None:
    erp = Erp()
    send(erp, sale())
    send(erp, sale(reference="H-1002", customer_code="K-18"))
    assert [row["name"] for row in erp.rows("Customer")] == ["Jörg Müller", "Jörg Müller - 1"]
    assert [row["customer"] for row in erp.rows("Sales Order")] == ["Jörg Müller", "Jörg Müller - 1"]


def test_a_company_is_one_and_a_strange_phone_number_stops_nothing() -> None:
    erp = Erp()
    buyer = Buyer(company="Teestube GmbH", name="Özlem Weiß", vat_id="DE129273398", phone="ruf mich an")
    send(erp, sale(buyer=buyer, billing=replace(HOME, company="Teestube GmbH")))
    (customer,) = erp.rows("Customer")
    assert (customer["customer_name"], customer["customer_type"]) == ("Teestube GmbH", "Company")
    assert (customer["tax_id"], customer["mobile_no"]) == ("DE129273398", None)
    (address,) = [row for row in erp.rows("Address") if row["address_title"] == "Teestube GmbH"]
    assert address["address_line2"] == "Jörg Müller, Hinterhaus"


def test_note_number_and_reference_are_there() -> None:
    erp = Erp()
    send(erp, sale(note="Klingel <defekt> & Hinterhaus"))
    (order,) = erp.rows("Sales Order")
    assert (order["po_no"], order["terms"]) == ("H-1001", "Klingel &lt;defekt&gt; &amp; Hinterhaus")
    assert order["title"] == "laden 1001 Jörg Müller"
    assert order["transaction_date"] == "2026-11-21"


def test_with_a_field_of_its_own_the_number_for_people_is_the_customers() -> None:
    erp = Erp()
    send(erp, sale(), reference_field="custom_hub_reference", customer_field="custom_hub_code")
    (order,), (customer,) = erp.rows("Sales Order"), erp.rows("Customer")
    assert (order["po_no"], order["custom_hub_reference"]) == ("laden 1001", "H-1001")
    assert (customer["custom_hub_code"], customer["customer_details"]) == ("K-17", None)


def test_an_empty_field_of_the_settings_means_the_usual_one() -> None:
    erp = Erp()
    send(erp, sale(), reference_field="", customer_field="")
    (order,), (customer,) = erp.rows("Sales Order"), erp.rows("Customer")
    assert (order["po_no"], customer["customer_details"]) == ("H-1001", "K-17")


def test_erpnext_itself_refuses_a_second_sale_where_the_field_is_unique(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another worker's create lands between our look and our own: the sale that is there is finished, no second is made."""
    erp, fields = Erp(), {"reference_field": "custom_hub_reference", "customer_field": "custom_hub_code"}
    looks: list[str] = []
    query = erp.erp.docs.query

    def blind_at_first(given: Any) -> Any:
        found = query(given)
        if given["doctype"] in ("Sales Order", "Customer") and given["doctype"] not in looks:
            looks.append(given["doctype"])
            return []
        return found

    send(erp, sale(), **fields)
    monkeypatch.setitem(erp.erp._methods, "frappe.client.get_list", blind_at_first)
    again = send(erp, sale(), **fields)
    assert (again.was_there, looks) == (True, ["Sales Order", "Customer"])
    assert (len(erp.rows("Sales Order")), len(erp.rows("Customer"))) == (1, 1)


def test_who_changed_the_draft_meanwhile_is_not_run_over(monkeypatch: pytest.MonkeyPatch) -> None:
    erp = Erp()
    refused(erp, sale(total=Decimal("90.00")))
    docs = erp.erp.docs
    read = erp.erp._methods["frappe.client.get_list"]

    def and_a_colleague_saves(given: Any) -> Any:
        found = read(given)
        if given["doctype"] == "Sales Order":
            docs.put("Sales Order", docs.get("Sales Order", found[0]["name"]))
        return found

    monkeypatch.setitem(erp.erp._methods, "frappe.client.get_list", and_a_colleague_saves)
    error = refused(erp, sale())
    assert (type(error), error.code) == (RetryLater, "their_conflict")
    assert isinstance(error, RetryLater)
    assert not error.maybe_written


def test_a_draft_may_stay_one() -> None:
    erp = Erp()
    assert send(erp, sale(), confirm=False).vendor_status == "Draft"
    with outside(erp):
        found = connector(confirm=False).find(sale())
    assert found is not None
    assert not found.unfinished


def test_a_live_sale_counts_more_than_a_cancelled_one() -> None:
    erp = Erp()
    send(erp, sale())
    erp.levers._cancel(erp.order("H-1001"))
    with outside(erp):
        found = connector().find(sale())
    assert found is not None
    assert found.vendor_status == "Cancelled"


def test_what_is_lost_on_the_way_is_looked_up() -> None:
    erp = Erp()
    with outside(erp, Fault(after_write=3)), pytest.raises(RetryLater) as caught:  # customer, address, order
        connector().send(sale())
    assert caught.value.maybe_written
    with outside(erp):
        found = connector().find(sale())
    assert found is not None
    assert (found.vendor_status, found.unfinished) == ("Draft", True)
    assert send(erp, sale()).was_there
    assert (len(erp.rows("Sales Order")), len(erp.rows("Customer"))) == (1, 1)


def test_lines_of_one_article_stay_apart() -> None:
    erp = Erp()
    send(erp, sale(POT, TEA, replace(TEA, title="Darjeeling, Geschenk"), PARCEL))
    assert [row["item_name"] for row in erp.rows("Sales Order Item")] == [
        "Teekanne",
        "Darjeeling",
        "Darjeeling, Geschenk",
        "DHL Paket",
    ]
