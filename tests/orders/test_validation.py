"""What is wrong with an order: everything at once, each with a code, and nothing is written until it is solved or waived."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from customers.models import Customer
from exceptions.models import ExceptionCase
from exceptions.services import Trouble, figures
from integration_hub.backoffice.actions import Invalid, perform
from integration_hub.kernel.errors import NotNow
from integration_hub.kernel.text import say
from integration_hub.models import Connection, User
from inventory.models import Variant
from orders import actions, validation
from orders.models import Order, OrderAddress, Waiver
from tests import spine, standin

pytestmark = pytest.mark.django_db
Person = Callable[..., User]
EDIT = "2026-11-20T11:00:00Z"


@pytest.fixture(autouse=True)
def teapot(db: None) -> Variant:
    return spine.teapot()


def item(**changes: Any) -> dict[str, Any]:
    return dict(standin.order()["lines"][0]) | changes


def order(number: int = 1, line: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    lines = [item(**(line or {})), standin.order()["lines"][1]]
    return standin.order(number, **{"lines": lines, **changes})


def judged(joined: Connection, found: dict[str, Any]) -> set[str]:
    """The kinds of trouble of this order."""
    spine.say(joined, found)
    spine.run()
    return spine.open_kinds()


TROUBLES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "nothing": (order(), set()),
    "unknown product": (order(line={"sku": "NIX"}), {"unknown_product"}),
    "a product without number or title": (order(line={"sku": "", "title": ""}), {"unknown_product"}),
    "no street": (order(street=""), {"address_incomplete"}),
    "no postal code": (order(postal_code=""), {"address_incomplete"}),
    "a postal code of another country": (order(postal_code="8010"), {"address_incomplete"}),
    "no country": (order(country=""), {"address_incomplete"}),
    "a country that is none": (order(country="XX"), {"address_incomplete"}),
    "a country in three letters": (order(country="AUT"), {"address_incomplete"}),
    "Ireland": (order(country="IE", postal_code="", city="Dublin"), set()),
    "total": (order(total="28.71"), {"totals_disagree"}),
    "tax": (order(total_tax="5.58"), {"totals_disagree"}),
    "tax within the cents of rounding": (order(total_tax="4.60"), set()),
    "quantity times price": (order(line={"price": "12.90"}), {"totals_disagree"}),
    "price rounded to the cent": (order(line={"quantity": "2", "price": "11.905"}), set()),
    "a rate nobody has": (order(line={"rate": "0.17"}), {"tax_rate_unknown"}),
    "the rate of the destination": (order(country="FR", postal_code="75001", line={"rate": "0.2"}), set()),
    "the rate of a third country": (
        order(country="FR", postal_code="75001", line={"rate": "0.22"}),
        {"tax_rate_unknown"},
    ),
    "no rate but tax": (order(line={"rate": "0"}), {"tax_rate_unknown"}),
    "no lines": (order(lines=[], total="0", total_tax="0"), {"order_implausible"}),
    "only shipping": (
        order(lines=[standin.order()["lines"][1]], total="4.90", total_tax="0.78"),
        {"order_implausible"},
    ),
    "negative quantity": (
        order(line={"quantity": "-2", "net": "-20.00", "tax": "-3.80"}, total="-18.90", total_tax="-3.02"),
        {"order_implausible"},
    ),
}


@pytest.mark.parametrize(("found", "kinds"), TROUBLES.values(), ids=TROUBLES.keys())
def test_each_trouble_has_its_code(
    joined: Connection, world: standin.World, found: dict[str, Any], kinds: set[str]
) -> None:
    assert judged(joined, found) == kinds
    assert Order.objects.get().state == ("HELD" if kinds else "ACCEPTED")
    assert bool(world.sales) == (not kinds)


def test_all_troubles_are_found_at_once(joined: Connection, world: standin.World) -> None:
    wrong = {"sku": "NIX", "quantity": "-2", "price": "13.00", "rate": "0.17"}
    found = order(line=wrong, total="-9.00", total_tax="9.99", city="", postal_code="1")
    assert judged(joined, found) == {
        "unknown_product",
        "address_incomplete",
        "totals_disagree",
        "tax_rate_unknown",
        "order_implausible",
    }
    codes = sorted(cause.split(":")[-1] for cause in ExceptionCase.objects.values_list("cause", flat=True))
    assert codes == sorted(
        ["NIX", "BILLING", "total", "tax", "lines", str(Order.objects.get().pk), "quantity", "total"]
    )
    assert not world.sales


def test_every_kind_that_validation_knows_is_tried_here() -> None:
    tried = set().union(*(kinds for _found, kinds in TROUBLES.values())) | {"customer_unclear"}
    assert tried == set(validation.KINDS)


def test_solving_one_trouble_leaves_the_others(joined: Connection, world: standin.World, person: Person) -> None:
    judged(joined, order(line={"sku": "NIX"}, total="99.00"))
    case = ExceptionCase.objects.get(kind="unknown_product")
    perform(actions.MAP_PRODUCT, case, by=person("operations"), data={"sku": "TK-100"})
    spine.run()
    assert spine.open_kinds() == {"totals_disagree"}
    assert (Order.objects.get().state, world.sales) == ("HELD", {})


def reason(case: ExceptionCase, why: str = "Agreed with the customer by phone") -> dict[str, str]:
    """What the form of this case sends."""
    return {"why": why, "seen": figures(case)}


def accept(who: User, kind: str) -> None:
    for case in ExceptionCase.objects.open().filter(kind=kind):
        perform(actions.ACCEPT, case, by=who, data=reason(case))


def test_a_waiver_lets_the_order_go_with_its_reason(joined: Connection, world: standin.World, person: Person) -> None:
    judged(joined, order(total="30.00"))
    somebody = person("finance")
    accept(somebody, "totals_disagree")
    spine.run()
    waiver = Waiver.objects.get()
    assert (waiver.by, waiver.why) == (somebody, "Agreed with the customer by phone")
    assert (Order.objects.get().state, spine.sales(world), spine.open_cases()) == ("ACCEPTED", [1], [])


def test_figures_that_changed_since_they_were_shown_are_not_accepted(joined: Connection, person: Person) -> None:
    judged(joined, order(total="30.00"))
    shown = ExceptionCase.objects.get()
    judged(joined, order(total="99.00", updated_at=EDIT))
    with pytest.raises(NotNow, match="have changed"):
        perform(actions.ACCEPT, shown, by=person("finance"), data=reason(shown))
    assert not Waiver.objects.exists()
    accept(person("finance", "second"), "totals_disagree")
    assert Order.objects.get().state == "ACCEPTED"


def test_a_waiver_says_which_figures_were_seen(joined: Connection, person: Person) -> None:
    judged(joined, order(total="30.00"))
    with pytest.raises(Invalid) as refused:
        perform(actions.ACCEPT, ExceptionCase.objects.get(), by=person("finance"), data={"why": "Agreed by phone"})
    assert set(refused.value.errors) == {"seen"}


def test_a_waiver_needs_a_reason(joined: Connection, person: Person) -> None:
    judged(joined, order(total="30.00"))
    with pytest.raises(Invalid) as refused:
        perform(actions.ACCEPT, (case := ExceptionCase.objects.get()), by=person("finance"), data=reason(case, "ok"))
    assert "why" in refused.value.errors
    assert not Waiver.objects.exists()


def test_another_figure_before_the_erp_is_reached_holds_the_order_again(
    joined: Connection, erp: Connection, world: standin.World, person: Person
) -> None:
    Connection.objects.filter(pk=erp.pk).update(state="PAUSED")
    judged(joined, order(total="30.00"))
    accept(person("finance"), "totals_disagree")
    assert Order.objects.get().state == "ACCEPTED"
    assert judged(joined, order(total="31.00", updated_at=EDIT)) == {"totals_disagree"}
    Connection.objects.filter(pk=erp.pk).update(state="ACTIVE")
    spine.later()
    assert (Order.objects.get().state, world.sales) == ("HELD", {})


def test_accepting_one_difference_does_not_accept_the_other(
    joined: Connection, world: standin.World, person: Person
) -> None:
    judged(joined, order(total="30.00", total_tax="9.00"))
    case = ExceptionCase.objects.get(cause__endswith=":total")
    perform(actions.ACCEPT, case, by=person("finance"), data=reason(case))
    spine.run()
    assert [cause.split(":")[-1] for cause in ExceptionCase.objects.open().values_list("cause", flat=True)] == ["tax"]
    assert not world.sales


def address(person: Person, **fields: str) -> None:
    data = {
        "name": "Erika Mustermann",
        "street": "Hafenstraße 1",
        "postal_code": "20457",
        "city": "Hamburg",
        "country": "de",
    }
    case = ExceptionCase.objects.open().get(kind="address_incomplete")
    perform(actions.CORRECT_ADDRESS, case, by=person("operations"), data=data | fields)


def test_a_corrected_address_is_what_the_erp_gets(joined: Connection, world: standin.World, person: Person) -> None:
    judged(joined, order(postal_code=""))
    address(person)
    spine.run()
    (sale,) = world.sales["laden:1"]
    assert (sale.billing.postal_code, sale.shipping.postal_code, sale.billing.country) == ("20457", "20457", "DE")
    assert (spine.open_cases(), OrderAddress.objects.get(role="BILLING").corrected) == ([], True)


def test_a_correction_stays_until_the_shop_states_another_address(
    joined: Connection, erp: Connection, person: Person
) -> None:
    Connection.objects.filter(pk=erp.pk).update(state="PAUSED")
    judged(joined, order(postal_code=""))
    address(person)
    spine.say(joined, order(postal_code="", total="28.70", stage="READY", note="x", updated_at="2026-11-20T10:30:00Z"))
    spine.run()
    assert OrderAddress.objects.get(role="BILLING").postal_code == "20457"
    judged(joined, order(postal_code="", city="Bremen", updated_at=EDIT))
    row = OrderAddress.objects.get(role="BILLING")
    assert (row.city, row.postal_code, row.corrected) == ("Bremen", "", False)
    assert spine.open_kinds() == {"address_incomplete"}


def test_the_wrong_address_again_is_the_form_again(joined: Connection, person: Person) -> None:
    judged(joined, order(postal_code=""))
    case = ExceptionCase.objects.get()
    with pytest.raises(Invalid):
        perform(actions.CORRECT_ADDRESS, case, by=person("operations"), data={"street": "", "city": "", "country": "D"})


def test_two_customers_for_one_order_is_a_question(joined: Connection, world: standin.World, person: Person) -> None:
    judged(joined, order(1, customer="7", email="a@example.com"))
    judged(joined, order(2, email="b@example.com"))
    assert judged(joined, order(3, customer="7", email="b@example.com")) == {"customer_unclear"}
    chosen = Customer.objects.get(email="b@example.com")
    case = ExceptionCase.objects.get()
    perform(actions.CHOOSE_CUSTOMER, case, by=person("operations"), data={"customer": str(chosen.pk)})
    spine.run()
    assert world.sales["laden:3"][0].customer_code == chosen.code
    assert spine.open_cases() == []


def test_a_choice_holds_only_for_the_buyer_it_was_made_for(joined: Connection, erp: Connection, person: Person) -> None:
    Connection.objects.filter(pk=erp.pk).update(state="PAUSED")
    for number, email in ((1, "a@example.com"), (2, "b@example.com")):
        judged(joined, order(number, customer=str(number), email=email))
    judged(joined, order(3, customer="1", email="b@example.com"))
    other = Customer.objects.get(email="b@example.com")
    case = ExceptionCase.objects.get()
    perform(actions.CHOOSE_CUSTOMER, case, by=person("operations"), data={"customer": str(other.pk)})
    judged(joined, order(3, customer="", email="c@example.com", updated_at=EDIT))
    assert Order.objects.get(external_id="3").customer == Customer.objects.get(email="c@example.com")


def test_a_correction_in_the_shop_solves_it_too(joined: Connection, world: standin.World) -> None:
    assert judged(joined, order(lines=[], total="0", total_tax="0")) == {"order_implausible"}
    assert judged(joined, order(updated_at=EDIT)) == set()
    assert spine.sales(world) == [1]


def test_a_waiver_rests_on_what_was_seen() -> None:
    one = Trouble(kind="totals_disagree", cause="order:1:total", found=say("1.00"))
    two = Trouble(kind="totals_disagree", cause="order:1:total", found=say("2.00"))
    assert validation.basis(one) != validation.basis(two)


def test_the_amount_at_risk_is_that_of_the_orders(joined: Connection) -> None:
    for number in (1, 2, 3):
        judged(joined, order(number, line={"sku": "NIX"}))
    case = ExceptionCase.objects.get()
    assert (case.size, case.amount, case.currency) == (3, Decimal("86.10"), "EUR")
