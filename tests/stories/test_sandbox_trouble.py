"""Orders that cannot run as they are: each becomes a case with its cause, and runs on once that is gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from exceptions import actions as everyday
from exceptions.models import ExceptionCase
from exceptions.services import figures
from integration_hub.backoffice.actions import perform
from integration_hub.models import Activity, Connection, User
from integration_hub.sandbox.basket import Item
from integration_hub.sandbox.catalogue import Article
from inventory.models import Variant
from orders import actions
from orders.models import Order
from tests.sandbox.play import control
from tests.sandbox.play import odoo as played_odoo

from .full_stack import ERIKA, STANDARD, Stack, basket, item, next_second, open_cases, unknown

Person = Callable[..., User]
NEWS = Article(91, "NEU-900", "", "Teedose Neuheit", Decimal("9.90"))


def in_odoo(stack: Stack, model: str, **values: Any) -> int:
    """What somebody types into the ERP."""
    return played_odoo(stack.sandbox)._rpc.create(model, values)


def test_orders_of_an_unknown_product_run_on_by_themselves_when_the_erp_gets_it(
    stack: Stack, woo: Connection, odoo: Connection
) -> None:
    stack.place("woo", *[basket(unknown(), item("TK-100")) for _ in range(3)], basket(item("TK-200")))
    stack.work()
    case = ExceptionCase.objects.get()
    assert (case.kind, case.size) == ("unknown_product", 3)
    assert len(stack.rows("sale.order")) == 1
    in_odoo(stack, "product.product", default_code="TK-100-B", name="Teekanne Blau", type="consu")
    stack.poll(odoo)
    case.refresh_from_db()
    assert (case.state, case.closed_by, len(stack.rows("sale.order"))) == ("SOLVED", None, 4)
    stack.in_order()


def test_a_product_mapped_by_a_person_frees_all_orders_and_those_to_come(
    stack: Stack, shopify: Connection, person: Person
) -> None:
    stack.place("shopify", basket(unknown()), basket(unknown()))
    stack.work()
    teapot = Variant.objects.get(sku="TK-100")
    perform(actions.MAP_PRODUCT, ExceptionCase.objects.get(), by=person("operations"), data={"variant": teapot.pk})
    stack.place("shopify", basket(unknown()))
    stack.work()
    codes = {row["id"]: row["default_code"] for row in stack.rows("product.product")}
    sold = [codes[line["product_id"]] for line in stack.rows("sale.order.line")]
    assert sorted(sold) == ["TK-100"] * 3 + ["VERSAND"] * 3
    stack.in_order()


def test_a_missing_address_is_corrected_and_reaches_the_erp(stack: Stack, woo: Connection, person: Person) -> None:
    stack.place("woo", basket(item("TK-100"), buyer=replace(ERIKA, postcode="", city="")))
    stack.work()
    assert open_cases() == {"address_incomplete": 1}
    right = {"name": "Erika Groß", "street": "Am Kai 7", "postal_code": "20457", "city": "Hamburg", "country": "DE"}
    perform(actions.CORRECT_ADDRESS, ExceptionCase.objects.get(), by=person("operations"), data=right)
    stack.work()
    sale = stack.sale(Order.objects.get())
    partner = stack.sandbox.world.store.get("res.partner", sale["partner_shipping_id"])
    assert partner is not None
    assert (partner["zip"], partner["city"]) == ("20457", "Hamburg")
    stack.in_order()


def test_an_address_corrected_in_the_shop_closes_the_case_too(stack: Stack, woo: Connection) -> None:
    (number,) = stack.place("woo", basket(item("TK-100"), buyer=replace(ERIKA, postcode="")))
    stack.work()
    held = stack.shop_order("woo", number)
    right = {name: held[name] | {"postcode": "20457"} for name in ("billing", "shipping")}
    control(stack.sandbox, f"woo/orders/{number}", action="edit", changes=right)
    stack.work()
    assert len(stack.rows("sale.order")) == 1
    stack.in_order()


def test_totals_that_disagree_are_accepted_with_a_reason_and_then_it_is_the_erp_that_must_agree(
    stack: Stack, woo: Connection, person: Person
) -> None:
    (number,) = stack.place("woo", basket(item("TK-100"), trouble="totals_disagree"))
    stack.work()
    assert open_cases() == {"totals_disagree": 1}
    assert stack.rows("sale.order") == []
    case = ExceptionCase.objects.get()
    reason = {"why": "Rundung der Kasse, mit Frau Weiß besprochen", "seen": figures(case)}
    perform(actions.ACCEPT, case, by=person("finance"), data=reason)
    stack.work()
    assert Activity.objects.filter(why=reason["why"]).exists()
    assert open_cases() == {"target_refused": 1}
    assert ExceptionCase.objects.open().get().data["code"] == "totals_disagree"
    right = str(Decimal(stack.shop_order("woo", number)["total"]) - 2)
    control(stack.sandbox, f"woo/orders/{number}", action="edit", changes={"customer_note": f"Summe ist {right}"})
    stack.sandbox.woo.shop.edit(int(number), {"total": right})
    stack.work()
    sale = stack.sale(Order.objects.get())
    assert (Decimal(str(sale["amount_total"])), sale["state"]) == (Decimal(right), "sale")
    stack.in_order()


def test_an_unknown_tax_rate_is_accepted_and_waits_for_the_erp_to_have_it(
    stack: Stack, woo: Connection, person: Person
) -> None:
    stack.place("woo", basket(item("TK-100", rate=Decimal("0.12"))))
    stack.work()
    assert open_cases() == {"tax_rate_unknown": 1}
    case = ExceptionCase.objects.get()
    reason = {"why": "Sonderregelung 2026", "seen": figures(case)}
    perform(actions.ACCEPT, case, by=person("finance"), data=reason)
    stack.work()
    assert open_cases() == {"target_refused": 1}
    tax = {"amount": 12.0, "type_tax_use": "sale", "amount_type": "percent", "active": True, "sequence": 1}
    in_odoo(stack, "account.tax", name="12% USt inkl.", price_include=True, **tax)
    perform(everyday.RETRY, ExceptionCase.objects.open().get(), by=person("operations"), data={})
    stack.work()
    assert stack.sale(Order.objects.get())["state"] == "sale"
    stack.in_order()


def test_what_the_erp_refuses_is_fixed_there_and_tried_again(stack: Stack, woo: Connection, person: Person) -> None:
    Variant.objects.create(sku=NEWS.sku, title=NEWS.title)
    stack.place("woo", basket(Item(NEWS, 2, STANDARD)), basket(item("TK-200")))
    stack.work()
    case = ExceptionCase.objects.get()
    assert (case.kind, case.data["code"], case.size) == ("target_refused", "unknown_product_in_erp", 1)
    assert len(stack.rows("sale.order")) == 1  # the other order was not held up
    in_odoo(stack, "product.product", default_code=NEWS.sku, name=NEWS.title, type="consu")
    perform(everyday.RETRY, case, by=person("operations"), data={})
    stack.work()
    assert len(stack.rows("sale.order")) == 2
    stack.in_order()


@pytest.mark.parametrize("shop", ["woo", "shopify"])
def test_an_order_cancelled_in_the_shop_before_and_after_it_was_written(
    stack: Stack, odoo: Connection, shop: str
) -> None:
    stack.shop(shop, odoo)
    early, late = stack.place(shop, basket(unknown()), basket(item("TK-100")))
    stack.work()
    for number in (early, late):
        control(stack.sandbox, f"{shop}/orders/{number}", action="cancel")
    stack.work()
    assert set(Order.objects.values_list("state", flat=True)) == {"CANCELLED"}
    assert open_cases() == {"cancelled_after_export": 1}
    control(stack.sandbox, "odoo/cancel", order=Order.objects.get(external_id=late).reference)
    stack.poll(odoo)
    stack.in_order()


def test_an_order_edited_after_it_was_written_is_a_case_until_it_is_changed_back(stack: Stack, woo: Connection) -> None:
    (number,) = stack.place("woo", basket(item("TK-100")))
    stack.work()
    for note, cases in (("Doch an die Nachbarin", {"edited_after_export": 1}), ("", {})):
        next_second()
        control(stack.sandbox, f"woo/orders/{number}", action="edit", changes={"customer_note": note})
        stack.work()
        stack.in_order(cases=cases)
