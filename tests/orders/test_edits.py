"""Orders that the shop changes after the ERP has them: both sides shown, carried out where it can be, then taken over."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from exceptions.models import ExceptionCase
from integration_hub.backoffice.actions import perform
from integration_hub.kernel.aftersales import CancelSale
from integration_hub.models import Connection, User
from inventory.models import Variant
from orders.aftersales import actions
from orders.aftersales.models import AfterSale
from tests import spine, standin
from tests.orders.after_sales_world import joined, placed, rule, ship, told

pytestmark = pytest.mark.django_db
LATER = "2026-11-20T11:00:00Z"


@pytest.fixture
def shop(world: standin.World) -> Connection:
    found = joined()
    Variant.objects.create(sku="TK-200", title="Teekanne 2,0 l")
    return found


@pytest.fixture
def boss(db: None) -> User:
    return User.objects.create_superuser("boss", password="x")


def lines(pieces: int, *more: dict[str, Any]) -> list[dict[str, Any]]:
    """The good order with so many teapots, and what is added."""
    pot, shipping = standin.order()["lines"]
    pot = pot | {"quantity": str(pieces), "net": f"{pieces * 10}.00", "tax": str(Decimal("1.90") * pieces)}
    return [pot, *more, shipping]


BIG = {
    "id": "3",
    "sku": "TK-200",
    "title": "Teekanne groß",
    "quantity": "1",
    "price": "23.80",
    "net": "20.00",
    "tax": "3.80",
}


def edits(shop: Connection, found: list[dict[str, Any]], updated: str = LATER) -> AfterSale:
    total = sum(Decimal(one["net"]) + Decimal(one["tax"]) for one in found)
    tax = sum(Decimal(one["tax"]) for one in found)
    said = standin.order(1, lines=found, total=str(total), total_tax=str(tax), updated_at=updated)
    spine.say(shop, said)
    spine.run()
    return AfterSale.objects.latest("pk")


def test_a_piece_less_is_taken_out_of_the_sale_and_the_order_becomes_what_the_shop_says(
    shop: Connection, boss: User
) -> None:
    order = placed(shop)
    row = edits(shop, lines(1))
    assert (row.kind, row.state, row.lines.get().quantity) == ("EDIT", "PROPOSED", Decimal(1))
    assert [(one["what"], one["was"], one["now"]) for one in row.stated["sides"]] == [
        ("Teekanne", ["2", "23.8"], ["1", "11.9"]),
        ("total", [None, "28.7000"], [None, "16.80"]),
    ]
    assert "taken out of the sale" in str(actions.CONFIRM.effect(row))  # type: ignore[misc]
    perform(actions.CONFIRM, row, by=boss)
    spine.run()
    (command,) = told(CancelSale)
    assert [(line.sku, line.quantity) for line in command.lines] == [("TK-100", 1)]
    order.refresh_from_db()
    pot = order.lines.get(sku="TK-100")
    assert (order.total, pot.quantity, pot.cancelled, pot.gross) == (
        Decimal("16.80"),
        Decimal(1),
        Decimal(0),
        Decimal("11.90"),
    )
    assert (AfterSale.objects.get(pk=row.pk).state, spine.open_cases()) == ("DONE", [])


def test_an_added_line_is_done_by_hand_and_then_taken_over(shop: Connection, boss: User) -> None:
    order = placed(shop)
    row = edits(shop, lines(2, BIG))
    assert (row.lines.count(), spine.open_kinds()) == (0, {"edited_after_export"})
    perform(actions.CONFIRM, row, by=boss)
    assert order.lines.count() == 2
    perform(actions.BY_HAND, AfterSale.objects.get(pk=row.pk), by=boss, data={"why": "added in the ERP"})
    order.refresh_from_db()
    assert (order.total, [line.sku for line in order.lines.all()]) == (Decimal("52.50"), ["TK-100", "TK-200", ""])
    assert order.lines.get(sku="TK-200").variant == Variant.objects.get(sku="TK-200")
    assert spine.open_cases() == []


def test_a_line_that_parcels_name_stays_without_money(shop: Connection, boss: User) -> None:
    order = placed(shop, lines=lines(1, BIG), total="40.60", total_tax="6.48")
    ship(order, "1")
    row = edits(shop, [BIG, lines(1)[-1]], updated="2026-11-21T11:00:00Z")
    assert row.state == "UNTIED"  # what is to be dropped has left the house
    case = ExceptionCase.objects.open().get(kind="edited_after_export")
    assert "PARTIAL" in str(case.expected) or "teil" in str(case.expected)
    assert "after_sale_exceeds" in spine.open_kinds()


def test_automatic_edits_need_no_person(shop: Connection) -> None:
    rule(shop, "EDIT")
    order = placed(shop)
    edits(shop, lines(1))
    order.refresh_from_db()
    assert (order.total, len(told(CancelSale)), spine.open_cases()) == (Decimal("16.80"), 1, [])


def test_a_new_address_is_shown_beside_the_old_one_to_those_who_may_and_taken_over(
    shop: Connection, boss: User, person: Callable[..., User]
) -> None:
    order = placed(shop)
    spine.say(shop, standin.order(1, street="Neue Straße 5", updated_at=LATER))
    spine.run()
    row = AfterSale.objects.get(kind="ADDRESS_CHANGE")
    for role, seen in (("operations", True), ("integrator", False)):
        client = Client()
        client.force_login(person(role))
        page = client.get(f"/special/{row.pk}/").content.decode()
        assert ("Neue Straße 5" in page, "Hafenstraße 1" in page) == (seen, seen), role
    perform(actions.CONFIRM, row, by=boss)
    perform(actions.BY_HAND, AfterSale.objects.get(pk=row.pk), by=boss, data={"why": "changed"})
    assert {address.street for address in order.addresses.all()} - {""} == {"Neue Straße 5"}
    assert spine.open_cases() == []


def test_changed_back_is_nothing(shop: Connection) -> None:
    placed(shop)
    row = edits(shop, lines(1))
    edits(shop, lines(2), updated="2026-11-20T12:00:00Z")
    assert (AfterSale.objects.get(pk=row.pk).state, spine.open_cases()) == ("DECLINED", [])
