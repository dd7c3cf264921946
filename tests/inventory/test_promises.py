"""Orders and stock: accepting reserves, shipping consumes, cancelling releases; nobody is promised what is not there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from exceptions.models import ExceptionCase
from integration_hub.backoffice.actions import perform
from integration_hub.backoffice.invariants import judge
from integration_hub.connectors.base import Delivery
from integration_hub.kernel import codec
from integration_hub.kernel.errors import NotNow
from integration_hub.messaging import dispatch, inbox
from integration_hub.models import Connection
from integration_hub.models.inbound import Door
from inventory.invariants import INVARIANTS
from inventory.models import Location, Reservation, StockMovement, Variant
from inventory.services import promises, watch
from inventory.services.planning import Wish
from orders import stock, stock_cases
from orders.models import Order
from tests import spine, standin

from . import stocked
from .stocked import qty

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def proven(db: None) -> Iterator[None]:
    yield
    assert [(one.code, judge(one).sample) for one in INVARIANTS if not judge(one).kept] == []


@pytest.fixture
def pot(db: None) -> Variant:
    return stocked.article("TK-100")


@pytest.fixture
def main(joined: Connection, erp: Connection, pot: Variant) -> Location:
    """Ten teapots at the ERP's warehouse, from which the shop sells."""
    made = stocked.place(source=erp)
    stocked.sells(joined, made)
    stocked.switch(joined, stock.RESERVE_STOCK, erp)
    stocked.put(pot, made, 10)
    return made


def order(number: int, pieces: int = 2, **changes: Any) -> dict[str, Any]:
    """An order of so many teapots."""
    found = standin.order(number, **changes)
    net, tax = Decimal(pieces) * 10, Decimal(pieces) * Decimal("1.90")
    found["lines"][0] |= {"quantity": str(pieces), "net": str(net), "tax": str(tax), "price": "11.90"}
    total = net + tax + Decimal("4.90")
    return found | {"total": str(total), "total_tax": str(tax + Decimal("0.78"))} | changes


def say(shop: Connection, *orders: dict[str, Any]) -> None:
    inbox.store(shop, [Delivery("order.updated", str(row["id"]), codec.canonical(row)) for row in orders], Door.WEBHOOK)
    stocked.run()


def ships(erp: Connection, number: int, pieces: int, at: str, *, stage: str = "SHIPPED", parcel: str = "P1") -> None:
    found = {"id": f"S-laden:{number}", "number": f"VK-{number}", "stage": stage, "updated_at": at, "reference": ""}
    found["shipments"] = [{"id": parcel, "tracking": "0034", "lines": [["TK-100", str(pieces)]]}]  # type: ignore[assignment]
    spine.say(erp, found, topic="sale.polled")
    stocked.run()


def states() -> dict[str, str]:
    return dict(Order.objects.order_by("external_id").values_list("number", "state"))


@pytest.mark.parametrize("at_once", [True, False])
def test_accepting_reserves(
    joined: Connection, main: Location, pot: Variant, at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not at_once:
        monkeypatch.setattr(dispatch, "handle_batch", lambda _given: set())
    say(joined, order(1), order(2, 3))
    assert stocked.level(pot, main) == (10, 5)
    assert stocked.held_for(pot) == {"Laden #1": 2, "Laden #2": 3}
    cause = StockMovement.objects.filter(kind="RESERVED").order_by("reserved").first()
    assert cause is not None
    assert cause.cause == Order.objects.get(number="#1")


def test_where_the_process_is_off_nothing_is_reserved(joined: Connection, pot: Variant) -> None:
    say(joined, order(1))
    assert (states(), Reservation.objects.count()) == ({"#1": "ACCEPTED"}, 0)


def test_cancelling_releases_and_so_does_an_edit(joined: Connection, main: Location, pot: Variant) -> None:
    Connection.objects.filter(slug="erp").update(state="PAUSED")
    say(joined, order(1, 4), order(2, 3))
    say(joined, order(2, 1, updated_at="2026-11-20T11:00:00Z"))
    assert stocked.held_for(pot) == {"Laden #1": 4, "Laden #2": 1}
    say(joined, order(1, 4, updated_at="2026-11-20T11:00:00Z", stage="CANCELLED"))
    assert (stocked.held_for(pot), stocked.level(pot, main)) == ({"Laden #2": 1}, (10, 1))


def test_what_the_erp_holds_stays_promised_until_the_erp_lets_go(
    joined: Connection, erp: Connection, main: Location, pot: Variant
) -> None:
    say(joined, order(1))
    say(joined, order(1, updated_at="2026-11-20T11:00:00Z", stage="CANCELLED"))
    assert stocked.level(pot, main) == (10, 2)
    gone = {"id": "S-laden:1", "number": "VK-1", "stage": "CANCELLED", "updated_at": "2026-11-20T12:00:00Z"}
    spine.say(erp, gone, topic="sale.polled")
    stocked.run()
    assert stocked.level(pot, main) == (10, 0)


def test_an_order_that_is_short_waits_and_runs_on_when_goods_come(
    joined: Connection, erp: Connection, main: Location, pot: Variant
) -> None:
    say(joined, order(1, 8), order(2, 3), order(3, 2))
    assert states() == {"#1": "ACCEPTED", "#2": "HELD", "#3": "ACCEPTED"}
    assert spine.open_cases() == [("stock_short", 1)]
    stocked.state(erp, ("TK-100", "haupt", 13, "TK-100"))
    assert states()["#2"] == "ACCEPTED"
    assert (spine.open_cases(), stocked.level(pot, main)) == ([], (13, 13))


def test_a_bundle_and_its_part_are_summed(joined: Connection, main: Location, pot: Variant) -> None:
    stocked.bundle("SET", (pot, 3))
    found = order(1, 2)
    more = found["lines"][0] | {"id": "9", "sku": "SET", "quantity": "3", "net": "0", "tax": "0", "price": "0"}
    found["lines"].append(more)
    say(joined, found)
    assert (states(), spine.open_kinds()) == ({"#1": "HELD"}, {"stock_short"})
    more["quantity"] = "2"
    say(joined, found | {"updated_at": "2026-11-20T11:00:00Z"})
    assert stocked.held_for(pot) == {"Laden #1": 8}


@pytest.mark.parametrize(("rule", "days"), [("PARTIAL", None), ("BACKORDER", 14)])
def test_what_is_missing_may_be_promised_for_later(
    joined: Connection, erp: Connection, main: Location, pot: Variant, rule: str, days: int | None
) -> None:
    joined.stock_rule.shortage = rule
    joined.stock_rule.save()
    say(joined, order(1, 12))
    assert (states(), stocked.held_for(pot)) == ({"#1": "ACCEPTED"}, {"Laden #1": 10, "Laden #1*": 2})
    bare = Reservation.objects.get(location=None)
    assert bare.due == (timezone.localdate() + timedelta(days=days) if days else None)
    stocked.state(erp, ("TK-100", "haupt", 15, "TK-100"))
    assert stocked.held_for(pot) == {"Laden #1": 12}


def test_somebody_decides_to_deliver_in_part(joined: Connection, main: Location, pot: Variant, person: Any) -> None:
    say(joined, order(1, 12))
    case = ExceptionCase.objects.get(kind="stock_short")
    perform(stock_cases.DELIVER_IN_PART, case, by=person("operations"), data={"due": ""})
    stocked.run()
    assert (states(), stocked.held_for(pot)) == ({"#1": "ACCEPTED"}, {"Laden #1": 10, "Laden #1*": 2})
    assert spine.open_cases() == []


def test_where_nobody_stated_a_level_the_promise_waits_for_it(
    joined: Connection, erp: Connection, main: Location
) -> None:
    other = stocked.article("TK-200")
    found = order(1)
    found["lines"][0]["sku"] = "TK-200"
    say(joined, found)
    assert (states(), stocked.held_for(other)) == ({"#1": "ACCEPTED"}, {"Laden #1*": 2})
    stocked.state(erp, ("TK-200", "haupt", 6, "TK-200"))
    assert (stocked.held_for(other), stocked.level(other, main)) == ({"Laden #1": 2}, (6, 2))


def test_an_unpaid_order_holds_its_goods_for_a_while(joined: Connection, main: Location, pot: Variant) -> None:
    joined.stock_rule.unpaid_hours = 72
    joined.stock_rule.save()
    now = timezone.now().isoformat()
    say(joined, order(1, stage="PENDING", paid=False, placed_at=now))
    assert stocked.level(pot, main) == (10, 2)
    Reservation.objects.update(until=stocked.moment(-1))
    watch.tidy()
    assert stocked.level(pot, main) == (10, 0)
    say(joined, order(1, placed_at=now, updated_at="2026-11-20T12:00:00Z"))
    assert stocked.held_for(pot) == {"Laden #1": 2}
    assert Reservation.objects.get().until is None


def test_orders_under_way_hold_their_goods_when_stock_is_set_up(
    joined: Connection, erp: Connection, pot: Variant
) -> None:
    say(joined, order(1, 8), order(2, 3))
    main = stocked.place(source=erp)
    stocked.put(pot, main, 10)
    stocked.sells(joined, main)
    stocked.switch(joined, stock.RESERVE_STOCK, erp)
    assert stock.take_up() == {"orders": 2}
    assert stock.take_up() == {"orders": 0}
    assert stocked.held_for(pot) == {"Laden #1": 8, "Laden #2": 2, "Laden #2*": 1}


class TestShipping:
    """The ERP's count falls by what it ships: neither counted twice nor sold again in between."""

    def test_the_parcel_first_then_the_count(
        self, joined: Connection, erp: Connection, main: Location, pot: Variant
    ) -> None:
        say(joined, order(1))
        stocked.state(erp, ("TK-100", "haupt", 10, "TK-100"), at=stocked.moment(-30))
        ships(erp, 1, 2, stocked.moment(-20).isoformat())
        assert stocked.level(pot, main) == (10, 2)
        stocked.state(erp, ("TK-100", "haupt", 10, "TK-100"), at=stocked.moment(-25))  # counted before it left
        assert stocked.level(pot, main) == (10, 2)
        stocked.state(erp, ("TK-100", "haupt", 8, "TK-100"), at=stocked.moment(-10))
        assert stocked.level(pot, main) == (8, 0)

    def test_the_count_first_then_the_parcel(
        self, joined: Connection, erp: Connection, main: Location, pot: Variant
    ) -> None:
        say(joined, order(1))
        stocked.state(erp, ("TK-100", "haupt", 8, "TK-100"), at=stocked.moment(-10))
        assert stocked.level(pot, main) == (8, 2)
        ships(erp, 1, 2, stocked.moment(-20).isoformat())
        assert stocked.level(pot, main) == (8, 0)

    def test_parcel_by_parcel_and_said_twice(
        self, joined: Connection, erp: Connection, main: Location, pot: Variant
    ) -> None:
        say(joined, order(1, 5))
        stocked.state(erp, ("TK-100", "haupt", 10, "TK-100"), at=stocked.moment(-5))
        for _time in range(2):
            ships(erp, 1, 3, stocked.moment(-20).isoformat(), stage="PARTLY_SHIPPED")
        assert stocked.held_for(pot) == {"Laden #1": 2}

    def test_where_the_hub_counts_the_goods_leave_at_once(
        self, joined: Connection, erp: Connection, pot: Variant
    ) -> None:
        mine = stocked.place("mine")
        stocked.sells(joined, mine)
        stocked.switch(joined, stock.RESERVE_STOCK, erp)
        stocked.put(pot, mine, 10)
        say(joined, order(1))
        ships(erp, 1, 2, stocked.moment().isoformat())
        assert stocked.level(pot, mine) == (8, 0)
        assert StockMovement.objects.filter(kind="SALE").values_list("quantity", "reserved").get() == (-2, -2)

    def test_what_is_never_counted_out_is_let_go_in_the_end(
        self, joined: Connection, erp: Connection, main: Location, pot: Variant
    ) -> None:
        say(joined, order(1))
        ships(erp, 1, 2, stocked.moment(-60 * 49).isoformat())
        assert stocked.level(pot, main) == (10, 2)
        watch.tidy()
        assert stocked.level(pot, main) == (10, 0)


class TestOversold:
    """Stock falls after the orders were accepted: a case of its own, with the newest orders in it."""

    @pytest.fixture(autouse=True)
    def too_many(self, joined: Connection, erp: Connection, main: Location) -> ExceptionCase:
        for number in (1, 2, 3):
            say(joined, order(number, 3))
        stocked.state(erp, ("TK-100", "haupt", 5, "TK-100"))
        return ExceptionCase.objects.get(kind="oversold")

    def test_it_names_channel_orders_and_how_many(self, too_many: ExceptionCase) -> None:
        labels = set(too_many.subjects.filter(open=True).values_list("label", flat=True))
        assert labels == {"Laden #3", "Laden #2"}
        assert too_many.params["count"] == "4"
        assert too_many.params["channels"] == "Laden"
        assert too_many.amount == 2 * Decimal(order(2, 3)["total"])

    def test_back_ordering_frees_the_level_and_is_covered_later(
        self, too_many: ExceptionCase, erp: Connection, pot: Variant, main: Location, person: Any
    ) -> None:
        perform(stock_cases.BACK_ORDER, too_many, by=person("operations"), data={"due": "2030-01-01"})
        stocked.run()
        assert (spine.open_kinds(), stocked.level(pot, main)) == (set(), (5, 5))
        assert stocked.held_for(pot) == {"Laden #1": 3, "Laden #2": 2, "Laden #2*": 1, "Laden #3*": 3}
        stocked.state(erp, ("TK-100", "haupt", 7, "TK-100"))
        assert stocked.held_for(pot) == {"Laden #1": 3, "Laden #2": 3, "Laden #3": 1, "Laden #3*": 2}

    def test_a_transfer_solves_it_where_the_hub_counts(
        self, too_many: ExceptionCase, pot: Variant, main: Location, person: Any
    ) -> None:
        spare = stocked.place("spare")
        stocked.put(pot, spare, 9)
        by = person("operations")
        data = {"source": str(spare.pk), "quantity": "4", "why": "for the orders"}
        with pytest.raises(NotNow, match="counts there"):
            perform(stock_cases.TRANSFER, too_many, by=by, data=data)
        Location.objects.filter(pk=main.pk).update(source=None)
        perform(stock_cases.TRANSFER, too_many, by=by, data=data)
        assert (spine.open_kinds(), stocked.level(pot, spare)) == (set(), (5, 0))

    def test_it_closes_itself_when_goods_come(self, erp: Connection, person: Any) -> None:
        stocked.state(erp, ("TK-100", "haupt", 9, "TK-100"))
        assert spine.open_kinds() == set()


def test_a_promise_grows_and_shrinks_with_its_wish(joined: Connection, main: Location, pot: Variant) -> None:
    subject = Order.objects.create(
        channel=joined, external_id="7", number="7", placed_at=timezone.now(), source_updated_at=timezone.now(),
        currency="EUR", prices_include_tax=True, total=1, total_tax=0, state="RECORDED", digest="x", stage="READY",
    )  # fmt: skip

    def wish(pieces: int) -> Wish:
        return Wish(subject=subject, label="7", channel=joined, lines=[(pot.pk, qty(pieces))])

    for pieces in (4, 9, 2, 2):
        assert promises.promise(wish(pieces)) == []
        assert stocked.level(pot, main) == (10, pieces)
    (missing,) = promises.promise(wish(11))
    assert [missing.wanted, missing.missing] == [11, 1]
    assert stocked.level(pot, main) == (10, 2)
